package distro

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/opencontainers/go-digest"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/tree"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// Where a step finds third-party repositories. Their files are a mount, so that those that do not
// stay leave nothing behind. Secrets are mounted one by one. What a package manager needs with a
// secret in it is written to a directory in memory.
const (
	repositoriesDir = graph.ScriptDir + "/repositories"
	secretsDir      = graph.ScriptDir + "/secrets"
	privateDir      = graph.ScriptDir + "/private"
)

// configuration is how a package manager has repositories.
type configuration struct {
	// dir and keys are the directories of its files and of public keys.
	dir, keys string
	// files of a repository by path below dir. The key is where its public key is. In a step,
	// access is where it finds the secrets; in an image it is nil.
	files func(r plan.Repository, key string, access *access) map[string]string
}

// access are the files with the secrets of a repository in a step; empty for those that it does not
// have.
type access struct{ credentials, certificate string }

// keyFile is the file name of the public key of a repository. Where it has no extension of its own,
// signatures name the file that its publisher has.
func keyFile(m catalog.Manager, r plan.Repository) string {
	if m.Repositories.KeyExtension == "" {
		return r.Key.File
	}
	return r.Name + m.Repositories.KeyExtension
}

// lines writes keys and values, and leaves out empty values.
func lines(format string, pairs ...string) string {
	var text strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			fmt.Fprintf(&text, format+"\n", pairs[i], pairs[i+1])
		}
	}
	return text.String()
}

// number is empty for what was not given.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// aptFiles are a source (sources.list(5), deb822-style) and pins (apt_preferences(5)): those of
// named packages count before that of all.
func aptFiles(r plan.Repository, key string, _ *access) map[string]string {
	files := map[string]string{
		"sources.list.d/" + r.Name + ".sources": lines("%s: %s",
			"Types", "deb",
			"URIs", r.URL,
			"Suites", strings.Join(r.Suites, " "),
			"Components", strings.Join(r.Components, " "),
			"Signed-By", key,
		),
	}
	const usual, never = 500, -1
	pin := func(packages string, priority int) string {
		return lines("%s: %s", "Package", packages, "Pin", fmt.Sprintf("origin %q", host(r.URL)), "Pin-Priority", strconv.Itoa(priority))
	}
	switch preferences := "preferences.d/" + r.Name + ".pref"; {
	case len(r.Packages) > 0:
		priority := usual
		if r.Priority != 0 {
			priority = r.Priority
		}
		files[preferences] = pin(strings.Join(r.Packages, " "), priority) + "\n" + pin("*", never)
	case r.Priority != 0:
		files[preferences] = pin("*", r.Priority)
	}
	return files
}

// apkFiles is a list of one repository. A tag limits it to packages that are asked for by it, and
// to what they depend on (apk-repositories(5)).
func apkFiles(r plan.Repository, _ string, _ *access) map[string]string {
	line := r.URL + "\n"
	if len(r.Packages) > 0 {
		line = "@" + r.Name + " " + line
	}
	return map[string]string{"repositories.d/" + r.Name + ".list": line}
}

// dnfFiles is a repository with signed packages (dnf.conf(5)). Few sign their metadata. Credentials
// are added by the script.
func dnfFiles(r plan.Repository, key string, access *access) map[string]string {
	var certificate string
	if access != nil {
		certificate = access.certificate
	}
	return map[string]string{r.Name + ".repo": "[" + r.Name + "]\n" + lines("%s=%s",
		"name", r.Name,
		"baseurl", r.URL,
		"enabled", "1",
		"gpgcheck", "1",
		"gpgkey", "file://"+key,
		"priority", number(r.Priority),
		"includepkgs", strings.Join(r.Packages, " "),
		"sslclientcert", certificate,
		"sslclientkey", certificate,
	)}
}

// zypperFiles is a repository whose metadata must be signed (zypper(8), GPG checks), which then
// vouch for the packages. Secrets are named in the url, as libzypp has it.
func zypperFiles(r plan.Repository, key string, access *access) map[string]string {
	address := r.URL
	if access != nil {
		query := strings.ReplaceAll(strings.TrimSuffix(lines("%s=%s",
			"credentials", access.credentials,
			"ssl_clientcert", access.certificate,
			"ssl_clientkey", access.certificate,
		), "\n"), "\n", "&")
		if query != "" {
			address += "?" + query
		}
	}
	return map[string]string{r.Name + ".repo": "[" + r.Name + "]\n" + lines("%s=%s",
		"name", r.Name,
		"baseurl", address,
		"enabled", "1",
		"autorefresh", "1",
		"gpgcheck", "1",
		"gpgkey", "file://"+key,
		"priority", number(r.Priority),
	)}
}

// host of a url, without its port.
func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address // which the language refuses
	}
	return u.Hostname()
}

// stepFiles are the files of repositories as a step has them in repositoriesDir, without their
// keys. The list has a line for each: its name, its url, the host, whether it stays, and the first
// of its exit codes.
func stepFiles(m catalog.Manager, all []plan.Repository) []tree.Entry {
	c := managers()[m.Name].repositories
	var list strings.Builder
	var entries []tree.Entry
	for i, r := range all {
		stays := "goes"
		if r.Keep {
			stays = "stays"
		}
		fmt.Fprintf(&list, "%s %s %s %s %d\n", r.Name, r.URL, host(r.URL), stays, exitOf(i))
		a := &access{}
		if r.Secret != "" {
			a.credentials = path.Join(privateDir, r.Name)
		}
		if r.Certificate != "" {
			a.certificate = certificateFile(r)
		}
		for name, text := range c.files(r, path.Join(repositoriesDir, "keys", keyFile(m, r)), a) {
			entries = append(entries, tree.File("/"+name, []byte(text)))
		}
	}
	return append(entries, tree.File("/list", []byte(list.String())))
}

// keptFiles are the files of the repositories that stay in an image, without their keys.
func keptFiles(m catalog.Manager, all []plan.Repository) []tree.Entry {
	c := managers()[m.Name].repositories
	var entries []tree.Entry
	for _, r := range all {
		if r.Keep {
			for name, text := range c.files(r, path.Join(c.keys, keyFile(m, r)), nil) {
				entries = append(entries, tree.File(path.Join(c.dir, name), []byte(text)))
			}
		}
	}
	return entries
}

func credentialsFile(r plan.Repository) string { return path.Join(secretsDir, r.Name) }

func certificateFile(r plan.Repository) string { return path.Join(secretsDir, r.Name+".pem") }

// repositories are the environment and the mounts of a step that installs from them. Secrets are no
// part of what a step is cached by.
func repositories(ctx context.Context, g *graph.Graph, p *plan.Plan, in plan.Install) (map[string]string, []llb.RunOption, error) {
	if len(in.Repositories) == 0 {
		return nil, nil, nil
	}
	m, _ := catalog.ManagerByName(in.Manager)
	s := repositoriesStage(g, p)
	action := g.Tree(stepFiles(m, in.Repositories))
	action, err := withKeys(ctx, g, p, m, action, "/keys", in.Repositories)
	if err != nil {
		return nil, nil, err
	}
	var names []string
	mounts := []llb.RunOption{llb.AddMount(privateDir, llb.Scratch(), llb.Tmpfs())}
	for _, r := range in.Repositories {
		names = append(names, r.Name)
		if r.Secret != "" {
			mounts = append(mounts, llb.AddSecret(credentialsFile(r), llb.SecretID(r.Secret)))
		}
		if r.Certificate != "" {
			mounts = append(mounts, llb.AddSecret(certificateFile(r), llb.SecretID(r.Certificate)))
		}
	}
	files := s.File(llb.Scratch(), "configure "+strings.Join(names, ", "), action)
	mounts = append(mounts, llb.AddMount(repositoriesDir, files, llb.Readonly))
	return map[string]string{
		"FLAVORKIT_REPOSITORIES": repositoriesDir, "FLAVORKIT_SECRETS": secretsDir, "FLAVORKIT_PRIVATE": privateDir,
	}, mounts, nil
}

// Keep adds the repositories that stay to a state that packages were installed into. Nothing secret
// is in them.
func Keep(ctx context.Context, g *graph.Graph, s graph.Stage, p *plan.Plan, in plan.Install, on llb.State) (llb.State, error) {
	m, _ := catalog.ManagerByName(in.Manager)
	kept := slices.DeleteFunc(slices.Clone(in.Repositories), func(r plan.Repository) bool { return !r.Keep })
	if len(kept) == 0 {
		return on, nil
	}
	action, err := withKeys(ctx, g, p, m, g.Tree(keptFiles(m, kept)), managers()[m.Name].repositories.keys, in.Repositories)
	if err != nil {
		return llb.State{}, err
	}
	return s.File(on, "keep the repositories of the spec", action), nil
}

func repositoriesStage(g *graph.Graph, p *plan.Plan) graph.Stage {
	return g.Stage("repositories", p.At(key.Repositories)).On(g.Build)
}

// withKeys adds the public keys of repositories in a directory: all of them to the files of a step,
// and in an image those that stay.
func withKeys(ctx context.Context, g *graph.Graph, p *plan.Plan, m catalog.Manager, action *llb.FileAction, dir string, all []plan.Repository) (*llb.FileAction, error) {
	step := dir == "/keys"
	action = action.Mkdir(dir, 0o755, llb.WithParents(true), llb.WithCreatedTime(g.Epoch))
	for i, r := range all {
		if !step && !r.Keep {
			continue
		}
		public, err := publicKey(ctx, g, p, m, i, r)
		if err != nil {
			return nil, err
		}
		action = action.Copy(public, "/key", path.Join(dir, keyFile(m, r)), &llb.CopyInfo{
			Mode: &llb.ChmodOpt{Mode: 0o644}, CreatedTime: &g.Epoch,
			ChownOpt: &llb.ChownOpt{User: &llb.UserOpt{}, Group: &llb.UserOpt{}},
		})
	}
	return action, nil
}

// publicKey is a state with the public key of a repository, /key, as its package manager takes it.
func publicKey(ctx context.Context, g *graph.Graph, p *plan.Plan, m catalog.Manager, i int, r plan.Repository) (llb.State, error) {
	k := key.Repositories.Item(i).SigningKey()
	s := g.Stage("repositories", p.At(k)).On(g.Build)
	text, err := scripts.ReadFile("key.sh")
	if err != nil {
		return llb.State{}, err
	}
	tools, err := s.Image(ctx, p.ScriptImage)
	if err != nil {
		return llb.State{}, err
	}
	const given = graph.ScriptDir + "/key"
	var mount llb.RunOption
	if d := r.Key.Download; d != nil {
		from := p.MirroredDownload(d.URL)
		mount = llb.AddMount(given, s.Fetch(graph.Download{Title: "download " + from, URL: from, File: "key", Sum: digest.NewDigestFromEncoded(digest.SHA256, d.SHA256)}), llb.SourcePath("/key"), llb.Readonly)
	} else {
		from, err := g.Sources.Files(ctx, r.Key.Context)
		if err != nil {
			return llb.State{}, errors.Wrap(err, k.String())
		}
		mount = llb.AddMount(given, from, llb.SourcePath(path.Join("/", r.Key.From)), llb.Readonly)
	}
	return s.Run(tools, graph.Command{
		Title:  "read the public key of " + r.Name,
		Script: graph.Script{Name: "key.sh", Text: text},
		Args:   []string{string(m.Repositories.Key), given, "/out/key"},
		Env:    g.EpochEnv(),
		Mounts: []llb.RunOption{mount},
		Explain: func(code uint32) error {
			switch code {
			case exitNoKey:
				return p.Diagnose(rules.RepositoryRefused, k, "name the file that the repository's publisher offers for "+m.Name, "the file is no public key for %s", m.Name)
			case exitNotText:
				return p.Diagnose(rules.RepositoryRefused, k, "convert it with gpg --enarmor, or name a file that begins with -----BEGIN PGP PUBLIC KEY BLOCK-----", "%s takes no binary key", m.Name)
			default:
				return nil
			}
		},
	}).AddMount("/out", llb.Scratch()), nil
}

// The exit codes of key.sh that say what is wrong with a key.
const (
	exitNoKey   = 200
	exitNotText = 201
)

// The exit codes of a package manager's script that say which repository is to blame, and for what:
// the first code of the repository and the kind of failure. Codes below 200 are of programs that
// the script runs, and of signals.
const (
	exitRepository = 200
	exitKinds      = 5
	// exitOthers is where the codes of all repositories begin that have none of their own.
	exitOthers = 250
	// exitClock is the code for a clock that was never set.
	exitClock = 255
)

// exitOf is the first exit code of a repository.
func exitOf(i int) int { return min(exitRepository+exitKinds*i, exitOthers) }

// failures are what a package manager has against a repository, in the order of the kinds in
// common.sh.
func failures(p *plan.Plan, m catalog.Manager, i int, r plan.Repository) []error {
	const log = "the log of the step has what "
	says := log + m.Name + " says"
	k := key.Repositories.Item(i)
	credentials := k
	switch {
	case r.Secret != "":
		credentials = k.Entry("secret")
	case r.Certificate != "":
		credentials = k.Entry("certificate")
	}
	return []error{
		p.Diagnose(rules.RepositoryRefused, k.Entry("url"), says, "%s cannot read the repository %s at %s", m.Name, r.Name, r.URL),
		p.Diagnose(rules.RepositoryRefused, k.SigningKey(), says, "the key does not verify the repository %s", r.Name),
		p.Diagnose(rules.RepositoryRefused, k, says, "the repository %s, its key or its signature has expired", r.Name),
		p.Diagnose(rules.RepositoryRefused, credentials, says, "the repository %s refuses the credentials, or needs some", r.Name),
		p.Diagnose(rules.RepositoryRefused, k.Entry("name"), "choose another name", "the base image has a repository %s of its own", r.Name),
	}
}

// explain reads the exit code of a step that installs packages.
func explain(p *plan.Plan, in plan.Install, code uint32) error {
	switch {
	case code == exitNoCertificate && p.CA != nil:
		return noCertificate(p)
	case code == exitClock:
		return p.Diagnose(rules.UnreadArchive, at(p, in), "set it", "the clock of the builder is before 2020, so that no signature and no certificate is valid")
	case code >= exitMirror && code <= exitArchive:
		return unread(p, in, int(code))
	case len(in.Repositories) == 0 || code < exitRepository:
		return nil
	}
	at := (int(code) - exitRepository) / exitKinds
	kind := (int(code) - exitRepository) % exitKinds
	switch {
	case int(code) >= exitOthers:
		return p.Diagnose(rules.RepositoryRefused, key.Repositories, "the log of the step has what "+in.Manager+" says", "%s cannot use one of the repositories", in.Manager)
	case at >= len(in.Repositories):
		return nil
	}
	m, _ := catalog.ManagerByName(in.Manager)
	return failures(p, m, at, in.Repositories[at])[kind]
}
