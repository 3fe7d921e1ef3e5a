// Package lzma unpacks LZMA and LZMA2 within bounds. The decoder is a library's; it makes a
// dictionary of any size that a file names, so nothing is opened but with a size that was looked
// at.
package lzma

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

const (
	// MaxDictionary is the most octets of unpacked text that may be looked back to. A file that
	// asks for more is unpacked as far as it does not need more.
	MaxDictionary = 16 << 20
	// Tables is the octets of memory that a decoder takes beside its dictionary.
	Tables = 128 << 10
)

// Dictionary2 undoes the one octet in which LZMA2 and xz write the size of a dictionary.
func Dictionary2(property byte) uint64 {
	return uint64(2|property&1) << (property&63/2 + 11)
}

// NewReader2 unpacks LZMA2.
func NewReader2(r io.Reader, dictionary int) (io.Reader, error) {
	return lzma.Reader2Config{DictCap: max(dictionary, lzma.MinDictCap)}.NewReader2(r)
}

// ErrProperties means properties that no packer writes.
var ErrProperties = errors.New("content: properties of LZMA that are not known")

// NewReader unpacks the classic format from its properties (lc, lp, pb in the first octet) and the
// size of what comes out.
func NewReader(r io.Reader, properties []byte, dictionary int, size uint64) (io.Reader, error) {
	// More than 16 tables of literals no one needs.
	if len(properties) != 5 || properties[0] >= 9*5*5 || properties[0]%9+properties[0]/9%5 > 4 {
		return nil, ErrProperties
	}
	dictionary = max(dictionary, lzma.MinDictCap)
	head := binary.LittleEndian.AppendUint32(properties[:1:1], uint32(dictionary))
	head = binary.LittleEndian.AppendUint64(head, size)
	return lzma.ReaderConfig{DictCap: dictionary}.NewReader(bufio.NewReader(io.MultiReader(bytes.NewReader(head), r)))
}
