// Package testkit provides tests with buildkitd, buildx, a registry, a Debian base image and the
// Kairos components, all made by the scripts in hack/.
//
// If something is missing on the machine, the test is skipped and says what to install.
// FLAVORKIT_REQUIRE_ALL=1, which `make test` sets, turns each such skip into a failure.
package testkit

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flavorkit/flavorkit/test/spectest"
)

// RepoRoot is the directory of this repository.
func RepoRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatalf("finding the working directory: %v", err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "hack", "lib.sh")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("this test does not run inside the repository")
		}
	}
}

// Cache is the directory with the results of the scripts in hack/.
func Cache(t testing.TB) string {
	t.Helper()
	return filepath.Join(RepoRoot(t), ".cache")
}

// NeedRoot skips the test when it does not run as root.
func NeedRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Missing(t, "needs root: run the tests as root")
	}
}

// Need skips the test when no command of that name is in PATH; hint says how to get it.
func Need(t testing.TB, command, hint string) {
	t.Helper()
	if _, err := exec.LookPath(command); err != nil {
		Missing(t, "needs %s: %s", command, hint)
	}
}

// NeedForeign skips the test when programs of another architecture do not run here.
func NeedForeign(t testing.TB, arch string) {
	t.Helper()
	machine := spectest.Catalog(t).Archs[arch].Machine
	state, err := os.ReadFile("/proc/sys/fs/binfmt_misc/qemu-" + machine)
	if err != nil || !strings.HasPrefix(string(state), "enabled") {
		Missing(t, "needs qemu-user-static for %s: run hack/deps.sh foreign", arch)
	}
}

// Tool is the path of a binary made by hack/tools.sh: buildkitd, buildctl or buildx.
func Tool(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(Cache(t), "bin", name)
	if _, err := os.Stat(path); err != nil {
		Missing(t, "needs .cache/bin/%s: run hack/tools.sh", name)
	}
	return path
}

// Base is the OCI layout of a base image, such as "debian-12" for "amd64"; made if missing.
func Base(t testing.TB, name, arch string) string {
	t.Helper()
	layout := filepath.Join(Cache(t), "base", name+"-"+arch)
	if _, err := os.Stat(layout); err != nil {
		Need(t, "mmdebstrap", "run hack/deps.sh build")
	}
	script(t, "base.sh", name, "--arch", arch)
	return layout
}

// StandIn returns the OCI layout of the local substitute for a distribution, such as "fedora-44",
// for amd64; made if missing.
func StandIn(t testing.TB, name string) string {
	t.Helper()
	NeedRoot(t)
	for _, command := range []string{"rpmbuild", "createrepo_c"} {
		Need(t, command, "run hack/deps.sh standins")
	}
	script(t, "standins.sh", name)
	return filepath.Join(Cache(t), "standins", name+"-amd64")
}

// Component is the directory that holds the binary of a component, such as "kairos-agent" for
// "amd64"; made if missing.
func Component(t testing.TB, name, arch string) string {
	t.Helper()
	script(t, "components.sh", name, "--arch", arch)
	return filepath.Join(Cache(t), "components", arch, name)
}

// Frontend is the OCI layout of the frontend image, built from the code under test.
func Frontend(t testing.TB, arch string) string {
	t.Helper()
	script(t, "frontend.sh", "--arch", arch)
	return filepath.Join(Cache(t), "frontend", arch)
}

func script(t testing.TB, name string, args ...string) {
	t.Helper()
	out, err := exec.Command(filepath.Join(RepoRoot(t), "hack", name), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("hack/%s %v: %v\n%s", name, args, err, out)
	}
}

// Missing skips the test because something is missing, or fails it if nothing may be missing.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("FLAVORKIT_REQUIRE_ALL") == "1" {
		t.Fatalf(format+" (FLAVORKIT_REQUIRE_ALL=1)", args...)
		return
	}
	t.Skipf(format, args...)
}
