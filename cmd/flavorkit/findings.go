package main

import (
	"encoding/json"
	"io"
	"net/url"
	"path"
	"path/filepath"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// finding is a mistake or a warning, for other programs. Lines and columns count from 1, columns in
// characters; the end is the last character. All four are missing if the finding is in no file.
type finding struct {
	Rule     string         `json:"rule"`
	Severity rules.Severity `json:"severity"`
	// Key of the spec that it is about.
	Key     string `json:"key,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	// File is a path from the working directory.
	File      string `json:"file"`
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
	EndLine   int    `json:"endLine,omitempty"`
	EndColumn int    `json:"endColumn,omitempty"`
	URL       string `json:"url"`

	// text is the finding as one sentence, without its place; about describes its rule.
	text, about string
	// suppressed is why the finding does not count; empty if it does.
	suppressed string
}

func (f *lookFlags) findings(found specs.Diagnostics) []finding {
	all := []finding{}
	for _, d := range found {
		all = append(all, finding{
			Rule: d.Rule.Name, Severity: d.Rule.Severity, Key: d.Key, Message: d.Message, Hint: d.Hint, File: f.path(d.Range.Source),
			Line: d.Range.Start.Line, Column: d.Range.Start.Column, EndLine: d.Range.End.Line, EndColumn: d.Range.End.Column,
			URL: d.Rule.URL(), text: d.Text(), about: d.Rule.Description,
		})
	}
	return all
}

// path returns the path of a file from the working directory, or else its name in messages.
func (f *lookFlags) path(src *specs.Source) string {
	if file, ok := f.options().Path(src); ok {
		return filepath.ToSlash(file)
	}
	return src.Name
}

// sarif is a log of SARIF 2.1.0 (OASIS), which code scanning of forges and editors read.
type sarif struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool       sarifTool     `json:"tool"`
	ColumnKind string        `json:"columnKind"`
	Results    []sarifResult `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name           string      `json:"name"`
	Version        string      `json:"version"`
	InformationURI string      `json:"informationUri"`
	Rules          []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID                   string      `json:"id"`
	ShortDescription     sarifText   `json:"shortDescription"`
	HelpURI              string      `json:"helpUri"`
	DefaultConfiguration sarifConfig `json:"defaultConfiguration"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifConfig struct {
	Level rules.Severity `json:"level"` // SARIF has the same words
}

type sarifResult struct {
	RuleID    string          `json:"ruleId"`
	RuleIndex int             `json:"ruleIndex"`
	Level     rules.Severity  `json:"level"`
	Message   sarifText       `json:"message"`
	Locations []sarifLocation `json:"locations"`
	// Suppressions are there for a finding that does not count.
	Suppressions []sarifSuppression `json:"suppressions,omitempty"`
}

type sarifSuppression struct {
	Kind          string `json:"kind"`
	Justification string `json:"justification"`
}

type sarifLocation struct {
	PhysicalLocation sarifPlace `json:"physicalLocation"`
}

type sarifPlace struct {
	ArtifactLocation sarifFile `json:"artifactLocation"`
	// Region is nil for a finding that is about no line.
	Region *sarifRegion `json:"region,omitempty"`
}

type sarifFile struct {
	URI string `json:"uri"`
}

// sarifRegion ends before EndColumn.
type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn"`
	EndLine     int `json:"endLine"`
	EndColumn   int `json:"endColumn"`
}

// sarifOf returns a log with the findings and their rules.
func sarifOf(all []finding) sarif {
	run := sarifRun{
		Tool:       sarifTool{sarifDriver{Name: "flavorkit", Version: version, InformationURI: "https://github.com/flavorkit/flavorkit", Rules: []sarifRule{}}},
		ColumnKind: "unicodeCodePoints",
		Results:    []sarifResult{},
	}
	indices := map[string]int{}
	for _, f := range all {
		at, known := indices[f.Rule]
		if !known {
			at = len(run.Tool.Driver.Rules)
			indices[f.Rule] = at
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{f.Rule, sarifText{f.about}, f.URL, sarifConfig{f.Severity}})
		}
		place := sarifPlace{ArtifactLocation: sarifFile{fileURI(f.File)}}
		if f.Line > 0 {
			place.Region = &sarifRegion{f.Line, f.Column, f.EndLine, f.EndColumn + 1}
		}
		result := sarifResult{RuleID: f.Rule, RuleIndex: at, Level: f.Severity, Message: sarifText{f.text}, Locations: []sarifLocation{{place}}}
		if f.suppressed != "" {
			result.Suppressions = []sarifSuppression{{Kind: "external", Justification: f.suppressed}}
		}
		run.Results = append(run.Results, result)
	}
	return sarif{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}}
}

// fileURI returns the URI of a file: relative to the root of the repository, which code scanning
// takes the working directory for.
func fileURI(file string) string {
	u := url.URL{Path: file}
	if path.IsAbs(file) {
		u.Scheme = "file"
	}
	return u.String()
}

func printJSON(w io.Writer, value any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(value)
}
