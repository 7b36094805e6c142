package remaster

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestEdit(t *testing.T) {
	for _, c := range []struct {
		name, text  string
		edit        func(text string, add, remove []string) (string, error)
		add, remove []string
		want, err   string
	}{
		{
			name: "variable", edit: editVariable, text: "set menu_name='a'\nset live_args='rd.live.dir=/ quiet quiet=1'\nset x=1\n", add: []string{"a=b", "c"}, remove: []string{"quiet"},
			want: "set menu_name='a'\nset live_args='rd.live.dir=/ quiet=1 a=b c'\nset x=1\n",
		},
		{name: "empty variable", edit: editVariable, text: "set live_args=''\n", add: []string{"a"}, want: "set live_args='a'\n"},
		{name: "all of a variable", edit: editVariable, text: "set live_args='a'\n", remove: []string{"a"}, want: "set live_args=''\n"},
		{name: "$ in an argument", edit: editVariable, text: "set live_args='a=$1'\n", add: []string{"b"}, want: "set live_args='a=$1 b'\n"},
		{name: "no variable", edit: editVariable, text: "set other='a'\n", add: []string{"a"}, err: "it does not set live_args"},
		{name: "not in the variable", edit: editVariable, text: "set live_args='a b'\n", remove: []string{"b", "c"}, err: "it has no kernel argument c"},
		{
			name: "entries", edit: editEntries, add: []string{"new"}, remove: []string{"debug", "quiet"},
			text: "# linux is a comment\nset linux=x\nmenuentry a {\n  linux ($root)/boot/kernel quiet $opt a=b \n  initrd ($root)/boot/initrd\n}\n\tlinuxefi /k quiet debug\n$linux /k\nlinux\n",
			want: "# linux is a comment\nset linux=x\nmenuentry a {\n  linux ($root)/boot/kernel $opt a=b new\n  initrd ($root)/boot/initrd\n}\n\tlinuxefi /k new\n$linux /k new\nlinux\n",
		},
		{name: "no entries", edit: editEntries, text: "set a=b\n", add: []string{"a"}, err: "it has no entry that starts a kernel"},
		{name: "in no entry", edit: editEntries, text: "linux /k a\n", remove: []string{"b"}, err: "it has no kernel argument b"},
	} {
		got, err := c.edit(c.text, c.add, c.remove)
		if c.err != "" {
			assert.EqualError(t, err, c.err, c.name)
			continue
		}
		assert.NoError(t, err, c.name)
		assert.Equal(t, c.want, got, c.name)
	}
}
