package specs

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestShorthandOf(t *testing.T) {
	for key, want := range map[string]string{
		"distro":                    "distro.name",
		"mesh":                      "mesh.name",
		"ca":                        "ca.from",
		"args.CHANNEL":              "args.CHANNEL.default",
		"repositories[2].key":       "repositories[2].key.from",
		"artifacts.iso.cloudConfig": "artifacts.iso.cloudConfig.from",
		"distro.name":               "",
		"files[0]":                  "",
		"packages.add[0]":           "",
		"packages.add[0].x":         "",
		"nothing.at.all":            "",
		"":                          "",
	} {
		full, ok := ShorthandOf(key)
		assert.Equal(t, want, full, key)
		assert.Equal(t, want != "", ok, key)
	}
}

func TestSkippedAt(t *testing.T) {
	const line = "a: b # flavorkit: skip=NoAdminUser, , é"
	for _, c := range []struct {
		offset int
		word   string
		ok     bool
	}{
		{3, "", false}, {22, "", false}, {23, "NoAdminUser", true}, {30, "NoAdminUser", true}, {34, "NoAdminUser", true}, {36, "", true}, {len(line), "é", true},
	} {
		start, end, ok := SkippedAt(line, c.offset)
		assert.Equal(t, c.ok, ok, c.offset)
		assert.Equal(t, c.word, line[start:end], c.offset)
	}
}
