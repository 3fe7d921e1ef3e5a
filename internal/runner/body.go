package runner

import (
	"errors"
	"io"
	"strings"

	"mailweir/internal/policy"
)

var (
	errNotKept = errors.New("the message was not kept")
	errTooLong = errors.New("the header section is too long to be kept whole")
)

// Keep has the body kept.
func (m *message) Keep() { m.wantsBody = true }

// OpenBody returns a reader of the body from its first octet.
func (m *message) OpenBody() io.Reader {
	if m.body == nil {
		return failing{errNotKept}
	}
	return m.body.Open()
}

// Open returns a reader of the whole message from its first octet.
func (m *message) Open() io.Reader { return m.open(m.Fields) }

// open returns a reader of the message with only these header fields.
func (m *message) open(fields []policy.Field) io.Reader {
	if m.FieldsDropped {
		return failing{errTooLong}
	}
	return io.MultiReader(strings.NewReader(headerText(fields)), m.OpenBody())
}

// headerText is the header section as it was sent, but for white space before a colon, which no MTA
// tells.
func headerText(fields []policy.Field) string {
	var b strings.Builder
	for _, f := range fields {
		text := strings.ReplaceAll(strings.ReplaceAll(f.Text(), "\r\n", "\n"), "\n", "\r\n")
		b.WriteString(f.Name + ":" + text + "\r\n")
	}
	b.WriteString("\r\n")
	return b.String()
}

// failing is a reader of what is not there.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// keepBody begins to keep the body, if anybody wants it. It is released with the message.
func (s *Session) keepBody() {
	m := s.msg
	if m.wantsBody && !m.condemned {
		m.body = s.policy().spool.NewBody()
		m.Hold(func(policy.Fate) { m.body.Release() })
	}
}

// holdBody keeps the body beyond the end of the message, for what is only recorded then. It returns
// how to let go of it.
func (m *message) holdBody() (release func()) {
	if m.body == nil || !m.body.Hold() {
		return func() {}
	}
	return m.body.Release
}
