package specs

// Words that the key kairos takes beside a version.
const (
	// KairosSeparate stands for separate programs, each with its own version.
	KairosSeparate = "separate"
	// KairosLatest stands for the one program that is all of them, in the version of the catalog.
	KairosLatest = "latest"
)

// KairosWords are all words that the key kairos takes.
func KairosWords() []string { return []string{KairosLatest, KairosSeparate} }
