package remaster

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pkg/errors"
)

// menu is the file of a boot menu that has the kernel arguments.
type menu struct {
	path string
	edit func(text string, add, remove []string) (string, error)
}

// menus are those of flavorkit and of upstream, in this order: both have a grub.cfg.
func menus() []menu {
	return []menu{
		{"/boot/grub2/cmdline.cfg", editVariable},
		{"/boot/grub2/grub.cfg", editEntries},
	}
}

// editVariable changes the arguments of all entries in the menu of flavorkit, which are the value of
// one variable (llb/cmdline).
func editVariable(text string, add, remove []string) (string, error) {
	line := regexp.MustCompile(`(?m)^set live_args='([^'\n]*)'$`)
	at := line.FindStringSubmatchIndex(text)
	if at == nil {
		return "", errors.New("it does not set live_args")
	}
	args, removed := edit(strings.Fields(text[at[2]:at[3]]), add, remove)
	if err := checkRemoved(remove, removed); err != nil {
		return "", err
	}
	return text[:at[2]] + strings.Join(args, " ") + text[at[3]:], nil
}

// editEntries changes the arguments of each entry, in the lines with the command linux.
func editEntries(text string, add, remove []string) (string, error) {
	line := regexp.MustCompile(`(?m)^([ \t]*\$?linux(?:efi|16)?[ \t]+\S+)([ \t][^\n]*)?$`)
	var removed []string
	found := false
	text = line.ReplaceAllStringFunc(text, func(command string) string {
		parts := line.FindStringSubmatch(command)
		args, gone := edit(strings.Fields(parts[2]), add, remove)
		found, removed = true, append(removed, gone...)
		return strings.Join(append([]string{parts[1]}, args...), " ")
	})
	if !found {
		return "", errors.New("it has no entry that starts a kernel")
	}
	return text, checkRemoved(remove, removed)
}

// edit removes arguments, and adds others at the end, where they count most. removed are those that
// were there.
func edit(args, add, remove []string) (edited, removed []string) {
	for _, arg := range args {
		if slices.Contains(remove, arg) {
			removed = append(removed, arg)
		} else {
			edited = append(edited, arg)
		}
	}
	return append(edited, add...), removed
}

// checkRemoved fails if something was not removed.
func checkRemoved(remove, removed []string) error {
	for _, arg := range remove {
		if !slices.Contains(removed, arg) {
			return errors.Errorf("it has no kernel argument %s", arg)
		}
	}
	return nil
}
