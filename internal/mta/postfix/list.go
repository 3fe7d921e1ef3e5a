package postfix

import (
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"
	"time"
)

// SplitList parts a value at commas and blanks as Postfix does (CHARS_COMMA_SP); { … } is one word.
func SplitList(value string) []string { return split(value, ", \t\r\n") }

// SplitBlanks parts a text at blanks; { … } within a word keeps it together.
func SplitBlanks(text string) []string { return split(text, " \t\r\n") }

func split(value, separators string) (words []string) {
	depth, start := 0, -1
	for i := range len(value) {
		c := value[i]
		if depth == 0 && strings.IndexByte(separators, c) >= 0 {
			if start >= 0 {
				words = append(words, value[start:i])
			}
			start = -1
			continue
		}
		if start < 0 {
			start = i
		}
		switch {
		case c == '{':
			depth++
		case c == '}' && depth > 0:
			depth--
		}
	}
	if start >= 0 {
		words = append(words, value[start:])
	}
	return words
}

// Milter is an entry of smtpd_milters.
type Milter struct {
	// Text is the entry as it stands, Address where the milter listens, such as
	// inet:127.0.0.1:8424.
	Text, Address string
	// Options are those within its braces, such as default_action.
	Options []Setting
}

// Setting is a NAME=VALUE.
type Setting struct{ Name, Value string }

// Option is the value of an option, and whether the entry has it. The last one counts.
func (m Milter) Option(name string) (value string, found bool) {
	for _, o := range m.Options {
		if o.Name == name {
			value, found = o.Value, true
		}
	}
	return value, found
}

// ParseMilters reads the value of smtpd_milters. Entries that stand before what is wrong are
// returned with the error, with which no smtpd of Postfix would start.
func ParseMilters(value string) (milters []Milter, err error) {
	for _, word := range SplitList(value) {
		m := Milter{Text: word, Address: word}
		if strings.HasPrefix(word, "{") {
			if closing(word) != len(word)-1 {
				return milters, fmt.Errorf("%q: the braces do not match", word)
			}
			parts := SplitList(word[1 : len(word)-1])
			if len(parts) == 0 {
				return milters, fmt.Errorf("%q names no milter", word)
			}
			m.Address = parts[0]
			for _, part := range parts[1:] {
				// A value with blanks has braces of its own: { name = value }.
				if closing(part) == len(part)-1 && len(part) > 1 {
					part = part[1 : len(part)-1]
				}
				name, value, found := strings.Cut(part, "=")
				if !found {
					return milters, fmt.Errorf("%q: %q is not NAME=VALUE", word, part)
				}
				m.Options = append(m.Options, Setting{strings.TrimSpace(name), strings.TrimSpace(value)})
			}
		}
		milters = append(milters, m)
	}
	return milters, nil
}

// Endpoint is where a milter listens.
type Endpoint struct {
	// Path is that of a unix socket: one that is not absolute is below the queue directory, and for
	// a chrooted service every path is.
	Path string
	// Host and Port are those of an inet socket.
	Host, Port string
}

// ParseEndpoint reads unix:PATH, local:PATH or inet:HOST:PORT (postconf(5), smtpd_milters).
func ParseEndpoint(address string) (Endpoint, error) {
	kind, rest, _ := strings.Cut(address, ":")
	switch kind {
	case "unix", "local":
		if rest == "" {
			return Endpoint{}, fmt.Errorf("%q names no path", address)
		}
		return Endpoint{Path: rest}, nil
	case "inet":
		host, port, err := net.SplitHostPort(rest)
		if err != nil || port == "" {
			return Endpoint{}, fmt.Errorf("%q is not inet:HOST:PORT", address)
		}
		return Endpoint{Host: host, Port: port}, nil
	}
	return Endpoint{}, fmt.Errorf("%q is neither unix:PATH nor inet:HOST:PORT", address)
}

// Table is a lookup table that a parameter names, or a value in its place.
type Table struct {
	// Text is the word as it stands.
	Text string
	// Type is hash, cidr, ldap …, "" for a file of entries (/etc/postfix/nets) and for what is no
	// table at all, as with the domains of mydestination.
	Type string
	// Name is that of the table, most often a file, without proxy: in front; inline: and static:
	// have their entries there.
	Name string
}

// ParseTables reads a list of tables. Words that are no tables have no Type.
func ParseTables(value string) (tables []Table) {
	for _, word := range SplitList(value) {
		text := word
		for strings.HasPrefix(word, "proxy:") {
			word = word[len("proxy:"):]
		}
		kind, name, found := strings.Cut(word, ":")
		if !found || !isTableType(kind) {
			tables = append(tables, Table{Text: text, Name: word})
			continue
		}
		tables = append(tables, Table{Text: text, Type: kind, Name: name})
	}
	return tables
}

// isTableType tells the type of a table from the start of an IPv6 address and from a pattern.
func isTableType(word string) bool {
	if word == "" || word[0] < 'a' || word[0] > 'z' {
		return false
	}
	if nameLength(word) != len(word) {
		return false
	}
	_, err := strconv.ParseUint(word, 16, 16)
	return err != nil || word == "cdb" // "fec0" begins an address; cdb is a table
}

// errTime is that of a value that is no span of time.
var errTime = errors.New("is not a time such as 30s")

// Duration reads a time as Postfix has it: a number with s, m, h, d or w behind it, or without one
// in the parameter's own unit.
func Duration(value string, unit time.Duration) (time.Duration, error) {
	number := strings.TrimSpace(value)
	if number == "" {
		return 0, fmt.Errorf("%q %w", value, errTime)
	}
	switch number[len(number)-1] {
	case 's':
		unit = time.Second
	case 'm':
		unit = time.Minute
	case 'h':
		unit = time.Hour
	case 'd':
		unit = 24 * time.Hour
	case 'w':
		unit = 7 * 24 * time.Hour
	default:
		number += "-"
	}
	n, err := strconv.ParseInt(number[:len(number)-1], 10, 32)
	if err != nil || n < 0 || n > int64(math.MaxInt64/unit) {
		return 0, fmt.Errorf("%q %w", value, errTime)
	}
	return time.Duration(n) * unit, nil
}
