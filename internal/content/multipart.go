package content

import (
	"bytes"
	"slices"
)

// multipart examines the parts between boundaries. Where none is named, the first line that may be
// one is taken for it, and the whole is read as the text that some readers show.
func (w *walk) multipart(h *partHeader, m *mimeReader, depth int) {
	boundary := h.params["boundary"]
	if boundary != "" {
		if parts, text := w.between(h, boundary, true, m, depth); text && !parts && !w.again && !w.x.late {
			w.x.reach(LimitBoundary)
		}
		return
	}
	parts, text := false, false
	w.eachWay(
		m,
		func(w *walk, m *mimeReader) { w.leaf(h, m, depth) },
		func(w *walk, m *mimeReader) { parts, text = w.between(h, "", true, m, depth) },
		func(w *walk, m *mimeReader) { w.anyBoundary(h, m, depth) },
	)
	if text && !parts && !w.x.late {
		w.x.reach(LimitBoundary)
	}
}

// anyBoundary takes every line for a boundary that begins with two dashes and goes on, as munpack
// and ripMIME do where they know of none.
func (w *walk) anyBoundary(h *partHeader, m *mimeReader, depth int) {
	m.loose = true
	m.boundaries = append(m.boundaries, openMultipart{"", h.mediaType, depth})
	w.loosely(m)
}

// between examines the parts between boundaries; it says whether there were any, and whether there
// was text before them. What stands before the first and after the last is examined as text: mail
// readers hide it, but some show it, and a wrong boundary would hide everything. If guess, another
// line before them that looks like a boundary is taken for one, too.
func (w *walk) between(h *partHeader, boundary string, guess bool, m *mimeReader, depth int) (parts, text bool) {
	own := len(m.boundaries)
	var choice *choice
	if h.mediaType == "multipart/alternative" {
		choice = w.x.choose()
		defer choice.end()
	}
	if boundary != "" {
		m.boundaries = append(m.boundaries, openMultipart{boundary, h.mediaType, depth})
		w.watchFor(m)
	}
	guessed, text := w.preamble(m, guess)
	if guessed != "" {
		m.boundaries = m.boundaries[:own]
		with := func(boundary string) way {
			return func(w *walk, m *mimeReader) {
				found, more := w.between(h, boundary, false, m, depth)
				parts, text = parts || found, text || more
			}
		}
		w.eachWay(m, with(boundary), with(guessed))
		return parts, text
	}
	choice.next()
	if m.hit < 0 {
		w.x.symptom(SymptomNoParts)
	}
	if boundary == "" {
		return false, text
	}
	return w.partsOf(m, own, choice), text
}

// preamble examines what stands before the first boundary. If guess, it ends before another line
// that may be one.
func (w *walk) preamble(m *mimeReader, guess bool) (guessed string, text bool) {
	s := w.x.sink(Body)
	defer s.end()
	for line := m.next(); line != nil; line = m.next() {
		trimmed := bytes.TrimSpace(line)
		if guess && !m.continued {
			if guessed = boundaryOf(line); guessed != "" && !m.prefixed(line) {
				m.unread(line)
				return guessed, text
			}
		}
		text = text || len(trimmed) > 0
		_, _ = s.Write(line)
	}
	return "", text
}

// boundaryOf is the boundary if a line is one, "" for other lines and such as end a multipart.
func boundaryOf(line []byte) string {
	rest, dashes := bytes.CutPrefix(line, []byte("--"))
	if rest = bytes.TrimSpace(rest); !dashes || bytes.HasSuffix(rest, []byte("--")) {
		return ""
	}
	return string(rest)
}

// partsOf examines the parts of the multipart own, whose boundary has been met, and what is behind
// them; it says whether there were any.
func (w *walk) partsOf(m *mimeReader, own int, choice *choice) (any bool) {
	any = w.siblings(m, own, choice)
	if m.hit != own {
		w.x.symptom(SymptomOpenMultipart)
		m.boundaries = m.boundaries[:own]
		return any
	}
	// Some readers go on after the last boundary if there is another one.
	boundary := m.boundaries[own].boundary
	same := func(outer openMultipart) bool { return outer.boundary == boundary }
	if slices.ContainsFunc(m.boundaries[:own], same) {
		m.boundaries = m.boundaries[:own]
	}
	for {
		m.proceed()
		w.raw(m)
		choice.next()
		if m.hit != own || own >= len(m.boundaries) {
			break
		}
		any = w.siblings(m, own, choice) || any
		if m.hit != own {
			break
		}
	}
	m.boundaries = m.boundaries[:min(own, len(m.boundaries))]
	return any
}

// siblings examines parts up to the boundary that ends their multipart.
func (w *walk) siblings(m *mimeReader, own int, choice *choice) (any bool) {
	multipart := m.boundaries[own]
	for m.hit == own && !m.closing {
		any = true
		m.proceed()
		r := headerReader{}
		if multipart.mediaType == "multipart/digest" {
			r.h.mediaType = "message/rfc822" // RFC 2046 section 5.1.5
		}
		w.part(r, m, multipart.depth+1)
		m.skip()
		choice.next()
	}
	return any
}

// openMultipart is a multipart whose end has not come.
type openMultipart struct {
	boundary  string
	mediaType string
	depth     int
}
