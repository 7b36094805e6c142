package frontend

import (
	"context"
	"encoding/json"

	"github.com/containerd/platforms"
	intoto "github.com/in-toto/in-toto-golang/in_toto"
	"github.com/moby/buildkit/frontend/attestations"
	"github.com/moby/buildkit/frontend/dockerui"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/plan/lock"
	"github.com/flavorkit/flavorkit/plan/sbom"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// Names of attestations beside files.
const (
	// SBOMAttestation is the name that BuildKit's own attestations have.
	SBOMAttestation = "sbom.spdx.json"
	// LockAttestation has the lock file of what was built.
	LockAttestation = "lock.json"
)

// AttestLockArg is the build argument that attaches the lock of what is built: 1, true, 0 or false.
const AttestLockArg = "FLAVORKIT_ATTEST_LOCK"

// attestation makes an attestation of a system; nil if there is nothing to tell.
type attestation struct {
	name, predicate string
	write           func(context.Context, *system) ([]byte, error)
}

// attestations are those that a build asks for. A report is no system that they could be of.
func (r *request) attestations(t Target) ([]attestation, error) {
	locks, err := r.attestsLock()
	if err != nil || t.Output == Report {
		return nil, err
	}
	var all []attestation
	if r.attestsSBOM() {
		all = append(all, attestation{SBOMAttestation, intoto.PredicateSPDX, attestSBOM})
	}
	if locks || len(all) > 0 {
		all = append(all, attestation{LockAttestation, lock.Predicate, attestLock})
	}
	return all, nil
}

// attestsLock reports whether a build asks for its lock.
func (in *inputs) attestsLock() (bool, error) { return in.flag(AttestLockArg) }

// attestsSBOM reports whether a build asks for a bill of materials, with no program of its own to make
// it.
func (r *request) attestsSBOM() bool {
	if r.ui.SBOM == nil {
		return false
	}
	generator := func(opts map[string]string) string {
		asked, err := attestations.Parse(opts)
		if err != nil {
			return "" // dockerui has read the same options
		}
		return asked[attestations.KeyTypeSbom]["generator"]
	}
	return generator(r.client.BuildOpts().Opts) == generator(map[string]string{"attest:" + attestations.KeyTypeSbom: ""})
}

// attest adds attestations of systems to a result. BuildKit runs no scanner for a result that has a
// bill of materials (solver/llbsolver/proc, sbom.go).
func (r *request) attest(ctx context.Context, rb *dockerui.ResultBuilder, systems []*system, all []attestation) error {
	return rb.EachPlatform(ctx, func(ctx context.Context, id string, _ ocispecs.Platform) error {
		for _, s := range systems {
			if len(systems) > 1 && platforms.FormatAll(s.graph.Target) != id {
				continue
			}
			for _, a := range all {
				if err := r.attestOne(ctx, rb, id, s, a); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (r *request) attestOne(ctx context.Context, rb *dockerui.ResultBuilder, id string, s *system, a attestation) error {
	document, err := a.write(ctx, s)
	if err != nil || document == nil {
		return err
	}
	ref, err := r.write(ctx, s, map[string][]byte{a.name: document})
	if err != nil {
		return err
	}
	added := gwclient.Attestation{Kind: gwpb.AttestationKind_InToto, Ref: ref, Path: a.name}
	added.InToto.PredicateType = a.predicate
	rb.AddAttestation(id, added)
	return nil
}

func attestSBOM(ctx context.Context, s *system) ([]byte, error) {
	bill, err := s.bill(ctx)
	if err != nil {
		return nil, err
	}
	return bill.Write(sbom.SPDX)
}

// attestLock tells what the lock file has for a system, if it has everything: a build that finds its
// packages in no lock does not know their archives.
func attestLock(ctx context.Context, s *system) ([]byte, error) {
	if s.graph.Lock == nil {
		return nil, nil
	}
	open, err := s.notLocked(ctx, rules.OutdatedLock, "")
	if err != nil || len(open) > 0 {
		return nil, err
	}
	return json.MarshalIndent(s.lockInUse(), "", "  ")
}

// lockInUse is the part of the lock file that is for this system.
func (s *system) lockInUse() *lock.File {
	f := &lock.File{Version: lock.Version}
	for _, img := range s.plan.Images() {
		if pin, ok := s.graph.Lock.Image(img.Name, s.arch(img.Native)); ok {
			f.Images = append(f.Images, pin)
		}
	}
	for _, stage := range s.plan.Stages() {
		if locked, ok := s.graph.Lock.Find(s.request(stage)); ok {
			f.Add(locked, s.graph.Lock.Archives[locked.Distro])
		}
	}
	for _, c := range s.plan.AllComponents() {
		if c.Download == nil {
			continue
		}
		if sum := s.graph.Lock.Download(c.Download.URL); sum != "" {
			f.Downloads = append(f.Downloads, lock.Download{Arch: s.plan.Arch, URL: c.Download.URL, SHA256: sum})
		}
	}
	f.Sort()
	return f
}

// lockNow has a system made from a lock that is written for this build, so that what is attested is
// exactly what is built, and nothing is chosen twice.
func (r *request) lockNow(ctx context.Context, doc *specs.Document, platform *ocispecs.Platform, s *system) error {
	asked, err := r.attestsLock()
	if err != nil || !asked || s.target.Output == Report {
		return err
	}
	found, err := r.lockFor(ctx, doc, platform)
	if err != nil {
		return err
	}
	text, err := found.Text()
	if err != nil {
		return err
	}
	// Read again, it tells where its mistakes are.
	l, err := lock.Read(&specs.Source{Name: "the lock of this build", Data: text})
	s.graph.Lock, s.sources.lock = l, l
	return errors.Wrap(err, "lock this build")
}
