// Package sevenzip reads the header of a 7z archive (7zFormat.txt of the 7-Zip SDK) and undoes the
// methods of packing that mail holds. The header lies at the archive's end; what to hold of an
// archive until it has come, and how much memory that may take, is the caller's to decide.
package sevenzip

import (
	"compress/bzip2"
	"compress/flate"
	"encoding/binary"
	"errors"
	"io"

	"mailweir/internal/content/bcj"
	"mailweir/internal/content/lzma"
)

// Methods of packing (Methods.txt of the 7-Zip SDK). BCJ2, PPMd, the filters of other processors
// than x86, and Delta are left out.
const (
	methodCopy    = "\x00"
	methodLZMA2   = "\x21"
	methodLZMA    = "\x03\x01\x01"
	methodBCJ     = "\x03\x03\x01\x03"
	methodDeflate = "\x04\x01\x08"
	methodBZip2   = "\x04\x02\x02"
	methodAES     = "\x06\xf1\x07\x01"
)

// BZip2Memory is what unpacking bzip2 takes: four octets for each of a block of 900,000.
const BZip2Memory = 4 << 20

// Chain is the coders in the order of unpacking, none if they are no chain. The input of a coder
// has the coder's own number, and so has its output.
func (f *Folder) Chain() []Coder {
	fed := map[uint64]bool{}
	after := map[uint64]uint64{} // a coder, and the one that takes what comes out of it
	for _, b := range f.binds {
		fed[b[0]], after[b[1]] = true, b[0]
	}
	at := uint64(0)
	for fed[at] {
		at++
	}
	var chain []Coder
	for at < uint64(len(f.coders)) && len(chain) < len(f.coders) {
		chain = append(chain, f.coders[at])
		next, more := after[at]
		if !more {
			break
		}
		at = next
	}
	if len(chain) < len(f.coders) {
		return nil
	}
	return chain
}

// Dictionary is how many octets a coder says that it may look back.
func (c *Coder) Dictionary() uint64 {
	switch {
	case c.ID == methodLZMA && len(c.Properties) == 5:
		return uint64(binary.LittleEndian.Uint32(c.Properties[1:]))
	case c.ID == methodLZMA2 && len(c.Properties) == 1:
		return lzma.Dictionary2(c.Properties[0])
	}
	return 0
}

// Tables is the memory that a decoder needs beside a dictionary, at most.
func (c *Coder) Tables() int {
	switch c.ID {
	case methodCopy, methodBCJ:
		return 16 << 10
	case methodBZip2:
		return BZip2Memory
	}
	return lzma.Tables // deflate takes less
}

// ErrMethod means a coder that is not known.
var ErrMethod = errors.New("content: unknown method of packing")

// Decoder undoes one step. No dictionary is made that is larger than said.
func (c *Coder) Decoder(r io.Reader, dictionary int) (io.Reader, error) {
	switch c.ID {
	case methodCopy:
		return r, nil
	case methodDeflate:
		return flate.NewReader(r), nil
	case methodBZip2:
		return bzip2.NewReader(r), nil
	case methodBCJ:
		return bcj.NewReader(r), nil
	case methodLZMA2:
		return lzma.NewReader2(r, dictionary)
	case methodLZMA:
		return lzma.NewReader(r, c.Properties, dictionary, c.Size)
	}
	return nil, ErrMethod
}
