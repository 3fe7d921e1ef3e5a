package headerchecks

import (
	"slices"
	"strings"

	"mailweir/internal/importing"
)

// write puts files and flags into the result.
func (w *writer) write(in *importing.Input, result *importing.Result) {
	table := func(flag, kind, name, head string, lines []string, from []importing.Place) {
		if len(lines) == 0 {
			return
		}
		result.Files = append(result.Files, importing.File{Name: name, Text: head + strings.Join(lines, "\n") + "\n"})
		result.Flag(flag, kind+in.In(name), from...)
	}
	patterns, block := w.from.tables()
	// Patterns come first: DUNNO in the list of domains ends the search.
	table("header-from-list", "pcre:", patternFile, "# Addresses of header From, whole, that are refused.\n", patterns.lines, patterns.from)
	table("header-from-list", "texthash:", blockFile, "# Addresses and domains of header From that are refused.\n", block.lines(), block.from)
	table("header-from-names", "texthash:", personFile, "# People, and the addresses that may use their names in header From.\n", w.people.lines, w.people.from)
	for _, d := range w.definitions {
		d.settle()
		result.Files = append(result.Files, importing.File{Name: d.name, Text: d.text()})
		result.Flag("content-definition", in.In(d.name), d.list.from...)
	}
	if w.inbound && len(w.from.entries) > 0 {
		result.Note("header_checks are not asked about what your users hand in, and header-from-list is: what is refused there is refused to them, too")
	}
	if len(w.files.lines) > 0 {
		result.Files = append(result.Files, importing.File{
			Name: attachmentsFile, Text: "# Names of files that are refused, and what the reply says of them.\n" + strings.Join(w.files.lines, "\n") + "\n",
		})
		result.Flags = append(result.Flags, importing.Flag{
			Name: "signature-names", Value: "texthash:" + in.In(attachmentsFile), From: w.files.from,
			Off: "it finds these files in archives, too, and so refuses more than mime_header_checks did",
		})
	}
	if slices.ContainsFunc(block.entries, func(e *blockEntry) bool { return !e.domain }) {
		result.Note("an address in %s stands for those with an extension, too: user@example.com for user+news@example.com", blockFile)
	}
	if len(w.people.lines) > 0 {
		result.Note("names of people are looked at only where local-domains is set")
	}
}
