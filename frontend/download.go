package frontend

import (
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
)

// downloaded returns the files of a named context. BuildKit gives one of an http or https URL as a
// single file, which is unpacked if it is an archive. The name is that of the file if it is none;
// empty for other contexts.
func (in *inputs) downloaded(context string, st llb.State) (files llb.State, name string) {
	url := in.client.BuildOpts().Opts["context:"+context]
	if _, git, _ := dockerui.DetectGitContext(url, nil); git {
		return st, ""
	}
	_, name, ok := dockerui.DetectHTTPContext(url)
	if !ok {
		return st, ""
	}
	return llb.Scratch().File(llb.Copy(st, "/"+name, "/", &llb.CopyInfo{AttemptUnpack: true}),
		llb.WithCustomName("[context "+context+"] unpack "+url)), name
}
