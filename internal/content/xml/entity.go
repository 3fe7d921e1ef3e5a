package xml

import (
	"bytes"
	"html"
	"regexp"
	"strings"
)

// Bounds of the entities that a document declares. One that is replaced counts as entityCost octets
// at least, so that a million short ones take no time either.
const (
	maxEntities = 256
	maxExpanded = 1 << 20
	entityCost  = 64
)

// maxReference is the longest reference that is looked at.
const maxReference = 64

// chars reads text up to the next tag, or as much as lies ready.
func (r *Reader) chars() bool {
	r.text = r.text[:0]
	for len(r.text) < enough {
		rest := r.in.rest()
		n := bytes.IndexAny(rest, "<&")
		switch {
		case n < 0:
			r.in.at = len(r.in.buf)
			if len(r.text) == 0 {
				return r.give(rest)
			}
			r.text = append(r.text, rest...)
			return r.give(r.text)
		case rest[n] == '<':
			r.in.at += n
			if len(r.text) == 0 {
				return r.give(rest[:n])
			}
			r.text = append(r.text, rest[:n]...)
			return r.give(r.text)
		}
		r.text = append(r.text, rest[:n]...)
		r.in.at += n
		r.reference()
	}
	return r.give(r.text)
}

// enough is when a text full of references is given as it is.
const enough = 4096

// reference reads what begins with `&`: a character, an entity of this document, or one of HTML,
// which is more than XML knows.
func (r *Reader) reference() {
	for len(r.in.rest()) < maxReference && bytes.IndexByte(r.in.rest(), ';') < 0 && r.in.more() {
	}
	rest := r.in.rest()
	n := bytes.IndexByte(rest[:min(len(rest), maxReference)], ';')
	if n < 0 {
		r.text = append(r.text, '&')
		r.in.at++
		return
	}
	r.in.at += n + 1
	text, declared := r.entities[string(rest[1:n])]
	switch {
	case !declared:
		r.text = append(r.text, html.UnescapeString(string(rest[:n+1]))...)
	case r.afford(text):
		r.in.insert(text)
	default:
		r.text = append(r.text, rest[:n+1]...)
	}
}

func (r *Reader) afford(text string) bool {
	cost := max(len(text), entityCost)
	if r.expanded+cost > maxExpanded {
		r.swollen = true
		return false
	}
	r.expanded += cost
	return true
}

// expand replaces the entities of this document in the value of an attribute.
func (r *Reader) expand(value string) string {
	if len(r.entities) == 0 {
		return value
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(value, "&")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		key, behind, _ := strings.Cut(rest, ";")
		text, declared := r.entities[key]
		if declared && r.afford(text) {
			value = text + behind
			continue
		}
		b.WriteByte('&')
		value = rest
	}
}

// declaration is an entity with its text. One that stands elsewhere has none, and one that begins
// with a percent sign is for the document type alone.
var declaration = regexp.MustCompile(`<!ENTITY\s+([^\s%"'<>]+)\s+(?:"([^"]*)"|'([^']*)')`)

// declarations reads the entities of a document type.
func (r *Reader) declarations(text []byte) {
	if !bytes.HasPrefix(text, []byte("<!DOCTYPE")) {
		return
	}
	for _, m := range declaration.FindAllSubmatch(text, maxEntities+1) {
		key := string(m[1])
		if _, twice := r.entities[key]; twice {
			continue // the first counts (XML 1.0 section 4.2)
		}
		if len(r.entities) == maxEntities {
			r.cut = true
			return
		}
		if r.entities == nil {
			r.entities = map[string]string{}
		}
		r.entities[key] = characters(string(m[2]) + string(m[3]))
	}
}

var character = regexp.MustCompile(`&#[0-9xX][0-9a-fA-F]*;`)

// characters undoes the references to characters, which in the text of an entity count where it is
// declared (XML 1.0 section 4.4.5).
func characters(text string) string {
	return character.ReplaceAllStringFunc(text, html.UnescapeString)
}
