// Package source reads a file from its front to its end, with a look ahead.
package source

import (
	"bufio"
	"io"
)

// Reader is a buffered reader that knows how much of its input was used.
type Reader struct {
	*bufio.Reader
	counter *counter
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// Ahead is how many octets a [Reader] can look ahead.
const Ahead = 4096

// New reads from r.
func New(r io.Reader) *Reader { return On(bufio.NewReaderSize(nil, Ahead), r) }

// On reads from r with a buffer of [Ahead] octets, which it resets.
func On(buffer *bufio.Reader, r io.Reader) *Reader {
	c := &counter{r: r}
	buffer.Reset(c)
	return &Reader{buffer, c}
}

// Used is the octets taken out.
func (r *Reader) Used() int64 { return r.counter.n - int64(r.Buffered()) }
