// Package rules is the registry of mistakes and warnings. A rule has a name that stays the same
// when its text changes, a severity, and a page that explains it.
package rules

import "strings"

// Severity is what a rule does to a build.
type Severity string

const (
	// Error stops the build.
	Error Severity = "error"
	// Warning is shown, and the build goes on.
	Warning Severity = "warning"
)

// Rule is one kind of mistake, or one warning.
type Rule struct {
	// Name identifies the rule, in the form of BuildKit's build checks, such as UnknownKey.
	Name string
	// Description says in one sentence what the rule is about.
	Description string
	Severity    Severity
}

// directory of the pages. Each warning has a page of its own; the mistakes share one.
const directory = "docs/rules/"

// Page is the page about the rule, as a path in the repository. A mistake is a heading of a page.
func (r Rule) Page() string {
	if r.Severity == Error {
		return directory + "mistakes.md#" + strings.ToLower(r.Name)
	}
	return directory + r.Name + ".md"
}

// URL is the page about the rule on the web.
func (r Rule) URL() string {
	return "https://github.com/flavorkit/flavorkit/blob/main/" + r.Page()
}

func mistake(name, description string) Rule { return Rule{name, description, Error} }

func warning(name, description string) Rule { return Rule{name, description, Warning} }

// What is wrong with the text of a file.
var (
	InvalidYAML     = mistake("InvalidYAML", "The file is not one YAML mapping in UTF-8.")
	UnsupportedYAML = mistake("UnsupportedYAML", "The file uses an alias, a merge key or a tag.")
	UnknownKey      = mistake("UnknownKey", "A mapping has a key that does not exist.")
	DuplicateKey    = mistake("DuplicateKey", "A mapping has the same key twice.")
	WrongType       = mistake("WrongType", "A value has another type than its key takes.")
	EmptyValue      = mistake("EmptyValue", "A key has no value.")
)

// What is wrong with extends.
var (
	UnknownBase   = mistake("UnknownBase", "There is no flavor, named context or file of the name that extends gives.")
	BaseOutside   = mistake("BaseOutside", "The file that extends names cannot be read from where the spec is.")
	ExtendsItself = mistake("ExtendsItself", "A spec extends itself, through others or directly.")
)

// What is wrong with a value, whatever the catalog has.
var (
	InvalidValue       = mistake("InvalidValue", "A value is not among those that its key takes.")
	InvalidPath        = mistake("InvalidPath", "A path is not one that a file can have there.")
	MissingValue       = mistake("MissingValue", "A key that is needed is not set.")
	ConflictingValues  = mistake("ConflictingValues", "Two values exclude each other.")
	DuplicateEntry     = mistake("DuplicateEntry", "A list has the same entry twice.")
	InapplicableKey    = mistake("InapplicableKey", "A key has no effect together with the others.")
	UnverifiedDownload = mistake("UnverifiedDownload", "A download has no checksum.")
)

// What does not go with the catalog.
var (
	UnknownName             = mistake("UnknownName", "The catalog has nothing of this name.")
	UnsupportedArchitecture = mistake("UnsupportedArchitecture", "What the spec chooses does not exist for the architecture.")
	UnsupportedChoice       = mistake("UnsupportedChoice", "Two choices of the spec do not go together.")
	PackageNotListed        = mistake("PackageNotListed", "A package is removed that is not on the list.")
)

// InvalidCatalog is about a catalog from outside.
var InvalidCatalog = mistake("InvalidCatalog", "A record or a file of a catalog cannot be used as it is.")

// What is wrong with contexts and their files.
var (
	ContextNotFound    = mistake("ContextNotFound", "The build has no named context of this name.")
	FileNotFound       = mistake("FileNotFound", "A file that the spec names is not in the build context.")
	NotAFile           = mistake("NotAFile", "The spec names a directory where only a file will do.")
	InvalidCloudConfig = mistake("InvalidCloudConfig", "A cloud-config is not one that a machine reads.")
)

// TestFailed is about a failed boot test.
var TestFailed = mistake("TestFailed", "The system that was booted does not do what the spec asserts.")

// What can be built and is probably not what the user wants.
var (
	DeprecatedKey = warning("DeprecatedKey", "A key still works and will be removed.")
	NoAdminUser   = warning("NoAdminUser", "The cloud-config beside the system makes no user in the group admin.")
	NoCloudConfig = warning("NoCloudConfig", "A disk image has no cloud-config, and so no user.")
)

// All returns every rule, mistakes first.
func All() []Rule {
	return []Rule{
		InvalidYAML, UnsupportedYAML, UnknownKey, DuplicateKey, WrongType, EmptyValue,
		UnknownBase, BaseOutside, ExtendsItself,
		InvalidValue, InvalidPath, MissingValue, ConflictingValues, DuplicateEntry, InapplicableKey, UnverifiedDownload,
		UnknownName, UnsupportedArchitecture, UnsupportedChoice, PackageNotListed,
		InvalidCatalog,
		ContextNotFound, FileNotFound, NotAFile, InvalidCloudConfig,
		TestFailed,
		DeprecatedKey, NoAdminUser, NoCloudConfig,
	}
}
