package trace

import "path/filepath"

// Format is a form of a record for a viewer.
type Format struct {
	Name string
	// Extension of files that have it unless another format is asked for.
	Extension string
	// Write returns the text.
	Write func(Record) ([]byte, error)
	// Read reads what Write has written, as far as it is in the text.
	Read func([]byte) (Record, error)
}

// Formats are all of them; the first is the default.
func Formats() []Format {
	return []Format{
		{"chrome", ".json", Record.Chrome, readChrome},
		{"otlp", ".jsonl", Record.OTLP, readOTLP},
	}
}

// FormatOf returns the format for a file, by its extension.
func FormatOf(file string) Format {
	all := Formats()
	for _, f := range all {
		if filepath.Ext(file) == f.Extension {
			return f
		}
	}
	return all[0]
}
