package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/pkg/errors"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/client/inspect"
	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/specs"
)

// authoritySecret is the id of the build secret with the authority of a configuration file.
const authoritySecret = "flavorkit-ca"

// siteFlags say which file has the specs.Site of the network.
type siteFlags struct {
	file  string
	flags *pflag.FlagSet
}

func (f *siteFlags) add(flags *pflag.FlagSet) {
	f.flags = flags
	flags.StringVar(&f.file, "config", "", "mirrors and the authority of your network (default: "+defaultConfig+")")
}

// registries say how the network reaches registries, for commands that read images without a build.
func (f *siteFlags) registries() (inspect.Registries, error) {
	site, authority, err := f.read()
	if err != nil || site == nil {
		return inspect.Registries{}, err
	}
	var s specs.Site
	if _, err := specs.Read(site, &s); err != nil {
		return inspect.Registries{}, frontend.Locate(err)
	}
	r := inspect.Registries{Mirrors: s.Mirrors.Registries}
	if authority != "" {
		if r.Authority, err = os.ReadFile(authority); err != nil {
			return r, errors.Wrap(err, "read the authority of the network")
		}
	}
	return r, nil
}

// defaultConfig is local.SiteFile, for people.
const defaultConfig = "~/.config/flavorkit/config.yaml"

// read reads the file. The source has what the build argument has; it is nil without a file. The
// certificates of an authority are a file beside it, which no build context has: they are passed
// as a build secret.
func (f *siteFlags) read() (site *specs.Source, authority string, err error) {
	file := f.file
	if f.flags == nil || !f.flags.Changed("config") {
		file = local.SiteFile()
	}
	site, s, err := local.ReadSite(file)
	if err != nil {
		return nil, "", frontend.Locate(err)
	}
	if s.CA.From == "" {
		return site, "", nil
	}
	authority = s.CA.From
	if !filepath.IsAbs(authority) {
		authority = filepath.Join(filepath.Dir(file), authority)
	}
	if strings.Contains(authority, ",") {
		return nil, "", errors.Errorf("%s: ca: %q has a comma; rename the file", file, s.CA.From)
	}
	s.CA.From, s.CA.Secret = "", authoritySecret
	site.Data, err = yaml.Dump(s)
	return site, authority, errors.Wrap(err, "write the configuration for the build")
}
