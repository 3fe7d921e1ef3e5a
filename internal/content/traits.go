package content

import (
	"bytes"
	"path"
	"strings"

	"mailweir/internal/content/filetype"
)

// classify notes what a file is by its first octets and its name; name is its own name, of a member
// the path inside.
func (p *Part) classify(k kind, head []byte, name string) {
	member := name != ""
	if !member {
		name = p.Name
	}
	p.Real = k.real
	p.Extension = extension(name)
	doubtful := filetype.Doubtful(p.Extension)
	if p.Extension == "" {
		p.Extension = filetype.OfMediaType(p.Declared)
		doubtful = true // the type is often wrong, and the octets show it
	}
	traits := filetype.ByExtension(p.Extension)
	if doubtful && !k.runsAs(p.Extension, traits, head) {
		traits = 0
	}
	p.Program = programs[k.real]
	p.add(traits | byOctets(k.real))
	if member && p.Extension == "" && hasPrefix(head, "#!") {
		// Archives keep the permission to run it, attachments have none; macOS runs such a file in
		// a terminal where its name has no extension.
		p.Script = true
	}
}

func (p *Part) add(traits filetype.Traits) {
	p.Executable = p.Executable || traits.Has(filetype.Executable)
	p.Script = p.Script || traits.Has(filetype.Script)
	p.Macros = p.Macros || traits.Has(filetype.Macros)
	p.DiskImage = p.DiskImage || traits.Has(filetype.DiskImage)
	p.OneNote = p.OneNote || traits.Has(filetype.OneNote)
}

// byOctets is what a file is under any name, by its real type.
func byOctets(real string) filetype.Traits {
	switch {
	case programs[real]:
		return filetype.Executable
	case real == "application/x-ms-shortcut", real == "application/vnd.ms-htmlhelp":
		return filetype.Script
	case diskImages[real]:
		return filetype.DiskImage
	case real == "application/onenote":
		return filetype.OneNote
	}
	return 0
}

var (
	programs = nameSet(`application/vnd.microsoft.portable-executable application/x-executable application/x-elf
		application/x-mach-binary application/x-sharedlib application/x-java-applet ` + installer)
	diskImages = nameSet(strings.Join([]string{filetype.ISO, filetype.UDF, filetype.VHD, filetype.VHDX, filetype.VMDK, filetype.DMG}, " "))
)

// runsAs tells whether a file may be what its extension says, where that is in doubt: it is nothing
// that is known to be something else. A program for DOS (.com) has no mark, and though it can be
// written in letters (the EICAR test file is), it holds no white space then.
func (k kind) runsAs(ext string, traits filetype.Traits, head []byte) bool {
	switch {
	case k.real == "" || k.real == "application/octet-stream":
		return true
	case ext == ".com":
		return k.real == "text/plain" && !bytes.ContainsAny(bytes.TrimSpace(head), " \t\r\n")
	}
	return k.text && traits.Has(filetype.Script)
}

// DoubleExtension tells a name such as invoice.pdf.exe, which a mail reader may show as
// invoice.pdf.
func (p *Part) DoubleExtension() bool {
	if !p.Executable && !p.Script {
		return false
	}
	base := strings.ToLower(BaseName(p.Name))
	inner := strings.TrimRight(strings.TrimSuffix(base, p.Extension), " ")
	return harmlessExtensions[path.Ext(inner)]
}

var harmlessExtensions = nameSet(`.pdf .doc .docx .xls .xlsx .ppt .pptx .rtf .txt .csv .odt .ods .jpg .jpeg .png .gif .htm .html
	.zip .mp3 .mp4 .avi .eml .xml`)

// Disguised tells a program under the name and type of something else.
func (p *Part) Disguised() bool {
	return p.Program && !filetype.ByExtension(p.Extension).Has(filetype.Executable)
}
