package starter

import (
	"context"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
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
