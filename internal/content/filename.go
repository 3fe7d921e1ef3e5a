package content

import (
	"slices"
	"strings"
	"unicode"

	"mailweir/internal/content/filetype"
	"mailweir/internal/encodedword"
)

// maxNames bounds the names of one part.
const maxNames = 64

// addNames notes names that a mail reader may offer for the part; sure if none overlooks them.
func (h *partHeader) addNames(values []string, sure bool) {
	h.named = h.named || sure
	for _, value := range values {
		if len(h.names) > maxNames {
			break
		}
		for _, name := range encodedword.Readings(value) {
			h.names = addNames(h.names, namesAsSaved(name)...)
		}
	}
	if len(h.names) > maxNames {
		h.names = h.names[:maxNames]
		h.reach(LimitNames)
	}
}

func addNames(names []string, more ...string) []string {
	for _, name := range more {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// namesAsSaved are a name and what a program may make of it that saves a file under it: some end it
// at a NUL, most leave out control characters and such as do not show.
func namesAsSaved(name string) []string {
	names := []string{name}
	if before, _, cut := strings.Cut(name, "\x00"); cut {
		names = append(names, before)
	}
	if clean := strings.Map(visible, name); BaseName(clean) != BaseName(name) {
		names = append(names, clean)
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}

// visible drops control and format characters, such as those that turn the direction of writing.
func visible(r rune) rune {
	if unicode.Is(unicode.Cf, r) || unicode.IsControl(r) {
		return -1
	}
	return r
}

// filenames are all names of the part. Where there is none, Exchange and Outlook take the
// description ([MS-OXCMAIL] section 2.2.3.4.1.1). It is mostly a sentence, which may end in the
// name of a site: with an extension that is doubtful it is not taken for a name.
func (h *partHeader) filenames() (names []string) {
	if len(h.names) > 0 || h.description == "" || showsAsText(h.mediaType) && !h.attached {
		return h.names
	}
	for _, name := range encodedword.Readings(h.description) {
		if !filetype.Doubtful(extension(name)) {
			names = addNames(names, namesAsSaved(name)...)
		}
	}
	return names[:min(len(names), maxNames)]
}

// named gives a file its names, the likeliest first.
func named(f file, names []string) file {
	if len(names) > 0 {
		f.name, f.others = names[0], names[1:]
	}
	return f
}

// BaseName is the name under which a program saves a file: without directories, of Windows too, and
// without what Windows and the programs drop at its end, dots and white space.
func BaseName(name string) string {
	name = strings.TrimRightFunc(name, func(r rune) bool {
		return r == '.' || r == '/' || r == '\\' || unicode.IsSpace(r) || visible(r) < 0
	})
	return name[strings.LastIndexAny(name, `/\`)+1:]
}

// extension is that of the name under which a file is saved, in lower case, with its dot.
func extension(name string) string { return filetype.Extension(BaseName(name)) }
