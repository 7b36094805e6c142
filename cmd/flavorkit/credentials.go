package main

import (
	"github.com/moby/buildkit/cmd/buildctl/build"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/sshforward/sshprovider"
	"github.com/pkg/errors"
	"github.com/spf13/pflag"
)

// credentialFlags say what BuildKit gets to identify itself with.
type credentialFlags struct {
	secrets, ssh []string
}

func (f *credentialFlags) add(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.secrets, "secret", nil, "build secret: id=ID,src=FILE or id=ID,env=NAME")
	flags.StringArrayVar(&f.ssh, "ssh", nil, "SSH agent or keys for git@… contexts: default, or default=FILE")
}

// read returns what answers for the secrets and for SSH; nil where there is none.
func (f *credentialFlags) read() (secrets, ssh session.Attachable, err error) {
	if len(f.secrets) > 0 {
		if secrets, err = build.ParseSecret(f.secrets); err != nil {
			return nil, nil, &usageError{errors.Wrap(err, "--secret")}
		}
	}
	if len(f.ssh) > 0 {
		agents, err := build.ParseSSH(f.ssh)
		if err != nil {
			return nil, nil, &usageError{errors.Wrap(err, "--ssh")}
		}
		if ssh, err = sshprovider.NewSSHAgentProvider(agents); err != nil {
			return nil, nil, &usageError{errors.Wrap(err, "--ssh")}
		}
	}
	return secrets, ssh, nil
}
