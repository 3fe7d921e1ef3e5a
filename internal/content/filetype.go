package content

import (
	"bytes"
	"path"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// classify tells what a file really is by its first octets; name is its own name, of a member the path inside.
func (p *Part) classify(head []byte, name string) {
	if name == "" {
		name = p.Name
	}
	p.Extension = strings.ToLower(path.Ext(strings.TrimRight(name, " .")))
	if len(head) > 0 {
		p.Real = realType(head)
	}
	p.Executable = executableTypes[p.Real] || executableExtensions[p.Extension]
	p.Script = scriptTypes[p.Real] || scriptExtensions[p.Extension]
	p.Macros = macroExtensions[p.Extension]
}

// realType gives the media type of head; families that are opened alike have one name.
func realType(head []byte) string {
	switch {
	case hasPrefix(head, "PK\x03\x04"), hasPrefix(head, "PK\x05\x06"), hasPrefix(head, "PK00PK\x03\x04"):
		return "application/zip"
	case hasPrefix(head, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
		return oleStorage
	case hasPrefix(head, "MZ"):
		return "application/vnd.microsoft.portable-executable"
	case hasPrefix(bytes.TrimLeft(head, "\ufeff \t\r\n"), `{\rt`):
		return "text/rtf"
	case len(head) > 262 && string(head[257:262]) == "ustar":
		return "application/x-tar"
	}
	real, _, _ := strings.Cut(mimetype.Detect(head).String(), ";")
	if real == "application/x-rar" || real == "application/vnd.rar" {
		return "application/x-rar-compressed"
	}
	if real == "application/xml" || strings.HasSuffix(real, "+xml") {
		return "text/xml"
	}
	return real
}

var (
	executableTypes = nameSet(`application/vnd.microsoft.portable-executable application/x-executable application/x-elf
		application/x-mach-binary application/x-sharedlib application/x-ms-installer application/jar`)
	executableExtensions = nameSet(`.exe .com .scr .pif .cpl .dll .sys .ocx .msi .msp .mst .jar .apk .app .gadget .msc`)
	scriptTypes          = nameSet(`text/javascript text/x-php text/x-perl text/x-python text/x-lua text/x-tcl text/x-shellscript`)
	scriptExtensions     = nameSet(`.bat .cmd .js .jse .vbs .vbe .vb .wsf .wsh .wsc .sct .ps1 .psm1 .hta .lnk .reg .inf .sh .chm
		.url .scf .ws .iqy .jnlp .application`)
	macroExtensions = nameSet(`.docm .dotm .xlsm .xltm .xlam .xlsb .pptm .potm .ppam .ppsm .sldm`)
)

// DoubleExtension tells a name such as invoice.pdf.exe, which a mail reader may show as invoice.pdf.
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
	return executableTypes[p.Real] && !executableExtensions[p.Extension]
}
