package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"github.com/flavorkit/flavorkit/client/inspect"
	"github.com/flavorkit/flavorkit/client/solve"
)

// addProgress adds the flags of commands that may take long: how their steps are shown.
func addProgress(flags *pflag.FlagSet, mode *string) {
	flags.StringVar(mode, "progress", solve.ProgressModes()[0], "how progress is shown: "+strings.Join(solve.ProgressModes(), ", "))
	setChoices(flags, "progress", solve.ProgressModes())
	flags.BoolFuncP("quiet", "q", "show no progress, as --progress quiet", func(value string) error {
		quiet, err := strconv.ParseBool(value)
		if err != nil || !quiet {
			return err
		}
		return flags.Set("progress", solve.QuietProgress)
	})
}

// step runs what is no build. It is shown as a step, as those of builds are, if it takes longer than
// anyone waits without a word.
func step[T any](cmd *cobra.Command, mode, name string, work func() (T, error)) (result T, err error) {
	show, err := solve.NewProgress(cmd.ErrOrStderr(), mode)
	if err != nil {
		return result, &usageError{err}
	}
	done := make(chan struct{})
	start := time.Now()
	go func() {
		defer close(done)
		result, err = work()
	}()
	select {
	case <-done:
		return result, err
	case <-time.After(patience):
	}
	status := make(chan *client.SolveStatus)
	var eg errgroup.Group
	eg.Go(func() error { return show(status) })
	v := client.Vertex{Digest: digest.FromString(name), Name: name, Started: &start}
	status <- &client.SolveStatus{Vertexes: []*client.Vertex{&v}}
	<-done
	ended, end := v, time.Now()
	ended.Completed = &end
	if err != nil {
		ended.Error = err.Error()
	}
	status <- &client.SolveStatus{Vertexes: []*client.Vertex{&ended}}
	close(status)
	if e := eg.Wait(); err == nil {
		err = e
	}
	return result, err
}

// reading is the name of the step that reads a built system.
func reading(name string) string {
	if inspect.IsPacked(name) {
		return "unpack and read " + name
	}
	return "read " + name
}

// patience is how long work takes until it is shown.
const patience = 2 * time.Second
