package boottest

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/pkg/errors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/test/scripttest"
	"github.com/flavorkit/flavorkit/test/spectest"
)

type bench struct{ scripttest.Bench }

func newBench(t testing.TB, programs ...string) bench {
	t.Helper()
	return bench{scripttest.New(t, programs...)}
}

func guestScript() graph.Script { return graph.Script{Name: "guest.sh", Text: guestText} }

// assertion writes the directory of an assertion: names and texts of its files.
func (b bench) assertion(number string, files ...string) {
	b.Helper()
	b.Write("medium/assertions/"+number+"/title", "assertion "+number+"\n")
	b.Write("medium/assertions/"+number+"/seconds", "1\n")
	for i := 0; i < len(files); i += 2 {
		b.Write("medium/assertions/"+number+"/"+files[i], files[i+1]+"\n")
	}
}

// TestGuest runs assertions on this machine.
func TestGuest(t *testing.T) {
	b := newBench(t, "timeout", "awk")
	b.Write("it's a file", "x = 1\ny = 2\n")
	for _, c := range []struct {
		name  string
		files []string
		want  string
	}{
		{"run", []string{"run", "a='b c'\n[ \"$a\" = 'b c' ]"}, `^passed 00 [0-9]+\nend\n$`},
		{"run that fails", []string{"run", "echo seen; echo too >&2; exit 3"}, `^said 00 seen\nsaid 00 too\nsaid 00 exit code 3\nfailed 00 [1-9][0-9]*\nend\n$`},
		{"run that hangs", []string{"run", "echo seen; sleep 100"}, `^said 00 seen\nsaid 00 exit code 124\nfailed 00 [123]\nend\n$`},
		{"run that succeeds in the end", []string{"run", "[ -e " + b.Path("mark") + " ] || { touch " + b.Path("mark") + "; false; }", "seconds", "60"}, `^passed 00 [12]\nend\n$`},
		{"output that matches", []string{"run", "echo a; echo 'b2 ' >&2", "matches", "^b[[:digit:]] $"}, `^passed 00 [0-9]+\n`},
		{"output that does not", []string{"run", "echo a; printf b", "matches", "^ab$"}, `^said 00 a\nsaid 00 b\nfailed 00 [1-9][0-9]*\n`},
		{"script that fails with output that matches", []string{"run", "echo a; false", "matches", "a"}, `\nfailed 00 [1-9][0-9]*\n`},
		{"file", []string{"file", b.Path("it's a file")}, `^passed 00 [0-9]+\n`},
		{"directory", []string{"file", b.Dir}, `^passed 00 [0-9]+\n`},
		{"no file", []string{"file", b.Path("none")}, `^said 00 .*none.*\nfailed 00 [1-9][0-9]*\n`},
		{"file that matches", []string{"file", b.Path("it's a file"), "matches", "^(x|z) = [0-9]+$"}, `^passed 00 [0-9]+\n`},
		{"file that does not", []string{"file", b.Path("it's a file"), "matches", "^1"}, `^said 00 x = 1\nsaid 00 y = 2\nfailed 00 [1-9][0-9]*\n`},
		{"no service", []string{"service", "flavorkit-none"}, `^(said 00 .*\n)+failed 00 [1-9][0-9]*\n`},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.NoError(t, os.RemoveAll(b.Path("medium/assertions")))
			require.NoError(t, os.RemoveAll(b.Path("report")))
			b.assertion("00", c.files...)
			b.Run(guestScript(), nil, b.Path("medium/assertions"), b.Path("report"))
			assert.Regexp(t, c.want, b.Read("report"))
		})
	}
	t.Run("one after the other", func(t *testing.T) {
		require.NoError(t, os.RemoveAll(b.Path("report")))
		b.assertion("00", "run", "false")
		b.assertion("01", "run", "true")
		b.Run(guestScript(), nil, b.Path("medium/assertions"), b.Path("report"))
		assert.Regexp(t, `^said 00 exit code 1\nfailed 00 [1-9][0-9]*\npassed 01 [0-9]+\nend\n$`, b.Read("report"))
	})
}

// machine is a substitute for QEMU: a script, started in the directory of a test.
func (b bench) machine(seconds, script string) (string, int) {
	b.Helper()
	b.Write("machine", "echo $$ >pid\ntrap 'exit 0' TERM\n"+script)
	out, err := b.Try(boottestScript(), []string{"FLAVORKIT_EXIT_UNTRIED=199", "FLAVORKIT_EXIT_FAILED=200", "FLAVORKIT_EXIT_LAST=255"}, b.Path("medium"), b.Path("out"), seconds, "", "sh", b.Path("machine"))
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out, exit.ExitCode()
	}
	require.NoError(b, err, out)
	return out, 0
}

const (
	idle   = "while :; do sleep 0.1; done\n"
	serial = `printf 'boot\r\n\033[2J\033[01;01Hmenu\033[24;80H \033[0;1mlogin:\033[0m\n' >>serial` + "\n"
)

// report writes a report as a guest does, to the beginning of the disk.
func report(lines ...string) string {
	return "printf '" + strings.Join(lines, `\n`) + `\n' | dd of=report conv=notrunc status=none` + "\n"
}

func TestVerdict(t *testing.T) {
	b := newBench(t, "xorriso", "tail", "timeout")
	b.assertion("00", "run", "true")
	b.assertion("01", "service", "ssh")
	b.assertion("02", "file", "/etc/motd")

	t.Run("passed", func(t *testing.T) {
		out, code := b.machine("60", "cmp medium.iso /dev/null && exit 1\n"+serial+report("passed 00 0", "passed 01 3", "passed 02 1", "end")+idle)
		assert.Zero(t, code, out)
		assert.Equal(t, "passed: assertion 00 (0s)\npassed: assertion 01 (3s)\npassed: assertion 02 (1s)\n", b.Read("out.test.txt"))
		assert.Equal(t, "boot\nmenu\n login:\n", b.Read("out.test.log"))
		assert.NotContains(t, out, "the last lines", "of a machine with nothing wrong")
	})
	t.Run("failed", func(t *testing.T) {
		out, code := b.machine("60", serial+report("passed 00 0", "said 01 ssh is", `said 01 \033[31mdead`, "failed 01 60", "said 02 x", "failed 02 60", "end")+idle)
		assert.Equal(t, 201, code, "the number of the first that failed")
		assert.Contains(t, out, "the last lines of the serial console:\n    boot\n    menu\n     login:\n"+
			"passed: assertion 00 (0s)\nfailed: assertion 01 (60s)\n    ssh is\n    dead\nfailed: assertion 02 (60s)\n    x\n")
	})
	t.Run("panic", func(t *testing.T) {
		out, code := b.machine("60", "echo '[ 1.0] Kernel panic - not syncing: VFS' >>serial\n"+idle)
		assert.Equal(t, 199, code)
		assert.Contains(t, out, "not finished: assertion 00\n")
		assert.Contains(t, out, "    [ 1.0] Kernel panic - not syncing: VFS\nthe VM ended before all assertions were finished\n")
	})
	t.Run("end", func(t *testing.T) {
		out, code := b.machine("60", serial+report("passed 00 0"))
		assert.Equal(t, 199, code)
		assert.Contains(t, out, "passed: assertion 00 (0s)\nnot finished: assertion 01\n")
		assert.Contains(t, out, "the VM ended before all assertions were finished\n")
	})
	t.Run("too long", func(t *testing.T) {
		out, code := b.machine("1", serial+idle)
		assert.Equal(t, 199, code)
		assert.Contains(t, out, "the VM was not done after 1 seconds\n")
	})
	t.Run("too long after a failure", func(t *testing.T) {
		_, code := b.machine("1", report("failed 00 1")+idle)
		assert.Equal(t, 200, code)
	})
	t.Run("of many", func(t *testing.T) {
		for number, want := range map[string]int{"009": 209, "054": 254, "123": 255} {
			_, code := b.machine("60", report("failed "+number+" 60", "end")+idle)
			assert.Equal(t, want, code, number)
		}
	})
	t.Run("no machine", func(t *testing.T) {
		out, code := b.machine("60", "echo 'no such device' >&2; exit 2\n")
		assert.Equal(t, 1, code, "a code that says nothing about assertions")
		assert.Contains(t, out, "no such device\n")
	})
}

func TestFailure(t *testing.T) {
	p := spectest.MustPlan(t, `extends: debian-12
version: v1.0.0
test:
  timeout: 10m
  assertions:
    - {service: ssh, timeout: 60s}
    - name: motd
      file: /etc/motd
      matches: '^Property "of'
    - {run: "true"}
    - {run: "a=b\necho $a", matches: b}
    - {file: /etc/fstab}
`, nil, "amd64")
	const hint = "; the log of the step says what there was to see, and has the last lines of the serial console"
	for code, want := range map[uint32]string{
		199: "kairos.spec:4:3: test: the system did not finish all assertions within 600s",
		200: "kairos.spec:6:7: test.assertions[0]: service ssh: not active after 60s",
		201: `kairos.spec:7:7: test.assertions[1]: motd: file /etc/motd: not there with a line that matches "^Property \"of" after 300s`,
		202: "kairos.spec:10:7: test.assertions[2]: run true: did not succeed after 300s",
		203: `kairos.spec:11:7: test.assertions[3]: run a=b …: did not succeed with output that matches "b" after 300s`,
		204: "kairos.spec:12:7: test.assertions[4]: file /etc/fstab: not there after 300s",
		255: "kairos.spec:6:5: test.assertions: the first failed assertion is after number 55",
	} {
		require.EqualError(t, failure(p, code), want+hint)
	}
	for _, code := range []uint32{0, 1, 100, 137, 198, 205, 254} {
		require.NoError(t, failure(p, code))
	}
}

// TestEmulator checks that the VM matches the artifact.
func TestEmulator(t *testing.T) {
	machine := func(test, arch string) string {
		p := spectest.MustPlan(t, "extends: debian-12\nversion: v1.0.0\n"+test, nil, arch)
		return strings.Join(emulator(p.Test), " ")
	}
	iso := machine("test: {memory: 3GiB}\n", "amd64")
	assert.Regexp(t, `^qemu-system-x86_64 .* -machine q35 .* -m 3072 .*OVMF_CODE_4M.fd .*readonly=on,format=raw,file=/in/artifact -device ide-cd,.* -no-reboot `, iso)
	bios := machine("test: {firmware: bios}\n", "amd64")
	assert.NotContains(t, bios, "pflash")
	disk := machine("test: {artifact: disk}\n", "arm64")
	assert.Regexp(t, `^qemu-system-aarch64 .* -m 2048 .*AAVMF_CODE.fd .*format=raw,snapshot=on,file=/in/artifact -device virtio-blk-pci,`, disk)
	assert.NotContains(t, disk, "-no-reboot", "it installs itself and starts again")
	full := machine("artifacts: {disk: {layout: full}}\ntest: {artifact: disk}\n", "amd64")
	assert.Contains(t, full, "-no-reboot")
}
