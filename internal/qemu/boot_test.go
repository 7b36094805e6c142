package qemu

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/pkg/errors"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/internal/arch"
	"github.com/flavorkit/flavorkit/test/spectest"
	"github.com/flavorkit/flavorkit/test/testkit"
)

// bootSector is a disk with a program in its first sector. It greets on the first serial port and
// echoes what is typed there; q resets the machine.
func bootSector(t *testing.T) string {
	t.Helper()
	code := []byte{
		0xfa,       // 00        cli
		0x31, 0xc0, // 01        xor ax, ax
		0x8e, 0xd8, // 03        mov ds, ax
		0xfc,             // 05        cld
		0xbe, 0x3e, 0x7c, // 06        mov si, 0x7c00 + greeting
		0xac,       // 09 next:  lodsb
		0x84, 0xc0, // 0a        test al, al
		0x74, 0x05, // 0c        jz wait
		0xe8, 0x1e, 0x00, // 0e        call put
		0xeb, 0xf6, // 11        jmp next
		0xba, 0xfd, 0x03, // 13 wait:  mov dx, 0x3fd
		0xec,       // 16 poll:  in al, dx
		0xa8, 0x01, // 17        test al, 1
		0x74, 0xfb, // 19        jz poll
		0xba, 0xf8, 0x03, // 1b        mov dx, 0x3f8
		0xec,       // 1e        in al, dx
		0x3c, 0x71, // 1f        cmp al, 'q'
		0x74, 0x05, // 21        je reset
		0xe8, 0x09, 0x00, // 23        call put
		0xeb, 0xeb, // 26        jmp wait
		0xb0, 0xfe, // 28 reset: mov al, 0xfe
		0xe6, 0x64, // 2a        out 0x64, al
		0xf4,       // 2c halt:  hlt
		0xeb, 0xfd, // 2d        jmp halt
		0x50,             // 2f put:   push ax
		0xba, 0xfd, 0x03, // 30        mov dx, 0x3fd
		0xec,       // 33 full:  in al, dx
		0xa8, 0x20, // 34        test al, 0x20
		0x74, 0xfb, // 36        jz full
		0x58,             // 38        pop ax
		0xba, 0xf8, 0x03, // 39        mov dx, 0x3f8
		0xee, // 3c        out dx, al
		0xc3, // 3d        ret
	}
	sector := make([]byte, 1<<20) // one sector would be less than a BIOS cylinder
	n := copy(sector, code)
	copy(sector[n:], "\x1b[1;32mready\x1b[0m to echo\r\n> \x00")
	copy(sector[510:512], "\x55\xaa")
	path := filepath.Join(t.TempDir(), "disk.img")
	require.NoError(t, os.WriteFile(path, sector, 0o600))
	return path
}

// known is an architecture of the catalog.
func known(t *testing.T, name string) arch.Arch {
	t.Helper()
	a, ok := spectest.Catalog(t).Archs[name]
	require.True(t, ok, name)
	return *a
}

// boot starts a machine that lives as long as the test, or skips the test if the host cannot.
func boot(t *testing.T, o Options) *Machine {
	t.Helper()
	o.Arch = known(t, "amd64")
	m, err := Start(t.Context(), o)
	skipIfMissing(t, err)
	require.NoError(t, err)
	t.Cleanup(m.Close)
	return m
}

func skipIfMissing(t *testing.T, err error) {
	t.Helper()
	var missing *MissingError
	if errors.As(err, &missing) {
		testkit.Missing(t, "%v", err)
	}
}

// freePort is a port of the loopback interface that nothing listens on right now.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().(*net.TCPAddr).Port
}

func TestBoot(t *testing.T) {
	var log bytes.Buffer
	port := freePort(t)
	m := boot(t, Options{
		Disks: []Disk{{Path: bootSector(t), ReadOnly: true}},
		Accel: TCG, MemoryMiB: 64, CPUs: 1, NoReboot: true, Log: &log,
		Forwards: []Forward{{Host: port, Guest: 22}},
	})
	accel, reason := m.Accelerator()
	require.Equal(t, TCG, accel)
	require.Equal(t, "as asked for", reason)
	// QEMU's own network listens on behalf of the guest.
	connection, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	require.NoError(t, err)
	require.NoError(t, connection.Close())

	_, err = m.Expect(t.Context(), regexp.MustCompile(`(?m)^ready to echo\n> $`), 10*time.Second)
	require.NoError(t, err)
	require.NoError(t, m.Send("hello"))
	_, err = m.Expect(t.Context(), regexp.MustCompile(`hello`), 5*time.Second)
	require.NoError(t, err)

	registers, err := m.Registers(t.Context())
	require.NoError(t, err)
	require.Contains(t, registers, "EIP=", "in real mode")
	require.NoError(t, m.PowerDown(t.Context()), "a guest may well ignore it")

	require.NoError(t, m.Send("q"))
	require.NoError(t, m.Wait(t.Context(), 5*time.Second))
	require.NoDirExists(t, m.setup.dir)
	require.Contains(t, log.String(), "\x1b[1;32mready")
	_, err = m.Expect(t.Context(), regexp.MustCompile(`more`), time.Minute)
	require.ErrorContains(t, err, "the VM is off; the console ended with\n")
}

// TestBootScratch has a guest write to disks whose images must not change.
func TestBootScratch(t *testing.T) {
	path := bootSector(t)
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	first := boot(t, Options{
		Disks: []Disk{{Path: path, Scratch: true, SizeMiB: 3000}, {SizeMiB: 5000}}, Accel: TCG, MemoryMiB: 64,
	})
	_, err = first.Expect(t.Context(), regexp.MustCompile(`ready`), 10*time.Second)
	require.NoError(t, err)

	var disks []struct {
		Device   string
		Inserted struct {
			Image struct {
				Size int64 `json:"virtual-size"`
			}
		}
	}
	require.NoError(t, first.control.query(t.Context(), "query-block", nil, &disks))
	sizes := map[string]int64{}
	for _, d := range disks {
		sizes[d.Device] = d.Inserted.Image.Size
	}
	require.Equal(t, int64(3000<<20), sizes["disk0"])
	require.Equal(t, int64(5000<<20), sizes["disk1"])

	// The name has a sign that separates options, and several machines share the image.
	shared := filepath.Join(t.TempDir(), "a,comma.img")
	require.NoError(t, os.WriteFile(shared, before, 0o444))
	second := boot(t, Options{Disks: []Disk{{Path: shared, Scratch: true}}, Accel: TCG, MemoryMiB: 64})
	_, err = second.Expect(t.Context(), regexp.MustCompile(`ready`), 10*time.Second)
	require.NoError(t, err)

	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

// TestBootISO boots from the drive although an empty disk comes first.
func TestBootISO(t *testing.T) {
	testkit.Need(t, "xorriso", "run hack/deps.sh test")
	dir := filepath.Dir(bootSector(t))
	iso := filepath.Join(t.TempDir(), "a.iso")
	out, err := exec.Command("xorriso", "-as", "mkisofs", "-o", iso, "-b", "disk.img",
		"-no-emul-boot", "-boot-load-size", "4", dir).CombinedOutput()
	require.NoError(t, err, "%s", out)

	m := boot(t, Options{
		ISO: iso, Disks: []Disk{{SizeMiB: 100}}, DiskFirst: true, BIOSConsole: true, Accel: TCG, MemoryMiB: 64,
	})
	_, err = m.Expect(t.Context(), regexp.MustCompile(`(?s)from Hard Disk.*from DVD/CD.*ready`), 10*time.Second)
	require.NoError(t, err)
}

func TestBootEnds(t *testing.T) {
	options := Options{Arch: known(t, "amd64"), Disks: []Disk{{Path: bootSector(t)}}, Accel: TCG, MemoryMiB: 64}

	t.Run("on close", func(t *testing.T) {
		m := boot(t, options)
		m.Close()
		m.Close()
		require.NoError(t, m.Wait(t.Context(), time.Second))
		require.NoDirExists(t, m.setup.dir)
	})
	t.Run("on cancellation", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		m, err := Start(ctx, options)
		skipIfMissing(t, err)
		require.NoError(t, err)
		cancel()
		require.ErrorIs(t, m.Wait(t.Context(), 10*time.Second), context.Canceled)
		require.NoDirExists(t, m.setup.dir)
	})
	t.Run("not in time", func(t *testing.T) {
		o := options
		o.Slowdown = 1
		m := boot(t, o)
		require.ErrorIs(t, m.Wait(t.Context(), 10*time.Millisecond), context.DeadlineExceeded)
	})
	t.Run("with a message of qemu", func(t *testing.T) {
		o := options
		o.ExtraArgs = []string{"-device", "nonsense"}
		_, err := Start(t.Context(), o)
		skipIfMissing(t, err)
		require.ErrorContains(t, err, "'nonsense' is not a valid device model name")
	})
	t.Run("without an image", func(t *testing.T) {
		_, err := Start(t.Context(), Options{Arch: known(t, "amd64"), ISO: "missing.iso"})
		require.ErrorIs(t, err, os.ErrNotExist)
	})
}

func TestInteractive(t *testing.T) {
	stdin, keys := io.Pipe()
	screen, stdout := io.Pipe()
	t.Cleanup(func() { keys.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	o := Options{Arch: known(t, "amd64"), Disks: []Disk{{Path: bootSector(t), Scratch: true}}, Accel: TCG, MemoryMiB: 64}
	go func() {
		done <- Interactive(ctx, o, stdin, stdout)
		stdout.Close()
	}()
	c := newConsole(keys, TCGSlowdown, nil)
	go func() {
		c.pump(screen, nil)
		c.end(errors.New("qemu ended"))
	}()
	_, err := c.Expect(t.Context(), regexp.MustCompile(`ready`), 10*time.Second)
	if err != nil {
		cancel()
		skipIfMissing(t, <-done)
	}
	require.NoError(t, err)
	require.NoError(t, c.Send("hello"))
	_, err = c.Expect(t.Context(), regexp.MustCompile(`hello`), 5*time.Second)
	require.NoError(t, err)
	require.NoError(t, c.Send("\x01x")) // Ctrl-a x
	require.NoError(t, <-done)
}

func TestBootUEFI(t *testing.T) {
	if testing.Short() {
		t.Skip("firmware with secure boot takes its time under TCG")
	}
	for _, kind := range []Firmware{UEFI, SecureBoot} {
		t.Run(string(kind), func(t *testing.T) {
			m := boot(t, Options{Firmware: kind, Disks: []Disk{{SizeMiB: 1}}, Accel: TCG, MemoryMiB: 256})
			_, err := m.Expect(t.Context(), regexp.MustCompile(`BdsDxe: |UEFI Interactive Shell`), 15*time.Second)
			require.NoError(t, err)
		})
	}
}
