package remaster

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/client/inspect"
)

// write writes a medium with other files. Media of flavorkit have the kernel and the initramfs only
// in the squashfs, and directories that name these blocks (llb/artifact/iso). xorriso does not know
// that two files may share blocks: it gets placeholders, whose entries then get the new places.
func (m *medium) write(ctx context.Context, from, to string, files map[string][]byte) error {
	shared, err := m.shared()
	if err != nil {
		return err
	}
	files = maps.Clone(files)
	for name := range shared {
		files[name] = []byte{0}
	}
	if err := m.xorriso(ctx, from, to, files); err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	err = share(f, shared)
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// xorriso copies a medium and puts files in. What it boots from stays as it is.
func (m *medium) xorriso(ctx context.Context, from, to string, files map[string][]byte) error {
	program, err := exec.LookPath("xorriso")
	if err != nil {
		return errors.New("xorriso not found: install the package xorriso")
	}
	if from, err = filepath.Abs(from); err != nil {
		return err
	}
	if to, err = filepath.Abs(to); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(filepath.Dir(to), "files-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	joliet := "off"
	if slices.ContainsFunc(m.trees, func(t tree) bool { return t.joliet }) {
		joliet = "on"
	}
	args := []string{
		"-no_rc", "-abort_on", "FAILURE", "-indev", "stdio:" + from, "-outdev", "stdio:" + to,
		"-compliance", "no_emul_toc:joliet_long_names", "-joliet", joliet, "-padding", "0", "-boot_image", "any", "replay",
	}
	names := slices.Sorted(maps.Keys(files))
	touched := []string{"/", "/boot", "/boot/grub2"}
	for i, name := range names {
		file := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(file, files[name], 0o600); err != nil {
			return err
		}
		args = append(args, "-map", file, name, "-chown", "0", name, "--", "-chgrp", "0", name, "--", "-chmod", "0644", name, "--")
		touched = append(touched, name)
	}
	epoch := fmt.Sprint(m.created.Unix())
	args = append(append(args, "-alter_date", "b-c", "="+epoch), touched...)
	cmd := exec.CommandContext(ctx, program, append(args, "--", "-commit")...)
	// The same medium again has the same bytes.
	cmd.Env = append(os.Environ(), "LC_ALL=C", "SOURCE_DATE_EPOCH="+epoch)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err = cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errors.Wrapf(err, "xorriso: %s", complaint(said.String()))
}

// complaint is what xorriso says about a failure.
func complaint(said string) string {
	var lines []string
	for line := range strings.Lines(said) {
		for _, severity := range []string{" : SORRY : ", " : FAILURE : ", " : FATAL : "} {
			if _, text, ok := strings.Cut(line, severity); ok {
				lines = append(lines, strings.TrimSpace(text))
			}
		}
	}
	return strings.Join(slices.Compact(lines), "; ")
}

// shared are the files that have their bytes in the squashfs: where in it.
func (m *medium) shared() (map[string]extent, error) {
	system, _, err := m.find(m.trees[0], systemFile)
	if err != nil {
		return nil, err
	}
	shared := map[string]extent{}
	for _, name := range []string{kernelFile, initrdFile} {
		p, _, err := m.find(m.trees[0], name)
		if err != nil {
			return nil, err
		}
		if len(p.records) == 1 && p.inside(system) {
			shared[name] = extent{(p.start - system.start) / block, p.size}
		}
	}
	return shared, nil
}

// share has the entries of files name their blocks in the squashfs, in all trees.
func share(f *os.File, shared map[string]extent) error {
	m, err := openMedium(f)
	if err != nil {
		return err
	}
	for _, t := range m.trees {
		system, _, err := m.find(t, systemFile)
		if err != nil {
			return err
		}
		for name, at := range shared {
			p, ok, err := m.find(t, name)
			if err != nil {
				return err
			}
			if !ok || len(p.records) != 1 {
				return errors.Errorf("xorriso wrote no %s", name)
			}
			moved := extent{system.start/block - t.base + at.block, at.size}
			const extentField = 2
			if _, err := f.WriteAt(moved.bytes(), p.records[0].at+extentField); err != nil {
				return err
			}
		}
	}
	return nil
}

// verify reads a medium that was written: it has the same system, starts it in the same way, and has
// what was asked for.
func (m *medium) verify(ctx context.Context, name string, files map[string][]byte, opt Options) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	written, err := openMedium(f)
	if err != nil {
		return err
	}
	if len(written.trees) != len(m.trees) {
		return errors.Errorf("it has %d trees of directories, and had %d", len(written.trees), len(m.trees))
	}
	for i, t := range written.trees {
		for _, name := range unchanged() {
			before, _, err := m.find(m.trees[0], name)
			if err != nil {
				return err
			}
			after, _, err := written.find(t, name)
			if err != nil {
				return err
			}
			// The trees share the bytes, so one is compared.
			if first, _, err := written.find(written.trees[0], name); err != nil || first.start != after.start || first.size != after.size {
				return errors.Errorf("%s is at several places", name)
			}
			if i > 0 {
				continue
			}
			if err := equal(m.content(before), written.content(after)); err != nil {
				return errors.Wrap(err, name)
			}
		}
		for name, content := range files {
			p, _, err := written.find(t, name)
			if err != nil {
				return err
			}
			if err := equal(bytes.NewReader(content), written.content(p)); err != nil {
				return errors.Wrap(err, name)
			}
		}
	}
	report, err := inspect.Read(ctx, name, inspect.Options{})
	if err != nil {
		return err
	}
	for _, entry := range report.Medium.Menu {
		for _, arg := range opt.Add {
			if !slices.Contains(strings.Fields(entry.CommandLine), arg) {
				return errors.Errorf("the entry %s of the menu does not have the kernel argument %s", entry.Title, arg)
			}
		}
	}
	return nil
}
