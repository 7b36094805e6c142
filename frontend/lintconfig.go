package frontend

import (
	"fmt"
	"slices"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// clearPassword warns about passwords of the cloud-configs that the target has.
func clearPassword(s subject) specs.Diagnostics {
	return s.words(func(c specs.CloudConfig) []specs.Word { return c.Passwords }, aboutPassword)
}

func aboutPassword(specs.Word) specs.Diagnostic {
	return specs.Diagnostic{
		Rule:    rules.ClearPassword,
		Message: "the password is not hashed, so whoever gets the file can log in",
		Hint:    "hash it with openssl passwd -6, or use ssh_authorized_keys",
	}
}

func unknownStage(s subject) specs.Diagnostics {
	return s.words(func(c specs.CloudConfig) []specs.Word { return c.Stages }, func(stage specs.Word) specs.Diagnostic {
		return aboutStage(stage, s.plan.RunsStages()...)
	})
}

func aboutStage(stage specs.Word, more ...string) specs.Diagnostic {
	runs, hint := specs.RunsStage(stage.Text, more...)
	if runs {
		return specs.Diagnostic{}
	}
	return specs.Diagnostic{Rule: rules.UnknownStage, Message: fmt.Sprintf("no machine runs the stage %q", stage.Text), Hint: hint}
}

// wrongInit warns about steps for systemd that nothing on the system heeds.
func wrongInit(s subject) specs.Diagnostics {
	if s.plan.System.Init != "openrc" {
		return nil
	}
	return s.words(func(c specs.CloudConfig) []specs.Word { return c.Systemd }, func(k specs.Word) specs.Diagnostic {
		return specs.Diagnostic{
			Rule: rules.WrongInit, Message: fmt.Sprintf("%s is for systemd, and the system has OpenRC", k.Text),
			Hint: "use commands, such as rc-update add NAME default, or add only_service_manager: systemd to the step",
		}
	})
}

// unreadKey warns about the cloud-configs that a machine reads as they are. For the installer, the
// agent writes the first line itself.
func unreadKey(s subject) specs.Diagnostics {
	var found specs.Diagnostics
	for _, k := range s.configKeys() {
		if k == key.ISOCloudConfig {
			continue
		}
		for _, word := range s.configs[k].Unread {
			found = append(found, s.inConfig(k, specs.Diagnostic{
				Rule: rules.UnreadKey, Range: word.Range, Message: "machines read " + word.Text + " only below the line #cloud-config",
				Hint: "write #cloud-config into the first line",
			}))
		}
	}
	return found
}

// configDoubts are those that depend on a cloud-config alone.
func configDoubts(s subject) specs.Diagnostics {
	var found specs.Diagnostics
	for _, k := range s.configKeys() {
		for _, d := range s.configs[k].Doubts {
			found = append(found, s.inConfig(k, d))
		}
	}
	return found
}

// words asks about words of the cloud-configs that the target has. A diagnostic without a rule is
// none.
func (s subject) words(of func(specs.CloudConfig) []specs.Word, about func(specs.Word) specs.Diagnostic) specs.Diagnostics {
	var found specs.Diagnostics
	for _, k := range s.configKeys() {
		for _, word := range of(s.configs[k]) {
			if d := about(word); d.Rule != (rules.Rule{}) {
				d.Range = word.Range
				found = append(found, s.inConfig(k, d))
			}
		}
	}
	return found
}

// configKeys are the keys of the cloud-configs that the target has.
func (s subject) configKeys() (keys []key.Key) {
	for _, c := range configsOf(s.plan) {
		if !c.medium || c.key == s.target.CloudConfig {
			keys = append(keys, c.key)
		}
	}
	return keys
}

// inConfig adds the key of a cloud-config to a diagnostic about it, if the spec itself has the text.
func (s subject) inConfig(k key.Key, d specs.Diagnostic) specs.Diagnostic {
	if slices.Contains(s.plan.Origin.Sources, d.Range.Source) {
		d.Key = s.plan.Origin.Written(k)
	}
	return d
}
