package qemu

import (
	"encoding/binary"
	"io"
	"os"
	"path/filepath"

	"github.com/pkg/errors"
)

// writeOverlay makes a qcow2 image that shows another image and takes the writes to it, of at least size bytes. It
// saves the need for qemu-img, which is a package of its own.
//
// The format is QEMU's docs/interop/qcow2.txt: four clusters of 64 KiB hold the header, the table and the only block
// of reference counts, and an empty table of guest clusters.
func writeOverlay(path, backing, backingFormat string, size int64) error {
	const (
		clusterBits = 16
		cluster     = 1 << clusterBits
		header      = 104
		maxSize     = cluster / 8 * (cluster / 8) * cluster // what one cluster of first level table reaches: 4 TiB
		sector      = 512
	)
	backing, err := filepath.Abs(backing)
	if err != nil {
		return err
	}
	if len(backing) > 1023 {
		return errors.Errorf("path %s is longer than the 1023 bytes of a qcow2 header", backing)
	}
	have, err := virtualSize(backing, backingFormat)
	if err != nil {
		return err
	}
	size = (max(size, have) + sector - 1) / sector * sector
	if size > maxSize {
		return errors.Errorf("an overlay of %d bytes is too large, %d is the limit", size, int64(maxSize))
	}

	be := binary.BigEndian
	image := make([]byte, 4*cluster)

	name := image[header+8+8+8:] // after the extension below and the end of extensions
	copy(image, "QFI\xfb")
	be.PutUint32(image[4:], 3) // version
	be.PutUint64(image[8:], header+8+8+8)
	be.PutUint32(image[16:], uint32(copy(name, backing)))
	be.PutUint32(image[20:], clusterBits)
	be.PutUint64(image[24:], uint64(size))
	be.PutUint32(image[36:], uint32((size+cluster/8*cluster-1)/(cluster/8*cluster))) // first level entries
	be.PutUint64(image[40:], 3*cluster)                                              // first level table
	be.PutUint64(image[48:], 1*cluster)                                              // reference count table
	be.PutUint32(image[56:], 1)                                                      // of one cluster
	be.PutUint32(image[96:], 4)                                                      // 1<<4 bits a reference count
	be.PutUint32(image[100:], header)

	be.PutUint32(image[header:], 0xe2792aca) // extension: format of the backing file
	be.PutUint32(image[header+4:], uint32(copy(image[header+8:header+16], backingFormat)))

	be.PutUint64(image[cluster:], 2*cluster)
	for i := range 4 {
		be.PutUint16(image[2*cluster+2*i:], 1)
	}
	return os.WriteFile(path, image, 0o600)
}

// virtualSize is the size in bytes of the disk in an image.
func virtualSize(path, format string) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if format == "raw" {
		size, err := f.Seek(0, io.SeekEnd) // works for devices, too
		return size, errors.Wrapf(err, "size of %s", path)
	}
	var header [32]byte
	if _, err := io.ReadFull(f, header[:]); err != nil || string(header[:4]) != "QFI\xfb" {
		return 0, errors.Errorf("%s is not a qcow2 image", path)
	}
	return int64(binary.BigEndian.Uint64(header[24:])), nil
}
