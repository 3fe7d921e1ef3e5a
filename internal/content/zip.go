package content

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"

	"mailweir/internal/content/source"
)

// Signatures of the ZIP format (PKWARE APPNOTE 4.3).
const (
	zipLocal     = "PK\x03\x04"
	zipDirectory = "PK\x01\x02"
	zipSizes     = "PK\x07\x08" // of the member before
)

// zip examines a ZIP archive, and the documents that are one: Office Open XML, OpenDocument.
//
// It reads the members in the order in which they lie there, so an archive of any size takes no
// memory; then the directory at the end, for names that had no member. Programs that open archives
// trust the one or the other. They find the directory from the end of the file, so an archive may
// stand behind anything, another archive too.
func (w *walk) zip(f file, in *source.Reader) {
	f.styles = &styles{w: w}
	defer func() { f.styles.end(w.x.sink(Attachments)) }()
	members := zipMembers{seen: map[string]bool{}, begin: map[int64]bool{}, first: -1}
	for ok := true; ok; {
		switch nextSignature(in) {
		case zipLocal:
			ok = w.zipMember(f, in, &members)
		case zipDirectory:
			ok = w.zipEntry(f, in, &members)
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

// zipMembers are those of an archive that have been met.
type zipMembers struct {
	seen  map[string]bool // their names
	first int64           // where the header of the first begins, -1 while there is none
	begin map[int64]bool  // and those of all, from there on
}

// note remembers a member whose header begins at an offset.
func (m *zipMembers) note(at int64, names []string) {
	if m.first < 0 {
		m.first = at
	}
	m.begin[at-m.first] = true
	for _, name := range names {
		m.seen[zipKey(name)] = true
	}
}

// read says whether the data at an offset of the archive, or of the file that holds it, were read.
func (m *zipMembers) read(at int64) bool {
	return m.begin[at] || m.begin[at-m.first]
}

// zipEntry notes the names of the directory at the end that no member has. It takes no more than
// the signature: what looks like an entry may be none, and must not cover what follows.
func (w *walk) zipEntry(f file, in *source.Reader, members *zipMembers) bool {
	const fixed = 46
	h, _ := in.Peek(fixed)
	if len(h) < fixed {
		return false
	}
	le := binary.LittleEndian
	encrypted := le.Uint16(h[8:])&zipEncrypted != 0
	name, extra := int(le.Uint16(h[28:])), int(le.Uint16(h[30:]))
	at := int64(le.Uint32(h[42:]))
	long := name > maxZipName
	if !long && name+extra > maxZipName {
		w.x.reach(LimitUnreadable) // there may be another name in it
	}
	h, _ = in.Peek(fixed + min(name+extra, maxZipName))
	h = h[fixed:]
	name = min(name, len(h))
	names := zipNames(h[:name], h[name:])
	_, _ = in.Discard(len(zipDirectory))
	names = slices.DeleteFunc(names, func(name string) bool { return members.seen[zipKey(name)] || strings.HasSuffix(name, "/") })
	if len(names) == 0 {
		return true
	}
	for _, name := range names {
		members.seen[zipKey(name)] = true
	}
	if long || !encrypted && !members.read(at) {
		w.x.reach(LimitUnreadable)
	}
	return w.member(f, encrypted, nil, names...)
}

// maxZipName is the octets of a name in the directory that are looked at, with its extra field.
const maxZipName = 4000

// zipKey knows a name again.
func zipKey(name string) string {
	if len(name) < sha256.Size {
		return name
	}
	sum := sha256.Sum256([]byte(name[:min(len(name), maxZipName)]))
	return string(sum[:])
}

// zipNames are the names of a member: that of its header, and the Unicode Path of its extra field
// (APPNOTE 4.6.9), which many programs take instead, some only if the checksum of the other name is
// right. Which of them do is not known here, so both count.
func zipNames(name, extra []byte) []string {
	names := []string{string(name)}
	if len(name) == 0 {
		names = nil
	}
	le := binary.LittleEndian
	for len(extra) >= 4 {
		kind, size := le.Uint16(extra), int(le.Uint16(extra[2:]))
		field := extra[4:min(4+size, len(extra))]
		if kind == zipUnicodePath && len(field) > 5 { // behind a version and the checksum
			names = addNames(names, string(field[5:]))
		}
		extra = extra[4+len(field):]
	}
	return names
}
