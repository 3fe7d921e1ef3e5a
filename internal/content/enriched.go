package content

import (
	"bytes"

	"mailweir/internal/charset"
)

// enriched gives the text of text/enriched (RFC 1896) and of its elder, text/richtext (RFC 1341).
func (w *walk) enriched(t labelled, s *sink) {
	w.copy(s, filtered(charset.Reader(t.label, t.Reader.Reader, false), &enrichedText{}))
}

// maxCommand is the longest name of a command, its brackets included (RFC 1896 section 5).
const maxCommand = 62

// enrichedText removes the commands, and what stands between those that hold no text. A line end is
// a blank: more of them, or a command, break a line.
type enrichedText struct {
	held []byte // what may be a command
	mute string // the command whose text does not show
}

func (e *enrichedText) decode(dst, src []byte) []byte {
	for _, c := range src {
		switch {
		case len(e.held) == 0 && c != '<':
			dst = e.show(dst, c)
		case len(e.held) == 1 && c == '<' && e.mute == "":
			dst = append(dst, '<')
			e.held = e.held[:0]
		case c == '>':
			dst = e.command(dst)
		case c == '<' || len(e.held) >= maxCommand:
			dst = e.end(dst)
			if c == '<' {
				e.held = append(e.held, c)
			} else {
				dst = e.show(dst, c)
			}
		default:
			e.held = append(e.held, c)
		}
	}
	return dst
}

func (e *enrichedText) show(dst []byte, c byte) []byte {
	if e.mute != "" {
		return dst
	}
	return append(dst, c)
}

// command is a whole one, held without its end.
func (e *enrichedText) command(dst []byte) []byte {
	name := string(bytes.ToLower(bytes.TrimSpace(e.held[1:])))
	e.held = e.held[:0]
	switch {
	case e.mute != "":
		if name == "/"+e.mute {
			e.mute = ""
		}
	case name == "param", name == "comment":
		e.mute = name
	case name == "lt":
		dst = append(dst, '<')
	case enrichedBreaks[name]:
		dst = append(dst, '\n')
	}
	return dst
}

var enrichedBreaks = nameSet(`nl np paragraph /paragraph center /center flushleft /flushleft flushright /flushright
	flushboth /flushboth indent /indent indentright /indentright excerpt /excerpt heading /heading footing /footing`)

// end gives what is no command after all.
func (e *enrichedText) end(dst []byte) []byte {
	if e.mute == "" {
		dst = append(dst, e.held...)
	}
	e.held = e.held[:0]
	return dst
}
