// Package filetype knows what opening a file does: by the extension of its name, by the media type
// that gives a nameless part one, and by marks that lie deeper in a file than its first octets.
//
// What runs is a matter of the system that opens the file. Windows goes by the extension alone, and
// so does macOS; neither looks into a text for "#!" or "<?". So a text is a script by its name
// only. A program in machine code, an installer, a shortcut or a disk image is what its octets say,
// under any name: there is no honest reason to send one under another.
package filetype

import (
	"path"
	"strings"
)

// Traits are what a file is to somebody who opens it.
type Traits uint8

// The traits. A file may have several.
const (
	Executable Traits = 1 << iota // a program, or what installs one
	Script                        // text, a link or settings that run something
	Macros                        // an office document that can hold macros
	DiskImage                     // opened as a disk with files
	OneNote                       // a notebook, which shows files to click at
)

// Has tells whether all of want are among t.
func (t Traits) Has(want Traits) bool { return t&want == want }

// Extension is that of a name in lower case, with its dot. Windows drops blanks and dots at the end
// of a name.
func Extension(name string) string {
	return strings.ToLower(path.Ext(strings.TrimRight(name, " .")))
}

// ByExtension tells what a file with an extension, as [Extension] gives it, is opened as.
func ByExtension(ext string) Traits { return extensions[ext] }

// Doubtful tells an extension that many names end in by chance, because it is a top-level domain,
// or is used for other things too: the octets must be looked at before it counts.
func Doubtful(ext string) bool { return doubtful[ext] }

// OfMediaType is the extension that a part without one gets from its declared media type, "" where
// that does not make it run. Mail programs save a nameless part as ATT00001.js, for example.
func OfMediaType(mediaType string) string { return mediaTypes[mediaType] }
