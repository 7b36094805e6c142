package starter

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
)

// none is the answer for no component of a kind.
const none = "none"

// Question is one of those that a first spec depends on.
type Question struct {
	// Name is that of the flag that answers it.
	Name string
	// Text asks a person. Usage is the help of the flag.
	Text, Usage string

	// Names are those of all answers, whatever was answered before; nil when any text is one.
	Names func(*catalog.Catalog) []string

	// offer returns the answers to propose, after the questions before this one.
	offer func(context.Context, *Draft) (Offer, error)
	// answer changes the draft.
	answer func(*Draft, string) error
}

// Offer is what can be answered.
type Offer struct {
	// Choices are proposed answers. The answer is one of them unless Free is true.
	Choices []Choice
	// Free answers are any text.
	Free bool
	// Default is the answer of somebody who gives none.
	Default string

	// own is true when the system has the default already, so the spec need not say it.
	own bool
	// closed says why the question has no other answer than the default; empty when it has.
	closed string
}

// Choice is a proposed answer.
type Choice struct{ Name, Title string }

// open reports whether there is something to ask about.
func (o Offer) open() bool { return o.closed == "" && (o.Free || len(o.Choices) > 1) }

// names are those of the choices.
func (o Offer) names() []string {
	var names []string
	for _, c := range o.Choices {
		names = append(names, c.Name)
	}
	return names
}

// Asker asks a person a question. wrong says what was wrong with the last answer, or is nil.
type Asker func(ctx context.Context, q Question, o Offer, wrong error) (string, error)

// WrongAnswerError is an answer that was given without being asked, and that is wrong.
type WrongAnswerError struct {
	// Name of the question.
	Name string
	Err  error
}

func (e *WrongAnswerError) Error() string { return "--" + e.Name + ": " + e.Err.Error() }

// Unwrap returns what is wrong.
func (e *WrongAnswerError) Unwrap() error { return e.Err }

// Answer makes a draft from the answers that are given, by the name of the question. ask is asked
// for the others; if it is nil, they get their defaults.
func (s Starter) Answer(ctx context.Context, given map[string]string, ask Asker) (*Draft, error) {
	d := s.draft()
	for _, q := range Questions() {
		o, err := q.offer(ctx, d)
		if err != nil {
			return nil, err
		}
		word, ok := given[q.Name]
		switch {
		case ok && o.closed != "" && word != o.Default:
			err = &WrongAnswerError{q.Name, errors.New(o.closed)}
		case !ok && ask != nil && o.open():
			err = d.ask(ctx, q, o, ask)
		default:
			if !ok {
				word = o.Default
			}
			if err = d.take(ctx, q, o, word); err != nil {
				err = &WrongAnswerError{q.Name, err}
			}
		}
		if err != nil {
			return nil, err
		}
	}
	if d.machine.user != "" {
		d.setConfig(d.machine.config())
	}
	return d, nil
}

// ask asks until the answer is right.
func (d *Draft) ask(ctx context.Context, q Question, o Offer, ask Asker) error {
	var wrong error
	for {
		word, err := ask(ctx, q, o, wrong)
		if err != nil {
			return err
		}
		if word == "" {
			word = o.Default
		}
		if !o.Free && !slices.Contains(o.names(), word) {
			wrong = errors.Errorf("%q is not one of them; %s", word, specs.Suggest(word, o.names()))
			continue
		}
		if wrong = d.take(ctx, q, o, word); wrong == nil {
			return nil
		}
	}
}

// take changes the draft by an answer, if a build would take the spec then.
func (d *Draft) take(ctx context.Context, q Question, o Offer, word string) error {
	if o.own && word == o.Default {
		return nil
	}
	changed := *d
	if err := q.answer(&changed, word); err != nil {
		return err
	}
	if _, err := changed.any(ctx); err != nil {
		return errors.New(mistake(err))
	}
	*d = changed
	return nil
}

// KeyQuestion is the name of the question for an SSH key.
const KeyQuestion = "ssh-key"

// Why a question is not asked.
const (
	needsKubernetes = "the system has no Kubernetes; choose one with --" + specs.KindKubernetes
	needsUser       = "it needs a user; name one with --user"
)

// Questions are all questions, in the order in which they are asked: each depends on the answers
// before it.
func Questions() []Question {
	return []Question{
		{
			Name: "flavor", Text: "Flavor: the distribution with its init system and kernel", Usage: "the flavor to extend (default: " + firstFlavor + ")",
			Names: (*catalog.Catalog).FlavorNames, offer: flavors, answer: (*Draft).setFlavor,
		},
		{
			Name: "model", Text: "Machine", Usage: "the machine, such as a board (default: that of the flavor)",
			Names: modelNames, offer: models, answer: func(d *Draft, word string) error { d.Spec.Model = word; return nil },
		},
		{
			Name: "arch", Text: "Architecture", Usage: "the architecture of the machine, for what to build first (default: that of this machine)",
			Names: archNames, offer: archs, answer: (*Draft).setArch,
		},
		{
			Name: "kernel", Text: "Kernel: the distribution that it comes from", Usage: "the distribution that the kernel comes from (default: that of the flavor)",
			Names: distroNames, offer: kernels, answer: func(d *Draft, word string) error { d.Spec.Kernel.From = word; return nil },
		},
		{
			Name: "init", Text: "Init system", Usage: "the init system (default: that of the flavor)",
			Names: initNames, offer: inits, answer: func(d *Draft, word string) error { d.Spec.Init = word; return nil },
		},
		{
			Name: specs.KindKubernetes, Text: "Kubernetes", Usage: "the Kubernetes, or " + none + " (default: " + none + ")",
			Names: componentNames(specs.KindKubernetes), offer: kubernetes, answer: (*Draft).setKubernetes,
		},
		{
			Name: specs.KindKubernetes + "-version", Text: "Version of Kubernetes", Usage: "its version (default: that of the catalog)",
			offer: kubernetesVersions, answer: func(d *Draft, word string) error { d.Spec.Kubernetes.Version = word; return nil },
		},
		{
			Name: specs.KindMesh, Text: "Network between the machines", Usage: "the network between the machines, or " + none + " (default: that of the catalog, with a Kubernetes)",
			Names: componentNames(specs.KindMesh), offer: meshes, answer: func(d *Draft, word string) error { d.Spec.Mesh.Name = word; return nil },
		},
		{
			Name: "target", Text: "What to build first", Usage: "what to build first (default: a disk for a board, else an ISO)",
			Names: func(*catalog.Catalog) []string { return Offer{Choices: targetChoices()}.names() }, offer: targets, answer: (*Draft).setTarget,
		},
		{
			Name: "user", Text: "Name of a user, who can log in and become root; nothing for none", Usage: "a user who can log in and become root",
			offer: users, answer: (*Draft).setUser,
		},
		{
			Name: KeyQuestion, Text: "SSH key of the user: a file, a key, or github:NAME", Usage: "the SSH key of the user: a file, a key, github:NAME or gitlab:NAME (default: the first in ~/.ssh)",
			offer: sshKeys, answer: (*Draft).setKey,
		},
		{
			Name: "install", Text: "Installer", Usage: "what the installer does: " + strings.Join(installNames(), ", ") + " (default: " + installations()[0].Name + ")",
			Names: func(*catalog.Catalog) []string { return installNames() }, offer: installers, answer: (*Draft).setInstall,
		},
	}
}

func modelNames(cat *catalog.Catalog) []string  { return catalog.Names(cat.Models) }
func archNames(cat *catalog.Catalog) []string   { return catalog.Names(cat.Archs) }
func distroNames(cat *catalog.Catalog) []string { return catalog.Names(cat.Distros) }

// initNames are the init systems of all distributions.
func initNames(cat *catalog.Catalog) []string {
	known := map[string]bool{}
	for _, d := range cat.Distros {
		for _, name := range d.InitNames() {
			known[name] = true
		}
	}
	return catalog.Names(known)
}

// componentNames are the components of a kind, and none.
func componentNames(kind string) func(*catalog.Catalog) []string {
	return func(cat *catalog.Catalog) []string {
		return append(cat.OfKind(kind), none)
	}
}

func flavors(ctx context.Context, d *Draft) (Offer, error) {
	o := Offer{Default: firstFlavor}
	for _, name := range d.starter.Catalog.FlavorNames() {
		changed := d.with(func(s *specs.Spec) { s.Extends = name })
		// A flavor of a catalog of the user may need a named context.
		if p, err := changed.any(ctx); err == nil && published(p) && d.starter.maintained(p) {
			o.Choices = append(o.Choices, Choice{name, d.starter.title(p)})
		}
	}
	return o, nil
}

// title describes a system by its parts.
func (s Starter) title(p *plan.Plan) string {
	title := s.Catalog.Distros[p.Userland.Distro].Title + ", " + p.System.Init
	if p.Kernel.Distro != p.Userland.Distro {
		title += ", kernel of " + s.Catalog.Distros[p.Kernel.Distro].Title
	}
	if p.Disk.Firmware != nil {
		title += ", " + s.Catalog.Models[p.Model].Title
	}
	return title
}

func (d *Draft) setFlavor(word string) error {
	if _, ok := d.starter.Catalog.Flavor(word); !ok {
		return errors.Errorf("no flavor is called %q; %s", word, specs.Suggest(word, d.starter.Catalog.FlavorNames()))
	}
	d.Spec.Extends = word
	return nil
}

// among offers those names for which the system resolves and is current. own is what the flavor
// has: answering it changes nothing.
func (d *Draft) among(ctx context.Context, own string, names []string, title func(string) string, change func(*Draft, string)) Offer {
	o := Offer{Default: own, own: true}
	for _, name := range preferred(own, names) {
		changed := *d
		change(&changed, name)
		p, err := changed.any(ctx)
		if name == own || err == nil && published(p) && d.starter.maintained(p) {
			o.Choices = append(o.Choices, Choice{name, title(name)})
		}
	}
	return o
}

func models(ctx context.Context, d *Draft) (Offer, error) {
	p, err := d.any(ctx)
	if err != nil {
		return Offer{}, err
	}
	known := d.starter.Catalog.Models
	return d.among(ctx, p.Model, modelNames(d.starter.Catalog), func(name string) string { return known[name].Title },
		func(d *Draft, name string) { d.Spec.Model = name }), nil
}

func archs(ctx context.Context, d *Draft) (Offer, error) {
	known := d.starter.Catalog.Archs
	o := Offer{}
	for _, name := range preferred(d.starter.Arch, archNames(d.starter.Catalog)) {
		if p, err := d.plan(ctx, name); err == nil && published(p) {
			o.Choices = append(o.Choices, Choice{name, known[name].Title})
		}
	}
	if len(o.Choices) == 0 {
		return Offer{}, errors.New("nothing is published for an architecture of this system")
	}
	o.Default = o.Choices[0].Name
	return o, nil
}

func (d *Draft) setArch(word string) error {
	if d.starter.Catalog.Archs[word] == nil {
		return errors.Errorf("unknown architecture %q; %s", word, d.starter.Catalog.ArchHint(word))
	}
	d.Arch = word
	return nil
}

func kernels(ctx context.Context, d *Draft) (Offer, error) {
	p, err := d.any(ctx)
	if err != nil {
		return Offer{}, err
	}
	known := d.starter.Catalog.Distros
	names := slices.DeleteFunc(distroNames(d.starter.Catalog), func(name string) bool {
		return name != p.Kernel.Distro && known[name].OlderThan(known[p.Userland.Distro])
	})
	return d.among(ctx, p.Kernel.Distro, names, func(name string) string {
		if name == p.Userland.Distro {
			return known[name].Title + ", its own"
		}
		return known[name].Title
	}, func(d *Draft, name string) { d.Spec.Kernel.From = name }), nil
}

func inits(ctx context.Context, d *Draft) (Offer, error) {
	p, err := d.any(ctx)
	if err != nil {
		return Offer{}, err
	}
	names := d.starter.Catalog.Distros[p.Userland.Distro].InitNames()
	return d.among(ctx, p.System.Init, names, func(string) string { return "" }, func(d *Draft, name string) { d.Spec.Init = name }), nil
}

// components are those of a kind, by name.
func (s Starter) components(kind string) map[string]*catalog.Component {
	found := map[string]*catalog.Component{}
	for name, c := range s.Catalog.Components {
		if c.Kind == kind {
			found[name] = c
		}
	}
	return found
}

func kubernetes(ctx context.Context, d *Draft) (Offer, error) {
	known := d.starter.components(specs.KindKubernetes)
	return d.among(ctx, none, componentNames(specs.KindKubernetes)(d.starter.Catalog), func(name string) string {
		if name == none {
			return ""
		}
		return known[name].Version
	}, func(d *Draft, name string) { _ = d.setKubernetes(name) }), nil
}

// setKubernetes chooses a Kubernetes, and with it the variant that has one.
func (d *Draft) setKubernetes(word string) error {
	if word == none {
		return nil
	}
	known := d.starter.components(specs.KindKubernetes)
	if known[word] == nil {
		return errors.Errorf("no Kubernetes is called %q; %s", word, specs.Suggest(word, componentNames(specs.KindKubernetes)(d.starter.Catalog)))
	}
	for _, c := range known {
		if len(c.Variants) > 0 {
			d.Spec.Variant = c.Variants[0]
		}
	}
	d.Spec.Kubernetes.Distribution = word
	return nil
}

func kubernetesVersions(_ context.Context, d *Draft) (Offer, error) {
	c := d.starter.Catalog.Components[d.Spec.Kubernetes.Distribution]
	if c == nil {
		return Offer{own: true, closed: needsKubernetes}, nil
	}
	return Offer{Free: true, Default: c.Version, own: true}, nil
}

func meshes(ctx context.Context, d *Draft) (Offer, error) {
	if d.Spec.Kubernetes.Distribution == "" {
		return Offer{Default: none, own: true, closed: needsKubernetes}, nil
	}
	known := d.starter.components(specs.KindMesh)
	own := none
	for name, c := range known {
		if slices.Contains(c.Variants, d.Spec.Variant) {
			own = name
		}
	}
	return d.among(ctx, own, componentNames(specs.KindMesh)(d.starter.Catalog), func(name string) string {
		if name == none {
			return ""
		}
		return known[name].Version
	}, func(d *Draft, name string) { d.Spec.Mesh.Name = name }), nil
}

func targets(ctx context.Context, d *Draft) (Offer, error) {
	p, err := d.any(ctx)
	if err != nil {
		return Offer{}, err
	}
	fits := configured(key.ISOCloudConfig)
	if p.Disk.Firmware != nil {
		fits = configured(key.DiskCloudConfig)
	}
	o := Offer{Choices: targetChoices()}
	for _, t := range frontend.Targets() {
		if o.Default == "" && first(t) && fits(t) {
			o.Default = t.Name
		}
	}
	return o, nil
}

// first reports whether a target is one to build first: the image, or what a machine starts from.
func first(t frontend.Target) bool {
	return t.Output == frontend.SystemImage || t.Output == frontend.Files && !t.CloudConfig.IsZero()
}

func targetChoices() (all []Choice) {
	for _, t := range frontend.Targets() {
		if first(t) {
			all = append(all, Choice{t.Name, t.Description})
		}
	}
	return all
}

func (d *Draft) setTarget(word string) error {
	t, err := frontend.TargetByName(word)
	if err != nil {
		return err
	}
	if !first(t) {
		return errors.Errorf("%q is no target to build first; %s", word, specs.Suggest(word, Offer{Choices: targetChoices()}.names()))
	}
	d.Target = t
	return nil
}

func users(_ context.Context, d *Draft) (Offer, error) {
	if d.Target.CloudConfig.IsZero() {
		return Offer{closed: "the target " + d.Target.Name + " has no cloud-config"}, nil
	}
	return Offer{Free: true}, nil
}

// userNames are those that useradd(8) takes.
var userNames = regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,31}$`)

func (d *Draft) setUser(word string) error {
	if word != "" && !userNames.MatchString(word) {
		return errors.Errorf("%q is not the name of a user; use lower case letters, digits, _ and -", word)
	}
	d.machine.user = word
	return nil
}

func sshKeys(_ context.Context, d *Draft) (Offer, error) {
	if d.machine.user == "" {
		return Offer{own: true, closed: needsUser}, nil
	}
	o := Offer{Free: true}
	for _, k := range d.starter.Keys {
		o.Choices = append(o.Choices, Choice{Name: k.Name})
	}
	if len(o.Choices) > 0 {
		o.Default = o.Choices[0].Name
	}
	return o, nil
}

// installations are what an installer can do.
func installations() []Choice {
	return []Choice{{"ask", "ask before it installs"}, {"reboot", "install at once, then reboot"}, {"poweroff", "install at once, then power off"}}
}

func installNames() []string { return Offer{Choices: installations()}.names() }

func installers(_ context.Context, d *Draft) (Offer, error) {
	o := Offer{Choices: installations(), Default: installations()[0].Name}
	switch {
	case d.Target.CloudConfig != key.ISOCloudConfig:
		o.closed = "the target " + d.Target.Name + " has no installer"
	case d.machine.user == "":
		o.closed = needsUser
	}
	return o, nil
}

func (d *Draft) setInstall(word string) error {
	if names := installNames(); !slices.Contains(names, word) {
		return errors.Errorf("%q is nothing that an installer does; %s", word, specs.Suggest(word, names))
	}
	d.machine.install = word
	return nil
}
