package integration

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/solve"
)

// TestRebuild counts the vertices that run after a change.
func TestRebuild(t *testing.T) {
	t.Parallel()
	c := embedded(t)
	iso(t) // warms the cache
	const name = "kairos-debian-12-core-amd64-generic-"

	tests := []struct {
		name string
		spec string
		// ran lists exactly the vertices that run.
		ran []string
	}{
		{
			name: "nothing changed",
			spec: debianSpec,
		},
		{
			name: "cloud-config of the medium",
			spec: debianSpec + "artifacts: {iso: {cloudConfig: {content: '#cloud-config'}}}\n",
			ran:  []string{"[iso] write " + name + "v1.0.0.iso"},
		},
		{
			name: "cloud-config of the image",
			spec: debianSpec + "cloudConfig: {content: '#cloud-config'}\n",
			ran: []string{
				"[compat] check that kernel, initramfs and userland fit",
				"[iso] checked squashfs",
				"[iso] pack the root filesystem with zstd",
				"[iso] write " + name + "v1.0.0.iso",
				"[rootfs] check the root filesystem",
			},
		},
		{
			name: "version", // one that no other test builds
			spec: strings.Replace(debianSpec, "v1.0.0", "v1.5.0", 1),
			ran: []string{
				"[compat] check that kernel, initramfs and userland fit",
				"[iso] checked squashfs",
				"[iso] pack the root filesystem with zstd",
				"[iso] write " + name + "v1.5.0.iso",
				"[rootfs] check the root filesystem",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := options(t, map[string]string{"kairos.spec": tt.spec})
			o.Target = "iso"
			r := watch(&o)
			build(t, c, o)
			assert.Equal(t, tt.ran, r.ran())
		})
	}
}

// TestIndependence changes one thing at a time in a system, and compares with a table which steps run
// and which layers of the image are others. Any other step or layer fails.
func TestIndependence(t *testing.T) {
	t.Parallel()
	const (
		initramfs      = "[debian-12/initramfs] make the initramfs with dracut"
		initramfsLayer = "mount /out from exec /run/flavorkit/dracut.sh"
		extract        = "[debian-12/kernel] extract vmlinuz, modules and firmware"
		kernelLayer    = "mount /out from exec /run/flavorkit/export.sh"
		readModules    = "[compat] read modules of the kernel with the userland's kmod"
	)
	checks := []string{
		"[compat] check that kernel, initramfs and userland fit", "[rootfs] check the root filesystem", "[rootfs] checked root filesystem",
	}
	spec := debianSpec + "variant: standard\n"
	before := layersOf(t, systemOf(t, spec))

	for _, tt := range []struct {
		name string
		spec string
		// component is the named context with another program.
		component string
		// ran are the steps that run besides the checks of the whole.
		ran    []string
		layers []string
	}{
		{name: "nothing", spec: spec},
		{name: "cloud-config of the medium", spec: spec + "artifacts: {iso: {cloudConfig: {content: '#cloud-config'}}}\n"},
		{
			name: "cloud-config of the image", spec: spec + "cloudConfig: {content: '#cloud-config'}\n",
			layers: []string{"[files] add the files of the spec"},
		},
		{
			name: "version", spec: strings.Replace(spec, "v1.0.0", "v1.7.0", 1), // one that no other test builds
			layers: []string{"[release] release v1.7.0"},
		},
		{
			name: "k3s", spec: spec, component: "k3s",
			ran:    []string{"[component/k3s] add the files of k3s", "[component/k3s] copy k3s from the named context k3s"},
			layers: []string{"[component/k3s] copy k3s from the named context k3s"},
		},
		{
			name: "mesh", spec: spec, component: "edgevpn",
			ran:    []string{"[component/edgevpn] add the files of edgevpn", "[component/edgevpn] copy edgevpn from the named context edgevpn"},
			layers: []string{"[component/edgevpn] copy edgevpn from the named context edgevpn"},
		},
		{
			name: "agent", spec: spec, component: "kairos-agent",
			ran:    []string{"[component/kairos-agent] copy kairos-agent from the named context kairos-agent"},
			layers: []string{"[component/kairos-agent] copy kairos-agent from the named context kairos-agent"},
		},
		{
			name: "immucore, which the initramfs contains", spec: spec, component: "immucore",
			ran:    []string{"[component/immucore] copy immucore from the named context immucore", initramfs},
			layers: []string{initramfsLayer, "[component/immucore] copy immucore from the named context immucore"},
		},
		{
			name: "package of the user", spec: spec + "packages: {add: [tree]}\n",
			ran: []string{
				readModules, "[debian-12/directories] restore the modes of the userland's directories",
				"[debian-12/userland] install bash bsdutils ca-certificates and 52 more",
			},
			layers: []string{"mount / from exec /run/flavorkit/apt.sh"},
		},
		{
			name: "class of kernel modules", spec: spec + "kernel: {modules: {sound: true}}\n",
			ran: []string{readModules, extract}, layers: []string{kernelLayer},
		},
		{
			name: "model, which has other firmware", spec: spec + "model: virtual\n",
			ran:    []string{readModules, initramfs, extract, "[debian-12/kernel] install linux-image-amd64 ca-certificates coreutils and 27 more"},
			layers: []string{kernelLayer, initramfsLayer, "[release] release v1.0.0"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := systemOf(t, tt.spec)
			if tt.component != "" {
				o.Contexts[tt.component] = changed(t, o.Contexts[tt.component])
			}
			r := watch(&o)
			others := slices.DeleteFunc(layersOf(t, o), func(l layer) bool {
				return slices.ContainsFunc(before, func(b layer) bool { return b.digest == l.digest })
			})
			want := tt.ran
			if len(others) > 0 {
				want = append(want, checks...)
			}
			assert.ElementsMatch(t, want, r.ran())
			var names []string
			for _, l := range others {
				names = append(names, l.name)
			}
			assert.Equal(t, tt.layers, names)
		})
	}
}

// systemOf builds the image of a spec, with the programs of the standard variant.
func systemOf(t *testing.T, spec string) solve.Options {
	t.Helper()
	o := options(t, map[string]string{"kairos.spec": spec})
	o.Contexts = standardContexts(t)
	return o
}

// changed is a copy of a directory whose programs end in the name of the test, which none of them reads:
// other versions of them, that no other test has.
func changed(t *testing.T, dir string) string {
	t.Helper()
	other := t.TempDir()
	require.NoError(t, os.CopyFS(other, os.DirFS(dir)))
	entries, err := os.ReadDir(other)
	require.NoError(t, err)
	for _, e := range entries {
		f, err := os.OpenFile(filepath.Join(other, e.Name()), os.O_APPEND|os.O_WRONLY, 0)
		require.NoError(t, err)
		_, err = f.WriteString(t.Name())
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	return other
}

// layer is a layer of an image, with the step that made it, without the arguments of a script.
type layer struct{ name, digest string }

// layersOf builds an image and lists its layers.
func layersOf(t *testing.T, o solve.Options) (layers []layer) {
	t.Helper()
	archive := image(t, embedded(t), o)
	m := manifest(t, archive, arch)
	var config ocispecs.Image
	require.NoError(t, json.Unmarshal(smallFiles(t, archive)[blob(m.Config)], &config))
	history := slices.DeleteFunc(config.History, func(h ocispecs.History) bool { return h.EmptyLayer })
	require.Len(t, history, len(m.Layers))
	for n, h := range history {
		name := h.CreatedBy
		// The name is that of the build which made the layer; in a matrix, it begins with the entry.
		if stage, title, ok := strings.Cut(name, "] "); ok && strings.HasPrefix(name, "[") {
			name = "[" + stage[strings.LastIndexAny(stage, "[ ")+1:] + "] " + title
		}
		if script, _, ok := strings.Cut(name, ".sh "); ok {
			name = script + ".sh"
		}
		layers = append(layers, layer{name, m.Layers[n].Digest.String()})
	}
	return layers
}
