package content

import (
	"bufio"
	"io"

	"mailweir/internal/charset"
)

// isCalendar tells calendars (RFC 5545) and contacts (RFC 6350), by media type or extension.
func isCalendar(mediaType, extension string) bool {
	return calendarTypes[mediaType] || calendarExtensions[extension]
}

var (
	calendarTypes      = nameSet("text/calendar text/x-vcalendar application/ics text/vcard text/x-vcard text/directory")
	calendarExtensions = nameSet(".ics .ical .ifb .icalendar .vcs .vcf .vcard")
)

// calendarReader gives the text of a calendar as programs show it: folded lines joined, before the
// charset is decoded because a fold may cut a character, and escapes undone.
func calendarReader(label string, r io.Reader) io.Reader {
	lines := bufio.NewReader(filtered(r, &unfolder{}))
	return filtered(charset.Reader(label, lines, false), &unescaper{})
}

// unfolder joins folded lines (RFC 5545 section 3.1, RFC 6350 section 3.2): a line end and the
// blank behind it vanish.
type unfolder struct {
	held []byte // a line end, or its first octet
}

func (u *unfolder) decode(dst, src []byte) []byte {
	for _, c := range src {
		n := len(u.held)
		lineEnd := n > 0 && u.held[n-1] == '\n'
		switch {
		case lineEnd && (c == ' ' || c == '\t'):
			u.held = u.held[:0]
			continue
		case c == '\n' && n == 1 && !lineEnd: // the second octet of CRLF
		default:
			dst = u.end(dst)
		}
		if c == '\r' || c == '\n' {
			u.held = append(u.held, c)
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}

func (u *unfolder) end(dst []byte) []byte {
	dst = append(dst, u.held...)
	u.held = u.held[:0]
	return dst
}

// unescaper undoes the escapes of text values (RFC 5545 section 3.3.11, RFC 6350 section 3.4). A
// backslash before anything else stands for itself.
type unescaper struct {
	escape bool
}

func (u *unescaper) decode(dst, src []byte) []byte {
	for _, c := range src {
		if !u.escape {
			if u.escape = c == '\\'; !u.escape {
				dst = append(dst, c)
			}
			continue
		}
		u.escape = false
		switch c {
		case 'n', 'N':
			dst = append(dst, '\n')
		case ',', ';', ':', '\\':
			dst = append(dst, c)
		default:
			dst = append(dst, '\\', c)
		}
	}
	return dst
}

func (u *unescaper) end(dst []byte) []byte {
	if u.escape {
		dst = append(dst, '\\')
	}
	u.escape = false
	return dst
}
