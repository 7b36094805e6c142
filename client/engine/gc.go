//go:build linux

package engine

import (
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/cmd/buildkitd/config"
	"github.com/moby/buildkit/util/disk"
	"github.com/pkg/errors"
)

// gcPolicy returns buildkitd's default policy for the filesystem of root: the cache can always use
// 10 % of it (at most 10 GB), and up to 80 % (at most 100 GB) as long as 20 % stay free. A
// keepBytes above zero replaces these limits.
func gcPolicy(root string, keepBytes int64) ([]client.PruneInfo, error) {
	stat, err := disk.GetDiskStat(root)
	if err != nil {
		return nil, errors.Wrapf(err, "read the size of the filesystem of %s", root)
	}
	var cfg config.GCConfig
	if keepBytes > 0 {
		cfg.GCMaxUsedSpace = config.DiskSpace{Bytes: keepBytes}
	}
	var policy []client.PruneInfo
	for _, rule := range config.DefaultGCPolicy(cfg, stat) {
		policy = append(policy, client.PruneInfo{
			All:           rule.All,
			Filter:        rule.Filters,
			KeepDuration:  rule.KeepDuration.Duration,
			ReservedSpace: rule.ReservedSpace.AsBytes(stat),
			MaxUsedSpace:  rule.MaxUsedSpace.AsBytes(stat),
			MinFreeSpace:  rule.MinFreeSpace.AsBytes(stat),
		})
	}
	return policy, nil
}
