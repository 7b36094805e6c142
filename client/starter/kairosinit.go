package starter

import (
	"strings"
)

// option is an option of kairos-init, of any of its versions.
type option struct {
	long, short string
	// flag is true when the option takes no value.
	flag bool
	// take translates a value; nil when nothing needs to be done.
	take func(d *dockerfile, line int, value string)
	// why says why an option has no counterpart.
	why string
}

// options are those of kairos-init v0.1 to v0.17 (main.go).
func options() []option {
	return []option{
		{long: "version", take: func(d *dockerfile, line int, value string) { d.setVersion(line, value) }},
		// Before v0.5, -v was short for this, and later for --version.
		{long: "variant", short: "v", take: func(d *dockerfile, line int, value string) {
			switch value {
			case "core", "standard":
				d.variant = value
			default:
				d.setVersion(line, value)
			}
		}},
		{long: "model", short: "m", take: func(d *dockerfile, line int, value string) { d.setModel(line, value) }},
		{long: "kubernetes-provider", short: "k", take: func(d *dockerfile, _ int, value string) { d.provider = value }},
		{long: "provider", short: "p", take: func(d *dockerfile, _ int, value string) { d.provider, d.variant = value, "standard" }},
		{long: "k8sversion", take: func(d *dockerfile, _ int, value string) { d.providerVersion = value }},
		{long: "provider-NAME-version", take: func(d *dockerfile, _ int, value string) { d.providerVersion = value }},
		{long: "provider-NAME-config", why: "the provider reads the cloud-config of the machine"},
		{long: "trusted", short: "t", take: unless("trusted boot is not supported")},
		{long: "trustedboot", flag: true, why: "trusted boot is not supported"},
		{long: "fips", flag: true, why: "FIPS is not supported"},
		{long: "framework", short: "f", why: "the programs of Kairos have their own versions: set them in components"},
		{long: "registry", short: "r", why: "machines upgrade to the image that they are told"},
		{long: "level", short: "l"},
		{long: "stage", short: "s"},
		{long: "validate", flag: true},
		{long: "stage-extensions", short: "x", flag: true, why: "extend the spec instead: " + pages + "extending.md"},
		{long: "skip-step", why: "every step is a layer of its own that a spec can change"},
		{long: "skip-packages-install", flag: true, why: "remove single packages with packages.remove"},
		{long: "skip-k8s-install", flag: true, why: "leave kubernetes out"},
	}
}

// unless is for an option that has no counterpart when it is on.
func unless(why string) func(*dockerfile, int, string) {
	return func(d *dockerfile, line int, value string) {
		if v := strings.ToLower(value); v == "true" || v == "1" {
			d.note(line, "%s -t: %s", kairosInit, why)
		}
	}
}

// find finds an option by a word such as --model, -m or --provider-k3s-version.
func findOption(word string) (option, bool) {
	for _, o := range options() {
		before, after, named := strings.Cut(o.long, "NAME")
		switch {
		case word == "--"+o.long, word == "-"+o.long, o.short != "" && word == "-"+o.short:
			return o, true
		case named && strings.HasPrefix(word, "--"+before) && strings.HasSuffix(word, after):
			return o, true
		}
	}
	return option{}, false
}

// kairosInit translates a call of kairos-init.
func (d *dockerfile) kairosInit(line int, words []string) {
	for i := 0; i < len(words); i++ {
		word, value, given := strings.Cut(words[i], "=")
		if !strings.HasPrefix(word, "-") {
			continue // a subcommand: validate, version, steps-info
		}
		o, ok := findOption(word)
		if !ok {
			if word != "-" && word != "--" {
				d.note(line, "%s %s is not known", kairosInit, short(word))
			}
			continue
		}
		if !o.flag && !given && i+1 < len(words) {
			i++
			value = words[i]
		}
		switch {
		case o.why != "" && !(o.flag && value == "false"):
			d.note(line, "%s %s: %s", kairosInit, short(word), o.why)
		case o.take != nil && value != "":
			o.take(d, line, value)
		}
	}
	d.kubernetes(line)
}

// kubernetes chooses the Kubernetes after all options are read: the provider counts only in the
// variant standard, or where there is no variant.
func (d *dockerfile) kubernetes(line int) {
	if d.variant == "core" || d.provider == "" && d.variant == "" || d.Spec.Kubernetes.Distribution != "" {
		return
	}
	provider := d.provider
	if provider == "" {
		provider = d.starter.defaultOf("standard")
	}
	d.setProvider(line, provider, d.providerVersion)
}
