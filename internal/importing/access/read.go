package access

import (
	"net/netip"
	"slices"
	"strings"

	"mailweir/internal/mta/postfix"
	"mailweir/internal/oldmap"
	"mailweir/internal/table"
)

// entry is a line of a map.
type entry = oldmap.Entry

// accessMap is a map that has been read.
type accessMap struct {
	*oldmap.Map
	// text is the source as far as mailweir can read it, for look-ups in patterns.
	text *table.Table
}

// open reads a map, once.
func (r *reader) open(t postfix.Table) *accessMap {
	spec := t.Type + ":" + t.Name
	if known := r.maps[spec]; known != nil {
		return known
	}
	m := &accessMap{Map: oldmap.Read(r.ctx, r.in, t)}
	r.maps[spec] = m
	r.result.Notes = append(r.result.Notes, slices.Clone(m.Notes)...)
	if m.Kind != "texthash" {
		m.makeText()
	}
	return m
}

// ofAddresses is a map that is asked for whole addresses alone: one of nets that have no others in
// them.
func (m *accessMap) ofAddresses() *accessMap {
	if m.Kind != "texthash" {
		return m
	}
	copied := *m.Map
	copied.Kind, copied.Entries = "cidr", slices.Clone(m.Entries)
	for i := range copied.Entries {
		e := &copied.Entries[i]
		if _, err := netip.ParseAddr(e.Key); err != nil && e.Dead == "" {
			e.Dead = "postscreen does not look it up: it asks for whole addresses alone"
		}
	}
	return &accessMap{Map: &copied}
}

// makeText makes the table for look-ups, with each entry in its line. What cannot be read is left
// out: it answers nothing here.
func (m *accessMap) makeText() {
	var text strings.Builder
	p, at := projection{kind: m.Kind}, 1
	for i := range m.Entries {
		e := &m.Entries[i]
		for ; at < e.At.Line; at++ {
			text.WriteByte('\n')
		}
		if e.Dead == "" && p.usable(&line{entry: e, value: e.Value}, table.ListOptions{}) == nil {
			text.WriteString(e.String())
		}
		text.WriteByte('\n')
		at++
	}
	for ; p.depth > 0; p.depth-- {
		text.WriteString("endif\n")
	}
	m.text, _ = table.Text(m.Kind, text.String())
}
