package main

import (
	"cmp"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pkg/errors"
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/scan"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/plan/sbom"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/rules"
)

const scanHelp = `Look for known vulnerabilities in a system: in the packages of its distribution and
in the Go modules of its programs. SYSTEM is a built system as for 'flavorkit
inspect', and SBOM a bill of materials in CycloneDX or SPDX, in JSON, of any program.
A spec is built first, as for 'flavorkit sbom'.

Nothing is downloaded. --db is a database in the format of OSV: an all.zip as
osv.dev publishes one for every ecosystem, a directory, JSON or JSON lines. Repeat
it for several ecosystems, such as Debian and Go.

--vex is a document of OpenVEX that says which vulnerabilities do not count, because
the system is not affected or has a fix. --format openvex writes one to answer.

With --severity, the exit code is 1 if there is a vulnerability of that severity or a
worse one, or else 3 if the databases have nothing about an ecosystem of the system.
Without it, the exit code does not depend on what is found.`

// scanOptions are the flags of scan.
type scanOptions struct {
	databases, vex   []string
	format, severity string
}

func scanCommand() *cobra.Command {
	f := &solveFlags{}
	var opt scanOptions
	cmd := &cobra.Command{
		Use:   "scan [CONTEXT | SPEC | SYSTEM | SBOM] --db DATABASE",
		Short: "Look for known vulnerabilities in a system, without a network",
		Long:  scanHelp,
		Example: `  flavorkit scan --db Debian/all.zip --db Go/all.zip
  flavorkit scan dist/edge.iso --db osv --severity high
  flavorkit scan edge.spdx.json --db osv --vex edge.openvex.json --format sarif`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := opt.check(); err != nil {
				return err
			}
			doc, err := f.document(cmd, args)
			if err != nil {
				return err
			}
			report, err := step(cmd, f.Progress, "look up "+strings.Join(opt.databases, ", "), func() (*scan.Report, error) { return opt.scan(cmd, doc) })
			if err != nil {
				return err
			}
			if err := scanFormats()[opt.format](cmd.OutOrStdout(), report, cmp.Or(append(args, f.File, specs.DefaultName)...)); err != nil {
				return err
			}
			return opt.outcome(report)
		},
	}
	f.addSystem(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&opt.databases, "db", nil, "database of OSV: all.zip, a directory, JSON or JSON lines; repeat it for several")
	flags.StringArrayVar(&opt.vex, "vex", nil, "OpenVEX document with what does not count; repeat it for several")
	addFormat(cmd, &opt.format, catalog.Names(scanFormats())...)
	flags.StringVar(&opt.severity, "severity", "", "fail if there is a vulnerability of this severity or a worse one: "+strings.Join(texts(scan.Levels()), ", "))
	setChoices(flags, "severity", texts(scan.Levels()))
	return cmd
}

// check checks the flags.
func (o scanOptions) check() error {
	if o.severity != "" && !slices.Contains(texts(scan.Levels()), o.severity) {
		return usagef("unknown severity %q; %s", o.severity, specs.Suggest(o.severity, texts(scan.Levels())))
	}
	if len(o.databases) == 0 {
		return usagef("--db is missing; name a database in the format of OSV, such as an all.zip of osv.dev")
	}
	return nil
}

// document reads the bill of materials of what the command is about.
func (f *solveFlags) document(cmd *cobra.Command, args []string) (sbom.Document, error) {
	var data []byte
	var err error
	name := "the system"
	if len(args) > 0 {
		name = args[0]
	}
	if len(args) > 0 && f.File == "" && isSBOM(args[0]) {
		data, err = os.ReadFile(args[0])
	} else {
		data, err = f.sbom(cmd, args, sbom.CycloneDX)
	}
	if err != nil {
		return sbom.Document{}, err
	}
	doc, err := sbom.Read(data)
	return doc, errors.Wrapf(err, "read %s", name)
}

// isSBOM reports whether a name is that of a bill of materials, or looks like one that is missing.
func isSBOM(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return filepath.Ext(name) == ".json"
	}
	defer f.Close()
	const enough = 512
	head, err := io.ReadAll(io.LimitReader(f, enough))
	return err == nil && sbom.IsDocument(head)
}

func (o scanOptions) scan(cmd *cobra.Command, doc sbom.Document) (*scan.Report, error) {
	opt := scan.Options{Databases: o.databases}
	for _, name := range o.vex {
		statements, err := scan.ReadVEX(name)
		if err != nil {
			return nil, err
		}
		opt.Statements = append(opt.Statements, statements...)
	}
	return scan.Scan(cmd.Context(), doc, opt)
}

// outcome is the error that the findings amount to.
func (o scanOptions) outcome(report *scan.Report) error {
	if o.severity == "" {
		return nil
	}
	if n := len(report.AtLeast(scan.Level(o.severity))); n > 0 {
		what := "vulnerabilities"
		if n == 1 {
			what = "vulnerability"
		}
		return errors.Errorf("%d %s of the severity %s or worse", n, what, o.severity)
	}
	if missing := report.Missing(); len(missing) > 0 {
		return &codeError{errors.Errorf("the databases have nothing about %s", strings.Join(missing, ", ")), exitUnreachable}
	}
	return nil
}

// scanFormats are the forms of the output. name is what was scanned.
func scanFormats() map[string]func(w io.Writer, report *scan.Report, name string) error {
	return map[string]func(io.Writer, *scan.Report, string) error{
		"text": func(w io.Writer, report *scan.Report, _ string) error { return report.WriteText(w) },
		"json": func(w io.Writer, report *scan.Report, _ string) error { return printJSON(w, report) },
		"sarif": func(w io.Writer, report *scan.Report, name string) error {
			return printJSON(w, sarifOf(vulnerabilities(report, name)))
		},
		"openvex": func(w io.Writer, report *scan.Report, _ string) error {
			now, err := frontend.BuildTime(os.Getenv("SOURCE_DATE_EPOCH"), time.Now)
			if err != nil {
				return err
			}
			doc, err := report.VEX("flavorkit "+version, now)
			if err != nil {
				return err
			}
			return printJSON(w, doc)
		},
	}
}

// vulnerabilities are the findings for SARIF. Those of the levels high and critical are errors.
func vulnerabilities(report *scan.Report, file string) []finding {
	all := []finding{}
	for _, v := range report.Findings {
		f := finding{
			Rule: v.ID, Severity: rules.Warning, Message: v.Advice(), File: filepath.ToSlash(file), URL: v.URL,
			text: v.Advice(), about: cmp.Or(v.Summary, strings.Join(append([]string{v.ID}, slices.Concat(v.Aliases, v.Upstream)...), ", ")),
		}
		if v.Severity == scan.High || v.Severity == scan.Critical {
			f.Severity = rules.Error
		}
		if v.VEX != nil {
			f.suppressed = v.VEX.Why()
		}
		all = append(all, f)
	}
	return all
}
