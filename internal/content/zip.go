package content

import (
	"bytes"
	"compress/bzip2"
	"compress/flate"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"strings"

	"mailweir/internal/content/sevenzip"
	"mailweir/internal/content/source"
)

// Signatures of the ZIP format (PKWARE APPNOTE 4.3).
const (
	zipLocal     = "PK\x03\x04"
	zipDirectory = "PK\x01\x02"
)

// zip examines a ZIP archive, and the documents that are one: Office Open XML, OpenDocument.
//
// It reads the members in the order in which they lie there, so an archive of any size takes no
// memory; then the directory at the end, for names that had no member. Programs that open archives
// trust the one or the other. They find the directory from the end of the file, so an archive may
// stand behind anything, another archive too.
func (w *walk) zip(f file, in *source.Reader) {
	seen := map[string]bool{}
	for ok := true; ok; {
		switch nextSignature(in) {
		case zipLocal:
			ok = w.zipMember(f, in, seen)
		case zipDirectory:
			ok = w.zipEntry(f, in, seen)
		default:
			return
		}
	}
}

// nextSignature goes to the next signature and gives it, "" at the end. What lies between (data
// descriptors, padding, the end of the directory, rubbish) is skipped.
func nextSignature(in *source.Reader) string {
	for {
		head, err := in.Peek(4)
		if err != nil {
			return ""
		}
		switch s := string(head); s {
		case zipLocal, zipDirectory:
			return s
		}
		buffered, _ := in.Peek(in.Buffered())
		skip := bytes.Index(buffered[1:], []byte("PK")) + 1
		if skip == 0 {
			skip = len(buffered) - 1 // the last one may be a P
		}
		_, _ = in.Discard(skip)
	}
}

// Flags and methods of a member.
const (
	zipEncrypted  = 1 << 0
	zipDescriptor = 1 << 3 // the sizes stand behind the data
	zipStored     = 0
	zipDeflated   = 8
	zipBzip2      = 12
)

// zipMember examines a member by its own header. The directory may say another method, and some
// programs trust that: so data that can be nothing but deflated are inflated, and such as can't be
// are taken as stored.
func (w *walk) zipMember(f file, in *source.Reader, seen map[string]bool) bool {
	var h [30]byte
	if _, err := io.ReadFull(in, h[:]); err != nil {
		return false
	}
	le := binary.LittleEndian
	flags, method := le.Uint16(h[6:]), le.Uint16(h[8:])
	packed := int64(le.Uint32(h[18:]))
	name, ok := readName(in, int(le.Uint16(h[26:])), int(le.Uint16(h[28:])))
	if !ok {
		return false
	}
	seen[zipKey(name)] = true
	f.document = isDocument(seen)
	known := flags&zipDescriptor == 0 && packed != 0xffffffff
	encrypted := flags&zipEncrypted != 0
	if strings.HasSuffix(name, "/") && packed == 0 {
		return true
	}
	if !encrypted && known && (method == zipStored || method == zipDeflated) {
		method = w.zipMethod(in, method, packed)
	}
	switch {
	case !encrypted && method == zipDeflated:
		// Deflated data knows its own end, so a false size hides nothing.
		start := in.Used()
		ok = w.zipPacked(f, name, flate.NewReader(in), in)
		if left := packed - (in.Used() - start); ok && known && left > 0 && w.expanded < w.x.examiner.limits.Expanded {
			ok = w.zipStored(f, name, in, left)
		}
	case !encrypted && known && method == zipStored:
		ok = w.zipStored(f, name, in, packed)
	case !encrypted && known && method == zipBzip2:
		ok = w.zipBzip2(f, name, in, packed)
	default:
		// What lies there is not skipped by its size, which may be false, but by looking for the
		// next signature.
		if !encrypted {
			w.x.reach(LimitUnreadable)
		}
		ok = w.member(f, encrypted, nil, name)
	}
	return ok && !w.x.halted() && w.expanded < w.x.examiner.limits.Expanded
}

func (w *walk) zipStored(f file, name string, in *source.Reader, size int64) bool {
	body := io.LimitReader(in, size)
	ok := w.zipContent(f, name, body)
	w.copy(nil, body)
	return ok
}

// zipPacked examines a member that r unpacks from packed.
func (w *walk) zipPacked(f file, name string, r io.Reader, packed *source.Reader) bool {
	expanded := w.expand(r, packed)
	ok := w.zipContent(f, name, expanded)
	w.copy(nil, expanded)
	return ok
}

func (w *walk) zipBzip2(f file, name string, in *source.Reader, packed int64) bool {
	if !w.takeSpare(sevenzip.BZip2Memory) {
		return w.member(f, false, nil, name)
	}
	defer w.giveBack(sevenzip.BZip2Memory)
	body := source.New(io.LimitReader(in, packed))
	ok := w.zipPacked(f, name, bzip2.NewReader(body), body)
	w.copy(nil, body)
	return ok
}

// zipMethod tells by the data of a member whether it is deflated or stored; said is what its header
// says, which counts where the data tell nothing.
func (w *walk) zipMethod(in *source.Reader, said uint16, packed int64) uint16 {
	data, _ := in.Peek(int(min(packed, maxSniff)))
	switch whole := int64(len(data)) == packed; {
	case len(data) == 0:
	case said == zipStored && inflates(data, whole) == deflateSure:
		return zipDeflated
	case said == zipDeflated && inflates(data, whole) == deflateBroken:
		w.x.reach(LimitUnreadable)
		return zipStored
	}
	return said
}

// What the beginning of data is.
const (
	deflateUnsure = iota
	deflateSure
	deflateBroken
)

// inflates tells whether data are deflated; whole if they are not only a beginning. Hardly anything
// else can be read as deflated for long.
func inflates(data []byte, whole bool) int {
	const enough = 64 << 10
	r := bytes.NewReader(data)
	n, err := io.CopyN(io.Discard, flate.NewReader(r), enough)
	switch {
	case n == enough, err == io.EOF && r.Len() == 0 && whole, err == io.ErrUnexpectedEOF && len(data) >= maxSniff/2:
		return deflateSure
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return deflateUnsure
	}
	return deflateBroken
}

// zipEntry notes a name of the directory at the end. It takes no more than the signature: what
// looks like an entry may be none, and must not cover what follows.
func (w *walk) zipEntry(f file, in *source.Reader, seen map[string]bool) bool {
	const fixed = 46
	h, _ := in.Peek(fixed)
	if len(h) < fixed {
		return false
	}
	le := binary.LittleEndian
	encrypted := le.Uint16(h[8:])&zipEncrypted != 0
	length := int(le.Uint16(h[28:]))
	h, _ = in.Peek(fixed + min(length, maxZipName))
	name := string(h[fixed:])
	_, _ = in.Discard(len(zipDirectory))
	key := zipKey(name)
	if name == "" || seen[key] || strings.HasSuffix(name, "/") {
		return true
	}
	seen[key] = true
	if length > maxZipName {
		w.x.reach(LimitUnreadable) // the end of the name is not seen
	}
	return w.member(f, encrypted, nil, name)
}

// maxZipName is the octets of a name in the directory that are looked at.
const maxZipName = 4000

// zipKey knows a name again.
func zipKey(name string) string {
	if len(name) < sha256.Size {
		return name
	}
	sum := sha256.Sum256([]byte(name[:min(len(name), maxZipName)]))
	return string(sum[:])
}

// readName reads a name and skips what follows it.
func readName(in *source.Reader, length, extra int) (string, bool) {
	name := make([]byte, length)
	if _, err := io.ReadFull(in, name); err != nil {
		return "", false
	}
	_, err := in.Discard(extra)
	return string(name), err == nil
}
