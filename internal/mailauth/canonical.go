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
	written bool // there is something besides line ends
	out     []byte
	err     error
}

// mostAtOnce bounds the buffer.
const mostAtOnce = 32 << 10

// Write takes a piece of the body.
func (c *canonicalBody) Write(piece []byte) (int, error) {
	for rest := piece; len(rest) > 0; {
		rest = rest[c.take(rest[:min(len(rest), mostAtOnce)]):]
	}
	return len(piece), c.err
}

// take reads a run of octets that stay as they are, or one that may not, and returns how many it
// was.
func (c *canonicalBody) take(part []byte) int {
	if n := c.run(part); n > 0 {
		c.put(part[:n]...)
		return n
	}
	switch octet := part[0]; octet {
	case '\n':
		c.cr, c.blank = false, false
		c.ends++
	case '\r':
		if c.cr {
			c.put()
		}
		c.cr = true
	default:
		if c.cr {
			c.put()
		}
		c.blank = true
	}
	return 1
}

// run is how many octets at the beginning are neither of a line's end nor, relaxed, a blank.
func (c *canonicalBody) run(part []byte) int {
	for i, octet := range part {
		if octet > ' ' {
			continue
		}
		if octet == '\r' || octet == '\n' || c.relaxed && (octet == ' ' || octet == '\t') {
			return i
		}
	}
	return len(part)
}

// put adds octets that are not white space, and what has waited for some.
func (c *canonicalBody) put(octets ...byte) {
	for ; c.ends > 0; c.ends-- {
		c.add('\r', '\n')
	}
	if c.blank {
		c.add(' ')
	}
	if c.cr { // alone it is an octet like another
		c.add('\r')
	}
	c.add(octets...)
	c.blank, c.cr, c.written = false, false, true
}

func (c *canonicalBody) add(octets ...byte) {
	if c.out = append(c.out, octets...); len(c.out) >= mostAtOnce {
		c.flush()
	}
}

func (c *canonicalBody) flush() {
	if c.err == nil {
		_, c.err = c.to.Write(c.out)
	}
	c.out = c.out[:0]
}

// Close ends the body: with a line end, unless it is relaxed and empty.
func (c *canonicalBody) Close() error {
	if c.cr {
		c.put()
	}
	if c.written || !c.relaxed {
		c.add('\r', '\n')
	}
	c.flush()
	return c.err
}
