package content

import (
	"bytes"
	"encoding/binary"
	"io"

	"mailweir/internal/content/source"
)

// oleStorage is the container of Word, Excel and PowerPoint files before 2007, of encrypted newer
// ones and of Windows installers ([MS-CFB]).
const (
	oleStorage = "application/x-ole-storage"
	oleMark    = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
	installer  = "application/x-ms-installer"
)

// Names of streams and storages, as they stand in the directory: UTF-16, little endian, here in
// upper case, because programs find them in upper and lower case alike.
var (
	oleMacros       = utf16Name("_VBA_PROJECT")
	oleEncrypted    = utf16Name("ENCRYPTEDPACKAGE")
	oleEncryptedPPT = utf16Name("ENCRYPTEDSUMMARY")
	oleRoot         = utf16Name("ROOT ENTRY")
)

func utf16Name(name string) []byte {
	var out []byte
	for _, c := range []byte(name) {
		out = append(out, c, 0)
	}
	return out
}

// ole looks for macros and encryption by the names of streams, and by records that say so. The
// records are looked for wherever they lie, because the octets of a stream need not lie in order.
// Its text is not examined.
func (w *walk) ole(in *source.Reader) { w.found.ole(in) }

func (f *found) ole(r io.Reader) {
	buf := make([]byte, 0, 8192)
	upper := make([]byte, 8192)
	for at := int64(0); ; {
		n, err := io.ReadFull(r, buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		f.oleNames(upperASCII(upper[:len(buf)], buf))
		f.oleRecords(buf, at)
		if err != nil {
			return
		}
		if over := len(buf) - oleOverlap; over > 0 {
			at += int64(over)
			buf = buf[:copy(buf, buf[over:])]
		}
	}
}

// oleOverlap is the octets that the longest thing takes that is looked for: an entry of the
// directory.
const oleOverlap = 128

func upperASCII(into, from []byte) []byte {
	for i, c := range from {
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		into[i] = c
	}
	return into
}

// oleNames looks for the names of streams in octets in upper case, and for the class of the root.
func (f *found) oleNames(upper []byte) {
	f.macros = f.macros || bytes.Contains(upper, oleMacros)
	f.encrypted = f.encrypted || bytes.Contains(upper, oleEncrypted) || bytes.Contains(upper, oleEncryptedPPT)
	for rest := upper; !f.installer; {
		i := bytes.Index(rest, oleRoot)
		if i < 0 {
			return
		}
		rest = rest[i:]
		if len(rest) < oleOverlap {
			return // it comes again
		}
		f.installer = installerClass(rest[80:96]) // [MS-CFB] section 2.6.1: CLSID
		rest = rest[2:]
	}
}

// installerClass tells the classes of an installer's package, patch and transform:
// {000C1082, 84 or 86-0000-0000-C000-000000000046}.
func installerClass(id []byte) bool {
	return (id[0] == 0x82 || id[0] == 0x84 || id[0] == 0x86) && string(id[1:]) == "\x10\x0c\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"
}

// oleRecords looks for records of Excel, PowerPoint and Word files in octets of a storage that
// begin at the offset at.
func (f *found) oleRecords(b []byte, at int64) {
	each(b, "\x85\x00", func(record []byte) {
		f.macros = f.macros || macroSheetRecord(record)
	})
	for _, begin := range []string{"\x09\x08\x10\x00\x00\x06", "\x09\x08\x08\x00\x00\x05"} { // BOF of BIFF8 and BIFF5
		each(b, begin, func(record []byte) {
			f.macros = f.macros || hasPrefix(record[len(begin):], "\x40\x00") // [MS-XLS] section 2.4.21: a macro sheet
			f.encrypted = f.encrypted || filePass(record)
		})
	}
	// [MS-PPT] section 2.4.10: VBAInfoAtom, which tells whether there are macros.
	each(b, "\x02\x00\x00\x04\x0c\x00\x00\x00", func(record []byte) {
		f.macros = f.macros || len(record) >= 16 && binary.LittleEndian.Uint32(record[12:]) == 1
	})
	for i := int(-at & 511); i+fibBase <= len(b); i += 512 {
		f.encrypted = f.encrypted || encryptedFib(b[i:])
	}
}

// each calls look with what begins with a mark, wherever it lies.
func each(b []byte, mark string, look func(record []byte)) {
	for {
		i := bytes.Index(b, []byte(mark))
		if i < 0 {
			return
		}
		look(b[i:])
		b = b[i+1:]
	}
}

// macroSheetRecord tells whether octets are a BoundSheet8 record ([MS-XLS] section 2.4.28), or that
// of BIFF5, for a sheet of Excel 4.0 macros. All lengths in it must agree: nothing else looks so.
func macroSheetRecord(b []byte) bool {
	if len(b) < 12 || b[0] != 0x85 || b[1] != 0 || b[3] != 0 || b[9] != 1 {
		return false
	}
	size, chars := int(b[2]), int(b[10])
	if chars == 0 || chars > 31 {
		return false
	}
	return size == 8+chars && b[11] == 0 || size == 8+2*chars && b[11] == 1 || size == 7+chars && b[11] >= ' '
}

// filePass tells whether a FilePass record ([MS-XLS] section 2.4.117) follows the record that
// begins a workbook; a WriteProtect record may stand between.
func filePass(b []byte) bool {
	size := 4 + int(b[2])
	if len(b) < size+8 {
		return false
	}
	b = b[size:]
	if hasPrefix(b, "\x86\x00\x00\x00") {
		b = b[4:]
	}
	return hasPrefix(b, "\x2f\x00") && b[2] > 0 && b[3] == 0
}

// fibBase is the octets of the beginning of a Word document ([MS-DOC] section 2.5.2: FibBase),
// which lies at the beginning of a sector.
const fibBase = 32

// encryptedFib tells a document that needs a password: fEncrypted.
func encryptedFib(b []byte) bool {
	known := hasPrefix(b, "\xec\xa5") && b[3] <= 1 && (b[12] == 0xbf || b[12] == 0xc1) && b[13] == 0
	return known && b[11]&1 != 0
}
