package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/registrytest"
)

func TestLoopback(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:5000": "",
		"[::1]:5001":     "",
		"0.0.0.0:5000":   "0.0.0.0:5000 is not on the loopback interface",
		":5000":          ":5000 is not on the loopback interface",
		"127.0.0.1":      "missing port",
	} {
		err := loopback(address)
		if want == "" {
			assert.NoError(t, err, address)
		} else {
			assert.ErrorContains(t, err, want, address)
		}
	}
}

func TestSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "layer-cache.yaml")
	for text, want := range map[string]string{
		"size: much\n":             `size: "much" is not a size`,
		"size: 0MiB\n":             `size: "0MiB" is not a size`,
		"listen: 192.0.2.1:5000\n": "listen: 192.0.2.1:5000 is not on the loopback interface",
		"port: 5000\n":             "port",
	} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		err := run(t.Context(), file)
		require.ErrorContains(t, err, file, text)
		assert.ErrorContains(t, err, want, text)
	}
	require.NoError(t, os.WriteFile(file, []byte("size: 8GiB\ninsecure: [registry.local:5000]\n"), 0o600))
	s, err := read(file)
	require.NoError(t, err)
	assert.Equal(t, settings{Listen: "127.0.0.1:5000", Dir: "/usr/local/layer-cache", Size: "8GiB", Insecure: []string{"registry.local:5000"}}, s)
	s, err = read(file + ".missing")
	require.NoError(t, err)
	assert.Equal(t, defaults(), s)
}

// TestKilled kills the program twenty times while an image is pulled through it. What is in the store
// must be right, and the pull must get further every time.
func TestKilled(t *testing.T) {
	const kills = 20
	dir := t.TempDir()
	program, store := filepath.Join(dir, "layer-cache"), filepath.Join(dir, "store")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, string(out))
	reg := registrytest.New(t)
	reg.Push(t, "os:v1", registrytest.Layer(1, 2<<20), registrytest.Layer(2, 2<<20))
	reg.Reset()
	// 16 KiB every 10 ms: four seconds for the two layers, one after the other.
	reg.Set(registrytest.Trouble{Pause: 10 * time.Millisecond})
	for i := range kills {
		source, kill := serve(t, program, store)
		failed := make(chan error, 1)
		go func() { failed <- registrytest.Pull(source + "/" + reg.In("os:v1")) }()
		time.Sleep(time.Duration(40+i*3) * time.Millisecond)
		kill()
		require.Error(t, <-failed, "the pull ended before the cache")
		registrytest.CheckStore(t, store)
	}
	reg.Set(registrytest.Trouble{})
	source, kill := serve(t, program, store)
	defer kill()
	require.NoError(t, registrytest.Pull(source+"/"+reg.In("os:v1")))
	assert.Equal(t, 3, registrytest.CheckStore(t, store), "two layers and the manifest")
	blobs, _ := reg.Reset()
	// What was on its way when the program was killed is sent again.
	assert.Less(t, blobs, int64(8<<20), "all of it would be sent about ten times")
}

// serve starts the program and waits until it answers.
func serve(t *testing.T, program, store string) (address string, kill func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address = l.Addr().String()
	require.NoError(t, l.Close())
	config := store + ".yaml"
	require.NoError(t, os.WriteFile(config, []byte("dir: "+store+"\nlisten: "+address+"\n"), 0o600))
	cmd := exec.CommandContext(t.Context(), program, "--config", config)
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			err = conn.Close()
		}
		return err == nil
	}, 30*time.Second, 5*time.Millisecond)
	return address, func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	}
}
