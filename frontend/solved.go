package frontend

import (
	"context"
	"io"
	"io/fs"
	"path"

	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/tonistiigi/fsutil"
	fstypes "github.com/tonistiigi/fsutil/types"
)

// solved reads a result of BuildKit as a file system, in parts, so that files may be larger than a
// message of the gateway. It keeps the context of the call that it is made for.
type solved struct {
	ctx context.Context
	ref gwclient.Reference
}

// Open implements fs.FS. The file is an io.ReaderAt.
func (s solved) Open(name string) (fs.File, error) {
	info, err := s.Stat(name)
	if err != nil {
		return nil, err
	}
	parts := &parts{solved: s, name: name, read: map[int64][]byte{}}
	return &solvedFile{io.NewSectionReader(parts, 0, info.Size()), info}, nil
}

// Stat implements fs.StatFS. It follows links.
func (s solved) Stat(name string) (fs.FileInfo, error) {
	st, err := s.ref.StatFile(s.ctx, gwclient.StatRequest{Path: name})
	if err != nil {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: missing(err, name)}
	}
	return &fsutil.StatInfo{Stat: st}, nil
}

// ReadDir implements fs.ReadDirFS.
func (s solved) ReadDir(name string) ([]fs.DirEntry, error) {
	all, err := s.ref.ReadDir(s.ctx, gwclient.ReadDirRequest{Path: name})
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: missing(err, name)}
	}
	entries := make([]fs.DirEntry, len(all))
	for i, st := range all {
		entries[i] = fs.FileInfoToDirEntry(&fsutil.StatInfo{Stat: &fstypes.Stat{Path: path.Base(st.Path), Mode: st.Mode, Size: st.Size}})
	}
	return entries, nil
}

// solvedFile is a file of a result.
type solvedFile struct {
	*io.SectionReader
	info fs.FileInfo
}

func (f *solvedFile) Stat() (fs.FileInfo, error) { return f.info, nil }

func (f *solvedFile) Close() error { return nil }

// partSize is the number of bytes of a file that are read together.
const partSize = 256 << 10

// parts reads each part of a file once.
type parts struct {
	solved
	name string
	read map[int64][]byte
}

// ReadAt implements io.ReaderAt.
func (p *parts) ReadAt(data []byte, offset int64) (n int, err error) {
	for n < len(data) {
		at := offset + int64(n)
		part, err := p.part(at / partSize)
		if err != nil {
			return n, err
		}
		from := at % partSize
		if from >= int64(len(part)) {
			return n, io.EOF
		}
		n += copy(data[n:], part[from:])
	}
	return n, nil
}

func (p *parts) part(i int64) ([]byte, error) {
	if part, ok := p.read[i]; ok {
		return part, nil
	}
	part, err := p.ref.ReadFile(p.ctx, gwclient.ReadRequest{Filename: p.name, Range: &gwclient.FileRange{Offset: int(i * partSize), Length: partSize}})
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: p.name, Err: missing(err, p.name)}
	}
	p.read[i] = part
	return part, nil
}
