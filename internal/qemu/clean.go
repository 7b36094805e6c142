package qemu

// cleaner converts terminal output to plain text: without escape sequences, without control
// characters except newline and tab, and with newline for every kind of line end. Input comes in
// chunks, and a sequence may span chunks.
type cleaner struct {
	state  cleanState
	cr     bool // the last byte was a carriage return
	inLine bool // something was written since the last newline
}

type cleanState int

const (
	cleanText    cleanState = iota
	cleanEscape             // after ESC
	cleanCharset            // after ESC and an intermediate byte: one final byte follows
	cleanCSI                // ESC [ … up to a final byte
	cleanString             // ESC ] … and its kin, up to BEL or ESC \
)

const escapeByte = 0x1b

// clean appends the text of src to dst.
func (c *cleaner) clean(dst, src []byte) []byte {
	for _, b := range src {
		dst = c.next(dst, b)
	}
	return dst
}

func (c *cleaner) next(dst []byte, b byte) []byte {
	// A line end inside a sequence means that another program, usually the kernel, wrote into it.
	if b == escapeByte {
		c.state = cleanEscape
		return dst
	}
	if b == '\n' || b == '\r' {
		c.state = cleanText
	}
	switch c.state {
	case cleanEscape:
		c.state = cleanText
		switch {
		case b == '[':
			c.state = cleanCSI
		case b == ']' || b == 'P' || b == 'X' || b == '^' || b == '_':
			c.state = cleanString
		case b >= 0x20 && b <= 0x2f:
			c.state = cleanCharset
		}
		return dst
	case cleanCharset:
		c.state = cleanText
		return dst
	case cleanCSI:
		if b >= 0x40 && b <= 0x7e {
			c.state = cleanText
			if b == 'H' || b == 'f' { // the cursor moves, so what follows is not the same line
				dst = c.newline(dst)
			}
		}
		return dst
	case cleanString:
		if b == 0x07 {
			c.state = cleanText
		}
		return dst
	default:
		return c.text(dst, b)
	}
}

func (c *cleaner) text(dst []byte, b byte) []byte {
	switch {
	case b == '\r':
		c.cr = true
		return dst
	case b == '\n':
		c.cr, c.inLine = false, false
		return append(dst, '\n')
	case b < 0x20 && b != '\t' || b == 0x7f:
		return dst
	}
	if c.cr { // overwrites the line, as a progress bar does
		dst = c.newline(dst)
	}
	c.inLine = true
	return append(dst, b)
}

// newline ends the line, if there is one.
func (c *cleaner) newline(dst []byte) []byte {
	if c.inLine {
		dst = append(dst, '\n')
	}
	c.cr, c.inLine = false, false
	return dst
}
