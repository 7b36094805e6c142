package frontend

import (
	"testing"

	"github.com/moby/buildkit/frontend/subrequests/convertllb"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	subtargets "github.com/moby/buildkit/frontend/subrequests/targets"
	"github.com/stretchr/testify/require"
)

// BenchmarkSubrequests takes the time of the questions that run no step, which editors and people
// wait for. Every round is a new frontend, as a container of the frontend image is.
func BenchmarkSubrequests(b *testing.B) {
	for _, name := range []string{
		subtargets.RequestTargets, outline.RequestSubrequestsOutline, lint.RequestLint, PlanRequest, ExplainRequest, DiffRequest, SchemaRequest, convertllb.RequestConvertLLB,
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				g := asking(name, map[string]string{"context:old": "local:old", "target": "iso"})
				g.dirs["dockerfile"].texts["kairos.spec"] = stagedSpec
				g.dirs["context"] = files{texts: map[string]string{"a.asc": "a key"}}
				g.dirs["old"] = files{texts: map[string]string{"kairos.spec": smallSpec}}
				_, err := New(Options{}).Build(b.Context(), g)
				require.NoError(b, err)
			}
		})
	}
}
