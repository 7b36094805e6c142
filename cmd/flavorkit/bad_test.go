package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs/rules"
	"github.com/flavorkit/flavorkit/test/golden"
)

// Each directory of bad is a spec with a mistake, or with a reason to warn, and what it names. The
// file shown has what flavorkit check prints for it; flags, if there are any, are in a file of that
// name.
const (
	bad   = "../../testdata/bad"
	shown = "shown.txt"
)

// badSpecs are the directories of bad.
func badSpecs(t *testing.T) (dirs []string) {
	t.Helper()
	entries, err := os.ReadDir(bad)
	require.NoError(t, err)
	for _, e := range entries {
		dir, err := filepath.Abs(filepath.Join(bad, e.Name()))
		require.NoError(t, err)
		dirs = append(dirs, dir)
	}
	return dirs
}

// badFlags are those of the spec in a directory, for a time and an architecture that stay the same.
func badFlags(t *testing.T, dir string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "flags"))
	if !errors.Is(err, fs.ErrNotExist) {
		require.NoError(t, err)
	}
	return append([]string{"--arch", "amd64", "--config", ""}, strings.Fields(string(text))...)
}

// TestBadSpecs checks the whole text that users read about wrong specs.
func TestBadSpecs(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1767225600") // 2026-01-01
	dirs := badSpecs(t)
	assert.GreaterOrEqual(t, len(dirs), 200)
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Chdir(dir)
			code, stdout, stderr := flavorkit(t.Context(), append([]string{"check", "--severity", "warning"}, badFlags(t, dir)...)...)
			assert.NotZero(t, code, "nothing is wrong")
			assert.NotContains(t, stderr, "\x1b", "colors")
			golden.Check(t, shown, fmt.Sprintf("%s%sexit code %d\n", stderr, stdout, code))
		})
	}
}

// needBuild are the rules about what only a build finds: packages, named contexts, the lock file and
// the system itself; and the one about the tags of a repository, which a directory here cannot be.
func needBuild() []rules.Rule {
	return []rules.Rule{
		rules.PackageNotFound, rules.ContextNotFound, rules.RepositoryRefused, rules.DownloadRefused, rules.InvalidLock, rules.LockMismatch, rules.LockedFileGone,
		rules.CannotLock, rules.CannotBundle, rules.NotInBundle, rules.UnreadArchive,
		rules.SourceRefused, rules.LayerRefused, rules.ExtensionRefused, rules.CheckFailed, rules.TestFailed,
		rules.NoCloudConfig, rules.OutdatedLock, rules.OlderVersion,
	}
}

// unbroken are rules that no spec can break at the moment: no key is deprecated.
func unbroken() []rules.Rule { return []rules.Rule{rules.DeprecatedKey} }

// mistakes are bad specs by the rule that they break. The text of a mistake does not have its rule.
func mistakes() map[rules.Rule]string {
	return map[rules.Rule]string{
		rules.InvalidYAML: "yaml-tab-indent", rules.UnsupportedYAML: "yaml-alias", rules.UnknownKey: "key-misspelled", rules.DuplicateKey: "yaml-duplicate-key",
		rules.WrongType: "type-packages-list", rules.EmptyValue: "key-without-value", rules.UnknownBase: "extends-misspelled-flavor", rules.BaseOutside: "extends-climbs",
		rules.ExtendsItself: "extends-circle", rules.InvalidValue: "version-without-v", rules.InvalidPath: "file-relative-path", rules.MissingValue: "version-missing",
		rules.ConflictingValues: "file-from-and-content", rules.DuplicateEntry: "package-twice", rules.InapplicableKey: "iso-level-without-levels",
		rules.UnverifiedDownload: "component-url-without-checksum", rules.UnknownArgument: "arg-given-undeclared", rules.UnknownName: "model-unknown",
		rules.UnsupportedArchitecture: "model-not-for-arch", rules.UnsupportedChoice: "mesh-in-core", rules.PackageNotListed: "package-removed-misspelled",
		rules.InvalidCatalog: "catalog-wrong-name", rules.FileNotFound: "file-from-missing", rules.NotAFile: "config-is-directory",
		rules.InvalidCloudConfig: "config-no-header", rules.InvalidCertificate: "ca-is-der",
	}
}

// TestBadRules checks that the bad specs break every rule that needs no build.
func TestBadRules(t *testing.T) {
	warnings := map[string]bool{}
	for _, dir := range badSpecs(t) {
		text, err := os.ReadFile(filepath.Join(dir, shown))
		require.NoError(t, err)
		for _, m := range regexp.MustCompile(`(?m)\[(\w+)\]$`).FindAllSubmatch(text, -1) {
			warnings[string(m[1])] = true
		}
	}
	root, err := filepath.Abs(bad)
	require.NoError(t, err)
	for _, r := range rules.All() {
		dir, breaks := mistakes()[r]
		excused := slices.Contains(slices.Concat(needBuild(), unbroken()), r)
		assert.NotEqual(t, excused, breaks || warnings[r.Name], r.Name)
		if !breaks {
			continue
		}
		t.Chdir(filepath.Join(root, dir))
		_, stdout, stderr := flavorkit(t.Context(), append([]string{"check", "--format", "json"}, badFlags(t, ".")...)...)
		assert.Contains(t, stdout, `"rule": "`+r.Name+`"`, stderr)
	}
}
