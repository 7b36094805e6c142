package main

import (
	"context"
	stderrors "errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/pkg/errors"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/client/starter"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

const initHelp = `Write a first kairos.spec, and the cloud-config of its machines if there is one. DIR
is made if it is missing.

On a terminal, the command asks what the system should be like. A flag answers
its question; --defaults answers all others. Without a terminal nothing is asked.

--from-dockerfile and --from-auroraboot translate what you have instead, and list
what has no counterpart.`

// initName is the name of the command.
const initName = "init"

// initFlags are the flags of init.
type initFlags struct {
	file            string
	contexts        map[string]string
	defaults, force bool
	// dockerfile and auroraboot are files to translate, and args build arguments of a Dockerfile.
	dockerfile, auroraboot string
	args                   []string
	// answers are those of the flags, by the name of the question.
	answers map[string]*string
}

func initCommand() *cobra.Command {
	f := &initFlags{answers: map[string]*string{}}
	cmd := &cobra.Command{
		Use:   initName + " [DIR]",
		Short: "Write a first kairos.spec",
		Long:  initHelp,
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			return f.run(cmd, dir)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.file, "file", "f", "", "the file to write (default: "+specs.DefaultName+" in DIR)")
	flags.BoolVar(&f.force, "force", false, "replace files that exist")
	flags.BoolVar(&f.defaults, "defaults", false, "ask nothing")
	flags.StringVar(&f.dockerfile, "from-dockerfile", "", "translate a Dockerfile that runs kairos-init")
	flags.StringArrayVar(&f.args, "build-arg", nil, "NAME=VALUE: a build argument of the Dockerfile")
	flags.StringVar(&f.auroraboot, "from-auroraboot", "", "translate a configuration file of AuroraBoot")
	flags.Var(catalogFlag{&f.contexts}, "catalog", "directory of a catalog to lay over the built-in one")
	for _, q := range starter.Questions() {
		f.answers[q.Name] = flags.String(q.Name, "", q.Usage)
		for _, from := range []string{"from-dockerfile", "from-auroraboot"} {
			cmd.MarkFlagsMutuallyExclusive(from, q.Name)
		}
	}
	cmd.MarkFlagsMutuallyExclusive("from-dockerfile", "from-auroraboot")
	return cmd
}

// run writes the files and says what to do next. dir is the build context.
func (f *initFlags) run(cmd *cobra.Command, dir string) (err error) {
	file := f.file
	if file == "" {
		file = filepath.Join(dir, specs.DefaultName)
	}
	if _, missing := os.Stat(dir); errors.Is(missing, fs.ErrNotExist) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return errors.Wrap(err, "create the directory of the spec")
		}
		defer func() {
			if err != nil {
				_ = os.Remove(dir) // only if it is empty
			}
		}()
	}
	if err := f.free(file); err != nil {
		return err
	}
	s, err := f.starter(cmd.Context())
	if err != nil {
		return err
	}
	draft, err := f.draft(cmd, s)
	if err != nil {
		return err
	}
	for _, n := range draft.Notes {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s:%d: %s\n", draft.From, n.Line, n.Text)
	}
	files, err := draft.Files(cmd.Context())
	if err != nil {
		return frontend.Locate(err)
	}
	var names []string
	for i, made := range files {
		name := filepath.Join(dir, made.Name) // in the build context, where the spec finds it
		if i == 0 {
			name = file
		}
		names = append(names, name)
	}
	if err := f.write(names, files); err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "wrote %s; build it with: %s\n", strings.Join(names, " and "), f.next(dir, draft))
	return err
}

// draft makes a draft from a file to translate, or from flags and answers.
func (f *initFlags) draft(cmd *cobra.Command, s starter.Starter) (*starter.Draft, error) {
	switch {
	case f.dockerfile != "":
		return f.translate(cmd.Context(), s, f.dockerfile, starter.Starter.FromDockerfile)
	case f.auroraboot != "":
		return f.translate(cmd.Context(), s, f.auroraboot, starter.Starter.FromAuroraBoot)
	default:
		return f.answer(cmd, s)
	}
}

// translator makes a draft from a file.
type translator func(s starter.Starter, ctx context.Context, name string, data []byte) (*starter.Draft, error)

func (f *initFlags) translate(ctx context.Context, s starter.Starter, file string, translate translator) (*starter.Draft, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, errors.Wrap(err, "read the file to translate")
	}
	s.BuildArgs, err = pairs("build-arg", f.args, os.LookupEnv)
	if err != nil {
		return nil, err
	}
	s.Context = os.DirFS(filepath.Dir(file))
	return translate(s, ctx, filepath.Base(file), data)
}

// answer makes a draft from flags and answers.
func (f *initFlags) answer(cmd *cobra.Command, s starter.Starter) (*starter.Draft, error) {
	given := map[string]string{}
	for name, value := range f.answers {
		if cmd.Flags().Changed(name) {
			given[name] = *value
		}
	}
	if word, ok := given[starter.KeyQuestion]; ok {
		given[starter.KeyQuestion] = keyIn(word)
	}
	var ask starter.Asker
	if in, ok := cmd.InOrStdin().(*os.File); ok && !f.defaults && term.IsTerminal(int(in.Fd())) {
		p := newPrompt(in, cmd.ErrOrStderr())
		ask = func(ctx context.Context, q starter.Question, o starter.Offer, wrong error) (string, error) {
			word, err := p.ask(ctx, q, o, wrong)
			if q.Name == starter.KeyQuestion {
				word = keyIn(word)
			}
			return word, err
		}
	}
	draft, err := s.Answer(cmd.Context(), given, ask)
	var wrong *starter.WrongAnswerError
	if errors.As(err, &wrong) {
		return nil, &usageError{err}
	}
	return draft, err
}

func (f *initFlags) starter(ctx context.Context) (starter.Starter, error) {
	cat, err := local.Catalog(ctx, local.Options{Contexts: f.contexts})
	if err != nil {
		return starter.Starter{}, frontend.Locate(err)
	}
	return starter.Starter{Catalog: cat, Arch: runtime.GOARCH, Now: time.Now(), Keys: sshKeys()}, nil
}

// sshKeys are the public keys of the user.
func sshKeys() []starter.SSHKey {
	home, err := os.UserHomeDir()
	if err != nil {
		return nil
	}
	files, _ := filepath.Glob(filepath.Join(home, ".ssh", "*.pub")) // the pattern is right
	var keys []starter.SSHKey
	for _, file := range files {
		if key, err := readKey(file); err == nil {
			keys = append(keys, key)
		}
	}
	return keys
}

// keyIn returns the key in a file, or the word itself when it names no file.
func keyIn(word string) string {
	if key, err := readKey(word); err == nil {
		return key.Line
	}
	return word
}

func readKey(file string) (starter.SSHKey, error) {
	text, err := os.ReadFile(file)
	return starter.SSHKey{Name: file, Line: strings.TrimSpace(string(text))}, err
}

// next is the command that builds the draft.
func (f *initFlags) next(dir string, draft *starter.Draft) string {
	// The same arguments find the spec again.
	line := "flavorkit build "
	if f.file != "" {
		line += "-f " + quote(filepath.ToSlash(f.file)) + " "
	}
	line += quote(filepath.ToSlash(dir))
	if draft.Arch != runtime.GOARCH {
		line += " --platform linux/" + draft.Arch
	}
	line += " --target " + draft.Target.Name
	if catalogDir, ok := f.contexts[catalog.ContextName]; ok {
		line += " --catalog " + quote(filepath.ToSlash(catalogDir))
	}
	return line + " -o dist"
}

// free reports when a file cannot be written, before any question is asked.
func (f *initFlags) free(file string) error {
	if _, err := os.Lstat(file); err == nil && !f.force {
		return errors.Errorf("%s already exists; use --force to replace it", file)
	}
	probe, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		var at *fs.PathError
		if errors.As(err, &at) {
			err = at.Err
		}
		return errors.Wrapf(err, "write the spec into %s", filepath.Dir(file))
	}
	return errors.Wrap(stderrors.Join(probe.Close(), os.Remove(probe.Name())), "write the spec")
}

// write writes all files or none.
func (f *initFlags) write(names []string, files []starter.File) error {
	for _, name := range names {
		if err := f.free(name); err != nil {
			return err
		}
	}
	for i, file := range files {
		if err := replace(names[i], file.Data); err != nil {
			if !f.force {
				for _, written := range names[:i] {
					_ = os.Remove(written)
				}
			}
			return errors.Wrapf(err, "write %s", names[i])
		}
	}
	return nil
}
