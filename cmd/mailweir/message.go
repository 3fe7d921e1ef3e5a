package main

import (
	"bytes"
	"io"
	"strings"

	"mailweir/internal/policy"
)

// message is a message as an MTA hands it to a milter.
type message struct {
	fields []policy.Field
	body   []byte // line ends are CRLF
}

// readMessage reads a message from a file, with line ends of any kind. An mbox separator in front is left out. As in
// Postfix, the first line that is not part of a header field begins the body.
func readMessage(in io.Reader) (*message, error) {
	data, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	if bytes.HasPrefix(data, []byte("From ")) {
		_, data, _ = bytes.Cut(data, []byte("\n"))
	}
	m := &message{}
	for len(data) > 0 {
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		if len(line) == 0 {
			data = rest
			break
		}
		if !m.addLine(string(line)) {
			break
		}
		data = rest
	}
	m.body = bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n"))
	return m, nil
}

// addLine adds a line of the header section, false when it is none.
func (m *message) addLine(line string) bool {
	if line[0] == ' ' || line[0] == '\t' {
		if len(m.fields) == 0 {
			return false
		}
		last := &m.fields[len(m.fields)-1]
		last.Value += "\n" + line
		return true
	}
	name, value, ok := strings.Cut(line, ":")
	name = strings.TrimRight(name, " \t")
	if !ok || name == "" || strings.ContainsAny(name, " \t") {
		return false
	}
	m.fields = append(m.fields, policy.Field{Name: name, Value: strings.TrimPrefix(value, " ")})
	return true
}
