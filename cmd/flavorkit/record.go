package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/pkg/errors"
	"github.com/spf13/pflag"

	"github.com/flavorkit/flavorkit/client/trace"
)

// recordFlags are the flags for what is written about the steps of a build.
type recordFlags struct {
	trace, traceFormat string

	format   trace.Format
	recorder *trace.Recorder
}

func (f *recordFlags) add(flags *pflag.FlagSet) {
	var about []string
	for _, format := range trace.Formats() {
		about = append(about, fmt.Sprintf("%s (for %s)", format.Name, format.Extension))
	}
	flags.StringVar(&f.trace, "trace", "", "write when every step ran to a file, and a summary to standard error")
	flags.StringVar(&f.traceFormat, "trace-format", "", "format of the trace: "+strings.Join(about, ", "))
	setChoices(flags, "trace-format", traceFormats())
}

func traceFormats() (names []string) {
	for _, format := range trace.Formats() {
		names = append(names, format.Name)
	}
	return names
}

// complete checks the flags, so that a long build does not end with a mistake in them.
func (f *recordFlags) complete() error {
	f.recorder = new(trace.Recorder)
	f.format = trace.FormatOf(f.trace)
	if f.traceFormat != "" {
		if f.trace == "" {
			return usagef("--trace-format needs --trace")
		}
		if err := checkFormat(f.traceFormat, traceFormats()...); err != nil {
			return err
		}
		f.format = trace.Formats()[slices.Index(traceFormats(), f.traceFormat)]
	}
	return checkFile("trace", f.trace)
}

// checkFile checks that the file of a flag can be written, if there is one.
func checkFile(flag, file string) error {
	if file == "" {
		return nil
	}
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		return usagef("--%s: %s is a directory; name a file in it", flag, file)
	}
	if info, err := os.Stat(filepath.Dir(file)); err != nil || !info.IsDir() {
		return usagef("--%s: there is no directory %s", flag, filepath.Dir(file))
	}
	return nil
}

// record returns the record of a build, which failed if err is not nil.
func (f *solveFlags) record(name string, err error) trace.Record {
	r := f.records.recorder.Record()
	r.Name = name
	if err != nil {
		r.Error = err.Error()
	}
	if f.builder == "" {
		r.Cores = runtime.NumCPU() // the steps that the BuildKit inside flavorkit runs at the same time
	}
	return r
}

// writeTrace writes the trace that is asked for, and its summary.
func (f *solveFlags) writeTrace(r trace.Record) error {
	if f.records.trace == "" {
		return nil
	}
	data, err := f.records.format.Write(r)
	if err != nil {
		return err
	}
	if err := os.WriteFile(f.records.trace, data, 0o644); err != nil {
		return errors.Wrap(err, "write the trace")
	}
	_, err = fmt.Fprint(f.Log, r.Summary())
	return err
}
