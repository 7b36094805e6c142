package catalog_test

import (
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"
	"mvdan.cc/sh/v3/syntax"

	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/test/spectest"
)

// assumed are commands that need not be asked for: those of the shell, of coreutils, which each
// distribution has on its list, of OpenRC for its scripts, and programs of Kairos.
const assumed = ". : [ basename break cat cd chgrp chmod chown command continue cp cut date dirname echo exec exit export false " +
	"head kill ln local ls mkdir mktemp mv nice printf pwd read readlink return rm rmdir seq set sh shift sleep sort stat stty sync tail tee test touch " +
	"tr trap true tty umask uname unset uniq wait wc " +
	"after before ebegin eend keyword need provide use " +
	"immucore kairos-agent grow-persistent grub-state merge-extensions systemd-sysext add-partitions cos-setup-reconcile serial tty1"

// optional are commands of which scripts and stages make use only where they are, or that come with
// what a condition before them looks for.
var optional = map[string]string{
	"btrfs":                        "a filesystem of the installer's other choices",
	"iscsi-iname":                  "comes with the optional group iscsi, behind a condition",
	"openssl":                      "checks signatures of extensions, behind a condition",
	"poweroff":                     "comes with reboot",
	"supervise-daemon":             "part of OpenRC",
	"systemctl":                    "of a step for SUSE, which has systemd",
	"systemd-networkd-wait-online": "comes with systemd-networkd, whose drop-in it is in",
	"systemd-run":                  "part of systemd, in the test medium, behind a condition",
	"veritysetup":                  "checks extensions, behind a condition",
	"xfs_growfs":                   "a filesystem of the installer's other choices",
}

// TestCommands has each command that a script, a unit or a cloud-config stage runs on the machine
// asked for by the requirements, so that the build fails when a distribution does not have it.
func TestCommands(t *testing.T) {
	for _, init := range []string{"systemd", "openrc"} {
		t.Run(init, func(t *testing.T) {
			needs := spectest.MustPlan(t, "extends: debian-12\nversion: v1.0.0\ninit: "+init+"\n", nil, "amd64").Needs[catalog.NeedCommands]
			known := strings.Fields(assumed)
			for names := range maps.Keys(needs) {
				known = append(known, strings.Split(names, " or ")...)
			}
			known = slices.AppendSeq(known, maps.Keys(optional))
			files, err := spectest.Catalog(t).Overlays().Files("common", init, "disk-reset", "test")
			require.NoError(t, err)
			scripts := 0
			for _, f := range files {
				for _, text := range shellTexts(t, f.Path, string(f.Data)) {
					scripts++
					for _, name := range commandsOf(t, f.Path, text) {
						if !slices.Contains(known, name) {
							t.Errorf("%s runs %s: add it to requirements/commands.yaml", f.Path, name)
						}
					}
				}
			}
			assert.Greater(t, scripts, 40, "scripts are looked for in the wrong place")
		})
	}
}

// shellTexts are the scripts in a file: itself, what a unit executes, or the commands and
// conditions of stages that run on the machine.
func shellTexts(t *testing.T, name, text string) []string {
	t.Helper()
	var texts []string
	switch {
	case strings.HasPrefix(text, "#!"):
		texts = append(texts, text)
	case path.Ext(name) == ".service" || strings.HasSuffix(path.Dir(name), ".service.d"):
		for line := range strings.Lines(text) {
			key, command, _ := strings.Cut(strings.TrimSpace(line), "=")
			if command = strings.TrimLeft(command, "-+!:@"); strings.HasPrefix(key, "Exec") && command != "" {
				texts = append(texts, command)
			}
		}
	case path.Ext(name) == ".yaml" || path.Base(name) == "user-data":
		type step struct {
			If       string   `yaml:"if"`
			Commands []string `yaml:"commands"`
		}
		var config struct {
			Stages map[string][]step `yaml:"stages"`
		}
		require.NoError(t, yaml.Load([]byte(text), &config), name)
		for stage, steps := range config.Stages {
			if strings.HasPrefix(stage, "rootfs") {
				continue // in the initramfs, for which the requirements of boot count
			}
			for _, s := range steps {
				texts = append(texts, append(s.Commands, s.If)...)
			}
		}
	}
	return texts
}

// commandsOf are the commands that a script calls, without its own functions. One in a variable is
// not seen.
func commandsOf(t *testing.T, name, text string) []string {
	t.Helper()
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text), name)
	require.NoError(t, err, "%s: %s", name, text)
	own := map[string]bool{}
	var called []string
	syntax.Walk(file, func(node syntax.Node) bool {
		switch n := node.(type) {
		case *syntax.FuncDecl:
			own[n.Name.Value] = true
		case *syntax.CallExpr:
			if words := literals(n.Args); len(words) > 0 {
				called = append(called, path.Base(words[0]))
				if path.Base(words[0]) == "exec" && len(words) > 1 {
					called = append(called, path.Base(words[1]))
				}
			}
		}
		return true
	})
	return slices.DeleteFunc(called, func(c string) bool { return own[c] || c == "" || strings.HasPrefix(c, "<") })
}

// literals are the words of a call up to the first that is not plain text.
func literals(args []*syntax.Word) []string {
	var words []string
	for _, arg := range args {
		word := arg.Lit()
		if word == "" {
			break
		}
		words = append(words, word)
	}
	return words
}
