package main

import (
	"bytes"
	"crypto/elliptic"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/verify"
)

// TestSignAndVerify signs a file with an encrypted key, and verifies it.
func TestSignAndVerify(t *testing.T) {
	const password = "correct horse"
	dir := t.TempDir()
	path := func(name, text string) string {
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		return file
	}
	private, public, err := cryptoutils.GeneratePEMEncodedECDSAKeyPair(elliptic.P256(), cryptoutils.StaticPasswordFunc([]byte(password)))
	require.NoError(t, err)
	key, pub := path("cosign.key", string(private)), path("cosign.pub", string(public))
	// A filesystem of which nothing is read, as no check needs it.
	file := path("edge.squashfs", "hsqs")
	run := func(code int, want string, args ...string) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		assert.Equal(t, code, run(t.Context(), args, &stdout, &stderr), args)
		assert.Contains(t, stdout.String()+stderr.String(), want)
		return stdout.String()
	}

	require.NoError(t, os.Unsetenv(passwordVariable))
	run(exitUsage, "--key is missing", "sign", file)
	run(exitFailed, "it has a password: set COSIGN_PASSWORD", "sign", file, "--key", key)
	run(exitFailed, "it has a password: set COSIGN_PASSWORD", "build", dir, "--sign", key, "-f", path("kairos.spec", "extends: debian-12\nversion: v1.0.0\n"))
	t.Setenv(passwordVariable, password)
	run(exitUnreachable, "there is nothing to check it with", "verify", file)
	run(exitFailed, "one check failed", "verify", file, "--key", pub)
	run(0, file+".sig\n", "sign", file, "--key", key)
	run(0, "signature  ok           "+file+".sig", "verify", file, "--key", pub)
	run(exitUnreachable, "name the public key with --key", "verify", file)
	run(exitFailed, "not present: there is no attestation", "verify", file, "--key", pub, "--require", "sbom")
	run(exitUsage, `unknown check "sbon"; did you mean "sbom"`, "verify", file, "--require", "sbon")
	run(exitUsage, `unknown format "xml"`, "verify", file, "--format", "xml")
	run(exitUsage, "--sign: the files of an image are not signed", "build", dir, "--sign", key, "-o", "type=local,dest="+dir)
	run(exitUsage, `--provenance: unknown mode "full"`, "build", dir, "--provenance", "full")

	var report verify.Report
	require.NoError(t, json.Unmarshal([]byte(run(0, "", "verify", file, "--key", pub, "--format", "json")), &report))
	assert.Equal(t, 1, report.Count(verify.OK))
	path("edge.squashfs", "hsqs and more")
	run(exitFailed, "the signature is not of this key and this file", "verify", file, "--key", pub)
}
