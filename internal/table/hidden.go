package table

import (
	"fmt"
	"slices"
	"strings"
)

// hidden are the entries of a table that never answer, because an earlier one does. That is no
// error, since what an administrator wants is done by the earlier entry where both say the same.
type hidden struct {
	list []hiddenEntry // those that say something else come first; the first few of each
	n    int
}

type hiddenEntry struct {
	line, by int
	differs  bool
}

// mostHidden is how many entries a remark names.
const mostHidden = 3

// add notes an entry that never answers, the line of the one that does, and whether that says
// something else.
func (h *hidden) add(line, by int, differs bool) {
	h.n++
	one := hiddenEntry{line, by, differs}
	at := len(h.list)
	if differs {
		at = slices.IndexFunc(h.list, func(e hiddenEntry) bool { return !e.differs })
		if at < 0 {
			at = len(h.list)
		}
	}
	h.list = slices.Insert(h.list, at, one)
	if len(h.list) > mostHidden {
		h.list = h.list[:mostHidden]
	}
}

// remark says which entries never answer, "" where there are none.
func (h *hidden) remark(place string) string {
	if h.n == 0 {
		return ""
	}
	if h.list[0].line == 0 { // of inline:
		return fmt.Sprintf("%s: a key is given twice; the last entry counts", place)
	}
	var b strings.Builder
	for i, one := range h.list {
		if i > 0 {
			b.WriteString(", ")
		}
		says := "line %d answers before it"
		if one.differs {
			says = "line %d answers before it, with another value"
		}
		fmt.Fprintf(&b, "%s:%d is never reached: "+says, place, one.line, one.by)
	}
	if more := h.n - len(h.list); more > 0 {
		fmt.Fprintf(&b, "; and %d more entries", more)
	}
	return b.String()
}

// hiddenRemark says which entries of the table never answer.
func (t *Table) hiddenRemark() string {
	place := t.file
	if place == "" {
		place = t.spec
	}
	switch s := t.source.(type) {
	case *hashed:
		return s.hidden.remark(place)
	case *networks:
		return s.hidden.remark(place)
	case *patterns:
		return s.hidden.remark(place)
	}
	return ""
}

// withError adds an error to those of reading a table.
func withError(err error, one *Error) error {
	faults, ok := err.(*Errors)
	switch {
	case err == nil:
		faults = &Errors{}
	case !ok:
		return err
	}
	faults.add(one)
	return faults
}
