//go:build linux

package engine

import (
	"github.com/moby/buildkit/cache"
	"github.com/moby/buildkit/cache/contenthash"
	"github.com/moby/buildkit/cache/metadata"
	"github.com/moby/buildkit/util/resolver"
	"github.com/pkg/errors"
)

// forget clears what BuildKit remembers about an engine in variables of the process. It must run before the store
// is closed, and when nothing uses it any more.
//
// The content hashes of recently used layers are kept together with the store they are written to. They are found
// by the layer's id, and so also by the next engine on the same state directory, which would then write to the
// closed store and fail with "database not open".
//
// The resolver pool keeps mirrors and tokens for each repository; the next engine may have other ones.
func forget(store *metadata.Store) error {
	resolver.DefaultPool.Clear()
	items, err := store.All()
	if err != nil {
		return errors.Wrap(err, "listing the layers in the cache")
	}
	for _, item := range items {
		contenthash.ClearCacheContext(layerID{id: item.ID()})
	}
	return nil
}

// layerID is the part of a layer that clearing its content hash needs.
type layerID struct {
	cache.RefMetadata
	id string
}

func (l layerID) ID() string { return l.id }
