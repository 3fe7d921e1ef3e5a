package content

import "mailweir/internal/content/filetype"

// closerLook hears a file to its end, for what its first octets do not tell.
type closerLook struct {
	marks  filetype.Marks
	macros *search // nil for files that hold none as text
}

// macroText is what office documents that are one file of XML hold of macros: an ActiveMime file or
// a VBA project in base64, or a sheet of Excel 4.0 macros ([MS-DOCX] "Flat OPC", Word 2003's
// w:binData).
var macroText = []string{"qwn0axzltwlt", "vnd.ms-office.vbaproject", macroSheet, internationalMacroSheet}

func newCloserLook(k kind) *closerLook {
	c := &closerLook{}
	if k.real == "text/xml" {
		c.macros = newMarkupSearch(macroText...)
	}
	return c
}

func (c *closerLook) take(piece []byte) {
	_, _ = c.marks.Write(piece)
	if c.macros != nil {
		_, _ = c.macros.Write(piece)
	}
}

func (c *closerLook) end() {}

// note adds what was heard to what is noted of the file.
func (c *closerLook) note(p *Part) {
	if real := c.marks.Real(); real != "" {
		p.DiskImage = true
		if p.Real == "application/octet-stream" || p.Real == "" {
			p.Real = real
		}
	}
	p.Macros = p.Macros || c.macros != nil && c.macros.found
}
