package pkgdb

import (
	"bytes"
	"encoding/binary"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const status = `Package: libc6
Status: install ok installed
Maintainer: GNU Libc Maintainers <debian-glibc@lists.debian.org>
Architecture: amd64
Multi-Arch: same
Source: glibc
Version: 2.36-9+deb12u13
Description: GNU C Library: Shared libraries
 Contains the standard libraries.
 .
 Package: not a field

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0

Package: bash
Status: hold ok installed
Architecture: amd64
Source: bash (5.2.15-2)
Version: 5.2.15-2+b8

Package: linux-image-6.1.0-1-amd64
Status: install ok triggers-pending
Architecture: amd64
Source: linux-signed-amd64 (6.1.4+1)
Version: 6.1.4-1
`

const copyright = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: bash

Files: *
Copyright: 1987-2022 Free Software Foundation
License: GPL-3+
 The whole text.
 License: not a field

Files: debian/*
License: GPL-2+

License: GPL-2+
 The whole text.
`

const installed = `C:Q1UT9Gkbn3mBiXeYYNLEzlqCNgmvs=
P:busybox
V:1.37.0-r12
A:x86_64
S:509341
L:GPL-2.0-only
o:busybox
m:Natanael Copa <ncopa@alpinelinux.org>
F:bin
R:busybox
a:0:0:755

P:linux-lts
V:6.12.31-r0
A:x86_64
L:GPL-2.0-only
o:linux-lts
F:boot
R:vmlinuz-lts
F:lib/modules/6.12.31-0-lts
R:modules.builtin
`

// names of packages, each with version, architecture and source.
func names(s System) (all []string) {
	for _, p := range s.Packages {
		all = append(all, strings.Join([]string{p.Name, p.Version, p.Arch, p.Source, p.SourceVersion, strings.Join(p.Licenses, ",")}, " "))
	}
	return all
}

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text), Mode: 0o644} }

func rpmdb(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/rpmdb.sqlite")
	require.NoError(t, err)
	return data
}

// headers are those of the database in testdata.
func headers(t testing.TB) (all [][]byte) {
	t.Helper()
	require.NoError(t, sqliteRows(os.DirFS("testdata"), "rpmdb.sqlite", func(blob []byte) error {
		all = append(all, blob)
		return nil
	}))
	return all
}

// ndb writes headers in the format ndb.
func ndb(headers [][]byte) []byte {
	le := binary.LittleEndian
	page := []byte("RpmP")
	page = le.AppendUint32(page, 0) // version
	page = le.AppendUint32(page, 1) // generation
	page = le.AppendUint32(page, 1) // pages of slots
	page = le.AppendUint32(page, uint32(len(headers)+1))
	page = append(page, make([]byte, 12)...)
	var blobs []byte
	for i, h := range headers {
		at := 4096 + len(blobs)
		blobs = append(blobs, "BlbS"...)
		for _, v := range []int{i + 1, 1, len(h)} {
			blobs = le.AppendUint32(blobs, uint32(v))
		}
		blobs = append(blobs, h...)
		blobs = append(blobs, make([]byte, 16-len(blobs)%16)...)
		page = append(page, "Slot"...)
		for _, v := range []int{i + 1, at / 16, (4096 + len(blobs) - at) / 16} {
			page = le.AppendUint32(page, uint32(v))
		}
	}
	for len(page) < 4096 {
		page = append(page, append([]byte("Slot"), make([]byte, 12)...)...)
	}
	return append(page, blobs...)
}

func TestRead(t *testing.T) {
	rpms := []string{
		"acme-tool 2:1.4.0-3 x86_64 acme-tool 1.4.0-3 GPL-2.0-or-later AND MIT",
		"kernel-acme 6.12.5-1 noarch kernel-acme 6.12.5-1 GPL-2.0-only",
	}
	modules := func(path string) bool { return strings.HasPrefix(path, "lib/modules/") }
	for name, tc := range map[string]struct {
		files fstest.MapFS
		kind  string
		want  []string
		// kernel are the packages with modules.
		kernel []string
	}{
		"dpkg": {
			files: fstest.MapFS{
				"var/lib/dpkg/status":                              file(status),
				"var/lib/dpkg/info/libc6:amd64.list":               file("/.\n/lib\n/lib/modules\n"),
				"var/lib/dpkg/info/linux-image-6.1.0-1-amd64.list": file("/.\n/lib\n/lib/modules\n/lib/modules/6.1.0-1-amd64\n"),
				"usr/share/doc/bash/copyright":                     file(copyright),
				"usr/share/doc/libc6/copyright":                    file("This is the GNU C Library.\nLicense: none\n"),
			},
			kind: "deb",
			want: []string{
				"bash 5.2.15-2+b8 amd64 bash 5.2.15-2 GPL-2+,GPL-3+",
				"libc6 2.36-9+deb12u13 amd64 glibc 2.36-9+deb12u13 ",
				"linux-image-6.1.0-1-amd64 6.1.4-1 amd64 linux-signed-amd64 6.1.4+1 ",
			},
			kernel: []string{"linux-image-6.1.0-1-amd64 6.1.4-1 amd64 linux-signed-amd64 6.1.4+1 "},
		},
		"apk": {
			files: fstest.MapFS{"lib/apk/db/installed": file(installed)},
			kind:  "apk",
			want: []string{
				"busybox 1.37.0-r12 x86_64 busybox 1.37.0-r12 GPL-2.0-only",
				"linux-lts 6.12.31-r0 x86_64 linux-lts 6.12.31-r0 GPL-2.0-only",
			},
			kernel: []string{"linux-lts 6.12.31-r0 x86_64 linux-lts 6.12.31-r0 GPL-2.0-only"},
		},
		"rpm": {
			files: fstest.MapFS{
				"usr/lib/sysimage/rpm/rpmdb.sqlite":     file(string(rpmdb(t))),
				"usr/lib/sysimage/rpm/rpmdb.sqlite-wal": file(""),
			},
			kind: "rpm", want: rpms, kernel: rpms[1:],
		},
		"rpm in the format ndb": {
			files: fstest.MapFS{"var/lib/rpm/Packages.db": file(string(ndb(headers(t))))},
			kind:  "rpm", want: rpms, kernel: rpms[1:],
		},
	} {
		t.Run(name, func(t *testing.T) {
			tc.files["etc/os-release"] = file("NAME=\"Acme Linux\"\nID=acme\nVERSION_ID=\"12\"\n")
			for name := range tc.files {
				assert.Equal(t, !strings.Contains(name, "/info/"), Wants(name), name)
			}
			s, err := Read(tc.files, nil)
			require.NoError(t, err)
			assert.Equal(t, tc.want, names(s))
			assert.Equal(t, []string{"acme", "12", tc.kind}, []string{s.ID, s.Version, s.Type})
			assert.Contains(t, tc.files, Find(tc.files))
			s, err = Read(tc.files, modules)
			require.NoError(t, err)
			assert.Equal(t, tc.kernel, names(s))
		})
	}
}

func TestErrors(t *testing.T) {
	for name, tc := range map[string]struct {
		files fstest.MapFS
		want  string
	}{
		"none":        {fstest.MapFS{}, "there is no database of dpkg, apk or rpm"},
		"Berkeley DB": {fstest.MapFS{"var/lib/rpm/Packages": file("x")}, "read /var/lib/rpm/Packages: databases of rpm in the format of Berkeley DB cannot be read"},
		"not closed":  {fstest.MapFS{"var/lib/rpm/rpmdb.sqlite": file("x"), "var/lib/rpm/rpmdb.sqlite-wal": file("x")}, "read /var/lib/rpm/rpmdb.sqlite: the database was not closed: it has changes in var/lib/rpm/rpmdb.sqlite-wal"},
		"cut off":     {fstest.MapFS{"var/lib/rpm/rpmdb.sqlite": file(string(rpmdb(t)[:1500]))}, "read /var/lib/rpm/rpmdb.sqlite: unexpected EOF"},
		"no sqlite":   {fstest.MapFS{"var/lib/rpm/rpmdb.sqlite": file(strings.Repeat("x", 200))}, "read /var/lib/rpm/rpmdb.sqlite: not a database of sqlite"},
		"no ndb":      {fstest.MapFS{"var/lib/rpm/Packages.db": file(strings.Repeat("x", 200))}, "read /var/lib/rpm/Packages.db: not a database of rpm in the format ndb"},
		"other table": {fstest.MapFS{"var/lib/rpm/rpmdb.sqlite": file(string(bytes.ReplaceAll(rpmdb(t), []byte("Packages"), []byte("packages"))))}, "read /var/lib/rpm/rpmdb.sqlite: the database has no table Packages"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(tc.files, nil)
			require.EqualError(t, err, tc.want)
		})
	}
}

// FuzzRead reads damaged databases of all kinds.
func FuzzRead(f *testing.F) {
	all := databases()
	f.Add(uint8(0), []byte(status))
	f.Add(uint8(1), []byte(installed))
	f.Add(uint8(2), rpmdb(f))
	f.Add(uint8(3), ndb(headers(f)))
	f.Fuzz(func(t *testing.T, kind uint8, data []byte) {
		d := all[int(kind)%len(all)]
		fsys := fstest.MapFS{d.files[0]: file(string(data))}
		found, err := Read(fsys, nil)
		if err != nil {
			return
		}
		picked, err := Read(fsys, func(path string) bool { return strings.Contains(path, "bin") })
		require.NoError(t, err)
		assert.LessOrEqual(t, len(picked.Packages), len(found.Packages))
	})
}

// FuzzCopyright reads copyright files.
func FuzzCopyright(f *testing.F) {
	f.Add([]byte(copyright))
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := parseCopyright(data)
		require.NoError(t, err)
		assert.NotContains(t, found, "")
	})
}
