package rspamd

import (
	"path/filepath"
	"strings"

	"mailweir/internal/importing"
)

// mapEntry is a line of a map.
type mapEntry struct {
	at importing.Place
	// text is the line, key what is looked up, flags stand behind a pattern.
	text, key, flags string
	// pattern says that the key stood between slashes, glob that its map is one of globs.
	pattern, glob bool
}

// mapKinds are the words that may stand before the source of a map, and what they make of it.
var mapKinds = []struct{ prefix, kind string }{
	{"regexp;", "regexp"},
	{"re;", "regexp"},
	{"regexp_multi;", "regexp"},
	{"re_multi;", "regexp"},
	{"glob;", "glob"},
	{"glob_multi;", "glob"},
	{"radix;", ""},
	{"ipnet;", ""},
	{"set;", ""},
	{"hash;", ""},
	{"plain;", ""},
}

// entries are those of a map: files, or a list in the settings themselves. nets says that it is one
// of addresses. why is why it cannot be read.
func (r *reading) entries(n *node, nets bool) (all []mapEntry, why string) {
	sources := n.items
	if n.items == nil {
		sources = []*node{n}
	}
	for _, s := range sources {
		if s.fields != nil || s.items != nil {
			return nil, "a map that is an object is not read"
		}
		one, why := r.mapSource(n, s, nets)
		if why != "" {
			return nil, why
		}
		all = append(all, one...)
	}
	return all, ""
}

func (r *reading) mapSource(n, s *node, nets bool) (all []mapEntry, why string) {
	where, kind := s.text, ""
	for _, k := range mapKinds {
		if rest, is := strings.CutPrefix(where, k.prefix); is {
			where, kind = rest, k.kind
			break
		}
	}
	for _, prefix := range []string{"fallback+", "file://"} {
		where = strings.TrimPrefix(where, prefix)
	}
	switch {
	case filepath.IsAbs(where) && (filepath.Ext(where) == ".zst" || filepath.Ext(where) == ".cdb"):
		return nil, "its map is no text file"
	case filepath.IsAbs(where) && (n.items == nil || !strings.HasSuffix(where, "/") && !strings.HasSuffix(where, "/i")):
		path := r.Old(where)
		text, ok := r.text(path)
		if !ok {
			return nil, "its map cannot be read"
		}
		return parseMap(path, text, kind, nets), ""
	case n.items == nil || strings.Contains(where, "://") || strings.HasPrefix(where, "cdb"):
		return nil, "its map comes from elsewhere; a file that is fetched can be a table"
	}
	return parseMap("", where, kind, nets), ""
}

// parseMap reads the lines of a map: a key, in quotes or not, or a pattern between slashes; then
// blanks and a value, which means nothing here. # begins a comment anywhere but in quotes and
// patterns.
func parseMap(path, text, kind string, nets bool) (all []mapEntry) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		e := mapEntry{at: importing.Place{File: path, Line: number}, text: line, glob: kind == "glob"}
		switch {
		case line[0] == '"':
			e.key, _, _ = strings.Cut(line[1:], `"`)
		case line[0] == '/' && !nets:
			e.key, e.flags, e.pattern = cutPattern(line)
		default:
			e.key = line[:strings.IndexFunc(line+" ", func(c rune) bool { return c == ' ' || c == '\t' || c == '#' })]
		}
		e.pattern = e.pattern || kind == "regexp"
		all = append(all, e)
	}
	return all
}

// cutPattern parts /PATTERN/FLAGS.
func cutPattern(line string) (pattern, flags string, ok bool) {
	for i := 1; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '/':
			flags, _, _ = strings.Cut(line[i+1:], " ")
			flags, _, _ = strings.Cut(flags, "\t")
			return line[1:i], flags, true
		}
	}
	return line, "", false
}
