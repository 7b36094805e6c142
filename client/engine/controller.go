//go:build linux

package engine

import (
	"context"
	"path/filepath"

	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/moby/buildkit/cache/remotecache"
	inlineremotecache "github.com/moby/buildkit/cache/remotecache/inline"
	localremotecache "github.com/moby/buildkit/cache/remotecache/local"
	registryremotecache "github.com/moby/buildkit/cache/remotecache/registry"
	"github.com/moby/buildkit/control"
	"github.com/moby/buildkit/frontend"
	dockerfile "github.com/moby/buildkit/frontend/dockerfile/builder"
	"github.com/moby/buildkit/frontend/gateway"
	"github.com/moby/buildkit/frontend/gateway/forwarder"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/solver"
	"github.com/moby/buildkit/solver/bboltcachestorage"
	"github.com/moby/buildkit/util/db"
	"github.com/moby/buildkit/util/db/boltutil"
	"github.com/moby/buildkit/worker"
	"github.com/moby/buildkit/worker/base"
	"github.com/pkg/errors"
	bolt "go.etcd.io/bbolt"
	"go.opentelemetry.io/otel/metric/noop"
)

type controllerOptions struct {
	root          string
	worker        *base.Worker
	registryHosts docker.RegistryHosts
}

// newController returns BuildKit's control service for the worker. Its Close closes the worker and
// both databases.
func newController(ctx context.Context, o controllerOptions) (*control.Controller, error) {
	workers := &worker.Controller{}
	if err := workers.Add(o.worker); err != nil {
		return nil, errors.Wrap(err, "add the engine's worker")
	}
	sessions, err := session.NewManager()
	if err != nil {
		return nil, errors.Wrap(err, "create the session manager")
	}
	frontends, err := newFrontends(workers)
	if err != nil {
		return nil, err
	}

	cacheStore, err := bboltcachestorage.NewStore(filepath.Join(o.root, "cache.db"))
	if err != nil {
		return nil, errors.Wrap(err, "open the engine's cache database")
	}
	historyDB, err := openHistory(o.root)
	if err != nil {
		return nil, err
	}

	ctrl, err := control.NewController(control.Opt{
		SessionManager:            sessions,
		WorkerController:          workers,
		Frontends:                 frontends,
		CacheManager:              solver.NewCacheManager(ctx, "local", cacheStore, worker.NewCacheResultStorage(workers)),
		CacheStore:                cacheStore,
		HistoryDB:                 historyDB,
		LeaseManager:              o.worker.LeaseManager(),
		ContentStore:              o.worker.ContentStore(),
		GarbageCollect:            o.worker.GarbageCollect,
		GracefulStop:              ctx.Done(),
		MeterProvider:             noop.NewMeterProvider(), // must not be nil
		ResolveCacheExporterFuncs: cacheExporters(sessions, o.registryHosts),
		ResolveCacheImporterFuncs: cacheImporters(sessions, o),
		// No entitlements: no step may use security.insecure or network.host.
	})
	return ctrl, errors.Wrap(err, "create the engine's controller")
}

// newFrontends registers the frontends that a client can use: Dockerfiles, and frontend images,
// which a "# syntax=" line also uses. Functions passed to client.Build need no registration.
func newFrontends(workers *worker.Controller) (map[string]frontend.Frontend, error) {
	gw, err := gateway.NewGatewayFrontend(workers.Infos(), nil)
	if err != nil {
		return nil, errors.Wrap(err, "create the gateway frontend")
	}
	return map[string]frontend.Frontend{
		"dockerfile.v0": forwarder.NewGatewayForwarder(workers.Infos(), dockerfile.Build),
		"gateway.v0":    gw,
	}, nil
}

// openHistory opens the database of finished builds, which the controller requires. SafeOpen moves
// a damaged file away instead of failing: losing the list of past builds must not prevent the next
// build.
func openHistory(root string) (db.DB, error) {
	h, err := boltutil.SafeOpen(filepath.Join(root, "history.db"), 0o600, &bolt.Options{
		FreelistType:   bolt.FreelistMapType,
		NoFreelistSync: true,
	})
	return h, errors.Wrap(err, "open the engine's history database")
}

func cacheExporters(sm *session.Manager, hosts docker.RegistryHosts) map[string]remotecache.ResolveCacheExporterFunc {
	return map[string]remotecache.ResolveCacheExporterFunc{
		"registry": registryremotecache.ResolveCacheExporterFunc(sm, hosts),
		"local":    localremotecache.ResolveCacheExporterFunc(sm),
		"inline":   inlineremotecache.ResolveCacheExporterFunc(),
	}
}

func cacheImporters(sm *session.Manager, o controllerOptions) map[string]remotecache.ResolveCacheImporterFunc {
	return map[string]remotecache.ResolveCacheImporterFunc{
		"registry": registryremotecache.ResolveCacheImporterFunc(sm, o.worker.ContentStore(), o.registryHosts),
		"local":    localremotecache.ResolveCacheImporterFunc(sm),
	}
}
