package charset

import (
	"strings"

	"mailweir/internal/content/transfer"
)

// Words undoes RFC 2047 encoded-words as mail readers do: also inside quotes and in the middle of a
// word, and a character may be split between two of them.
func Words(s string) string {
	if !strings.Contains(s, "=?") {
		return Decode("", s)
	}
	var out strings.Builder
	var run []byte // octets of adjacent encoded-words in one charset
	charset := ""
	flush := func() {
		out.WriteString(Decode(charset, string(run)))
		run = run[:0]
	}
	for s != "" {
		start := strings.Index(s, "=?")
		if start < 0 {
			break
		}
		cs, octets, end := encodedWord(s[start:])
		if end == 0 {
			flush()
			out.WriteString(Decode("", s[:start+2]))
			s = s[start+2:]
			continue
		}
		if between := s[:start]; len(run) == 0 || strings.Trim(between, " \t\r\n") != "" || cs != charset {
			flush()
			if out.Len() == 0 || strings.Trim(between, " \t\r\n") != "" {
				out.WriteString(Decode("", between))
			}
		}
		charset = cs
		run = append(run, octets...)
		s = s[start+end:]
	}
	flush()
	out.WriteString(Decode("", s))
	return out.String()
}

// encodedWord parses `=?charset?encoding?text?=` at the start of s; end is 0 if there is none.
func encodedWord(s string) (charset string, octets []byte, end int) {
	// The parts are bounded, so a text full of "=?" stays linear.
	head := s[2:min(len(s), 64)]
	charset, rest, ok := strings.Cut(head, "?")
	if !ok || charset == "" || strings.ContainsAny(charset, " \t\r\n") || len(rest) < 2 || rest[1] != '?' {
		return "", nil, 0
	}
	textStart := 2 + len(charset) + 1 + 2
	limit := min(len(s), textStart+maxEncodedWord)
	length := strings.Index(s[textStart:limit], "?=")
	if length < 0 {
		return "", nil, 0
	}
	text := s[textStart : textStart+length]
	switch rest[0] {
	case 'b', 'B':
		octets = transfer.Base64(text)
	case 'q', 'Q':
		octets = decodeQ(text)
	default:
		return "", nil, 0
	}
	charset, _, _ = strings.Cut(charset, "*") // RFC 2231 section 5: a language may follow
	return strings.ToLower(charset), octets, textStart + length + 2
}

// maxEncodedWord is far above the 75 characters of RFC 2047 section 2, because senders write longer
// ones.
const maxEncodedWord = 1024

func decodeQ(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '_':
			out = append(out, ' ')
		case s[i] == '=' && i+2 < len(s) && transfer.Hex(s[i+1]) >= 0 && transfer.Hex(s[i+2]) >= 0:
			out = append(out, byte(transfer.Hex(s[i+1])<<4|transfer.Hex(s[i+2])))
			i += 2
		default:
			out = append(out, s[i])
		}
	}
	return out
}
