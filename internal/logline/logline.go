// Package logline writes the lines of the log, as logfmt or JSON, with their fields in the order in
// which a person reads them: what happened, who it was about, why, and last what was asked.
package logline

import (
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/sirupsen/logrus"
)

// order is that of the fields, behind time, level and msg. Fields that are not named stand behind
// these by the alphabet, but before those of last.
var (
	order = [...]string{
		"by", "uid", "command", "changed", "from", "note", "until", // who changed what
		"event", "check", "code", "enhanced", "text", "fate", "change", "times", "client", "clients", "client_name", "helo", "login",
		"sender", "senders", "recipient", "recipients", "cause", "by_hand", "error", "would", "alike", "octets", "spf", "dkim", "mode", "stage",
		"direction", "service", "reply", "queue_id", "session", "transaction",
	}
	last = [...]string{"took", "stack", "asked"}
)

// Text writes lines of logfmt: NAME=VALUE, by blanks. A value with anything but letters, digits and
// the signs -._/@^+ of ASCII is quoted as Go quotes it, so that a line holds nothing that cannot be
// seen. Timeless leaves out the time.
type Text struct{ Timeless bool }

// Format writes a line.
func (t Text) Format(e *logrus.Entry) ([]byte, error) {
	line := e.Buffer.AvailableBuffer()
	if !t.Timeless {
		line = appendText(append(line, "time="...), e.Time.Format(time.RFC3339))
		line = append(line, ' ')
	}
	line = append(append(line, "level="...), e.Level.String()...)
	if e.Message != "" {
		line = appendText(append(line, " msg="...), e.Message)
	}
	eachField(e.Data, func(name string, value any) {
		line = append(append(append(line, ' '), name...), '=')
		switch v := value.(type) {
		case int:
			line = strconv.AppendInt(line, int64(v), 10)
		case int64:
			line = strconv.AppendInt(line, v, 10)
		default:
			line = appendText(line, textOf(v))
		}
	})
	return finish(e, append(line, '\n'))
}

// JSON writes an object a line, without escapes that only HTML needs.
type JSON struct{}

// Format writes a line.
func (JSON) Format(e *logrus.Entry) ([]byte, error) {
	line := e.Buffer.AvailableBuffer()
	line = appendJSON(append(line, `{"time":`...), e.Time.Format(time.RFC3339))
	line = appendJSON(append(line, `,"level":`...), e.Level.String())
	line = appendJSON(append(line, `,"msg":`...), e.Message)
	eachField(e.Data, func(name string, value any) {
		line = append(appendJSON(append(line, ','), name), ':')
		switch v := value.(type) {
		case int:
			line = strconv.AppendInt(line, int64(v), 10)
		case int64:
			line = strconv.AppendInt(line, v, 10)
		case bool:
			line = strconv.AppendBool(line, v)
		default:
			line = appendJSON(line, textOf(v))
		}
	})
	return finish(e, append(line, "}\n"...))
}

// finish keeps the line in the entry's buffer, which the logger uses again.
func finish(e *logrus.Entry, line []byte) ([]byte, error) {
	e.Buffer.Write(line)
	return e.Buffer.Bytes(), nil
}

// eachField calls f for each field in order. One that is called as what stands in front of them is
// written as fields.NAME.
func eachField(fields logrus.Fields, f func(name string, value any)) {
	found := 0
	for _, name := range order {
		if value, ok := fields[name]; ok {
			f(name, value)
			found++
		}
	}
	for _, name := range last {
		if _, ok := fields[name]; ok {
			found++
		}
	}
	if found < len(fields) {
		for _, name := range others(fields) {
			value := fields[name]
			if slices.Contains([]string{"time", "level", "msg"}, name) {
				name = "fields." + name
			}
			f(name, value)
		}
	}
	for _, name := range last {
		if value, ok := fields[name]; ok {
			f(name, value)
		}
	}
}

// others are the names of the fields that have no place of their own.
func others(fields logrus.Fields) (names []string) {
	for name := range fields {
		if !slices.Contains(order[:], name) && !slices.Contains(last[:], name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func textOf(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case error:
		return v.Error()
	}
	return fmt.Sprint(value)
}

// appendText writes a value of logfmt.
func appendText(line []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
			c == '-' || c == '.' || c == '_' || c == '/' || c == '@' || c == '^' || c == '+') {
			return strconv.AppendQuote(line, s)
		}
	}
	return append(line, s...)
}

const hex = "0123456789abcdef"

// appendJSON writes a string of JSON (RFC 8259 section 7). What is no UTF-8 becomes U+FFFD; the
// line separators of Unicode are escaped, because some readers end a line there.
func appendJSON(line []byte, s string) []byte {
	line = append(line, '"')
	plain := 0 // up to here s is written
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			i++
			if c >= ' ' && c != '"' && c != '\\' {
				continue
			}
			line = append(line, s[plain:i-1]...)
			plain = i
			switch c {
			case '"', '\\':
				line = append(line, '\\', c)
			case '\n':
				line = append(line, '\\', 'n')
			case '\r':
				line = append(line, '\\', 'r')
			case '\t':
				line = append(line, '\\', 't')
			default:
				line = append(line, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			}
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		escaped := ""
		switch {
		case r == utf8.RuneError && n == 1:
			escaped = `\ufffd`
		case r == '\u2028':
			escaped = `\u2028`
		case r == '\u2029':
			escaped = `\u2029`
		}
		if escaped != "" {
			line = append(append(line, s[plain:i]...), escaped...)
			plain = i + n
		}
		i += n
	}
	return append(append(line, s[plain:]...), '"')
}
