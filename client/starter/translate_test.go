package starter

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs"
)

// lines are the notes as lines.
func lines(d *Draft) []string {
	var all []string
	for _, n := range d.Notes {
		all = append(all, n.Text)
	}
	return all
}

func TestFromDockerfile(t *testing.T) {
	data, err := os.ReadFile("testdata/factory.Dockerfile")
	require.NoError(t, err)
	s := starter(t)
	s.Context = fstest.MapFS{"config/a.conf": {}, "motd": {}}
	d, err := s.FromDockerfile(t.Context(), "Dockerfile", data)
	require.NoError(t, err)
	assert.Equal(t, specs.Spec{
		Extends: "ubuntu-24-lts",
		Version: "v1.2.3",
		Variant: "standard",
		Choices: specs.Choices{Kubernetes: specs.Kubernetes{Distribution: "k3s", Version: "v1.35.1+k3s1"}},
		Packages: specs.Packages{Add: []string{
			"htop", "tcpdump", // openssh-server is there anyway
		}},
		Files: []specs.File{
			{Path: "/etc/edge", From: "config", Mode: "0600", Owner: "0:0"},
			{Path: "/etc/motd", From: "motd"},
			{Path: "/etc/edge/site", Content: "here\n"},
		},
		Layers: []specs.Layer{{Name: "tools", Context: "tools", Path: "/out/tool", To: "/usr/bin/tool"}},
	}, d.Spec)
	var at []int
	for _, n := range d.Notes {
		at = append(at, n.Line)
	}
	assert.Equal(t, []int{16, 24, 28, 29, 32, 32}, at)
	for i, want := range []string{"ENV EDITOR: ", "COPY --from=tools /out/tool: ", "RUN systemctl enable edge.service: ", "EXPOSE: ", "kairos-init -t: trusted boot", "kairos-init --fips: FIPS"} {
		assert.True(t, strings.HasPrefix(d.Notes[i].Text, want), d.Notes[i].Text)
	}
	files, err := d.Files(t.Context())
	require.NoError(t, err)
	assert.Contains(t, string(files[0].Data), "# Translated from Dockerfile: ")
	assert.Contains(t, string(files[0].Data), "\n#   line 29: EXPOSE: only containers have it, not machines\n")
}

func TestDockerfiles(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		args map[string]string
		want specs.Spec
		note string
	}{
		"as in upstream's README": {
			text: "FROM quay.io/kairos/kairos-init:latest AS kairos-init\nFROM debian:bookworm-slim\nARG VERSION=1.0.0\nCOPY --from=kairos-init /kairos-init /kairos-init\nRUN /kairos-init --version \"${VERSION}\"\nRUN rm /kairos-init\n",
			want: specs.Spec{Extends: "debian-12", Version: "v1.0.0"},
		},
		"a build argument": {
			text: "ARG BASE\nFROM ${BASE}\nARG VERSION\nRUN kairos-init -v $VERSION -p k0s --provider-k0s-version v1.35.1+k0s.0",
			args: map[string]string{"BASE": "alpine:3.22.1", "VERSION": "v2.0.0"},
			want: specs.Spec{Distro: specs.Distro{Name: "alpine-3.22"}, Version: "v2.0.0", Variant: "standard", Choices: specs.Choices{Kubernetes: specs.Kubernetes{Distribution: "k0s", Version: "v1.35.1+k0s.0"}}},
		},
		"an old variant": {
			text: "FROM debian:12\nRUN kairos-init -v standard -k k3s --k8sversion latest --version v1.0.0",
			want: specs.Spec{Extends: "debian-12", Version: "v1.0.0", Variant: "standard", Choices: specs.Choices{Kubernetes: specs.Kubernetes{Distribution: "k3s"}}},
		},
		"core without the provider": {
			text: "FROM debian:12\nRUN kairos-init -v core -k k3s --k8sversion latest --version v1.0.0",
			want: specs.Spec{Extends: "debian-12", Version: "v1.0.0"},
		},
		"an argument that depends on a command": {
			text: "FROM debian:12\nRUN /kairos-init --version v1.0.0 \"$(if true; then echo --fips; fi)\" -m virtual",
			want: specs.Spec{Extends: "debian-12", Version: "v1.0.0", Model: "virtual"},
			note: "kairos-init: an argument depends on a command, and is left out",
		},
		"a published image": {
			text: "FROM quay.io/kairos/ubuntu:24.04-standard-amd64-generic-v3.5.0-k3sv1.35.1-k3s1\nRUN apt-get install htop",
			want: specs.Spec{Source: specs.SourceImage{Image: "quay.io/kairos/ubuntu:24.04-standard-amd64-generic-v3.5.0-k3sv1.35.1-k3s1"}},
			note: "the package htop: packages are not installed into a published image yet",
		},
		"a published image with files and a version": {
			text: "FROM acme.example/edge/hadron:v0.0.4-core-amd64-generic-v4.0.0\nCOPY motd /etc/motd\nRUN kairos-init --version v7.0.0",
			want: specs.Spec{
				Source: specs.SourceImage{Image: "acme.example/edge/hadron:v0.0.4-core-amd64-generic-v4.0.0"}, Version: "v7.0.0",
				Files: []specs.File{{Path: "/etc/motd", From: "motd"}},
			},
		},
		"a published image for a board": {
			text: "FROM quay.io/kairos/debian:13-core-arm64-rpi4-v3.5.0",
			want: specs.Spec{Extends: "debian-13", Version: "v3.5.0", Model: "rpi4"},
			note: "an image for a board cannot be a source; the spec makes the system from the distribution",
		},
		"another kernel": {
			text: "FROM debian:12\nRUN apt-get remove -y linux-image-amd64 && apt-get install -y linux-image-cloud-amd64",
			want: specs.Spec{Extends: "debian-12", Version: "v0.1.0", Kernel: specs.Kernel{Package: "linux-image-cloud-amd64"}},
		},
		"a board that the catalog lacks": {
			text: "FROM ubuntu:24.04\nRUN kairos-init -m nvidia-jetson-agx-orin",
			want: specs.Spec{Extends: "ubuntu-24-lts", Version: "v0.1.0"},
			note: `model nvidia-jetson-agx-orin: unknown model "nvidia-jetson-agx-orin"`,
		},
		"no release": {
			text: "FROM fedora",
			want: specs.Spec{Extends: "fedora", Version: "v0.1.0"},
			note: "FROM fedora names no release of the catalog; Fedora 44 is used",
		},
		"a command in a condition": {
			text: "FROM debian:12\nRUN if true; then apt-get install htop; fi",
			want: specs.Spec{Extends: "debian-12", Version: "v0.1.0"},
			note: "RUN if true; then apt-get install htop; fi: run it in a Dockerfile",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := starter(t)
			s.BuildArgs = c.args
			d, err := s.FromDockerfile(t.Context(), "Dockerfile", []byte(c.text))
			require.NoError(t, err)
			assert.Equal(t, c.want, d.Spec)
			if c.note == "" {
				assert.Empty(t, lines(d))
			} else {
				assert.Contains(t, strings.Join(lines(d), "\n"), c.note)
			}
		})
	}
	for text, want := range map[string]string{
		"":                     "",
		"FROM rockylinux:9":    `line 1: no distribution of the catalog has the base image "rockylinux:9"`,
		"FROM debian:12\nRUNN": "unknown instruction: RUNN",
	} {
		_, err := starter(t).FromDockerfile(t.Context(), "Dockerfile", []byte(text))
		require.ErrorContains(t, err, want)
	}
}

func TestFromAuroraBoot(t *testing.T) {
	s := starter(t)
	d, err := s.FromAuroraBoot(t.Context(), "aurora.yaml", []byte(`artifact_version: v3.5.0-k3sv1.35.1+k3s1
release_version: v3.5.0
flavor: ubuntu
flavor_release: "24.04"
repository: kairos-io/kairos
disable_netboot: true
state_dir: /tmp/out
cloud_config: |
  #cloud-config
  users: [{name: me, groups: [admin]}]
iso:
  name: Edge
  overlay_rootfs: root
disk:
  vhd: true
  size: "16000"
  maas: false
netbot: true
`))
	require.NoError(t, err)
	assert.Equal(t, specs.Spec{
		Extends: "ubuntu-24-lts", Name: "edge", Version: "v3.5.0", Variant: "standard",
		Choices:   specs.Choices{Kubernetes: specs.Kubernetes{Distribution: "k3s", Version: "v1.35.1+k3s1"}},
		Layers:    []specs.Layer{{Name: "overlay", Context: "overlay"}},
		Artifacts: specs.Artifacts{Disk: specs.Disk{Size: "16000MiB", CloudConfig: specs.Content{From: ConfigName}}},
	}, d.Spec)
	assert.Equal(t, "vhd", d.Target.Name)
	assert.Equal(t, "#cloud-config\nusers: [{name: me, groups: [admin]}]\n", d.Config)
	assert.Equal(t, []string{
		"repository: the spec makes the system from the distribution; no published file is downloaded",
		"state_dir: flavorkit build -o DIRECTORY",
		"iso.overlay_rootfs: pass the directory with --build-context overlay=root",
		"netbot is not a key of AuroraBoot",
	}, lines(d))

	d, err = s.FromAuroraBoot(t.Context(), "aurora.yaml", []byte("container_image: docker://quay.io/kairos/debian:13-core-arm64-rpi4-v3.5.0\ncloud_config: \"users: [\"\n"))
	require.NoError(t, err)
	assert.Equal(t, specs.Spec{Extends: "debian-13", Version: "v3.5.0", Model: "rpi4"}, d.Spec)
	assert.Equal(t, "arm64", d.Arch)
	assert.Contains(t, lines(d)[0], "an image for a board cannot be a source")
	assert.Contains(t, lines(d)[1], "cloud_config is left out: ")

	for text, want := range map[string]specs.Spec{
		"container_image: docker://quay.io/kairos/debian:13-core-arm64-generic-v3.5.0\nartifact_version: v9.0.0\niso: {label: EDGE}\n": {
			Source: specs.SourceImage{Image: "quay.io/kairos/debian:13-core-arm64-generic-v3.5.0"}, Artifacts: specs.Artifacts{ISO: specs.ISO{Label: "EDGE"}},
		},
		"container_image: oci:acme/edge:v1\narch: arm64\ndisk: {efi: true, size: \"9000\"}\n": {
			Source: specs.SourceImage{Image: "acme/edge:v1"}, Artifacts: specs.Artifacts{Disk: specs.Disk{Size: "9000MiB"}},
		},
	} {
		d, err := s.FromAuroraBoot(t.Context(), "aurora.yaml", []byte(text))
		require.NoError(t, err)
		assert.Equal(t, want, d.Spec)
		assert.Equal(t, "arm64", d.Arch)
		assert.Empty(t, d.Notes)
		files, err := d.Files(t.Context())
		require.NoError(t, err)
		assert.Contains(t, string(files[0].Data), "docs/spec.md#source\nsource: "+want.Source.Image+"\n")
	}
	d, err = s.FromAuroraBoot(t.Context(), "aurora.yaml", []byte("container_image: dir:/srv/Root\nflavor: debian\nflavor_release: \"12\"\n"))
	require.NoError(t, err)
	assert.Equal(t, "debian-12", d.Spec.Extends)
	assert.Contains(t, lines(d)[0], `container_image dir:/srv/Root: "dir:/srv/Root" is not valid; write an image reference`)

	for text, want := range map[string]string{
		"- a":             "it is not a mapping",
		"flavor: [":       "read aurora.yaml",
		"flavor: debain":  `no distribution of the catalog is called "debain"; did you mean "debian"?`,
		"flavor: hadron":  `no distribution of the catalog is called "hadron"`,
		"release_version": "it is not a mapping",
	} {
		_, err := s.FromAuroraBoot(t.Context(), "aurora.yaml", []byte(text))
		require.ErrorContains(t, err, want)
	}
}

func FuzzFromDockerfile(f *testing.F) {
	data, err := os.ReadFile("testdata/factory.Dockerfile")
	require.NoError(f, err)
	f.Add(data)
	f.Add([]byte("FROM debian:12\nRUN apt-get install ${X:-'a b'} $(date) \"\x07\"\nCOPY . /\nADD a b c/\nCOPY --from=0 / /\n"))
	s := starter(f)
	s.Context = fstest.MapFS{"a/b": {}}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4000 {
			return
		}
		d, err := s.FromDockerfile(t.Context(), "Dockerfile", data)
		if err != nil {
			return
		}
		_, err = d.Files(t.Context())
		require.NoError(t, err)
	})
}

func FuzzFromAuroraBoot(f *testing.F) {
	f.Add([]byte("flavor: debian\nflavor_release: \"12\"\nartifact_version: v1.0.0-k3sv1.35.1+k3s1\ncloud_config: |\n  a\ndisk: {size: \"1\", bios: true}\niso: {label: A}\n"))
	f.Add([]byte("container_image: a/debian:12-core-amd64-generic-v1.0.0\nnetboot: {cmdline: x}\n"))
	s := starter(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4000 {
			return
		}
		d, err := s.FromAuroraBoot(t.Context(), "aurora.yaml", data)
		if err != nil {
			return
		}
		_, err = d.Files(t.Context())
		require.NoError(t, err)
	})
}

// TestPage checks that the page about other tools lists everything that is translated.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/migrating.md")
	require.NoError(t, err)
	for _, o := range options() {
		assert.Contains(t, string(page), "`--"+o.long+"`")
	}
	for _, s := range settings() {
		assert.Contains(t, string(page), "`"+s.key+"`")
	}
}

// TestPagesOfKeys checks that the links in a spec lead to sections.
func TestPagesOfKeys(t *testing.T) {
	page, err := os.ReadFile("../../docs/spec.md")
	require.NoError(t, err)
	full := specs.Spec{Extends: "x", Source: specs.SourceImage{Image: "x"}, Packages: specs.Packages{Add: []string{"x"}}, Files: []specs.File{{Path: "x"}}, Layers: []specs.Layer{{Name: "x"}},
		Distro: specs.Distro{Name: "x"}, Kernel: specs.Kernel{From: "x"}, Choices: specs.Choices{Kubernetes: specs.Kubernetes{Version: "x"}, Mesh: specs.Mesh{Name: "x"}},
		Artifacts: specs.Artifacts{ISO: specs.ISO{Label: "x"}}}
	for _, e := range entries(full) {
		name := strings.TrimPrefix(e.anchor(), "#")
		headings := []string{"\n## Keys\n", "\n### `" + name + "`\n", "\n### `" + name + "[]`\n"}
		if name != "keys" {
			headings = headings[1:]
		}
		assert.Condition(t, func() bool {
			return strings.Contains(string(page), headings[0]) || strings.Contains(string(page), headings[len(headings)-1])
		}, e.anchor())
	}
}
