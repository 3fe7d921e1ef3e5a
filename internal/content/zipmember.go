package content

import (
	"bytes"
	"compress/bzip2"
	"compress/flate"
	"encoding/binary"
	"io"
	"strings"
	"unicode/utf8"

	"mailweir/internal/content/sevenzip"
	"mailweir/internal/content/source"
)

// Flags, methods and an extra field of a member (APPNOTE 4.4.4, 4.4.5, 4.6.9).
const (
	zipEncrypted   = 1 << 0
	zipDescriptor  = 1 << 3 // the sizes stand behind the data
	zipStored      = 0
	zipDeflated    = 8
	zipBzip2       = 12
	zipUnicodePath = 0x7075
)

// zipHeader is a member's own header. The directory may say something else of its encryption,
// method and size, and some programs trust that: so the data themselves are asked.
type zipHeader struct {
	names     []string
	encrypted bool
	method    uint16
	packed    int64 // octets of its data
	known     bool  // packed is meant to be true
}

// readZipHeader reads one. What stands in the name and the extra field is given, too.
func readZipHeader(in *source.Reader) (zipHeader, []byte, bool) {
	var h [30]byte
	if _, err := io.ReadFull(in, h[:]); err != nil {
		return zipHeader{}, nil, false
	}
	le := binary.LittleEndian
	flags := le.Uint16(h[6:])
	m := zipHeader{encrypted: flags&zipEncrypted != 0, method: le.Uint16(h[8:]), packed: int64(le.Uint32(h[18:]))}
	m.known = flags&zipDescriptor == 0 && m.packed != 0xffffffff
	name := int(le.Uint16(h[26:]))
	fields := make([]byte, name+int(le.Uint16(h[28:])))
	if _, err := io.ReadFull(in, fields); err != nil {
		return m, nil, false
	}
	m.names = zipNames(fields[:name], fields[name:])
	return m, fields, true
}

// zipMember examines a member.
func (w *walk) zipMember(f file, in *source.Reader, members *zipMembers) bool {
	at := in.Used()
	m, fields, ok := readZipHeader(in)
	if !ok {
		return false
	}
	members.note(at, m.names)
	f.document = isDocument(members.seen)
	if bytes.Contains(fields, []byte(zipLocal)) { // one that the directory alone knows, begun in the midst of this one
		w.x.reach(LimitUnreadable)
		w.zip(f, source.New(bytes.NewReader(fields)))
	}
	data, whole := zipPeek(in, m)
	if len(m.names) == 0 || m.isFolder(data, whole) {
		return true
	}
	ok = true
	if m.encrypted {
		ok = w.member(f, true, nil, m.names...)
	}
	switch method := zipMethod(m, data, whole); {
	case !ok:
	case method == zipDeflated:
		ok = w.zipInflate(f, in, m)
	case method == zipStored:
		ok = w.zipStored(f, in, m)
	case method == zipBzip2:
		ok = w.zipBzip2(f, in, m)
	case m.encrypted:
	default:
		// What lies there is not skipped by its size, which may be false, but by looking for the
		// next signature.
		w.x.reach(LimitUnreadable)
		ok = w.member(f, false, nil, m.names...)
	}
	return ok && !w.x.halted() && w.expanded < w.x.examiner.limits.Expanded
}

// isFolder tells a folder from a file whose name only looks like one: it has no data. Java writes
// the two octets that deflate makes of nothing.
func (m zipHeader) isFolder(data []byte, whole bool) bool {
	if !strings.HasSuffix(m.names[0], "/") || !whole && len(data) > 0 {
		return false
	}
	packed := bytes.NewReader(data)
	n, err := io.CopyN(io.Discard, flate.NewReader(packed), 1)
	return len(data) == 0 && (m.packed == 0 || !m.known) || n == 0 && err == io.EOF && packed.Len() == 0
}

// zipPeek looks at the beginning of a member's data; whole if it is all of them.
func zipPeek(in *source.Reader, m zipHeader) (data []byte, whole bool) {
	data, _ = in.Peek(maxSniff + len(zipLocal))
	if size := int(min(m.packed, maxSniff)); m.known && size < len(data) {
		if m.packed > maxSniff {
			return data[:size], false
		}
		if isZipSignature(data[size:]) {
			return data[:size], true
		}
	} else if m.known && m.packed == int64(len(data)) {
		return data, true
	}
	for i := range data {
		if isZipSignature(data[i:]) {
			return data[:i], true
		}
	}
	return data, false
}

// isZipSignature says whether something that is no data begins here.
func isZipSignature(b []byte) bool {
	return hasPrefix(b, zipLocal) || hasPrefix(b, zipDirectory) || hasPrefix(b, zipSizes) || hasPrefix(b, "PK\x05\x06")
}

// zipUnknown is the method of data that cannot be read.
const zipUnknown = 0xffff

// zipMethod tells by the data of a member how they are packed; what its header says counts where
// they tell nothing.
func zipMethod(m zipHeader, data []byte, whole bool) uint16 {
	deflate := inflates(data, whole)
	switch {
	case deflate == deflateSure:
		return zipDeflated
	case hasPrefix(data, "BZh") && (m.method != zipStored || m.encrypted):
		return zipBzip2
	case m.encrypted && !plainly(data):
		return zipUnknown
	case m.method == zipStored:
		return zipStored
	case m.method == zipDeflated && deflate == deflateUnsure:
		return zipDeflated
	case m.method == zipDeflated, plainly(data):
		return zipStored
	}
	return zipUnknown
}

// plainly says whether data are neither encrypted nor packed in a way that is not known: these look
// like nothing at all.
func plainly(data []byte) bool {
	k := kindOf(data)
	if k.text {
		return utf8.Valid(data[:max(0, len(data)-utf8.UTFMax)])
	}
	return k.real != "" && k.real != "application/octet-stream"
}

// zipInflate examines a deflated member. Such data know their own end, so a false size hides
// nothing; what is left of it is examined, too.
func (w *walk) zipInflate(f file, in *source.Reader, m zipHeader) bool {
	start := in.Used()
	ok := w.zipPacked(f, m.names, flate.NewReader(in), in)
	left := m.packed - (in.Used() - start)
	if !ok || !m.known || left <= 0 || w.expanded >= w.x.examiner.limits.Expanded {
		return ok
	}
	rest := &zipData{in: in, left: left}
	ok = w.zipContent(f, m.names, rest)
	w.copy(nil, rest)
	return ok
}

// zipStored examines a member that is not packed, to the end that its header tells, and on to the
// next signature if there is none.
func (w *walk) zipStored(f file, in *source.Reader, m zipHeader) bool {
	body := &zipData{in: in}
	if m.known {
		body.left, body.firm = m.packed, !documentText(m.names[0])
	}
	ok := w.zipContent(f, m.names, body)
	w.copy(nil, body)
	return ok
}

// zipPacked examines a member that r unpacks from packed.
func (w *walk) zipPacked(f file, names []string, r io.Reader, packed *source.Reader) bool {
	expanded := w.expand(r, packed)
	ok := w.zipContent(f, names, expanded)
	w.copy(nil, expanded)
	return ok
}

func (w *walk) zipBzip2(f file, in *source.Reader, m zipHeader) bool {
	if !w.takeSpare(sevenzip.BZip2Memory) {
		return w.member(f, false, nil, m.names...)
	}
	defer w.giveBack(sevenzip.BZip2Memory)
	data := &zipData{in: in}
	if m.known {
		data.left = m.packed
	}
	body := source.New(data)
	ok := w.zipPacked(f, m.names, bzip2.NewReader(body), body)
	w.copy(nil, body)
	return ok
}

// zipData reads the data of a member up to the next signature.
type zipData struct {
	in   *source.Reader
	left int64 // octets of them as the header says
	firm bool  // in these no signature is one; otherwise only a header that looks as such
}

func (d *zipData) Read(p []byte) (int, error) {
	if d.left > 0 && d.firm {
		n, err := d.in.Read(p[:min(int64(len(p)), d.left)])
		d.left -= int64(n)
		return n, err
	}
	data, err := d.in.Peek(zipLocalSize)
	if len(data) == 0 {
		return 0, err
	}
	last := err != nil
	if !last {
		data, _ = d.in.Peek(d.in.Buffered())
	}
	n := bytes.Index(data[1:], []byte("PK")) + 1
	switch {
	case isZipSignature(data) && (d.left <= 0 || isZipHeader(data)):
		return 0, io.EOF
	case n == 0 && last:
		n = len(data)
	case n == 0:
		n = len(data) - 1 // the last one may be a P
	}
	n, err = d.in.Read(p[:min(len(p), max(n, 1))])
	d.left -= int64(n)
	return n, err
}

// zipLocalSize is the octets of a member's header without its name.
const zipLocalSize = 30

// isZipHeader tells a member's header, or what belongs to the directory, from packed data that hold
// the same four octets by chance.
func isZipHeader(b []byte) bool {
	le := binary.LittleEndian
	if !hasPrefix(b, zipLocal) || len(b) < zipLocalSize {
		return isZipSignature(b) && !hasPrefix(b, zipLocal)
	}
	return b[4] < 100 && le.Uint16(b[8:]) < 100 && le.Uint16(b[26:]) < maxZipName
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
