package main

import (
	"os"
	"slices"
	"time"

	"github.com/pkg/errors"
	"github.com/spf13/cobra"

	"github.com/flavorkit/flavorkit/client/outdated"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

const catalogOutdatedHelp = `Compare the catalog with its publishers: the version of every component, and the
newest release of every distribution, or of those that you name. Pre-releases
do not count.

current      the publisher has nothing newer
outdated     the publisher has a newer version
ahead        the newest version of the publisher is older
unlisted     the catalog does not say where releases are listed
unreachable  the list could not be read

The exit code is 1 if something is outdated, or else 3 if something was
unreachable. GitHub answers more often if GITHUB_TOKEN is set.`

func catalogOutdatedCommand() *cobra.Command {
	var contexts contextFlags
	var site siteFlags
	var format string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "outdated [NAME…]",
		Short: "Compare the catalog with the releases of its publishers",
		Long:  catalogOutdatedHelp,
		Args:  cobra.ArbitraryArgs,

		ValidArgsFunction: completeArgs(func(cat *catalog.Catalog) []string { return publishedNames(cat.Published()) }),
		RunE: func(cmd *cobra.Command, args []string) error {
			if timeout <= 0 {
				return usagef("the timeout %s is not positive", timeout)
			}
			with, err := contexts.read(cmd.Context())
			if err != nil {
				return err
			}
			published, err := choose(with.Catalog.Published(), args)
			if err != nil {
				return err
			}
			registries, err := site.registries()
			if err != nil {
				return err
			}
			transport, err := registries.Transport()
			if err != nil {
				return err
			}
			found, err := step(cmd, contexts.progress, "ask the publishers", func() ([]catalog.Finding, error) {
				return outdated.Check(cmd.Context(), published, outdated.Options{
					Timeout: timeout, Token: os.Getenv("GITHUB_TOKEN"), Agent: "flavorkit/" + version, Transport: transport,
				})
			})
			if err != nil {
				return err
			}
			if err := reportFormats()[format](cmd.OutOrStdout(), catalogReport{}, found); err != nil {
				return err
			}
			return currency(found)
		},
	}
	contexts.add(cmd)
	site.add(cmd.Flags())
	addFormat(cmd, &format, catalog.Names(reportFormats())...)
	cmd.Flags().DurationVar(&timeout, "timeout", 30*time.Second, "how long to wait for each publisher")
	return cmd
}

func publishedNames(all []catalog.Published) (names []string) {
	for _, p := range all {
		names = append(names, p.Name)
	}
	return names
}

// choose returns what is named, or all.
func choose(all []catalog.Published, names []string) ([]catalog.Published, error) {
	valid := publishedNames(all)
	for _, name := range names {
		if !slices.Contains(valid, name) {
			return nil, usagef("no component and no flavor of a distribution is called %q; %s", name, specs.Suggest(name, valid))
		}
	}
	if len(names) == 0 {
		return all, nil
	}
	return slices.DeleteFunc(all, func(p catalog.Published) bool { return !slices.Contains(names, p.Name) }), nil
}

// currency is the error that the findings amount to.
func currency(found []catalog.Finding) error {
	count := counted(found)
	switch {
	case count[catalog.Outdated] > 0:
		return errors.Errorf("%d of %d have a newer version", count[catalog.Outdated], len(found))
	case count[catalog.Unreachable] > 0:
		return &codeError{errors.Errorf("%d of %d publishers could not be asked", count[catalog.Unreachable], len(found)), exitUnreachable}
	default:
		return nil
	}
}
