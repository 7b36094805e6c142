package status

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/client/local"
	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

// test is what a stage adds to the spec of an entry. Without KVM, a VM is slow, so timeouts are long.
func test(s Stage) string {
	switch s {
	case Boot:
		return `test:
  timeout: 60m
  assertions:
    - {file: /etc/kairos-release, matches: KAIROS_VARIANT="?core}
    - {run: kairos-agent version}
    - {run: ip -4 -o addr show scope global, matches: inet}
    - {run: pgrep -x sshd}
`
	case Install:
		return `test:
  artifact: disk
  timeout: 90m
  assertions:
    - {file: /run/cos/active_mode}
    - {run: kairos-agent state, matches: active_boot}
    - {run: findmnt -nro LABEL /usr/local, matches: COS_PERSISTENT}
`
	case K3s:
		// The persistent partition is a filesystem that containers can be on, unlike the memory of a live
		// medium. A node is ready without pulling an image.
		return `test:
  artifact: disk
  memory: 4GiB
  timeout: 120m
  assertions:
    - {file: /run/cos/active_mode}
    - name: k3s starts
      run: if command -v systemctl >/dev/null; then systemctl start --no-block k3s; else rc-service k3s start; fi
    - name: the node is ready
      run: k3s kubectl get nodes --no-headers
      matches: '[[:space:]]Ready[[:space:]]'
      timeout: 60m
`
	default:
		return ""
	}
}

// variant of the image that a stage is about.
func (s Stage) variant() string {
	if s == Standard || s == K3s {
		return "standard"
	}
	return "core"
}

// Spec is the text of the spec of an entry for a stage.
func Spec(c Entry, s Stage) string {
	text := test(s)
	if s == Boot && c.Model != anyMachine {
		text = strings.Replace(text, "test:\n", "test:\n  artifact: disk\n", 1) // a board has no ISO
	}
	return fmt.Sprintf("extends: %s\nvariant: %s\nmodel: %s\nversion: v0.0.0-nightly\n%s", c.Flavor, s.variant(), c.Model, text)
}

// Plan plans the spec of an entry.
func Plan(cat *catalog.Catalog, c Entry, spec string) (*plan.Plan, error) {
	return local.PlanSource(context.Background(), &specs.Source{Name: specs.DefaultName, Data: []byte(spec)}, local.Options{File: specs.DefaultName, Arch: c.Arch, Catalog: cat})
}

// Distros are the distributions that a plan installs packages of in the system.
func Distros(p *plan.Plan) []string {
	all := []string{p.Userland.Distro, p.Kernel.Distro}
	slices.Sort(all)
	return slices.Compact(all)
}
