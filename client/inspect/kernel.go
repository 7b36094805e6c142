package inspect

import (
	"encoding/binary"
	"io"
	"path"
	"slices"
	"strings"
)

// Kernel is a kernel with its modules. One of the two may be missing.
type Kernel struct {
	Version string `json:"version"`
	// Path of the kernel, and its Size; empty and 0 if there are only modules.
	Path string `json:"path,omitempty"`
	Size int64  `json:"size,omitempty"`
	// Modules is the number of modules, and ModulesSize the bytes in them.
	Modules     int   `json:"modules"`
	ModulesSize int64 `json:"modulesSize"`
}

// kernels lists kernels and the directories of modules, by version.
func kernels(tree map[string]node, versions map[string]string) []Kernel {
	byVersion := map[string]*Kernel{}
	kernel := func(version string) *Kernel {
		if byVersion[version] == nil {
			byVersion[version] = &Kernel{Version: version}
		}
		return byVersion[version]
	}
	for name, n := range tree {
		if version, ok := moduleOf(name); ok && n.mode.IsRegular() {
			k := kernel(version)
			k.Modules++
			k.ModulesSize += n.size
		}
	}
	for name, version := range versions {
		if version == "" && len(byVersion) == 1 {
			for version = range byVersion { // the only one
			}
		}
		k := kernel(version)
		k.Path, k.Size = name, tree[name].size
	}
	all := []Kernel{}
	for _, k := range byVersion {
		all = append(all, *k)
	}
	slices.SortFunc(all, func(a, b Kernel) int { return strings.Compare(a.Version, b.Version) })
	return all
}

// moduleOf returns the version of the kernel that a file is a module of.
func moduleOf(name string) (string, bool) {
	rest, ok := strings.CutPrefix(strings.TrimPrefix(name, "usr/"), "lib/modules/")
	version, file, below := strings.Cut(rest, "/")
	base := path.Base(file)
	return version, ok && below && (strings.HasSuffix(base, ".ko") || strings.Contains(base, ".ko."))
}

// kernelNames are what the names of kernels start with (contract 1.5).
func kernelNames() []string { return []string{"vmlinuz", "vmlinux", "Image", "bzImage", "kernel"} }

// readKernel reads the version of a kernel. Files with other names are ignored.
func readKernel(c *collector, name string, r io.Reader) error {
	for _, prefix := range kernelNames() {
		rest, ok := strings.CutPrefix(path.Base(name), prefix)
		if !ok {
			continue
		}
		version, err := kernelVersion(r)
		if err != nil {
			return err
		}
		if dir := path.Dir(name); version == "" && path.Base(path.Dir(dir)) == "modules" {
			version = path.Base(dir)
		}
		// Such as vmlinuz-6.1.0-44-arm64, but not vmlinuz-rpi.
		if number := strings.TrimPrefix(rest, "-"); version == "" && strings.ContainsAny(number, "0123456789") {
			version = number
		}
		c.versions[name] = version
		return nil
	}
	return nil
}

// kernelVersion reads the version in the header of a kernel for x86 (Linux,
// Documentation/arch/x86/boot.rst, kernel_version). It is empty for others.
func kernelVersion(r io.Reader) (string, error) {
	const pointer, base, most = 0x20E, 0x200, 0x200 + 1<<16 + 256
	b, err := io.ReadAll(io.LimitReader(r, most))
	if err != nil || len(b) < pointer+2 || string(b[0x202:0x206]) != "HdrS" {
		return "", err
	}
	at := base + int(binary.LittleEndian.Uint16(b[pointer:]))
	if at >= len(b) {
		return "", nil
	}
	version, _, _ := strings.Cut(string(b[at:min(at+256, len(b))]), " ")
	return version, nil
}

// isInitramfs reports whether a file is an initramfs.
func isInitramfs(name string) bool {
	base, ok := strings.CutPrefix(name, "boot/")
	return ok && !strings.Contains(base, "/") && (strings.HasPrefix(base, "initrd") || strings.HasPrefix(base, "initramfs"))
}

// isLoader reports whether a file is a boot loader: a program for UEFI, or GRUB for BIOS.
func isLoader(name string) bool {
	base := strings.ToLower(path.Base(name))
	efi := strings.HasSuffix(base, ".efi") || strings.Contains(base, ".efi.signed")
	return efi || strings.HasSuffix(name, "/i386-pc/boot.img")
}
