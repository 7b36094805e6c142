package bench

import (
	"archive/tar"
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/testkit"
)

var (
	rounds = flag.Int("rounds", 3, "how often to measure each side")
	record = flag.String("record", "", "directory of the documentation to write the results into")
)

const arch = "amd64"

// edit is what changes in a system between two builds.
type edit struct {
	name string
	// medium, config and packages are added to a system.
	medium, config, packages string
}

// edits are built one after the other, each over the first.
func edits() []edit {
	return []edit{
		{name: "spec to ISO, nothing cached"},
		{name: "another cloud-config of the medium, to ISO", medium: "#cloud-config\n# medium\n"},
		{name: "another cloud-config of the image, to ISO", config: "#cloud-config\n# image\n"},
		{name: "one more package, to ISO", packages: "tree"},
	}
}

// side makes the system in its way.
type side interface {
	// iso builds the ISO of an edited system. steps is how many steps ran, 0 if it is not known.
	iso(b *testing.B, e edit) (file string, steps int)
	// image builds the image of the system without edits as an OCI archive, and its files as a tar archive.
	image(b *testing.B) (oci, tar string)
}

// BenchmarkBuild measures both sides in turn, each on an engine without a cache.
func BenchmarkBuild(b *testing.B) {
	root := testkit.RepoRoot(b)
	testkit.Need(b, "mksquashfs", "run hack/deps.sh test")
	testkit.Need(b, "xorriso", "run hack/deps.sh test")
	results := Results{Date: time.Now().UTC().Format(time.DateOnly), Machine: machine(b), Rounds: *rounds}
	sides := []func(*testing.B, *testkit.Daemon) side{newFlavorkit, newDockerfile}
	values := map[string]*[2][]float64{}
	units, steps := map[string]string{}, map[string]int{}
	var names []string
	note := func(name, unit string, n int, value float64) {
		if values[name] == nil {
			values[name] = &[2][]float64{}
			names, units[name] = append(names, name), unit
		}
		values[name][n] = append(values[name][n], value)
		b.Logf("%s: %s: %s", []string{"flavorkit", "Dockerfile"}[n], name, show(value, unit))
	}
	for round := range *rounds {
		for turn := range sides {
			n := (turn + round) % len(sides) // no side is always the first
			b.Run(fmt.Sprintf("%d/%s", round+1, []string{"flavorkit", "Dockerfile"}[n]), func(b *testing.B) {
				daemon := testkit.Buildkitd(b)
				s := sides[n](b, daemon)
				for i, e := range edits() {
					began := time.Now()
					file, ran := s.iso(b, e)
					note(e.name, "seconds", n, time.Since(began).Seconds())
					steps[e.name] = max(steps[e.name], ran)
					if i > 0 {
						continue
					}
					note("ISO", "bytes", n, size(b, file))
					oci, files := s.image(b)
					note("image, compressed", "bytes", n, size(b, oci))
					unpacked, initramfs := sizes(b, files)
					note("root filesystem, unpacked", "bytes", n, unpacked)
					note("initramfs", "bytes", n, initramfs)
				}
				disk, memory := daemon.Usage(b)
				note("disk of the engine after all of this", "bytes", n, float64(disk))
				note("peak memory of the engine itself", "bytes", n, float64(memory))
			})
			if b.Failed() {
				return
			}
		}
	}
	for _, name := range names {
		v := values[name]
		row := Row{Name: name, Unit: units[name], Flavorkit: median(v[0]), Dockerfile: median(v[1]), Steps: steps[name]}
		results.Rows = append(results.Rows, row)
		b.ReportMetric(row.Ratio(), strings.NewReplacer(" ", "_", ",", "").Replace(name)+"-ratio")
	}
	if *record != "" {
		require.NoError(b, results.Record(*record))
		b.Logf("results are in %s", filepath.Join(root, "docs", "performance.md"))
	}
}

// flavorkit builds with the CLI.
type flavorkit struct {
	binary, dir string
	common      []string
	runs        int
}

func newFlavorkit(b *testing.B, daemon *testkit.Daemon) side {
	b.Helper()
	s := &flavorkit{binary: filepath.Join(testkit.RepoRoot(b), "bin", "flavorkit"), dir: b.TempDir()}
	s.common = []string{"--builder", daemon.Addr(),
		"--build-context", "debian:12-slim=oci-layout://" + testkit.Base(b, "debian-12", arch)}
	for _, name := range programs() {
		s.common = append(s.common, "--build-context", name+"="+testkit.Component(b, name, arch))
	}
	return s
}

func programs() []string { return []string{"kairos-agent", "immucore"} }

const spec = "extends: debian-12\nversion: v1.0.0\n"

func (s *flavorkit) build(b *testing.B, text string, args ...string) {
	b.Helper()
	require.NoError(b, os.WriteFile(filepath.Join(s.dir, "kairos.spec"), []byte(text), 0o644))
	run(b, s.binary, append(append([]string{"build", s.dir, "--progress", "quiet"}, s.common...), args...)...)
}

func (s *flavorkit) iso(b *testing.B, e edit) (string, int) {
	b.Helper()
	text := spec
	if e.medium != "" {
		text += fmt.Sprintf("artifacts: {iso: {cloudConfig: {content: %q}}}\n", e.medium)
	}
	if e.config != "" {
		text += fmt.Sprintf("cloudConfig: {content: %q}\n", e.config)
	}
	if e.packages != "" {
		text += fmt.Sprintf("packages: {add: [%s]}\n", e.packages)
	}
	s.runs++
	out, trace := filepath.Join(s.dir, fmt.Sprint("dist", s.runs)), filepath.Join(s.dir, "trace.json")
	s.build(b, text, "--target", "iso", "-o", out, "--trace", trace)
	files, err := filepath.Glob(filepath.Join(out, "*.iso"))
	require.NoError(b, err)
	require.Len(b, files, 1)
	return files[0], ran(b, trace)
}

// ran counts the steps that ran and have inputs: the others are sources.
func ran(b *testing.B, file string) int {
	b.Helper()
	data, err := os.ReadFile(file)
	require.NoError(b, err)
	var t struct {
		Events []struct {
			Category string `json:"cat"`
			Args     struct {
				Digest string   `json:"digest"`
				Inputs []string `json:"inputs"`
			} `json:"args"`
		} `json:"traceEvents"`
	}
	require.NoError(b, json.Unmarshal(data, &t))
	steps := map[string]bool{}
	for _, e := range t.Events {
		if e.Category == "ran" && len(e.Args.Inputs) > 0 {
			steps[e.Args.Digest] = true
		}
	}
	require.NotEmpty(b, steps)
	return len(steps)
}

func (s *flavorkit) image(b *testing.B) (string, string) {
	b.Helper()
	oci, files := filepath.Join(s.dir, "image.oci"), filepath.Join(s.dir, "image.tar")
	s.build(b, spec, "-o", "type=oci,dest="+oci)
	s.build(b, spec, "-o", "type=tar,dest="+files)
	return oci, files
}

// dockerfile builds testdata/Dockerfile with buildx, unpacks the image, packs a squashfs and an ISO.
// The ISO has no boot loader, so that it is rather smaller and made faster than one that boots.
type dockerfile struct {
	buildx  *testkit.BuildxCLI
	base    string
	context string
	dir     string
}

func newDockerfile(b *testing.B, daemon *testkit.Daemon) side {
	b.Helper()
	s := &dockerfile{buildx: testkit.Buildx(b, daemon), base: testkit.Base(b, "debian-12", arch), context: b.TempDir(), dir: b.TempDir()}
	root := testkit.RepoRoot(b)
	for _, dir := range []string{"programs", "overlay", "config"} {
		require.NoError(b, os.Mkdir(filepath.Join(s.context, dir), 0o755))
	}
	for _, name := range programs() {
		run(b, "cp", filepath.Join(testkit.Component(b, name, arch), name), filepath.Join(s.context, "programs"))
	}
	for from, to := range map[string]string{"common": "", "systemd": "", "dracut/usr": "usr"} {
		to = filepath.Join(s.context, "overlay", to)
		require.NoError(b, os.MkdirAll(to, 0o755))
		run(b, "cp", "-a", filepath.Join(root, "specs", "catalog", "overlay", from)+"/.", to)
	}
	run(b, "cp", filepath.Join("testdata", "Dockerfile"), s.context)
	return s
}

// planned are the names of all packages of the plan.
func planned(b *testing.B) []string {
	b.Helper()
	dir := b.TempDir()
	require.NoError(b, os.WriteFile(filepath.Join(dir, "kairos.spec"), []byte(spec), 0o644))
	var plan struct {
		Userland, Kernel struct {
			Packages []struct{ Name string }
		}
	}
	data := run(b, filepath.Join(testkit.RepoRoot(b), "bin", "flavorkit"), "plan", dir, "--format", "json")
	require.NoError(b, json.Unmarshal(data, &plan))
	var names []string
	for _, p := range append(plan.Userland.Packages, plan.Kernel.Packages...) {
		names = append(names, p.Name)
	}
	require.Greater(b, len(names), 20)
	return names
}

// prepare writes an edit into the context.
func (s *dockerfile) prepare(b *testing.B, e edit) {
	b.Helper()
	packages := planned(b)
	if e.packages != "" {
		packages = append(packages, e.packages)
	}
	require.NoError(b, os.WriteFile(filepath.Join(s.context, "packages"), []byte(strings.Join(packages, "\n")+"\n"), 0o644))
	require.NoError(b, os.WriteFile(filepath.Join(s.context, "config", "90_custom.yaml"), []byte(e.config), 0o644))
}

func (s *dockerfile) build(b *testing.B, output string) {
	b.Helper()
	out, err := s.buildx.Build("--build-context", "base=oci-layout://"+s.base, "--build-arg", "VERSION=v1.0.0", "--output", output, s.context)
	require.NoError(b, err, out)
}

func (s *dockerfile) iso(b *testing.B, e edit) (string, int) {
	b.Helper()
	s.prepare(b, e)
	files, root, medium := filepath.Join(s.dir, "root.tar"), filepath.Join(s.dir, "root"), filepath.Join(s.dir, "medium")
	s.build(b, "type=tar,dest="+files)
	require.NoError(b, os.RemoveAll(root))
	require.NoError(b, os.RemoveAll(medium))
	require.NoError(b, os.MkdirAll(filepath.Join(medium, "boot"), 0o755))
	require.NoError(b, os.Mkdir(root, 0o755))
	run(b, "tar", "-xpf", files, "-C", root)
	run(b, "mksquashfs", root, filepath.Join(medium, "rootfs.squashfs"), "-comp", "gzip", "-noappend", "-no-progress")
	run(b, "cp", "-L", filepath.Join(root, "boot", "vmlinuz"), filepath.Join(root, "boot", "initrd"), filepath.Join(medium, "boot"))
	require.NoError(b, os.WriteFile(filepath.Join(medium, "config.yaml"), []byte(e.medium), 0o644))
	iso := filepath.Join(s.dir, "dockerfile.iso")
	run(b, "xorriso", "-as", "mkisofs", "-volid", "COS_LIVE", "-rational-rock", "-joliet", "-o", iso, medium)
	return iso, 0
}

func (s *dockerfile) image(b *testing.B) (string, string) {
	b.Helper()
	oci := filepath.Join(s.dir, "image.oci")
	s.build(b, "type=oci,dest="+oci)
	return oci, filepath.Join(s.dir, "root.tar")
}

func run(b *testing.B, name string, args ...string) []byte {
	b.Helper()
	command := exec.CommandContext(b.Context(), name, args...)
	var failed strings.Builder
	command.Stderr = &failed
	out, err := command.Output()
	require.NoError(b, err, "%s %v: %s", name, args, &failed)
	return out
}

func size(b *testing.B, file string) float64 {
	b.Helper()
	info, err := os.Stat(file)
	require.NoError(b, err)
	return float64(info.Size())
}

// sizes returns the bytes of all files of a root filesystem, and of its initramfs.
func sizes(b *testing.B, archive string) (all, initramfs float64) {
	b.Helper()
	f, err := os.Open(archive)
	require.NoError(b, err)
	defer f.Close()
	for r := tar.NewReader(bufio.NewReaderSize(f, 1<<20)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(b, err)
		all += float64(h.Size)
		if filepath.Clean(h.Name) == "boot/initrd" && h.Typeflag == tar.TypeReg {
			initramfs = float64(h.Size)
		}
	}
	require.NotZero(b, initramfs)
	return all, initramfs
}

// machine reads what Linux says of this machine (proc(5)).
func machine(b *testing.B) Machine {
	b.Helper()
	m := Machine{Cores: runtime.NumCPU()}
	for line := range strings.Lines(read(b, "/proc/cpuinfo")) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			m.Processor = strings.TrimSpace(value)
		}
	}
	_, err := fmt.Sscanf(read(b, "/proc/meminfo"), "MemTotal: %d kB", &m.Memory)
	require.NoError(b, err)
	m.Memory *= 1024
	var one float64
	_, err = fmt.Sscanf(read(b, "/proc/loadavg"), "%f %f", &one, &m.Load)
	require.NoError(b, err)
	return m
}

func read(b *testing.B, file string) string {
	b.Helper()
	data, err := os.ReadFile(file)
	require.NoError(b, err)
	return string(data)
}
