package specs_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/flavorkit/flavorkit/specs"
)

// TestMistakesOfValues has values that cannot be right in any distribution.
func TestMistakesOfValues(t *testing.T) {
	checkMistakes(t, []mistake{
		{
			name: "version is missing",
			spec: `
name: a
`,
			want: []string{
				`kairos.spec:1:1: version: is missing; write semantic versioning with a leading v, such as "version: v1.0.0"`,
			},
		},
		{
			name: "version 1.0.0",
			spec: `version: 1.0.0
`,
			want: []string{
				`kairos.spec:1:10: version: "1.0.0" is not a version; write semantic versioning with a leading v, such as "version: v1.0.0"`,
			},
		},
		{
			name: "version v1",
			spec: `version: v1
`,
			want: []string{
				`kairos.spec:1:10: version: "v1" is not a version; write semantic versioning with a leading v, such as "version: v1.0.0"`,
			},
		},
		{
			name: "version v1.0",
			spec: `version: v1.0
`,
			want: []string{
				`kairos.spec:1:10: version: "v1.0" is not a version; write semantic versioning with a leading v, such as "version: v1.0.0"`,
			},
		},
		{
			name: "version v01.0.0",
			spec: `version: v01.0.0
`,
			want: []string{
				`kairos.spec:1:10: version: "v01.0.0" is not a version; write semantic versioning with a leading v, such as "version: v1.0.0"`,
			},
		},
		{
			name: "version latest",
			spec: `version: latest
`,
			want: []string{
				`kairos.spec:1:10: version: "latest" is not a version; write semantic versioning with a leading v, such as "version: v1.0.0"`,
			},
		},
		{
			name: "version 'v1.0.0 '",
			spec: `version: 'v1.0.0 '
`,
			want: []string{
				`kairos.spec:1:10: version: "v1.0.0 " is not a version; write semantic versioning with a leading v, such as "version: v1.0.0"`,
			},
		},
		{
			name: "version v1.0.0-",
			spec: `version: v1.0.0-
`,
			want: []string{
				`kairos.spec:1:10: version: "v1.0.0-" is not a version; write semantic versioning with a leading v, such as "version: v1.0.0"`,
			},
		},
		{
			name: "version 2026-01-01",
			spec: `version: 2026-01-01
`,
			want: []string{
				`kairos.spec:1:10: version: "2026-01-01" is not a version; write semantic versioning with a leading v, such as "version: v1.0.0"`,
			},
		},
		{
			name: "version 1.10",
			spec: `version: 1.10
`,
			want: []string{
				`kairos.spec:1:10: version: "1.10" is not a version; write semantic versioning with a leading v, such as "version: v1.0.0"`,
			},
		},
		{
			name: "version \"v1.0.0\\n\"",
			spec: `version: "v1.0.0\n"
`,
			want: []string{
				`kairos.spec:1:10: version: "v1.0.0\n" is not a version; write semantic versioning with a leading v, such as "version: v1.0.0"`,
			},
		},
		{
			name: "names",
			spec: `version: v1.0.0
name: Acme
variant: cores
init: sysvinit
`,
			want: []string{
				`kairos.spec:2:7: name: "Acme" is not valid; use lower case letters and digits, with . _ or - between them`,
				`kairos.spec:3:10: variant: "cores" is not valid; did you mean "core"?`,
				`kairos.spec:4:7: init: "sysvinit" is not valid; valid: openrc, systemd`,
			},
		},
		{
			name: "name a b",
			spec: `version: v1.0.0
name: a b
`,
			want: []string{
				`kairos.spec:2:7: name: "a b" is not valid; use lower case letters and digits, with . _ or - between them`,
			},
		},
		{
			name: "name -a",
			spec: `version: v1.0.0
name: -a
`,
			want: []string{
				`kairos.spec:2:7: name: "-a" is not valid; use lower case letters and digits, with . _ or - between them`,
			},
		},
		{
			name: "name a$b",
			spec: `version: v1.0.0
name: a$b
`,
			want: []string{
				`kairos.spec:2:7: name: "a$b" is not valid; use lower case letters and digits, with . _ or - between them`,
			},
		},
		{
			name: "name a/b",
			spec: `version: v1.0.0
name: a/b
`,
			want: []string{
				`kairos.spec:2:7: name: "a/b" is not valid; use lower case letters and digits, with . _ or - between them`,
			},
		},
		{
			name: "name a..b",
			spec: `version: v1.0.0
name: a..b
`,
			want: []string{
				`kairos.spec:2:7: name: "a..b" is not valid; use lower case letters and digits, with . _ or - between them`,
			},
		},
		{
			name: "images",
			spec: `version: v1.0.0
distro: {base: 'Debian:12'}
components: {a: {image: 'debian@sha256:123'}, b: {context: Ctx}}
`,
			want: []string{
				`kairos.spec:2:16: distro.base: "Debian:12" is not valid; write an image reference, such as docker.io/library/debian:12-slim`,
				`kairos.spec:3:25: components.a.image: "debian@sha256:123" is not valid; write an image reference, such as ghcr.io/acme/agent:v1`,
				`kairos.spec:3:60: components.b.context: "Ctx" is not valid; write the name of a named context, in the form of an image name`,
			},
		},
		{
			name: "kernel",
			spec: `version: v1.0.0
kernel: {package: -x, version: 'a b'}
`,
			want: []string{
				`kairos.spec:2:19: kernel.package: "-x" is not valid; write the name of one package`,
				`kairos.spec:2:32: kernel.version: "a b" is not valid; write a version as the package manager shows it`,
			},
		},
		{
			name: "packages",
			spec: `version: v1.0.0
packages: {add: ['a b', 'a;b', --x, x-, '$(x)', 'a=1', g++, a/b], remove: [a, c, a]}
`,
			want: []string{
				`kairos.spec:2:18: packages.add[0]: "a b" is not a package name; write the name of one package, such as htop`,
				`kairos.spec:2:25: packages.add[1]: "a;b" is not a package name; write the name of one package, such as htop`,
				`kairos.spec:2:32: packages.add[2]: "--x" is not a package name; write the name of one package, such as htop`,
				`kairos.spec:2:37: packages.add[3]: "x-" is not a package name; write the name of one package, such as htop`,
				`kairos.spec:2:41: packages.add[4]: "$(x)" is not a package name; write the name of one package, such as htop`,
				`kairos.spec:2:61: packages.add[7]: "a/b" is not a package name; write the name of one package, such as htop`,
				`kairos.spec:2:82: packages.remove[2]: duplicate entry "a", first in line 2`,
			},
		},
		{
			name: "package with and without a version",
			spec: "version: v1.0.0\npackages: {add: [a, a=1, 'b:arm64', b, c=1, c=2]}\n",
			want: []string{
				`kairos.spec:2:21: packages.add[1]: duplicate entry "a", first in line 2`,
				`kairos.spec:2:45: packages.add[5]: duplicate entry "c", first in line 2`,
			},
		},
		{
			name: "package added and removed",
			spec: `version: v1.0.0
packages:
  add: [a]
  remove: [a]
`,
			want: []string{
				`kairos.spec:4:12: packages.remove[0]: "a" is also added, in line 3; keep one of them`,
			},
		},
		{
			name: "cmdline",
			spec: "version: v1.0.0\ncmdline: ['a b', 'a\"', $x, é, 'a=b,c:d[e]', ';', \"a\\tb\", 'a\\b', '`a`', '{a}']\n",
			want: []string{
				`kairos.spec:2:11: cmdline[0]: "a b" is not one kernel argument; write one argument, without spaces, quotes or $, such as console=ttyS1,115200`,
				`kairos.spec:2:18: cmdline[1]: "a\"" is not one kernel argument; write one argument, without spaces, quotes or $, such as console=ttyS1,115200`,
				`kairos.spec:2:24: cmdline[2]: "$x" is not one kernel argument; write one argument, without spaces, quotes or $, such as console=ttyS1,115200`,
				`kairos.spec:2:28: cmdline[3]: "é" is not one kernel argument; write one argument, without spaces, quotes or $, such as console=ttyS1,115200`,
				`kairos.spec:2:45: cmdline[5]: ";" is not one kernel argument; write one argument, without spaces, quotes or $, such as console=ttyS1,115200`,
				`kairos.spec:2:50: cmdline[6]: "a\tb" is not one kernel argument; write one argument, without spaces, quotes or $, such as console=ttyS1,115200`,
				`kairos.spec:2:58: cmdline[7]: "a\\b" is not one kernel argument; write one argument, without spaces, quotes or $, such as console=ttyS1,115200`,
				"kairos.spec:2:65: cmdline[8]: \"`a`\" is not one kernel argument; write one argument, without spaces, quotes or $, such as console=ttyS1,115200",
				`kairos.spec:2:72: cmdline[9]: "{a}" is not one kernel argument; write one argument, without spaces, quotes or $, such as console=ttyS1,115200`,
			},
		},
		{
			name: "content",
			spec: `version: v1.0.0
cloudConfig: {from: a, content: b}
artifacts: {iso: {cloudConfig: a/../../b}}
`,
			want: []string{
				`kairos.spec:2:14: cloudConfig: has both from and content; keep one of them`,
				`kairos.spec:3:32: artifacts.iso.cloudConfig.from: "a/../../b" is outside the build context; name a file inside the build context, by a relative path`,
			},
		},
		{
			name: "files in each other's place",
			spec: `version: v1.0.0
files:
  - {path: /etc/motd, content: a}
  - {path: /etc/motd, from: a}
  - {path: /etc/motd/sub, content: a}
  - {path: /opt/app/conf, content: a}
  - {path: /opt/app, content: a}
  - {path: /opt/dir, from: dir}
  - {path: /opt/dir/file, content: a}
  - {path: /usr/bin, content: a}
  - {path: /srv, from: etc}
  - {path: "/etc/a\n", content: a}
  - {path: /var/run/a, content: a}
`,
			want: []string{
				`kairos.spec:4:12: files[1].path: duplicate entry "/etc/motd", first in line 3; keep one of them`,
				`kairos.spec:5:12: files[2].path: "/etc/motd" is a file, in line 3, not a directory`,
				`kairos.spec:7:12: files[4].path: "/opt/app" is a directory, by the path in line 6`,
				`kairos.spec:10:12: files[7].path: /usr/bin is a directory; name a file in it`,
				`kairos.spec:12:12: files[9].path: "/etc/a\n" is not a path in the root filesystem; write an absolute path without . and .. in it, such as /etc/motd`,
				`kairos.spec:13:12: files[10].path: /var/run is mounted over or emptied at boot; put the file elsewhere, or write it from a cloud-config`,
			},
		},
		{
			name: "sums of programs",
			spec: `version: v1.0.0
components:
  a: {url: https://x/a, sha256: {amd64: 0000000000000000000000000000000000000000000000000000000000000000}}
  b: {image: x, sha256: {amd64: 0000000000000000000000000000000000000000000000000000000000000000}}
  c: {context: x, checksums: https://x/sums}
`,
			want: []string{
				`kairos.spec:4:25: components.b.sha256: applies only to downloads; remove it, or use a url; checksums do not apply to images and named contexts`,
				`kairos.spec:5:30: components.c.checksums: applies only to downloads; remove it, or use a url; checksums do not apply to images and named contexts`,
			},
		},
		{
			name: "content climbs",
			spec: `version: v1.0.0
cloudConfig: ../x
files: [{path: /a, from: ../b}, {path: /b, from: /b}, {path: /c, from: b/../..}]
`,
			want: []string{
				`kairos.spec:2:14: cloudConfig.from: "../x" is outside the build context; name a file inside the build context, by a relative path`,
				`kairos.spec:3:26: files[0].from: "../b" is outside the build context; name a file inside the build context, by a relative path`,
				`kairos.spec:3:50: files[1].from: "/b" is outside the build context; name a file inside the build context, by a relative path`,
				`kairos.spec:3:72: files[2].from: "b/../.." is outside the build context; name a file inside the build context, by a relative path`,
			},
		},
		{
			name: "compression",
			spec: `version: v1.0.0
artifacts: {iso: {compression: bzip2}}
`,
			want: []string{
				`kairos.spec:2:32: artifacts.iso.compression: "bzip2" is not valid; did you mean "gzip"?`,
			},
		},
		{
			name: "level of xz",
			spec: `version: v1.0.0
artifacts: {iso: {compression: xz, level: 3}}
`,
			want: []string{
				`kairos.spec:2:43: artifacts.iso.level: xz has no levels; remove it`,
			},
		},
		{
			name: "level too low",
			spec: `version: v1.0.0
artifacts: {iso: {level: 0}}
`,
			want: []string{
				`kairos.spec:2:26: artifacts.iso.level: 0 is not a level of zstd; write a number from 1 to 22`,
			},
		},
		{
			name: "level too high",
			spec: `version: v1.0.0
artifacts: {iso: {level: 23}}
`,
			want: []string{
				`kairos.spec:2:26: artifacts.iso.level: 23 is not a level of zstd; write a number from 1 to 22`,
			},
		},
		{
			name: "label too long",
			spec: `version: v1.0.0
artifacts: {iso: {label: AN_EDGE_OF_ACME_FOR_ALL_WAREHOUSES}}
`,
			want: []string{
				`kairos.spec:2:26: artifacts.iso.label: "AN_EDGE_OF_ACME_FOR_ALL_WAREHOUSES" is too long, it has 34 characters; write at most 32 characters`,
			},
		},
		{
			name: "label in lower case",
			spec: `version: v1.0.0
artifacts: {iso: {label: acme-edge}}
`,
			want: []string{
				`kairos.spec:2:26: artifacts.iso.label: "acme-edge" is not the label of a medium; use A to Z, 0 to 9 and _, such as ACME_EDGE`,
			},
		},
		{
			name: "level of gzip",
			spec: `version: v1.0.0
artifacts: {iso: {compression: gzip, level: 10}}
`,
			want: []string{
				`kairos.spec:2:45: artifacts.iso.level: 10 is not a level of gzip; write a number from 1 to 9`,
			},
		},
		{
			name: "disk",
			spec: `version: v1.0.0
artifacts:
  disk:
    layout: fall
    size: 8GB
    firmware: uefi
    compression: gzip
    cloudConfig: /a
`,
			want: []string{
				`kairos.spec:4:13: artifacts.disk.layout: "fall" is not valid; did you mean "full"?`,
				`kairos.spec:5:11: artifacts.disk.size: "8GB" is not a size; write a number and MiB, GiB or TiB, such as 8GiB, and at most 2TiB`,
				`kairos.spec:6:15: artifacts.disk.firmware: "uefi" is not valid; did you mean "efi"?`,
				`kairos.spec:7:18: artifacts.disk.compression: "gzip" is not valid; valid: none, xz, zstd`,
				`kairos.spec:8:18: artifacts.disk.cloudConfig.from: "/a" is outside the build context; name a file inside the build context, by a relative path`,
			},
		},
		{
			name: "limits of size",
			spec: "version: v1.0.0\nsize: {root: 0MiB, initramfs: 40MB, image: 1GiB}\n",
			want: []string{
				`kairos.spec:2:14: size.root: "0MiB" is not a size; write a number and MiB, GiB or TiB, such as 8GiB, and at most 2TiB`,
				`kairos.spec:2:31: size.initramfs: "40MB" is not a size; write a number and MiB, GiB or TiB, such as 8GiB, and at most 2TiB`,
				`kairos.spec:2:37: size: unknown key "image"; valid: initramfs, root, when`,
			},
		},
		{
			name: "level of an uncompressed disk",
			spec: "version: v1.0.0\nartifacts: {disk: {compression: none, level: 3}}\n",
			want: []string{`kairos.spec:2:46: artifacts.disk.level: none has no levels; remove it`},
		},
		{
			name: "level of a disk too high",
			spec: "version: v1.0.0\nartifacts: {disk: {level: 20}}\n",
			want: []string{`kairos.spec:2:27: artifacts.disk.level: 20 is not a level of zstd; write a number from 1 to 19`},
		},
		{
			name: "files",
			spec: `version: v1.0.0
files:
  - {path: /a}
  - {content: x}
  - {path: a, content: x}
  - {path: /a/../b, content: x}
  - {path: /, content: x}
  - {path: /a/, content: x}
  - {path: /b, content: x, from: y}
  - {path: /tmp/x, content: x}
  - {path: /run, from: x}
`,
			want: []string{
				`kairos.spec:3:5: files[0]: has neither from nor content; give from, a file of the build context, or content, the text itself`,
				`kairos.spec:4:5: files[1]: has no path; give the path in the root filesystem, such as path: /etc/motd`,
				`kairos.spec:5:12: files[2].path: "a" is not a path in the root filesystem; write an absolute path without . and .. in it, such as /etc/motd`,
				`kairos.spec:6:12: files[3].path: "/a/../b" is not a path in the root filesystem; write an absolute path without . and .. in it, such as /etc/motd`,
				`kairos.spec:7:12: files[4].path: "/" is not a path in the root filesystem; write an absolute path without . and .. in it, such as /etc/motd`,
				`kairos.spec:8:12: files[5].path: "/a/" is not a path in the root filesystem; write an absolute path without . and .. in it, such as /etc/motd`,
				`kairos.spec:9:5: files[6]: has both from and content; keep one of them`,
				`kairos.spec:10:12: files[7].path: /tmp is mounted over or emptied at boot; put the file elsewhere, or write it from a cloud-config`,
				`kairos.spec:11:12: files[8].path: /run is mounted over or emptied at boot; put the file elsewhere, or write it from a cloud-config`,
			},
		},
		{
			name: "mode and owner",
			spec: `version: v1.0.0
files:
  - {path: /a, content: x, mode: 4755, owner: root}
  - {path: /b, content: x, mode: rwx, owner: "9999999999:0"}
  - {path: /c, content: x, mode: 0888, owner: "0"}
  - {path: /d, content: x, mode: 64, owner: "-1:0"}
`,
			want: []string{
				`kairos.spec:3:34: files[0].mode: "4755" is not valid; write three octal digits, such as 0644, without setuid, setgid and sticky bit`,
				`kairos.spec:3:47: files[0].owner: "root" is not valid; write uid:gid in numbers, such as 0:0`,
				`kairos.spec:4:34: files[1].mode: "rwx" is not valid; write three octal digits, such as 0644, without setuid, setgid and sticky bit`,
				`kairos.spec:4:46: files[1].owner: "9999999999:0" is not valid; write uid:gid in numbers, such as 0:0`,
				`kairos.spec:5:34: files[2].mode: "0888" is not valid; write three octal digits, such as 0644, without setuid, setgid and sticky bit`,
				`kairos.spec:5:47: files[2].owner: "0" is not valid; write uid:gid in numbers, such as 0:0`,
				`kairos.spec:6:34: files[3].mode: "64" is not valid; write three octal digits, such as 0644, without setuid, setgid and sticky bit`,
				`kairos.spec:6:45: files[3].owner: "-1:0" is not valid; write uid:gid in numbers, such as 0:0`,
			},
		},
		{
			name: "component without checksum",
			spec: `version: v1.0.0
components: {k: {url: 'https://x/y.tar.gz'}}
`,
			want: []string{
				`kairos.spec:2:23: components.k.url: needs a checksum; add sha256: {amd64: …}, or checksums: with the url of the publisher's sha256 list`,
			},
		},
		{
			name: "components",
			spec: `version: v1.0.0
components:
  a: {url: "ftp://x/y", sha256: {amd64: x}}
  b: {url: "https://x/y z", checksums: "file:///x"}
  c: {url: "https://x/", checksums: "https://x"}
  d: {url: "https://x/y.tar.xz", checksums: "https://x/y"}
  e: {url: "https://x/y", checksums: "https://x/z", image: a, context: b}
  f: {url: "https://x/%zz", checksums: "https://x/z"}
  g: {image: "A B", path: ../x, version: "a b"}
`,
			want: []string{
				`kairos.spec:3:12: components.a.url: "ftp://x/y" is not a url; write a full url, such as https://example.com/{version}/file-{arch}.tar.gz`,
				`kairos.spec:3:41: components.a.sha256.amd64: "x" is not valid; write 64 hexadecimal digits, lower case`,
				`kairos.spec:4:12: components.b.url: "https://x/y z" is not a url; write a full url, such as https://example.com/{version}/file-{arch}.tar.gz`,
				`kairos.spec:4:40: components.b.checksums: "file:///x" is not a url; write a full url, such as https://example.com/{version}/file-{arch}.tar.gz`,
				`kairos.spec:5:12: components.c.url: "https://x/" names no file; write a full url, such as https://example.com/{version}/file-{arch}.tar.gz`,
				`kairos.spec:5:37: components.c.checksums: "https://x" names no file; write a full url, such as https://example.com/{version}/file-{arch}.tar.gz`,
				`kairos.spec:6:12: components.d.url: flavorkit does not unpack .xz; name a tar.gz archive, or the program itself`,
				`kairos.spec:7:6: components.e: has more than one of url, image and context; keep one of them`,
				`kairos.spec:8:12: components.f.url: "https://x/%zz" is not a url; write a full url, such as https://example.com/{version}/file-{arch}.tar.gz`,
				`kairos.spec:9:14: components.g.image: "A B" is not valid; write an image reference, such as ghcr.io/acme/agent:v1`,
				`kairos.spec:9:27: components.g.path: "../x" is outside its source; name a file inside it`,
				`kairos.spec:9:42: components.g.version: "a b" is not valid; write a version such as v2.31.4`,
			},
		},
	})
}

func TestParseSize(t *testing.T) {
	for size, want := range map[string]int{"1MiB": 1, "8GiB": 8192, "2TiB": 2 << 20, "4000MiB": 4000} {
		mib, ok := specs.ParseSize(size)
		assert.True(t, ok, size)
		assert.Equal(t, want, mib, size)
	}
	for _, size := range []string{"", "8", "8G", "8GB", "8 GiB", "0GiB", "-1GiB", "1.5GiB", "08GiB", "3TiB", "99999999TiB", "999999999MiB", "8GiB\n"} {
		_, ok := specs.ParseSize(size)
		assert.False(t, ok, size)
	}
}
