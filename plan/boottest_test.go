package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/test/spectest"
)

func TestTest(t *testing.T) {
	assert.Nil(t, spectest.MustPlan(t, debian, nil, "amd64").Test, "nothing is tested that no spec asks for")

	const efi, bios = "/usr/share/OVMF/OVMF_CODE_4M.fd", ""
	for _, c := range []struct {
		name, spec, arch string
		artifact, code   string
		installs         bool
		mib, seconds     int
	}{
		{name: "default", spec: "test: {}", arch: "amd64", artifact: "iso", code: efi, mib: 2048, seconds: 1800},
		{name: "asked for", spec: "test: {firmware: bios, memory: 4GiB, timeout: 1h}", arch: "amd64", artifact: "iso", code: bios, mib: 4096, seconds: 3600},
		{name: "disk", spec: "test: {artifact: disk}", arch: "amd64", artifact: "disk", code: efi, installs: true, mib: 2048, seconds: 1800},
		{
			name: "disk for BIOS", spec: "artifacts: {disk: {layout: full, firmware: bios}}\ntest: {artifact: disk}",
			arch: "amd64", artifact: "disk", code: bios, mib: 2048, seconds: 1800,
		},
		{
			name: "disk for both", spec: "artifacts: {disk: {layout: full, firmware: both}}\ntest: {artifact: disk}",
			arch: "amd64", artifact: "disk", code: efi, mib: 2048, seconds: 1800,
		},
		{name: "arm64", spec: "test: {}", arch: "arm64", artifact: "iso", code: "/usr/share/AAVMF/AAVMF_CODE.fd", mib: 2048, seconds: 1800},
	} {
		t.Run(c.name, func(t *testing.T) {
			test := spectest.MustPlan(t, debian+c.spec+"\n", nil, c.arch).Test
			assert.Equal(t, c.artifact, test.Artifact)
			assert.Equal(t, c.code, test.Emulator.Code)
			assert.Equal(t, c.installs, test.Installs)
			assert.Equal(t, c.mib, test.Emulator.MiB)
			assert.Equal(t, c.seconds, test.Seconds)
			assert.True(t, test.Tools.Native, "QEMU for one architecture runs on any")
		})
	}
	assert.Equal(t, []string{"qemu-efi-aarch64", "qemu-system-arm", "xorriso"}, texts(spectest.MustPlan(t, debian+"test: {}\n", nil, "arm64").Test.Tools.Packages))
	assert.Equal(t, []string{"ovmf", "qemu-system-x86", "xorriso"}, texts(spectest.MustPlan(t, debian+"test: {}\n", nil, "amd64").Test.Tools.Packages))

	assertions := spectest.MustPlan(t, debian+"test: {assertions: [{name: a, run: b, matches: c}, {file: /d, timeout: 1m}, {service: e}]}\n", nil, "amd64").Test.Assertions
	assert.Equal(t, []plan.Assertion{
		{Name: "a", Run: "b", Matches: "c", Seconds: 300}, {File: "/d", Seconds: 60}, {Service: "e", Seconds: 300},
	}, assertions)
	assert.Equal(t, "a", assertions[0].Title())
	extended := spectest.MustPlan(t, "extends: debian-13\nversion: v1.0.0\nextension: {name: tools, packages: [tree]}\ntest: {assertions: [{extension: tools}]}\n", nil, "amd64").Test.Assertions
	assert.Equal(t, []plan.Assertion{{Extension: "tools", Seconds: 300}}, extended)
	assert.Equal(t, "extension tools", extended[0].Title())
	assert.Equal(t, "file /d", assertions[1].Title())
	assert.Equal(t, "run one …", plan.Assertion{Run: "\none\ntwo\n"}.Title())
}

// TestTestExtension names the extension that the spec has.
func TestTestExtension(t *testing.T) {
	const spec = "extends: debian-13\nversion: v1.0.0\ntest: {assertions: [{extension: tolls}]}\n"
	_, err := spectest.Plan(spec, nil, "amd64")
	require.EqualError(t, err, `kairos.spec:3:33: test.assertions[0].extension: the spec has no extension "tolls"; describe it with the key extension`)
	_, err = spectest.Plan(spec+"extension: {name: tools, packages: [tree]}\n", nil, "amd64")
	require.EqualError(t, err, `kairos.spec:3:33: test.assertions[0].extension: the spec has no extension "tolls"; did you mean "tools"?`)
}

func TestTestFirmware(t *testing.T) {
	for _, c := range []struct{ spec, arch, want string }{
		{"test: {firmware: bios}", "arm64", "kairos.spec:3:18: test.firmware: arm64 has no BIOS; write efi, or remove it"},
		{
			"test: {artifact: disk, firmware: bios}", "amd64",
			"kairos.spec:3:34: test.firmware: the disk does not start from BIOS; write artifacts.disk.firmware: bios, or both",
		},
		{
			"artifacts: {disk: {firmware: bios}}\ntest: {artifact: disk, firmware: efi}", "amd64",
			"kairos.spec:4:34: test.firmware: the disk does not start from EFI; write artifacts.disk.firmware: efi, or both",
		},
	} {
		_, err := spectest.Plan(debian+c.spec+"\n", nil, c.arch)
		require.EqualError(t, err, c.want)
	}
}
