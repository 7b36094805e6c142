package main

import (
	"fmt"
	"os"

	"github.com/opencontainers/go-digest"
	"github.com/pkg/errors"
	"github.com/spf13/cobra"
)

// built is what a command has built.
type built struct {
	// Files that were written.
	Files  []builtFile  `json:"files"`
	Images []builtImage `json:"images"`
}

// builtFile is a file, or a directory of files, which has no digest.
type builtFile struct {
	Name   string        `json:"name"`
	Size   int64         `json:"size,omitempty"`
	Digest digest.Digest `json:"digest,omitempty"`
}

type builtImage struct {
	// Entry of the matrix; empty for a build of one spec.
	Entry string `json:"entry,omitempty"`
	// Name in the registry; empty if the image is only in a file.
	Name   string `json:"name,omitempty"`
	Digest string `json:"digest"`
}

// add adds files that were written.
func (b *built) add(names ...string) {
	for _, name := range names {
		b.Files = append(b.Files, builtFile{Name: name})
	}
}

// print prints what was built: as text, the files, and the names of images where there are no files.
func (b built) print(cmd *cobra.Command, format string) error {
	if format == formatJSON {
		return b.printJSON(cmd)
	}
	for _, file := range b.Files {
		fmt.Fprintln(cmd.OutOrStdout(), file.Name)
	}
	if len(b.Files) == 0 {
		for _, image := range b.Images {
			fmt.Fprintln(cmd.OutOrStdout(), image.Name)
		}
	}
	return nil
}

func (b built) printJSON(cmd *cobra.Command) error {
	all := built{Files: []builtFile{}, Images: append([]builtImage{}, b.Images...)}
	for _, file := range b.Files {
		described, err := file.describe()
		if err != nil {
			return errors.Wrap(err, "read what was built")
		}
		all.Files = append(all.Files, described)
	}
	return printJSON(cmd.OutOrStdout(), all)
}

// describe adds the size and the digest of a file.
func (b builtFile) describe() (builtFile, error) {
	f, err := os.Open(b.Name)
	if err != nil {
		return b, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.IsDir() {
		return b, err
	}
	b.Size = info.Size()
	b.Digest, err = digest.FromReader(f)
	return b, err
}
