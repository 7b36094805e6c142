package qemu

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestClean(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"plain":                    {"a\nb", "a\nb"},
		"line ends":                {"a\r\nb\r\r\nc\n\rd", "a\nb\nc\nd"},
		"progress bar":             {"10%\r20%\r\n", "10%\n20%\n"},
		"prompt redrawn at start":  {"\r\rlogin: \r", "login: "},
		"colours":                  {"[\x1b[0;32m  OK  \x1b[0m] Started", "[  OK  ] Started"},
		"erase line":               {"\r\x1b[Kgrub> ", "grub> "},
		"cursor positions":         {"\x1b[2J\x1b[01;01Hone\x1b[02;01Htwo", "one\ntwo"},
		"title ended by bell":      {"\x1b]0;root@host\x07# ", "# "},
		"title ended by ST":        {"\x1b]3008;start=1\x1b\\# ", "# "},
		"charset":                  {"\x1b(Bx\x1b)0y", "xy"},
		"private mode":             {"\x1bc\x1b[?7l\x1b[?2004hSeaBIOS", "SeaBIOS"},
		"control characters":       {"a\x00\x07\bb\tc\x7f", "ab\tc"},
		"utf-8":                    {"→ é", "→ é"},
		"kernel inside a sequence": {"\x1b[0;3\r\n[    1.0] usb\r\n", "\n[    1.0] usb\n"},
		"kernel inside a title":    {"\x1b]0;ro\n[    1.0] usb\n", "\n[    1.0] usb\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var whole, bytewise cleaner
			require.Equal(t, tc.want, string(whole.clean(nil, []byte(tc.in))))
			var got []byte
			for i := range len(tc.in) {
				got = bytewise.clean(got, []byte{tc.in[i]})
			}
			require.Equal(t, tc.want, string(got), "fed byte by byte")
		})
	}
}
