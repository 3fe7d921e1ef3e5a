package access

import (
	"cmp"
	"slices"
	"strings"

	"mailweir/internal/importing"
)

// fates collects what becomes of each line: a file may be a map of several lists.
type fates struct {
	order []importing.Place
	of    map[importing.Place]*fate
}

type fate struct {
	raw     string
	reasons []reason
}

// reason is what becomes of a line in one list.
type reason struct {
	fate importing.Fate
	text string
	// foreign says that the line is of no use there because the list is asked for something else:
	// that counts only where it is of use nowhere.
	foreign bool
}

// find finds what is known of an entry, and the key under which it is kept: several may stand in
// one line of main.cf.
func (f *fates) find(e *entry) (at importing.Place, one *fate) {
	at = e.At
	for one = f.of[at]; one != nil && one.raw != e.Raw; one = f.of[at] {
		at.File += "\x00"
	}
	return at, one
}

func (f *fates) knows(e *entry) bool {
	_, one := f.find(e)
	return one != nil
}

func (f *fates) add(e *entry, why reason) {
	if f.of == nil {
		f.of = make(map[importing.Place]*fate)
	}
	at, one := f.find(e)
	if one == nil {
		one = &fate{raw: e.Raw}
		f.of[at] = one
		f.order = append(f.order, at)
	}
	if !slices.Contains(one.reasons, why) {
		one.reasons = append(one.reasons, why)
	}
}

func (f *fates) carried(e *entry, text string) {
	f.add(e, reason{fate: importing.Carried, text: text})
}

func (f *fates) changed(e *entry, text string) {
	f.add(e, reason{fate: importing.Changed, text: text})
}

func (f *fates) left(e *entry, text string) { f.add(e, reason{fate: importing.Left, text: text}) }

func (f *fates) foreign(e *entry, text string) {
	f.add(e, reason{fate: importing.Left, text: text, foreign: true})
}

// isLeft reports whether a part of what a line does stays with Postfix.
func (f *fates) isLeft(e *entry) bool {
	_, one := f.find(e)
	return one == nil || slices.ContainsFunc(one.reasons, func(r reason) bool { return r.fate == importing.Left && !r.foreign })
}

// report makes one item of each line, in the order of the lines of each file.
func (f *fates) report(result *importing.Result) {
	files := make(map[string]int)
	for _, at := range f.order {
		if _, known := files[at.File]; !known {
			files[at.File] = len(files)
		}
	}
	slices.SortStableFunc(f.order, func(a, b importing.Place) int {
		return cmp.Or(files[a.File]-files[b.File], a.Line-b.Line)
	})
	for _, at := range f.order {
		one := f.of[at]
		at.File = strings.TrimRight(at.File, "\x00")
		fate, text := one.whole()
		result.Items = append(result.Items, importing.Item{Fate: fate, Place: at, Text: short(one.raw), Reason: text})
	}
}

// whole is what becomes of a line in all lists together.
func (f *fate) whole() (importing.Fate, string) {
	reasons := slices.Clone(f.reasons)
	if slices.ContainsFunc(reasons, func(r reason) bool { return !r.foreign }) {
		reasons = slices.DeleteFunc(reasons, func(r reason) bool { return r.foreign })
	}
	var texts []string
	count := make(map[importing.Fate]int)
	for _, r := range reasons {
		count[r.fate]++
		if !slices.Contains(texts, r.text) {
			texts = append(texts, r.text)
		}
	}
	text := strings.Join(texts, "; ")
	switch len(reasons) {
	case count[importing.Carried]:
		return importing.Carried, text
	case count[importing.Left]:
		return importing.Left, text
	}
	return importing.Changed, text
}
