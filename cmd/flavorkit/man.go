package main

import (
	"os"
	"strings"

	"github.com/pkg/errors"
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

//go:generate go test . -run ^TestCommandsPage$ -update

func manCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man [DIR]",
		Short: "Write the manual pages of all commands",
		Long: `Write the manual pages of all commands into a directory, by default man1:

    sudo flavorkit man /usr/local/share/man/man1`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "man1"
			if len(args) > 0 {
				dir = args[0]
			}
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
			root := cmd.Root()
			eachCommand(root, func(c *cobra.Command) {
				c.DisableAutoGenTag = true
				c.Long = keepColumns(c.Long)
			})
			// cobra takes the date from SOURCE_DATE_EPOCH, or else today's.
			header := &doc.GenManHeader{Section: "1", Source: "flavorkit " + root.Version, Manual: "flavorkit"}
			return errors.Wrap(doc.GenManTree(root, header, dir), "write the manual pages")
		},
	}
}

// keepColumns indents the paragraphs of a help text that have columns, as Markdown does to keep
// them. cobra reads help texts as Markdown.
func keepColumns(help string) string {
	paragraphs := strings.Split(help, "\n\n")
	for i, text := range paragraphs {
		if strings.Contains(text, "  ") && !strings.HasPrefix(text, "    ") {
			paragraphs[i] = "    " + strings.ReplaceAll(text, "\n", "\n    ")
		}
	}
	return strings.Join(paragraphs, "\n\n")
}

// eachCommand visits a command and all below it that users see.
func eachCommand(cmd *cobra.Command, visit func(*cobra.Command)) {
	visit(cmd)
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			eachCommand(sub, visit)
		}
	}
}
