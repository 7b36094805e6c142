package scan

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pkg/errors"
)

// visitor gets every record of a database.
type visitor func(*record)

// zipMagic starts an archive with members, and zipEmpty one without.
const zipMagic, zipEmpty = "PK\x03\x04", "PK\x05\x06"

// readDatabase reads a database: an archive as osv.dev publishes it, a JSON file with a record or a
// list of them, JSON lines, or a directory with any of these.
func readDatabase(ctx context.Context, name string, visit visitor) error {
	info, err := os.Stat(name)
	if err != nil {
		return errors.Wrap(err, "read the database")
	}
	if !info.IsDir() {
		return readDatabaseFile(ctx, name, visit)
	}
	found := false
	err = filepath.WalkDir(name, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !slices.Contains([]string{".json", ".jsonl", ".zip"}, filepath.Ext(path)) {
			return err
		}
		found = true
		return readDatabaseFile(ctx, path, visit)
	})
	if err == nil && !found {
		return errors.Errorf("the database %s has no records of OSV: there is no .json, .jsonl or .zip in the directory", name)
	}
	return err
}

// readDatabaseFile reads a file of a database, whatever its name is.
func readDatabaseFile(ctx context.Context, name string, visit visitor) error {
	f, err := os.Open(name)
	if err != nil {
		return errors.Wrap(err, "read the database")
	}
	defer f.Close()
	r := bufio.NewReader(f)
	head, err := r.Peek(len(zipMagic))
	if err != nil && !errors.Is(err, io.EOF) {
		return errors.Wrapf(err, "read the database %s", name)
	}
	if string(head) == zipMagic || string(head) == zipEmpty {
		err = readZip(ctx, f, visit)
	} else {
		err = readRecords(ctx, r, visit)
	}
	return errors.Wrapf(err, "read the database %s", name)
}

func readZip(ctx context.Context, f *os.File, visit visitor) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	archive, err := zip.NewReader(f, info.Size())
	if errors.Is(err, zip.ErrFormat) {
		return errors.New("the zip archive is truncated or damaged") // the list of members is at its end
	}
	if err != nil {
		return err
	}
	found := false
	for _, member := range archive.File {
		if !strings.HasSuffix(member.Name, ".json") {
			continue
		}
		found = true
		if err := readMember(ctx, member, visit); err != nil {
			return errors.Wrapf(err, "read %s in the zip archive", member.Name)
		}
	}
	if !found {
		return errors.New("the zip archive has no records of OSV: there is no .json in it")
	}
	return nil
}

func readMember(ctx context.Context, member *zip.File, visit visitor) error {
	r, err := member.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	return readRecords(ctx, bufio.NewReader(r), visit)
}

// readRecords reads records one after another, or in a list.
func readRecords(ctx context.Context, r *bufio.Reader, visit visitor) error {
	const enough = 512
	head, err := r.Peek(enough)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	head = bytes.TrimSpace(head)
	dec := json.NewDecoder(r)
	switch {
	case bytes.HasPrefix(head, []byte("[")):
		if _, err := dec.Token(); err != nil {
			return err
		}
	case !bytes.HasPrefix(head, []byte("{")):
		return errors.New("it is no database of OSV: neither a zip archive nor JSON")
	}
	for ctx.Err() == nil && dec.More() {
		found := &record{}
		err := dec.Decode(found)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return errors.New("the file is truncated")
		case err != nil:
			return err
		case found.ID == "" || found.Modified == "":
			return errors.New("it is no database of OSV: a record has no id or no time of modification")
		}
		visit(found)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if _, err := dec.Token(); bytes.HasPrefix(head, []byte("[")) && err != nil {
		return errors.New("the file is truncated")
	}
	return nil
}
