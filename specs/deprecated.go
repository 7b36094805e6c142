package specs

// LanguageVersion is the version of the spec language: the major version of the frontend image in
// the "# syntax=" line of a spec.
const LanguageVersion = 1

// DeprecatedKey is a key that still works and that the next version of the language does not have.
type DeprecatedKey struct {
	// Key is the path of the key, such as kernel.package.
	Key string
	// Since is the minor release that deprecated the key, such as 1.4.
	Since string
	// Replacement is the key to use instead; empty when there is none.
	Replacement string
}

// DeprecatedKeys returns the deprecated keys of the language. Version 1 has none so far.
func DeprecatedKeys() []DeprecatedKey { return nil }
