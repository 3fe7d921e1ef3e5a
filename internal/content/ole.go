package content

import (
	"bytes"

	"mailweir/internal/content/source"
)

// oleStorage is the container of Word, Excel and PowerPoint files before 2007, of encrypted newer
// ones and of Windows installers ([MS-CFB]).
const oleStorage = "application/x-ole-storage"

// Names of streams, as they stand in the directory of an OLE storage: UTF-16, little endian.
var (
	oleMacros    = utf16Name("_VBA_PROJECT")
	oleEncrypted = utf16Name("EncryptedPackage")
)

func utf16Name(name string) []byte {
	var out []byte
	for _, c := range []byte(name) {
		out = append(out, c, 0)
	}
	return out
}

// ole looks for macros and encryption by the names of streams. Its text is not examined.
func (w *walk) ole(in *source.Reader) {
	longest := max(len(oleMacros), len(oleEncrypted))
	buf := make([]byte, 0, 8192)
	for {
		n, err := in.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		w.found.macros = w.found.macros || bytes.Contains(buf, oleMacros)
		w.found.encrypted = w.found.encrypted || bytes.Contains(buf, oleEncrypted)
		if err != nil {
			return
		}
		if keep := longest - 1; len(buf) > keep {
			buf = buf[:copy(buf, buf[len(buf)-keep:])]
		}
	}
}
