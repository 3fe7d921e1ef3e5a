package content

import (
	"bytes"
	"strings"

	"mailweir/internal/content/filetype"

	"github.com/gabriel-vasile/mimetype"
)

// kind is what a file really is.
type kind struct {
	real string // media type by the first octets, "" when they could not be read
	text bool   // it can be read as text
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
	case hasPrefix(head, oleMark):
		return kind{real: oleStorage}
	case hasPrefix(head, activeMimeMark):
		return kind{real: activeMime}
	case hasPrefix(head, "conectix"):
		return kind{real: filetype.VHD}
	case hasPrefix(head, "vhdxfile"):
		return kind{real: filetype.VHDX}
	case hasPrefix(head, "KDMV"):
		return kind{real: filetype.VMDK}
	case hasPrefix(head, oneNoteContents), hasPrefix(head, oneNote2007):
		return kind{real: "application/onenote"}
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
	case k.real == "text/x-php" && !hasPHP(head):
		k.real = "text/plain" // of any text that begins with "<?"
		if html := bytes.ToLower(head); bytes.Contains(html, []byte("<html")) || bytes.Contains(html, []byte("<!doctype html")) {
			k.real = "text/html"
		}
	case k.real == "application/xml" || strings.HasSuffix(k.real, "+xml"):
		k.real = "text/xml"
	}
	return k
}

// Of OneNote files mimetype knows sections only. These are the table of contents of a notebook, and
// sections of the format of 2007 ([MS-ONESTORE] section 2.3.1).
const (
	oneNoteContents = "\xa1\x2f\xff\x43\xd9\xef\x76\x4c\x9e\xe2\x10\xea\x57\x22\x76\x5f"
	oneNote2007     = "\x3f\xdd\x9a\x10\x1b\x91\xf5\x49\xa5\xd0\x17\x91\xed\xc8\xae\xd8"
)

// hasPHP tells a PHP file from another text that begins with "<?", as templates of any kind do.
func hasPHP(head []byte) bool {
	head = bytes.TrimLeft(head, "\ufeff \t\r\n")
	return !hasPrefix(head, "<?") || hasPrefix(bytes.ToLower(head[:min(len(head), 5)]), "<?php")
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
