package inspect

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestGRUB(t *testing.T) {
	files := map[string][]byte{
		"boot/grub2/grub.cfg": []byte(`set label='COS_LIVE'
source ($root)/boot/grub2/more.cfg # it isn't there twice
function start { # comment
  linux ($root)/boot/kernel root=live:CDLABEL=${label} $mode \
    quiet
}
menuentry "Kairos; live" --class os {
  set mode="install-mode"; start
}
submenu "more" {
  if [ x = y ]; then linuxefi /boot/kernel a; else linux /boot/kernel b; fi
}
`),
		"boot/grub2/more.cfg": []byte("source /boot/grub2/more.cfg\nsource /boot/grub2/more.cfg\nset label=COS_OTHER\n"),
	}
	g := newGRUB(func(name string) ([]byte, bool) { text, ok := files[name]; return text, ok })
	g.source("boot/grub2/grub.cfg")
	assert.Empty(t, g.entries, "a file that reads itself ends")

	files["boot/grub2/more.cfg"] = []byte("set label=COS_OTHER\n")
	g = newGRUB(g.read)
	g.source("boot/grub2/grub.cfg")
	assert.Equal(t, []BootEntry{
		{"Kairos; live", "root=live:CDLABEL=COS_OTHER install-mode quiet"}, {"Kairos; live", "a"}, {"Kairos; live", "b"},
	}, g.entries)
}

func FuzzGRUB(f *testing.F) {
	f.Add("menuentry 'a' {\nlinux /k ${x}\n}\n")
	f.Add("function f { f; f; }\nf\n}")
	f.Fuzz(func(_ *testing.T, text string) {
		newGRUB(func(string) ([]byte, bool) { return []byte(text), true }).source("grub.cfg")
	})
}
