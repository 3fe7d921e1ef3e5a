package mailauth

import (
	"io"
	"strings"
)

// canonicalField is a header field in the form that is signed (RFC 6376 section 3.4): as it is, or
// relaxed, with its name in lower case and its white space brought together.
func canonicalField(name, text string, relaxed bool) string {
	if !relaxed {
		return name + ":" + text
	}
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(spaces, r) })
	return strings.ToLower(trimSpace(name)) + ":" + strings.Join(words, " ") + "\r\n"
}

// canonicalBody writes a body in the form that is signed (RFC 6376 sections 3.4.3, 3.4.4): without
// empty lines at its end, relaxed without blanks at the ends of lines and with one for several.
// A line feed alone ends a line as well.
type canonicalBody struct {
	to      io.Writer
	relaxed bool

	cr      bool // the last octet was a carriage return
	blank   bool // blanks that may be at the end of a line
	ends    int  // line ends that may be at the end of the body
	written bool
	out     []byte
}

// Write takes a piece of the body.
func (c *canonicalBody) Write(piece []byte) (int, error) {
	c.out = c.out[:0]
	for _, octet := range piece {
		if c.cr && octet != '\n' {
			c.put('\r')
		}
		c.cr = octet == '\r'
		switch {
		case c.cr:
		case octet == '\n':
			c.blank = false
			c.ends++
		case c.relaxed && (octet == ' ' || octet == '\t'):
			c.blank = true
		default:
			c.put(octet)
		}
	}
	if _, err := c.to.Write(c.out); err != nil {
		return 0, err
	}
	return len(piece), nil
}

// put adds an octet that is not white space, and what has waited for one.
func (c *canonicalBody) put(octet byte) {
	for ; c.ends > 0; c.ends-- {
		c.out = append(c.out, '\r', '\n')
	}
	if c.blank {
		c.out, c.blank = append(c.out, ' '), false
	}
	c.out, c.written = append(c.out, octet), true
}

// Close ends the body: with a line end, unless it is relaxed and empty.
func (c *canonicalBody) Close() error {
	c.out = c.out[:0]
	if c.cr {
		c.put('\r')
	}
	if c.written || !c.relaxed {
		c.out = append(c.out, '\r', '\n')
	}
	_, err := c.to.Write(c.out)
	return err
}
