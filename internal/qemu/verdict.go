package qemu

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/pkg/errors"
)

// verdict is the result of trying KVM.
type verdict struct {
	Accel  Accel  `json:"accel"`
	Reason string `json:"reason"`
}

// verdictBook stores verdicts in a file until the host reboots.
type verdictBook struct {
	path string
	// boot identifies the host's current boot. Verdicts of other boots are ignored.
	boot string
}

type verdictPage struct {
	Boot     string             `json:"boot"`
	Verdicts map[string]verdict `json:"verdicts"`
}

// newVerdictBook returns false if the host has no cache directory or no boot id.
func newVerdictBook() (verdictBook, bool) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return verdictBook{}, false
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return verdictBook{}, false
	}
	return verdictBook{
		path: filepath.Join(cache, "flavorkit", "kvm.json"),
		boot: strings.TrimSpace(string(boot)),
	}, true
}

func (b verdictBook) lookup(key string) (verdict, bool) {
	v, ok := b.read().Verdicts[key]
	return v, ok
}

// note adds a verdict. If two processes do so at once, one verdict is lost, and the next run tries
// again.
func (b verdictBook) note(key string, v verdict) error {
	page := b.read()
	page.Verdicts[key] = v
	data, err := json.Marshal(page)
	if err != nil {
		return err
	}
	dir := filepath.Dir(b.path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "kvm-")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), b.path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// read returns the verdicts of the current boot; none if the file is missing, broken or old.
func (b verdictBook) read() verdictPage {
	page := verdictPage{Boot: b.boot, Verdicts: map[string]verdict{}}
	data, err := os.ReadFile(b.path)
	if err != nil {
		return page
	}
	var stored verdictPage
	if json.Unmarshal(data, &stored) != nil || stored.Boot != b.boot || stored.Verdicts == nil {
		return page
	}
	return stored
}

// verdictKey identifies a kernel by its contents and QEMU by its file.
func verdictKey(kernel, qemu string) (string, error) {
	f, err := os.Open(kernel)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", errors.Wrapf(err, "reading %s", kernel)
	}
	info, err := os.Stat(qemu)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(h, "\n%s %d %d", qemu, info.Size(), info.ModTime().UnixNano())
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}
