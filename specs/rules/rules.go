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

// Mistakes in the text of a file.
var (
	InvalidYAML     = mistake("InvalidYAML", "The file is not one YAML mapping in UTF-8.")
	UnsupportedYAML = mistake("UnsupportedYAML", "The file uses a YAML alias, merge key or tag.")
	UnknownKey      = mistake("UnknownKey", "A mapping has a key that does not exist.")
	DuplicateKey    = mistake("DuplicateKey", "A mapping has a duplicate key.")
	WrongType       = mistake("WrongType", "A value has the wrong type.")
	EmptyValue      = mistake("EmptyValue", "A key has no value.")
)

// Mistakes with extends.
var (
	UnknownBase   = mistake("UnknownBase", "The flavor, named context or file that the spec extends does not exist.")
	BaseOutside   = mistake("BaseOutside", "The file that the spec extends is outside of its directory.")
	ExtendsItself = mistake("ExtendsItself", "A spec extends itself, directly or through others.")
)

// Mistakes with a value, independent of the catalog.
var (
	InvalidValue       = mistake("InvalidValue", "A value is not allowed for its key.")
	InvalidPath        = mistake("InvalidPath", "A path is not valid.")
	MissingValue       = mistake("MissingValue", "A required key is not set.")
	ConflictingValues  = mistake("ConflictingValues", "Two values exclude each other.")
	DuplicateEntry     = mistake("DuplicateEntry", "A list has a duplicate entry.")
	InapplicableKey    = mistake("InapplicableKey", "A key has no effect in combination with the others.")
	UnverifiedDownload = mistake("UnverifiedDownload", "A download has no checksum.")
	UnknownArgument    = mistake("UnknownArgument", "No spec declares a build argument of this name.")
)

// Choices that the catalog does not have.
var (
	UnknownName             = mistake("UnknownName", "A name is not in the catalog.")
	UnsupportedArchitecture = mistake("UnsupportedArchitecture", "A choice in the spec is not available for the architecture.")
	UnsupportedChoice       = mistake("UnsupportedChoice", "Two choices in the spec cannot be combined.")
	PackageNotListed        = mistake("PackageNotListed", "The spec removes a package that is not in the list.")
	PackageNotFound         = mistake("PackageNotFound", "The repositories of a distribution have no package with this name or version.")
)

// InvalidCatalog is about the user's catalogs.
var InvalidCatalog = mistake("InvalidCatalog", "A file of a catalog is not valid.")

// Mistakes with contexts and their files.
var (
	ContextNotFound    = mistake("ContextNotFound", "The build has no named context with this name.")
	FileNotFound       = mistake("FileNotFound", "A file that the spec names is not in the build context.")
	NotAFile           = mistake("NotAFile", "The spec names a directory where a file is required.")
	InvalidCloudConfig = mistake("InvalidCloudConfig", "A cloud-config is not valid.")
)

// RepositoryRefused is about third-party repositories.
var RepositoryRefused = mistake("RepositoryRefused", "The package manager cannot use a third-party repository.")

// DownloadRefused is about the downloads of components.
var DownloadRefused = mistake("DownloadRefused", "The program of a component cannot be downloaded.")

// Mistakes with the lock file.
var (
	InvalidLock    = mistake("InvalidLock", "The lock file is not valid.")
	LockMismatch   = mistake("LockMismatch", "A locked build needs something that the lock file does not have.")
	LockedFileGone = mistake("LockedFileGone", "A file of the lock cannot be downloaded, or is not the one that was locked.")
	CannotLock     = mistake("CannotLock", "A part of the system cannot be locked.")
	CannotBundle   = mistake("CannotBundle", "An image cannot be put into a bundle.")
	NotInBundle    = mistake("NotInBundle", "A build from a bundle needs something that the bundle does not have.")
)

// UnreadArchive is about the packages of a distribution, and their mirrors.
var UnreadArchive = mistake("UnreadArchive", "The package manager cannot read an archive of a distribution, or its mirror.")

// InvalidCertificate is about the authority that a build trusts.
var InvalidCertificate = mistake("InvalidCertificate", "The authority of a spec has no certificate in PEM.")

// SourceRefused is about published images.
var SourceRefused = mistake("SourceRefused", "The image that the spec takes as the system cannot be one.")

// LayerRefused is about layers of images and named contexts.
var LayerRefused = mistake("LayerRefused", "A layer of the spec brings what the system must not get from it.")

// ExtensionRefused is about extensions.
var ExtensionRefused = mistake("ExtensionRefused", "The extension of a spec changes what an extension cannot change.")

// Mistakes in the system that was built.
var (
	CheckFailed = mistake("CheckFailed", "The system that was built does not pass a check.")
	TestFailed  = mistake("TestFailed", "An assertion of the spec failed on the booted system.")
)

// Specs that can be built, but are probably not what the user wants.
var (
	ClearPassword     = warning("ClearPassword", "A cloud-config has a password that is not hashed.")
	CloudInitKey      = warning("CloudInitKey", "A cloud-config has a key of cloud-init that no program of Kairos reads.")
	DecimalMode       = warning("DecimalMode", "A file of a cloud-config has a mode in decimal.")
	DeprecatedKey     = warning("DeprecatedKey", "The spec sets a deprecated key, which still works but will be removed.")
	DuplicatePackage  = warning("DuplicatePackage", "The spec adds a package that is in the list of the catalog.")
	DuplicateUser     = warning("DuplicateUser", "A cloud-config lists the same user twice.")
	EndOfLife         = warning("EndOfLife", "A distribution or a component of the system no longer gets updates.")
	FileOverCatalog   = warning("FileOverCatalog", "A file of the spec replaces a file of the catalog or of a component.")
	HiddenFile        = warning("HiddenFile", "A file of the spec is where an installed machine mounts a partition.")
	InsecureChecksums = warning("InsecureChecksums", "A list of checksums is downloaded without encryption.")
	InvalidCondition  = warning("InvalidCondition", "A step of a cloud-config has a condition that a machine cannot read.")
	InvalidSSHKey     = warning("InvalidSSHKey", "A cloud-config has an SSH key that is not one.")
	InvalidShell      = warning("InvalidShell", "A shell script of the spec or of a cloud-config has a syntax error.")
	LongTimeout       = warning("LongTimeout", "An assertion has a longer timeout than the whole boot test.")
	LooseMode         = warning("LooseMode", "A file that has to be private can be read or changed by others.")
	MissingSyntax     = warning("MissingSyntax", "The spec does not begin with a syntax line.")
	NeededPackage     = warning("NeededPackage", "The spec leaves out a package with a command that the system needs.")
	NoAdminUser       = warning("NoAdminUser", "The cloud-config of the ISO or disk adds no user to the group admin.")
	NoAssertions      = warning("NoAssertions", "The spec has a boot test without assertions.")
	NoCloudConfig     = warning("NoCloudConfig", "A disk image has no cloud-config, and therefore no user.")
	NotExecutable     = warning("NotExecutable", "A script in a directory of programs is not executable.")
	OlderKernel       = warning("OlderKernel", "The kernel is from an older release of the distribution than the userland.")
	OlderVersion      = warning("OlderVersion", "The version of the spec is lower than a tag of its git repository.")
	OutdatedComponent = warning("OutdatedComponent", "A component is older than the patch of the same release that the catalog has.")
	OutdatedLock      = warning("OutdatedLock", "The lock file does not have everything that the build needs.")
	PersistentFile    = warning("PersistentFile", "A file of the spec is in a directory that upgrades do not change.")
	RepeatedArgument  = warning("RepeatedArgument", "The spec adds a kernel argument that the system has already.")
	RootArgument      = warning("RootArgument", "The spec sets a kernel argument that says where the root filesystem is.")
	RootShell         = warning("RootShell", "The spec adds a kernel argument that opens a root shell without a password.")
	SecretInSpec      = warning("SecretInSpec", "The spec, or a cloud-config of its image, has a secret in its text.")
	UnknownConfigKey  = warning("UnknownConfigKey", "A cloud-config has a key that no machine reads.")
	UnknownSkip       = warning("UnknownSkip", "A comment skips a rule that is not the name of a warning.")
	UnknownStage      = warning("UnknownStage", "A cloud-config has a stage that no machine runs.")
	UnpinnedImage     = warning("UnpinnedImage", "The spec uses an image without a digest.")
	UnreadKey         = warning("UnreadKey", "A cloud-config without the line #cloud-config has keys that a machine reads only below it.")
	UnreadableConfig  = warning("UnreadableConfig", "A machine cannot read a cloud-config, because of a value of the wrong type or a duplicate key.")
	UnusedArgument    = warning("UnusedArgument", "The spec declares a build argument that no value has.")
	WeakHash          = warning("WeakHash", "A password in a cloud-config is hashed with MD5.")
	WrongInit         = warning("WrongInit", "A cloud-config uses systemd on a system with OpenRC.")
)

// All returns every rule, mistakes first.
func All() []Rule {
	return []Rule{
		InvalidYAML, UnsupportedYAML, UnknownKey, DuplicateKey, WrongType, EmptyValue,
		UnknownBase, BaseOutside, ExtendsItself,
		InvalidValue, InvalidPath, MissingValue, ConflictingValues, DuplicateEntry, InapplicableKey, UnverifiedDownload, UnknownArgument,
		UnknownName, UnsupportedArchitecture, UnsupportedChoice, PackageNotListed, PackageNotFound,
		InvalidCatalog,
		ContextNotFound, FileNotFound, NotAFile, InvalidCloudConfig,
		RepositoryRefused, DownloadRefused,
		InvalidLock, LockMismatch, LockedFileGone, CannotLock, CannotBundle, NotInBundle,
		UnreadArchive,
		InvalidCertificate,
		SourceRefused,
		LayerRefused,
		ExtensionRefused,
		CheckFailed,
		TestFailed,
		ClearPassword, CloudInitKey, DecimalMode, DeprecatedKey, DuplicatePackage, DuplicateUser, EndOfLife, FileOverCatalog, HiddenFile,
		InsecureChecksums, InvalidCondition, InvalidSSHKey, InvalidShell, LongTimeout, LooseMode, MissingSyntax, NeededPackage, NoAdminUser,
		NoAssertions, NoCloudConfig, NotExecutable, OlderKernel, OlderVersion, OutdatedComponent, OutdatedLock, PersistentFile,
		RepeatedArgument, RootArgument, RootShell, SecretInSpec, UnknownConfigKey, UnknownSkip, UnknownStage, UnpinnedImage, UnreadKey,
		UnreadableConfig, UnusedArgument, WeakHash, WrongInit,
	}
}
