package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/moby/buildkit/client"
	"github.com/pkg/errors"
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/inspect"
	"github.com/flavorkit/flavorkit/client/sign"
	"github.com/flavorkit/flavorkit/client/solve"
)

// passwordVariable has the password of a private key, as for cosign.
const passwordVariable = "COSIGN_PASSWORD"

const signHelp = `Sign images and files with a private key, in the formats of cosign. Neither a
network nor an account is needed, beside the registry of the image.

The signature of an image in a registry or an OCI layout is stored beside it, with
the tag sha256-DIGEST.sig, and that of a file is FILE.sig. cosign and 'flavorkit
verify' verify both.

The key is one of cosign generate-key-pair or of OpenSSL, in PEM. If it has a
password, set ` + passwordVariable + `.`

func signCommand() *cobra.Command {
	var key, progress string
	var opt inspect.Options
	var site siteFlags
	cmd := &cobra.Command{
		Use:   "sign IMAGE|FILE... --key KEY",
		Short: "Sign images and files",
		Long:  signHelp,
		Example: `  flavorkit sign registry.example.com/edge:v1 --key cosign.key
  flavorkit sign dist/edge.iso --key cosign.key`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if key == "" {
				return usagef("--key is missing; name a private key, such as cosign.key")
			}
			k, err := signingKey(key)
			if err != nil {
				return err
			}
			registries, err := site.registries()
			if err != nil {
				return err
			}
			// Mirrors are to read from.
			opt.Registries = inspect.Registries{Authority: registries.Authority}
			for _, name := range args {
				text, err := step(cmd, progress, "sign "+name, func() (string, error) { return signOne(cmd.Context(), k, name, opt) })
				if err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), text)
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&key, "key", "", "the private key")
	flags.StringVar(&opt.Arch, "arch", runtime.GOARCH, "architecture, if there are images for several; an index of images is signed as a whole")
	addProgress(flags, &progress)
	site.add(flags)
	return cmd
}

// signingKey reads a private key.
func signingKey(file string) (*sign.Key, error) {
	return sign.ReadKey(file, func() ([]byte, error) {
		password, ok := os.LookupEnv(passwordVariable)
		if !ok {
			return nil, errors.Errorf("it has a password: set %s", passwordVariable)
		}
		return []byte(password), nil
	})
}

// signOne signs an image or a file, and says what was written.
func signOne(ctx context.Context, k *sign.Key, name string, opt inspect.Options) (string, error) {
	if isRegular(name) {
		return sign.File(k, name)
	}
	digest, err := sign.Image(ctx, k, name, opt)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s: %s", name, sign.Tag(digest)), nil
}

// readSigningKey reads the key of --sign before anything is built.
func (f *buildFlags) readSigningKey() (err error) {
	if f.sign == "" {
		return nil
	}
	for _, d := range f.destinations {
		if f.target.IsImage() && !d.Plain && (d.Type == client.ExporterLocal || d.Type == client.ExporterTar) {
			return usagef("--sign: the files of an image are not signed; choose another output, such as -o type=oci,dest=image.tar")
		}
	}
	f.key, err = signingKey(f.sign)
	return err
}

// signAll signs what was built, and returns the files of signatures.
func (f *buildFlags) signAll(ctx context.Context, outputs []*solve.Output, built exported) ([]string, error) {
	if f.key == nil {
		return nil, nil
	}
	registries, err := f.site.registries()
	if err != nil {
		return nil, err
	}
	opt := inspect.Options{Registries: inspect.Registries{Authority: registries.Authority}}
	for _, out := range outputs {
		for _, name := range out.Pushed() {
			if _, err := sign.Image(ctx, f.key, registryName(name, built.digest), opt); err != nil {
				return nil, err
			}
		}
	}
	var all []string
	for _, file := range built.files {
		signatures, err := signTree(ctx, f.key, file)
		if err != nil {
			return nil, err
		}
		all = append(all, signatures...)
	}
	return all, nil
}

// registryName is the name of an image by its digest.
func registryName(name, digest string) string {
	return "docker-image://" + name + "@" + digest
}

// signTree signs a file, a layout, or the files in a directory.
func signTree(ctx context.Context, k *sign.Key, root string) (all []string, err error) {
	if inspect.IsImage(root) && !isRegular(root) {
		_, err := sign.Image(ctx, k, root, inspect.Options{})
		return nil, err
	}
	err = filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || slices.Contains([]string{".sha256", sign.FileSuffix}, filepath.Ext(name)) {
			return err
		}
		signature, err := sign.File(k, name)
		all = append(all, signature)
		return err
	})
	return all, err
}

func isRegular(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}
