package starter

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/test/spectest"
)

const (
	key1 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE6Q5l8d1uGhRjCjq6WmJ7Yp6Q9KzU9v7lZQy1wR0t3a me@example.com"
	arch = "amd64"
)

func starter(t testing.TB) Starter {
	t.Helper()
	return Starter{
		Catalog: spectest.Catalog(t),
		Arch:    arch,
		Now:     time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC),
		Keys:    []SSHKey{{Name: "~/.ssh/id_ed25519.pub", Line: key1}},
	}
}

// check lints the files of a draft, as flavorkit check does.
func check(t *testing.T, s Starter, d *Draft) specs.Diagnostics {
	t.Helper()
	files, err := d.Files(t.Context())
	require.NoError(t, err)
	t.Chdir(t.TempDir())
	writeFiles(t, files)
	o := local.Options{File: specs.DefaultName, Context: ".", Arch: d.Arch, Catalog: s.Catalog, Now: s.Now}
	p, err := local.Plan(t.Context(), o)
	require.NoError(t, err, string(files[0].Data))
	warnings, err := local.Check(t.Context(), p, o)
	require.NoError(t, err, string(files[0].Data))
	return warnings
}

// TestEveryCombination answers with everything that is proposed: each combination of flavor, model,
// architecture and init system, and with it one of the other answers in turn.
func TestEveryCombination(t *testing.T) {
	s := starter(t)
	turn, found := 0, 0
	var walk func(t *testing.T, d *Draft, rest []Question)
	walk = func(t *testing.T, d *Draft, rest []Question) {
		t.Helper()
		if len(rest) == 0 {
			if d.machine.user != "" {
				d.setConfig(d.machine.config())
			}
			found++
			require.Empty(t, check(t, s, d))
			return
		}
		q := rest[0]
		o, err := q.offer(t.Context(), d)
		require.NoError(t, err)
		words := o.names()
		switch {
		case o.closed != "":
			words = []string{o.Default}
		case q.Name == "user":
			words = []string{"", "me"}
		case len(words) == 0:
			words = []string{o.Default}
		}
		switch q.Name {
		case "flavor", "model", "arch", "init":
		default:
			turn++
			words = words[turn%len(words):][:1]
		}
		for _, word := range words {
			next := *d
			require.NoError(t, next.take(t.Context(), q, o, word), "%s %s", q.Name, word)
			walk(t, &next, rest[1:])
		}
	}
	walk(t, s.draft(), Questions())
	t.Log(found, "combinations")
	assert.Greater(t, found, 50)
}

// answers gives answers in turn, and nothing after the last.
func answers(words ...string) (Asker, *[]string) {
	asked := &[]string{}
	return func(_ context.Context, q Question, _ Offer, wrong error) (string, error) {
		line := q.Name
		if wrong != nil {
			line += ": " + wrong.Error()
		}
		*asked = append(*asked, line)
		if len(words) == 0 {
			return "", nil
		}
		word := words[0]
		words = words[1:]
		return word, nil
	}, asked
}

func TestAnswers(t *testing.T) {
	s := starter(t)
	ask, asked := answers("alpine", "", "", "ubuntu-24.4", "ubuntu-24.04", "k3s", "1.36", "v1.36.4+k3s1", "", "", "me", "", "reboot")
	d, err := s.Answer(t.Context(), nil, ask)
	require.NoError(t, err)
	assert.Equal(t, []string{
		"flavor", "model", "arch", "kernel", `kernel: "ubuntu-24.4" is not one of them; did you mean "ubuntu-24.04"?`,
		"kubernetes", "kubernetes-version", `kubernetes-version: "1.36" is not a version of k3s; write it as v1.36.4+k3s1`, "mesh",
		"target", "user", "ssh-key", "install",
	}, *asked, "Alpine has one init system")
	files, err := d.Files(t.Context())
	require.NoError(t, err)
	require.Len(t, files, 2)
	assert.Equal(t, `# syntax=ghcr.io/flavorkit/frontend:1
# A system for flavorkit. All keys: https://github.com/flavorkit/flavorkit/blob/main/docs/spec.md

# The base of this spec: a built-in flavor (debian-12), a file (./base.spec), a named context that
# contains a kairos.spec (acme), or another spec of one (acme/edge.spec).
# https://github.com/flavorkit/flavorkit/blob/main/docs/spec.md#keys
extends: alpine

# The version of the system: a semantic version with a leading v, such as v1.4.0. Upgrades compare
# it.
# https://github.com/flavorkit/flavorkit/blob/main/docs/spec.md#keys
version: v0.1.0

# What the system contains: core (no Kubernetes) or standard (Kubernetes and mesh). The default is
# core.
# https://github.com/flavorkit/flavorkit/blob/main/docs/spec.md#keys
variant: standard

# The kernel. The default is that of the distribution.
# https://github.com/flavorkit/flavorkit/blob/main/docs/spec.md#kernel
kernel: ubuntu-24.04

# The Kubernetes of the standard variant. The default is k3s.
# https://github.com/flavorkit/flavorkit/blob/main/docs/spec.md#kubernetes
kubernetes: k3s

# Options of the artifacts that are made from the root filesystem.
# https://github.com/flavorkit/flavorkit/blob/main/docs/spec.md#artifacts
artifacts:
  iso:
    cloudConfig: cloud-config.yaml
`, string(files[0].Data))
	assert.Equal(t, `#cloud-config
# What a machine reads: https://github.com/flavorkit/flavorkit/blob/main/docs/machines.md

# The installer takes the largest disk, and asks nothing.
install:
  auto: true
  device: auto
  reboot: true

# The group admin may become root.
users:
  - name: 'me'
    groups: [admin]
    ssh_authorized_keys:
      - '`+key1+`'
`, string(files[1].Data))
}

// TestOnlyEnter takes all defaults.
func TestOnlyEnter(t *testing.T) {
	s := starter(t)
	ask, asked := answers()
	asking, err := s.Answer(t.Context(), nil, ask)
	require.NoError(t, err)
	assert.NotContains(t, *asked, "ssh-key", "there is no user")
	silent, err := s.Answer(t.Context(), nil, nil)
	require.NoError(t, err)
	assert.Equal(t, specs.Spec{Extends: "debian-12", Version: "v0.1.0"}, silent.Spec)
	assert.Equal(t, silent.Spec, asking.Spec)
	assert.Equal(t, "iso", silent.Target.Name)
	assert.Equal(t, arch, silent.Arch)
}

func TestWrongAnswers(t *testing.T) {
	for line, want := range map[string]string{
		"flavor=debian12":                     `--flavor: no flavor is called "debian12"; did you mean "debian-12"?`,
		"model=rpi6":                          `--model: unknown model "rpi6"; did you mean "rpi"?`,
		"arch=x86_64":                         `--arch: unknown architecture "x86_64"; did you mean "amd64"? valid: amd64, arm64, riscv64`,
		"kernel=ubuntu-2404":                  `--kernel: unknown distribution "ubuntu-2404"; did you mean "ubuntu-24.04"?`,
		"init=sysv":                           `--init: "sysv" is not valid; `,
		"flavor=alpine init=systemd":          `--init: Alpine 3.23 has no systemd; `,
		"model=rpi4 arch=amd64":               `--arch: Raspberry Pi 4 has no amd64; it has arm64`,
		"kubernetes=k8s":                      `--kubernetes: no Kubernetes is called "k8s"; did you mean "k0s"?`,
		"kubernetes-version=v1.36.4+k3s1":     `--kubernetes-version: the system has no Kubernetes; choose one with --kubernetes`,
		"kubernetes=k3s kubernetes-version=x": `--kubernetes-version: "x" is not a version of k3s; write it as v`,
		"mesh=edgevpn":                        `--mesh: the system has no Kubernetes; choose one with --kubernetes`,
		"kubernetes=k3s mesh=edgvpn":          `--mesh: unknown mesh "edgvpn"; did you mean "edgevpn"?`,
		"target=isoo":                         `--target: unknown target "isoo"; did you mean "iso"?`,
		"target=image user=me":                `--user: the target image has no cloud-config`,
		"user=Me":                             `--user: "Me" is not the name of a user; `,
		"ssh-key=github:me":                   `--ssh-key: it needs a user; name one with --user`,
		"user=me ssh-key=key.pub":             `--ssh-key: "key.pub" is no public key, and no file with one`,
		"install=reboot":                      `--install: it needs a user; name one with --user`,
		"user=me install=halt":                `--install: "halt" is nothing that an installer does; `,
		"user=me install=reboot target=qcow2": `--install: the target qcow2 has no installer`,
	} {
		t.Run(line, func(t *testing.T) {
			given := map[string]string{}
			for _, word := range strings.Fields(line) {
				name, value, _ := strings.Cut(word, "=")
				given[name] = value
			}
			_, err := starter(t).Answer(t.Context(), given, nil)
			require.ErrorContains(t, err, want)
			var wrong *WrongAnswerError
			require.ErrorAs(t, err, &wrong)
		})
	}
	s := starter(t)
	s.Keys = nil
	_, err := s.Answer(t.Context(), map[string]string{"user": "me"}, nil)
	require.EqualError(t, err, "--ssh-key: the user me could not log in without a key")
}

func TestBoard(t *testing.T) {
	d, err := starter(t).Answer(t.Context(), map[string]string{"model": "rpi4"}, nil)
	require.NoError(t, err)
	assert.Equal(t, "arm64", d.Arch)
	assert.Equal(t, "img", d.Target.Name)
}

func writeFiles(t *testing.T, files []File) {
	t.Helper()
	for _, f := range files {
		require.NoError(t, os.WriteFile(f.Name, f.Data, 0o600))
	}
}
