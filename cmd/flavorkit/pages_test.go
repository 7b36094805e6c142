package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan/lock"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/test/pages"
	"github.com/flavorkit/flavorkit/test/testkit"
)

const (
	// readerEnv makes the test binary the programs of a reader of the documentation, by the name that
	// it is called with. Its value is the repository.
	readerEnv = "FLAVORKIT_TEST_READER"
	// readerBuildx is the path of buildx.
	readerBuildx = "FLAVORKIT_TEST_BUILDX"
)

// notRun are programs in the documentation that the test does not run, with the reason.
func notRun() map[string]string {
	const machine, result, host = "is for a machine that runs", "works on what a build made", "changes the host"
	return map[string]string{
		"kairos-agent": machine, "grub2-editenv": machine, "reboot": machine, "modprobe": machine,
		"zstd": result, "dd": result, "mcopy": result, "truncate": result, "qemu-system-aarch64": result,
		"apt-get": host, "dpkg": host, "dpkg-deb": host,
		"git": "changes the reader's repository", "jq": "prints what flavorkit has printed",
		"buildkitd": "runs until it is stopped",
	}
}

// onlyParsed says why a command line of flavorkit is parsed and not run; empty if it runs.
func onlyParsed(args []string) string {
	line := strings.Join(args, " ")
	switch {
	case args[0] == "boot":
		return "it starts a VM"
	case args[0] == "lsp":
		return "it talks with an editor"
	case strings.Contains(line, "--from-bundle"):
		return "it reads a bundle"
	case args[0] == "sign", args[0] == "verify", strings.Contains(line, "--sign "):
		return "it reads a key"
	case args[0] == "inspect", args[0] == "report", args[0] == "unpack", args[0] == "remaster",
		regexp.MustCompile(`^(diff|sbom|scan) .*(\.iso|\.json|ghcr\.io/)`).MatchString(line):
		return "it reads what a build made"
	case args[0] == "scan":
		return "it reads a database of vulnerabilities"
	case strings.HasPrefix(line, "catalog outdated"):
		return "it asks publishers"
	default:
		return ""
	}
}

// readerMain is a program of a reader.
func readerMain(name string, args []string) int {
	fail := func(format string, a ...any) int {
		fmt.Fprintf(os.Stderr, format+"\n", a...)
		return 1
	}
	repository := os.Getenv(readerEnv)
	switch name {
	case "flavorkit":
		return readerFlavorkit(args)
	case "docker", "buildx":
		if name == "docker" {
			if len(args) == 0 || args[0] != "buildx" {
				return fail("docker %q is not buildx", args)
			}
			args = args[1:]
		}
		if !slices.Contains(args, "bake") {
			args = append(args, "--help") // which it prints when all flags are right
		} else {
			args = append(args, "--print")
		}
		cmd := exec.Command(os.Getenv(readerBuildx), args...)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return fail("buildx %q: %v", args, err)
		}
	case "sudo":
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			return fail("%q: %v", args, err)
		}
	case "git":
		if args[0] == "show" {
			fmt.Print(readerFiles()["edge.spec"])
		}
	case "jq":
		_, _ = io.Copy(io.Discard, os.Stdin)
	case "mkdir":
		for _, dir := range args {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return fail("%v", err)
			}
		}
	case "make":
		makefile, err := os.ReadFile(filepath.Join(repository, "Makefile"))
		if err != nil {
			return fail("%v", err)
		}
		for _, target := range args {
			if !strings.Contains(target, "=") && !strings.Contains(string(makefile), "\n"+target+":") {
				return fail("the Makefile has no target %s", target)
			}
		}
	case "go":
		for _, arg := range args {
			if dir := filepath.Join(repository, arg); strings.HasPrefix(arg, "./") && !isDir(dir) {
				return fail("there is no %s", arg)
			}
		}
	default:
		if _, ok := notRun()[name]; !ok {
			return fail("%s is no program of this test", name)
		}
	}
	return 0
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// readerFlavorkit runs flavorkit. What needs a BuildKit comes as far as the connection to one that
// does not exist, after all checks of the command line and of the spec that the client does.
func readerFlavorkit(args []string) int {
	if len(args) == 0 || onlyParsed(args) != "" {
		args = append(args, "--help") // which it prints when all flags are right
	}
	if args[0] == "init" {
		args = append(args, "--force") // the directory of a reader is empty
	}
	for i, arg := range args {
		if strings.HasPrefix(arg, "unix://") {
			args[i] = nowhere
		}
	}
	var stderr bytes.Buffer
	code := run(context.Background(), args, os.Stdout, &stderr)
	if code == exitFailed && strings.Contains(stderr.String(), "flavorkit: talk to the builder "+nowhere) {
		return 0
	}
	_, _ = os.Stderr.Write(stderr.Bytes())
	return code
}

// reader is a directory like that of a reader: a checkout, and in it a directory with a spec.
type reader struct {
	dir, bin string
	env      []string
	programs map[string]bool
}

func newReader(t *testing.T) *reader {
	t.Helper()
	repository := testkit.RepoRoot(t)
	self, err := os.Executable()
	require.NoError(t, err)
	top := t.TempDir()
	r := &reader{dir: filepath.Join(top, "edge"), bin: filepath.Join(top, "programs"), programs: map[string]bool{"cd": true}}
	require.NoError(t, os.MkdirAll(r.bin, 0o755))
	link := func(to, name string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.Symlink(to, name))
	}
	for _, name := range append([]string{"flavorkit", "docker", "sudo", "make", "go", "mkdir"}, catalog.Names(notRun())...) {
		link(self, filepath.Join(r.bin, name))
		r.programs[name] = true
	}
	for _, name := range []string{"cat", "true", "grep"} {
		path, err := exec.LookPath(name)
		require.NoError(t, err)
		link(path, filepath.Join(r.bin, name))
		r.programs[name] = true
	}
	// Pages are written for both directories.
	for _, dir := range []string{top, r.dir} {
		link(self, filepath.Join(dir, "bin", "flavorkit"))
		link(self, filepath.Join(dir, ".cache", "bin", "buildx"))
		link(self, filepath.Join(dir, ".cache", "bin", "buildkitd"))
		link(filepath.Join(repository, "testdata"), filepath.Join(dir, "testdata"))
		scripts, err := filepath.Glob(filepath.Join(repository, "hack", "*.sh"))
		require.NoError(t, err)
		for _, script := range scripts {
			link(filepath.Join(r.bin, "true"), filepath.Join(dir, "hack", filepath.Base(script)))
		}
	}
	for _, name := range []string{"catalog", "my-catalog"} {
		link(filepath.Join(repository, "examples", "private-distro", "catalog"), filepath.Join(r.dir, name))
	}
	code, _, stderr := flavorkit(t.Context(), "bake", "-o", filepath.Join(r.dir, "docker-bake.json"))
	require.Zero(t, code, stderr)
	r.reset(t)
	write(t, filepath.Join(top, ".ssh", "id_ed25519.pub"), "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDbW4XmDbXYvHvDGhhMVYrOHkBVkMmnPWfUJ1u4T6cBI me@example.com\n")
	config := t.TempDir()
	r.env = append(os.Environ(), "PATH="+r.bin, readerEnv+"="+repository, "BUILDKIT_HOST="+nowhere, "HOME="+top,
		"BUILDX_CONFIG="+config, "DOCKER_CONFIG="+config)
	for _, name := range []string{"IMAGE", "VERSION", "CI_COMMIT_TAG", "CI_REGISTRY_IMAGE"} {
		r.env = append(r.env, name+"=set-by-ci")
	}
	return r
}

// reset gives a page the files that it begins with.
func (r *reader) reset(t *testing.T) {
	t.Helper()
	for name, text := range readerFiles() {
		write(t, filepath.Join(r.dir, name), text)
	}
	require.NoError(t, os.RemoveAll(filepath.Join(r.dir, lock.Name(specs.DefaultName))))
}

// readerFiles are the files that the commands of the documentation name.
func readerFiles() map[string]string {
	const spec = "# syntax=ghcr.io/flavorkit/frontend:1\nextends: debian-12\nversion: v1.0.0\n"
	return map[string]string{
		"kairos.spec":      spec + "packages: {add: [curl]}\ncloudConfig: {content: \"#cloud-config\\nhostname: edge\\n\"}\nfiles: [{path: /etc/motd, content: hello}]\n",
		"edge.spec":        spec,
		"edge-next.spec":   strings.Replace(spec, "v1.0.0", "v1.1.0", 1),
		"edge/kairos.spec": spec + "# flavorkit: skip=NoAdminUser\n",
		"edge.yaml":        "entries:\n  - extends: [debian-12]\n    architectures: [amd64]\n",
		"site-7.yaml":      "#cloud-config\n",
		"network.yaml":     "mirrors: {}\n",
		"login.txt":        "",
		"signing.key":      "",
		"Dockerfile":       "FROM debian:12\nARG VERSION\nRUN kairos-init --version $VERSION\n",
		"aurora.yaml":      "flavor: debian\nflavor_release: \"12\"\n",
	}
}

var assignment = regexp.MustCompile(`^(?:[A-Z_]+=\S+ +)+`)

// isCommand tells whether a line begins with a program, or sets the contexts of the next ones.
func (r *reader) isCommand(line string) bool {
	if regexp.MustCompile(`^contexts\+?=\($`).MatchString(line) {
		return true
	}
	word, _, _ := strings.Cut(assignment.ReplaceAllString(line, ""), " ")
	return r.programs[word] || strings.HasSuffix(word, "bin/flavorkit") || strings.HasPrefix(word, "hack/")
}

// arrays are assignments in a block, which later blocks of the page use.
var arrays = regexp.MustCompile(`(?ms)^contexts\+?=\(\n.*?^\)\n`)

// TestPages runs every command of the documentation.
func TestPages(t *testing.T) {
	ran := 0
	r := newReader(t)
	for _, page := range pages.All(t, testkit.RepoRoot(t)) {
		if filepath.Base(page) == "commands.md" {
			continue // TestExamples runs what it shows
		}
		r.reset(t)
		set := "contexts=()\n"
		for _, b := range pages.Blocks(t, page) {
			if name := fileOf(b); name != "" {
				write(t, filepath.Join(r.dir, name), b.Text)
			}
			typed := b.Commands(r.isCommand)
			if typed == "" {
				continue
			}
			ran++
			t.Run(fmt.Sprintf("%s:%d", filepath.Base(page), b.Line), func(t *testing.T) { r.run(t, set, typed) })
			for _, array := range arrays.FindAllString(typed, -1) {
				set += array
			}
		}
	}
	assert.Greater(t, ran, 50, "few commands were found; do the patterns still fit?")
}

// fileOf is the name of the file that a block shows, if commands need it.
func fileOf(b pages.Block) string {
	switch {
	case b.Language == "hcl":
		return "docker-bake.hcl"
	case b.Language == "yaml" && strings.HasPrefix(b.Text, "entries:"):
		return "edge.yaml"
	default:
		return b.Title
	}
}

// TestExamples runs the examples in the help of the commands.
func TestExamples(t *testing.T) {
	r := newReader(t)
	eachCommand(rootCommand(&bytes.Buffer{}, &bytes.Buffer{}), func(cmd *cobra.Command) {
		for line := range strings.Lines(cmd.Example) {
			t.Run(strings.TrimSpace(line), func(t *testing.T) { r.run(t, "", line) })
		}
	})
}

// run runs commands in the directory of the reader.
func (r *reader) run(t *testing.T, set, typed string) {
	t.Helper()
	env := r.env
	if strings.Contains(typed, "buildx") {
		env = append(slices.Clone(env), readerBuildx+"="+testkit.Tool(t, "buildx"))
	}
	bash, err := exec.LookPath("bash")
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), bash, "-euo", "pipefail", "-c", set+typed)
	cmd.Dir, cmd.Env = r.dir, env
	out, err := cmd.CombinedOutput()
	assert.NoError(t, err, "%s\n%s", typed, out)
}

// inline is a command in the text of a page.
var inline = regexp.MustCompile("`flavorkit ([^`]+)`")

// TestPagesName checks that the commands that the text of the documentation names exist, with
// their flags.
func TestPagesName(t *testing.T) {
	root := rootCommand(&bytes.Buffer{}, &bytes.Buffer{})
	found := 0
	for _, page := range pages.All(t, testkit.RepoRoot(t)) {
		data, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, m := range inline.FindAllStringSubmatch(string(data), -1) {
			words := strings.Fields(m[1])
			cmd, _, err := root.Find(words)
			require.NoError(t, err, "%s: %s", page, m[0])
			assert.True(t, cmd != root || strings.HasPrefix(words[0], "-"), "%s: %s", page, m[0])
			found++
			for _, word := range words {
				name, _, _ := strings.Cut(word, "=")
				switch {
				case name == "--help": // cobra adds it to every command
				case strings.HasPrefix(name, "--"):
					assert.NotNil(t, cmd.Flags().Lookup(name[2:]), "%s: %s", page, m[0])
				case strings.HasPrefix(name, "-") && len(name) == 2:
					assert.NotNil(t, cmd.Flags().ShorthandLookup(name[1:]), "%s: %s", page, m[0])
				}
			}
		}
	}
	assert.Greater(t, found, 50, "few commands were found; does the pattern still fit?")
}
