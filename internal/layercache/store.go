package layercache

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/pkg/errors"
	"golang.org/x/sys/unix"
)

const (
	// spare is what the store leaves free on its partition, in bytes.
	spare = 64 << 20
	// abandoned is the age at which nobody goes on with a part of a blob.
	abandoned = 7 * 24 * time.Hour
	// unfinishedName is the pattern of files that are being written.
	unfinishedName = ".new-*"
)

// errMissing says that the store does not have a blob.
var errMissing = errors.New("not in the store")

// errFull says that there is no room for a blob.
var errFull = errors.New("no room in the store")

// store is a directory with blobs: whole ones in blobs, and what is there of others in parts.
type store struct {
	dir  string
	size int64
	log  *slog.Logger
	// mu is for making room.
	mu sync.Mutex
}

func openStore(dir string, size int64, log *slog.Logger) (*store, error) {
	s := &store{dir: dir, size: size, log: log}
	for _, sub := range []string{"blobs", "parts"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return nil, errors.Wrap(err, "make the store")
		}
	}
	unfinished, err := filepath.Glob(filepath.Join(dir, unfinishedName))
	if err != nil {
		return nil, err
	}
	for _, file := range unfinished {
		s.remove(file)
	}
	parts, err := s.list("parts")
	if err != nil {
		return nil, err
	}
	for _, part := range parts {
		if time.Since(part.used) > abandoned {
			s.remove(s.part(part.hash))
		}
	}
	return s, nil
}

func (s *store) blob(h v1.Hash) string { return filepath.Join(s.dir, "blobs", h.Hex) }
func (s *store) part(h v1.Hash) string { return filepath.Join(s.dir, "parts", h.Hex) }

// open opens a blob, after reading all of it. One that is not what its digest says is removed.
func (s *store) open(h v1.Hash) (*os.File, error) {
	f, err := os.Open(s.blob(h))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errMissing
	}
	if err != nil {
		return nil, err
	}
	digest := sha256.New()
	if _, err = io.Copy(digest, f); err == nil && hex.EncodeToString(digest.Sum(nil)) != h.Hex {
		err = errors.New("it is corrupted")
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		_ = f.Close() // it was only read
		s.log.Warn("removing a blob", "digest", h.String(), "because", err.Error())
		s.remove(s.blob(h))
		return nil, errMissing
	}
	now := time.Now()
	_ = os.Chtimes(s.blob(h), now, now) // only the order of removal depends on it
	return f, nil
}

// read returns a small blob.
func (s *store) read(h v1.Hash) ([]byte, error) {
	f, err := s.open(h)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// commit makes a blob of a part that is complete and has its digest.
func (s *store) commit(h v1.Hash, part *os.File) error {
	if err := part.Sync(); err != nil {
		return err
	}
	if err := os.Rename(s.part(h), s.blob(h)); err != nil {
		return err
	}
	return syncDir(filepath.Join(s.dir, "blobs"))
}

// write replaces a file, all at once.
func (s *store) write(path string, data []byte) error {
	f, err := os.CreateTemp(s.dir, unfinishedName)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		s.remove(f.Name())
		return err
	}
	return syncDir(filepath.Dir(path))
}

func (s *store) remove(path string) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Error("cannot remove", "path", path, "because", err.Error())
	}
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// stored is a file of the store.
type stored struct {
	hash v1.Hash
	size int64
	used time.Time
}

// list are the files of a directory of the store.
func (s *store) list(sub string) ([]stored, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, sub))
	if err != nil {
		return nil, errors.Wrap(err, "read the store")
	}
	var all []stored
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, errors.Wrap(err, "read the store")
		}
		all = append(all, stored{v1.Hash{Algorithm: "sha256", Hex: e.Name()}, info.Size(), info.ModTime()})
	}
	return all, nil
}

// room makes room for more bytes: it removes the blobs that were not used for the longest time, but
// none of those to keep. It removes nothing if that is not enough.
func (s *store) room(more int64, keep map[v1.Hash]bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	blobs, err := s.list("blobs")
	if err != nil {
		return err
	}
	parts, err := s.list("parts")
	if err != nil {
		return err
	}
	var used int64
	for _, f := range slices.Concat(blobs, parts) {
		used += f.size
	}
	free, err := freeBytes(s.dir)
	if err != nil {
		return err
	}
	need := max(used+more-s.size, more+spare-free)
	slices.SortFunc(blobs, func(a, b stored) int { return a.used.Compare(b.used) })
	var old []stored
	for _, b := range blobs {
		if need <= 0 {
			break
		}
		if !keep[b.hash] {
			old = append(old, b)
			need -= b.size
		}
	}
	if need > 0 {
		return errFull
	}
	for _, b := range old {
		s.log.Info("making room", "digest", b.hash.String(), "bytes", b.size)
		s.remove(s.blob(b.hash))
	}
	return nil
}

func freeBytes(dir string) (int64, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return 0, errors.Wrap(err, "ask for the free space")
	}
	return int64(stat.Bavail) * stat.Bsize, nil
}
