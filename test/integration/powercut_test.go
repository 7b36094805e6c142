package integration

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/internal/qemu"
)

// TestPowerCut cuts the power of a VM at twenty moments of an upgrade: each time, it boots the old
// or the new system. The test runs one upgrade and copies its disk at these moments, with QEMU
// stopped, so a copy contains what a killed QEMU would have left.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	r := publish(t, debianSpec, "", contexts(t), "gzip")
	dir := buildDisk(t, "img", "layout: full, firmware: bios, compression: none, ")
	disk := filepath.Join(dir, "machine.qcow2")
	ask(t, dir, "qemu-img", "create", "-q", "-f", "qcow2", "-b", diskName+".img", "-F", "raw", disk, "10G")
	m := start(t, qemu.Options{Firmware: qemu.BIOS, CPUs: 1, Disks: []qemu.Disk{{Path: disk}}})
	c := console{t, m}
	c.expect(prompt("COS_ACTIVE"), time.Minute)

	// The last seconds matter most, because the images are renamed then.
	writing, renaming := &moments{most: 12, dir: dir, name: "writing"}, &moments{most: 8, dir: dir, name: "renaming"}
	begun := len(m.Text())
	require.NoError(t, m.Send("kairos-agent upgrade --source "+r.seen(r.good)+"; echo ended with $?\n"))
	deadline, next := time.Now().Add(20*time.Minute), time.Now()
	for {
		said := m.Text()[begun:]
		if strings.Contains(said, "\nended with ") {
			require.Contains(t, said, "\nended with 0", said)
			break
		}
		require.True(t, time.Now().Before(deadline), said)
		switch {
		case strings.Contains(said, "Backing up current active image"):
			renaming.take(t, m, disk)
		case time.Now().After(next):
			writing.take(t, m, disk)
			next = time.Now().Add(time.Duration(rand.Int64N(int64(3 * time.Second))))
		}
		time.Sleep(time.Duration(rand.Int64N(int64(50 * time.Millisecond))))
	}
	m.Close()

	cuts := append(writing.kept, renaming.kept...)
	require.Len(t, cuts, 20)
	t.Logf("%d moments while the image was written, %d while images were renamed", writing.seen, renaming.seen)
	for i, cut := range cuts {
		t.Run(filepath.Base(cut), func(t *testing.T) {
			t.Parallel() // an emulated machine keeps one core busy
			c := console{t, start(t, qemu.Options{Firmware: qemu.BIOS, CPUs: 1, Disks: []qemu.Disk{{Path: cut}}})}
			c.expect(prompt("COS_(?:ACTIVE|PASSIVE)"), 2*time.Minute)
			c.run("test -e /run/cos/active_mode || test -e /run/cos/passive_mode")
			assert.Regexp(t, `KAIROS_VERSION="v1\.[01]\.0"`, c.run("cat /etc/kairos-release"))
			t.Logf("boots %s from %s", c.run("cat /proc/cmdline | tr ' ' '\n' | grep cos-img"), c.run(". /etc/kairos-release; echo $KAIROS_VERSION"))
			if i == len(cuts)-1 {
				// And it can be upgraded.
				c.upgrade(r.seen(r.good))
				c.reboot()
				c.expect(prompt("COS_ACTIVE"), time.Minute)
				assert.Contains(t, c.run("cat /etc/kairos-release"), `KAIROS_VERSION="v1.1.0"`)
			}
		})
	}
}

// moments has a limited number of copies of a disk, at random moments with equal probability
// (reservoir sampling).
type moments struct {
	dir, name string
	most      int
	seen      int
	kept      []string
}

// take copies the disk as a power cut would leave it.
func (m *moments) take(t *testing.T, machine *qemu.Machine, disk string) {
	t.Helper()
	m.seen++
	at := len(m.kept)
	if at == m.most {
		if at = rand.IntN(m.seen); at >= m.most {
			return
		}
	} else {
		m.kept = append(m.kept, filepath.Join(m.dir, fmt.Sprintf("%s-%02d.qcow2", m.name, at)))
	}
	require.NoError(t, machine.WhileFrozen(func() error {
		ask(t, m.dir, "cp", "--sparse=always", disk, m.kept[at])
		return nil
	}))
}
