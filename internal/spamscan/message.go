package spamscan

import (
	"cmp"
	"errors"
	"io"
	"net/netip"
	"strings"
)

// Message is what a scanner is shown: a message, and what is known about how it came.
type Message struct {
	// Client is the client's address; the zero value where there is none, or none that says
	// anything about the sender, as with a local submission.
	Client netip.Addr
	// ClientName is the client's verified host name, "" without one.
	ClientName string
	Helo       string
	// Sender is the reverse-path without angle brackets, "" for the null sender.
	Sender string
	// Recipients are those that remain, without angle brackets.
	Recipients []string
	Login      string
	QueueID    string
	// MTA is what the mail server calls itself.
	MTA                   string
	TLSVersion, TLSCipher string

	// Open returns a reader of the whole message, from its first octet. Each call returns another
	// one.
	Open func() io.Reader
}

// ReadError is the error of reading the message, which no scanner is to blame for.
type ReadError struct{ Err error }

func (e *ReadError) Error() string { return "the message could not be read: " + e.Err.Error() }
func (e *ReadError) Unwrap() error { return e.Err }

var errEmpty = errors.New("there is nothing in it")

// Size reads the message once and counts its octets. Both protocols are told how many follow, so
// that what is cut short is never taken for the whole.
func (m *Message) Size() (int64, error) {
	n, err := io.Copy(io.Discard, m.Open())
	if err == nil && n == 0 {
		err = errEmpty // rspamd would call it spam
	}
	if err != nil {
		return 0, &ReadError{err}
	}
	return n, nil
}

// Exactly returns a reader of the message that fails before its last octet unless it has exactly so
// many.
func (m *Message) Exactly(size int64) io.Reader { return &exactly{from: m.Open(), left: size} }

type exactly struct {
	from io.Reader
	left int64
}

var errSize = errors.New("it has changed its size")

func (e *exactly) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n, err := e.from.Read(p[:min(int64(len(p)), e.left)])
	e.left -= int64(n)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return 0, &ReadError{err}
	case err != nil && e.left > 0:
		return 0, &ReadError{errSize}
	case err == nil && e.left == 0:
		if more, err := io.CopyN(io.Discard, e.from, 1); more > 0 || !errors.Is(err, io.EOF) {
			return 0, &ReadError{cmp.Or(err, errSize)}
		}
	}
	return n, nil
}

// OneLine makes a text that an untrusted client chose fit for one line of a protocol: control
// characters, line ends above all, become question marks, and what is longer than so many octets is
// cut.
func OneLine(s string, most int) string {
	if s = strings.TrimSpace(s); len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
}
