package content

import "strings"

// delSp tells text whose lines a mail reader joins without a blank (RFC 3676 section 4.2). Other
// flowed text needs no care: there the blank before a soft line break stays.
func (h *partHeader) delSp() bool {
	return strings.EqualFold(h.params["format"], "flowed") && strings.EqualFold(h.params["delsp"], "yes")
}

// unflow joins the lines of such text: a blank and the line end behind it vanish, with the quote
// marks and the stuffed blank at the beginning of the next line (sections 4.4 and 4.5). A line of
// two dashes and a blank begins a signature and ends as it is.
type unflow struct {
	held  []byte // a blank, a CR, or both
	line  []byte // the line's first octets behind the quote marks
	depth int    // its quote marks
	join  bool   // at the beginning of a line that goes on with the one before
	marks int    // its quote marks so far
}

func (u *unflow) decode(dst, src []byte) []byte {
	for _, c := range src {
		if u.join && c == '>' && u.marks < u.depth {
			u.marks++
			continue
		}
		stuffed := u.join && c == ' '
		u.join = false
		switch {
		case stuffed:
		case c == '\n' && len(u.held) > 0 && u.held[0] == ' ' && string(u.line) != "--":
			u.held = u.held[:0]
			u.join, u.marks = true, 0
		case c == '\n':
			dst = append(u.end(dst), c)
			u.line, u.depth = u.line[:0], 0
		case c == '\r' && len(u.held) < 2:
			u.held = append(u.held, c)
		case c == ' ':
			dst = u.end(dst)
			u.held = append(u.held, c)
		default:
			dst = append(u.end(dst), c)
			u.begin(c)
		}
	}
	return dst
}

// begin notes how a line begins.
func (u *unflow) begin(c byte) {
	switch {
	case c == '>' && len(u.line) == 0:
		u.depth++
	case len(u.line) < 3:
		u.line = append(u.line, c)
	}
}

func (u *unflow) end(dst []byte) []byte {
	dst = append(dst, u.held...)
	u.held = u.held[:0]
	return dst
}
