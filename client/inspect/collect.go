package inspect

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"path"
	"strings"
	"testing/fstest" // a filesystem in memory
	"time"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/internal/pkgdb"
	"github.com/flavorkit/flavorkit/plan/sbom"
)

// collector collects what is known of a system while its files come by.
type collector struct {
	details []detail
	opt     Options

	tree map[string]node
	// names has the file that each hard link is another name of.
	names map[string]string

	release, os map[string]string
	// released is when the release was written.
	released time.Time
	// databases has the files that tell the packages.
	databases fstest.MapFS
	programs  []sbom.Program
	// versions of kernels, by path.
	versions map[string]string
	// menu has the files that set the kernel arguments of the installed system.
	menu map[string][]byte
}

// node is a file or a link.
type node struct {
	mode fs.FileMode
	size int64
	link string
	// checksum of the content, if contents were read.
	checksum string
}

// newNode takes of an entry what all formats have: they differ in the modes and sizes of links, and
// go-diskfs reads no setuid bits from a squashfs.
func newNode(e entry) node {
	if e.link != "" {
		return node{mode: fs.ModeSymlink, size: int64(len(e.link)), link: e.link}
	}
	return node{mode: e.mode & (fs.ModeType | fs.ModePerm), size: e.size}
}

// detail is a file with something to read.
type detail struct {
	// pattern of paths, as for path.Match.
	pattern string
	read    func(c *collector, path string, content io.Reader) error
}

const releaseFile = "etc/kairos-release"

// details are the files that are read. Everything else is known from the names of files.
func details() []detail {
	return []detail{
		{releaseFile, func(c *collector, _ string, r io.Reader) (err error) { c.release, err = variables(r); return err }},
		{"etc/os-release", readOS},
		{"usr/lib/os-release", readOS},
		{"boot/*", readKernel},
		{"lib/modules/*/vmlinuz", readKernel},
		{"usr/lib/modules/*/vmlinuz", readKernel},
		{"etc/cos/*.cfg", func(c *collector, path string, r io.Reader) (err error) {
			c.menu[path], err = io.ReadAll(r)
			return err
		}},
	}
}

// readSystem reads a root filesystem.
func readSystem(ctx context.Context, files tree, opt Options) (*System, error) {
	c := &collector{
		details: details(), opt: opt, tree: map[string]node{}, names: map[string]string{},
		versions: map[string]string{}, menu: map[string][]byte{}, databases: fstest.MapFS{},
	}
	if err := files(ctx, c.visit); err != nil {
		return nil, err
	}
	for name, file := range c.names {
		if n, ok := c.tree[file]; ok {
			c.tree[name] = n
		}
	}
	return newSystem(c), nil
}

// visit is a visitor.
func (c *collector) visit(e entry, content io.Reader) error {
	switch {
	case e.mode.IsDir():
		return nil
	case e.sameAs != "":
		c.names[e.path] = e.sameAs
		return nil
	}
	n := newNode(e)
	if e.mode.IsRegular() {
		var err error
		if n.checksum, err = c.read(e, content); err != nil {
			return errors.Wrapf(err, "read /%s", e.path)
		}
	}
	c.tree[e.path] = n
	return nil
}

// read reads what a file tells, and returns its checksum if contents are read.
func (c *collector) read(e entry, content io.Reader) (string, error) {
	hash := sha256.New()
	if c.opt.Contents {
		content = io.TeeReader(content, hash)
	}
	if e.path == releaseFile {
		c.released = e.modified
	}
	if pkgdb.Wants(e.path) {
		data, err := io.ReadAll(content)
		if err != nil {
			return "", err
		}
		c.databases[e.path] = &fstest.MapFile{Data: data}
		content = bytes.NewReader(data) // os-release has more to tell
	}
	if c.opt.programs && forPrograms(path.Dir(e.path)) {
		if err := c.readProgram(e.path, content); err != nil {
			return "", err
		}
	}
	for _, d := range c.details {
		if ok, _ := path.Match(d.pattern, e.path); ok {
			if err := d.read(c, e.path, content); err != nil {
				return "", err
			}
		}
	}
	if !c.opt.Contents {
		return "", nil
	}
	_, err := io.Copy(io.Discard, content)
	return hex.EncodeToString(hash.Sum(nil)), err
}

func readOS(c *collector, _ string, r io.Reader) (err error) {
	c.os, err = variables(r)
	return err
}

// variables reads lines with KEY=value, quoted or not.
func variables(r io.Reader) (map[string]string, error) {
	all := map[string]string{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		key, value, ok := strings.Cut(strings.TrimSpace(lines.Text()), "=")
		if ok && !strings.HasPrefix(key, "#") {
			all[key] = strings.Trim(value, `"'`)
		}
	}
	return all, lines.Err()
}
