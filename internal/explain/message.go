package explain

import (
	"bytes"
	"io"
	"strings"

	"mailweir/internal/policy"
)

// Message is a message as an MTA hands it to a milter.
type Message struct {
	Fields []policy.Field
	Body   []byte // line ends are CRLF
}

// ReadMessage reads a message from a file, with line ends of any kind. An mbox separator in front
// is left out. As in Postfix, the first line that is not part of a header field begins the body.
func ReadMessage(in io.Reader) (*Message, error) {
	data, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	if bytes.HasPrefix(data, []byte("From ")) {
		_, data, _ = bytes.Cut(data, []byte("\n"))
	}
	m := &Message{}
	for {
		if rest, blank := bytes.CutPrefix(data, []byte("\n")); blank {
			data = rest
			break
		}
		field, rest, ok := cutField(data)
		if !ok {
			break
		}
		m.Fields = append(m.Fields, field)
		data = rest
	}
	m.Body = bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n"))
	return m, nil
}

// cutField cuts a header field with its folded lines off, false when what comes first is none.
func cutField(data []byte) (field policy.Field, rest []byte, ok bool) {
	name, value, ok := bytes.Cut(data, []byte(":"))
	name = bytes.TrimRight(name, " \t")
	if !ok || len(name) == 0 || bytes.ContainsAny(name, " \t\n") {
		return policy.Field{}, nil, false
	}
	end := 0
	for {
		line := bytes.IndexByte(value[end:], '\n')
		if line < 0 {
			end = len(value)
			break
		}
		if end += line; end+1 >= len(value) || value[end+1] != ' ' && value[end+1] != '\t' {
			rest = value[end+1:]
			break
		}
		end++
	}
	text, spaced := strings.CutPrefix(string(value[:end]), " ")
	return policy.Field{Name: string(name), Value: text, Unspaced: !spaced}, rest, true
}
