package content

import (
	"bytes"
	"path"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// kind is what a file really is.
type kind struct {
	real string // media type by the first octets, "" when they could not be read
	text bool   // it can be read as text
}

// classify notes what a file really is; name is its own name, of a member the path inside.
func (p *Part) classify(k kind, head []byte, name string) {
	if name == "" {
		name = p.Name
	}
	p.Extension = extension(name)
	p.Real = k.real
	p.Executable = executableTypes[p.Real] || executableExtensions[p.Extension] || p.Extension == ".com" && k.runsAsCom(head)
	p.Script = scriptTypes[p.Real] || scriptExtensions[p.Extension]
	p.Macros = macroExtensions[p.Extension]
}

// extension is that of a name in lower case, with its dot. Windows drops blanks and dots at the end
// of a name.
func extension(name string) string {
	return strings.ToLower(path.Ext(strings.TrimRight(name, " .")))
}

// zipArchive is any ZIP archive, documents that are one included.
const zipArchive = "application/zip"

// kindOf tells what a file is by its first octets; families that are opened alike have one name.
func kindOf(head []byte) kind {
	switch {
	case len(head) == 0:
		return kind{}
	case hasPrefix(head, zipLocal), hasPrefix(head, "PK\x05\x06"), hasPrefix(head, "PK00PK\x03\x04"):
		return kind{real: zipArchive}
	case hasPrefix(head, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
		return kind{real: oleStorage}
	case hasPrefix(head, "MZ") && binaryHeader(head):
		return kind{real: "application/vnd.microsoft.portable-executable"}
	case hasPrefix(bytes.TrimLeft(head, "\ufeff \t\r\n"), `{\rt`):
		return kind{real: "text/rtf"}
	case len(head) > 262 && string(head[257:262]) == "ustar":
		return kind{real: "application/x-tar"}
	}
	found := mimetype.Detect(head)
	k := kind{text: isText(found)}
	k.real, _, _ = strings.Cut(found.String(), ";")
	switch {
	case k.real == "application/x-rar" || k.real == "application/vnd.rar":
		k.real = "application/x-rar-compressed"
	case k.real == "application/vnd.microsoft.portable-executable":
		k = kind{real: "text/plain", text: true} // the first two letters are no more than letters
	case k.real == "application/xml" || strings.HasSuffix(k.real, "+xml"):
		k.real = "text/xml"
	}
	return k
}

// isText tells the types that are read as text, such as application/json: those that are found by
// looking at a text more closely.
func isText(found *mimetype.MIME) bool {
	for m := found; m != nil; m = m.Parent() {
		if m.Is("text/plain") {
			return true
		}
	}
	return strings.HasPrefix(found.String(), "text/")
}

// dosHeader is the octets of the header of a program for DOS and Windows (PE format, "MS-DOS
// Stub").
const dosHeader = 64

// binaryHeader tells a program from a text that begins with MZ. The counts of such a header and the
// offset at its end are small, so it holds zeros and other controls; were all its octets those of a
// text, the rest of the program would begin 144 MiB behind it.
func binaryHeader(head []byte) bool {
	for _, c := range head[:min(len(head), dosHeader)] {
		if c < ' ' && !strings.ContainsRune("\t\n\v\f\r\x1b", rune(c)) {
			return true
		}
	}
	return false
}

// runsAsCom tells whether a file with the extension .com may be a program. Many names of sites end
// so. A program of that kind has no mark, but it is nothing that is known to be something else; and
// though it can be written in letters (the EICAR test file is), it holds no white space then.
func (k kind) runsAsCom(head []byte) bool {
	switch k.real {
	case "", "application/octet-stream":
		return true
	case "text/plain":
		return !bytes.ContainsAny(bytes.TrimSpace(head), " \t\r\n")
	}
	return false
}

var (
	executableTypes = nameSet(`application/vnd.microsoft.portable-executable application/x-executable application/x-elf
		application/x-mach-binary application/x-sharedlib application/x-ms-installer application/jar`)
	executableExtensions = nameSet(`.exe .scr .pif .cpl .dll .sys .ocx .msi .msp .mst .jar .apk .app .gadget .msc`)
	scriptTypes          = nameSet(`text/javascript text/x-php text/x-perl text/x-python text/x-lua text/x-tcl text/x-shellscript`)
	scriptExtensions     = nameSet(`.bat .cmd .js .jse .vbs .vbe .vb .wsf .wsh .wsc .sct .ps1 .psm1 .hta .lnk .reg .inf .sh .chm
		.url .scf .ws .iqy .jnlp .application`)
	macroExtensions = nameSet(`.docm .dotm .xlsm .xltm .xlam .xlsb .pptm .potm .ppam .ppsm .sldm`)
)

// DoubleExtension tells a name such as invoice.pdf.exe, which a mail reader may show as
// invoice.pdf.
func (p *Part) DoubleExtension() bool {
	if !p.Executable && !p.Script {
		return false
	}
	base := strings.ToLower(strings.TrimRight(path.Base(p.Name), " ."))
	inner := strings.TrimRight(strings.TrimSuffix(base, p.Extension), " ")
	return harmlessExtensions[path.Ext(inner)]
}

var harmlessExtensions = nameSet(`.pdf .doc .docx .xls .xlsx .ppt .pptx .rtf .txt .csv .odt .ods .jpg .jpeg .png .gif .htm .html
	.zip .mp3 .mp4 .avi .eml .xml`)

// Disguised tells an executable file under the name and type of something else.
func (p *Part) Disguised() bool {
	return executableTypes[p.Real] && !executableExtensions[p.Extension] && p.Extension != ".com"
}
