package remaster

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tiny is an ISO with a directory that has the given records.
func tiny(records ...[]byte) []byte {
	const descriptor, directory, blocks = 16, 20, 64
	image := make([]byte, blocks*block)
	d := image[descriptor*block:]
	copy(d, "\x01CD001\x01")
	copy(d[813:], "2023111422132000")
	copy(d[156+2:], extent{directory, block}.bytes())
	copy(image[(descriptor+1)*block:], "\xffCD001\x01")
	at := image[directory*block:]
	for _, r := range records {
		at = at[copy(at, r):]
	}
	return image
}

// entryOf is a record of a file, with fields of Rock Ridge.
func entryOf(name string, at extent, fields string) []byte {
	r := make([]byte, 33)
	copy(r[2:], at.bytes())
	r[32] = byte(len(name))
	r = append(r, name...)
	if len(name)%2 == 0 {
		r = append(r, 0)
	}
	r = append(r, fields...)
	r[0] = byte(len(r))
	return r
}

func TestMedium(t *testing.T) {
	image := tiny(
		entryOf("KERNEL.;1", extent{30, 5}, ""), entryOf("ROOT_FS.SQU;1", extent{31, 7}, "PX\x04\x01NM\x10\x01\x00root.squash"),
	)
	copy(image[30*block:], "hello")
	m, err := openMedium(bytes.NewReader(image))
	require.NoError(t, err)
	assert.EqualValues(t, 1700000000, m.created.Unix())
	for name, want := range map[string]int64{"/kernel": 5, "/root.squash": 7, "/root_fs.squ": 0, "/none": 0, "/boot/kernel": 0, "/kernel/x": 0} {
		p, ok, err := m.find(m.trees[0], name)
		require.NoError(t, err, name)
		assert.Equal(t, want, p.size, name)
		assert.Equal(t, want > 0, ok, name)
	}
	p, _, err := m.find(m.trees[0], "/kernel")
	require.NoError(t, err)
	assert.NoError(t, equal(m.content(p), bytes.NewReader([]byte("hello"))))
	assert.EqualError(t, equal(m.content(p), bytes.NewReader([]byte("hell"))), "it has changed")
}

// FuzzMedium reads what is no ISO or a damaged one.
func FuzzMedium(f *testing.F) {
	f.Add(tiny(entryOf("KERNEL.;1", extent{30, 5}, "NM\x0b\x01\x00kernel")))
	f.Add(tiny([]byte{33}))
	f.Add(tiny(entryOf("A", extent{1 << 31, 1 << 31}, "NM\x02")))
	f.Fuzz(func(t *testing.T, image []byte) {
		m, err := openMedium(bytes.NewReader(image))
		if err != nil {
			return
		}
		require.NotEmpty(t, m.trees)
		for _, tree := range m.trees {
			p, ok, err := m.find(tree, kernelFile)
			assert.Equal(t, ok, err == nil && len(p.records) > 0)
		}
	})
}
