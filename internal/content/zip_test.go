package content

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strings"
	"testing"
)

// zipped is a member as its own header and as the directory have it; where the latter says nothing,
// it says the same.
type zipped struct {
	data          []byte // as they lie in the archive
	local         zipSays
	directory     *zipSays
	behind        string // what lies behind the data
	notInTheIndex bool
}

type zipSays struct {
	name          string
	flags, method uint16
	size          int // octets of data too many or too few
	extra         []byte
}

// zipWith makes an archive of members that may lie.
func zipWith(members ...zipped) []byte {
	var out, index bytes.Buffer
	le := binary.LittleEndian
	common := func(says zipSays, m zipped) []byte {
		b := le.AppendUint16(nil, 20)
		b = le.AppendUint16(b, says.flags)
		b = le.AppendUint16(b, says.method)
		b = le.AppendUint32(b, 0)
		b = le.AppendUint32(b, crc32.ChecksumIEEE(m.data))
		b = le.AppendUint32(b, uint32(len(m.data)+says.size))
		b = le.AppendUint32(b, uint32(len(m.data)+says.size))
		b = le.AppendUint16(b, uint16(len(says.name)))
		return le.AppendUint16(b, uint16(len(says.extra)))
	}
	n := 0
	for _, m := range members {
		at := out.Len()
		out.WriteString(zipLocal)
		out.Write(common(m.local, m))
		out.WriteString(m.local.name)
		out.Write(m.local.extra)
		out.Write(m.data)
		out.WriteString(m.behind)
		says := m.local
		if m.directory != nil {
			says = *m.directory
		}
		if m.notInTheIndex {
			continue
		}
		n++
		index.WriteString(zipDirectory + "\x14\x00")
		index.Write(common(says, m))
		index.Write(make([]byte, 10))
		_ = binary.Write(&index, le, uint32(at))
		index.WriteString(says.name)
		index.Write(says.extra)
	}
	at := out.Len()
	out.Write(index.Bytes())
	out.WriteString("PK\x05\x06\x00\x00\x00\x00")
	_ = binary.Write(&out, le, []uint16{uint16(n), uint16(n)})
	_ = binary.Write(&out, le, []uint32{uint32(index.Len()), uint32(at)})
	out.WriteString("\x00\x00")
	return out.Bytes()
}

// unicodePath is the extra field of a name; its checksum is that of another.
func unicodePath(name, of string) []byte {
	b := binary.LittleEndian.AppendUint16(nil, zipUnicodePath)
	b = binary.LittleEndian.AppendUint16(b, uint16(5+len(name)))
	b = binary.LittleEndian.AppendUint32(append(b, 1), crc32.ChecksumIEEE([]byte(of)))
	return append(b, name...)
}

// TestZipLies: whatever one of a member's headers says, it is read by the other.
func TestZipLies(t *testing.T) {
	long := "the secret offer " + string(commonText(3000))
	stored := func(says zipSays) []byte { return zipWith(zipped{data: []byte(long), local: says}) }
	packed := func(says zipSays) []byte { return zipWith(zipped{data: deflated(long), local: says}) }
	other := zipped{data: deflated(long), local: zipSays{name: "b.txt", method: zipDeflated}}
	first := func(says zipSays) []byte {
		return zipWith(zipped{data: []byte("hello"), local: says}, other)
	}
	bz := func(says zipSays) []byte { return zipWith(zipped{data: bzipped, local: says}, other) }
	for _, c := range []struct {
		name   string
		octets []byte
		member string
	}{
		{"the truth", packed(zipSays{name: "a.txt", method: zipDeflated}), "a.txt"},
		{"stored, said to be encrypted", stored(zipSays{name: "a.txt", flags: zipEncrypted}), "a.txt"},
		{"deflated, said to be encrypted", packed(zipSays{name: "a.txt", flags: zipEncrypted, method: zipDeflated}), "a.txt"},
		{"deflated, said to be encrypted by AES", packed(zipSays{name: "a.txt", flags: zipEncrypted, method: 99}), "a.txt"},
		{"encrypted for the directory", zipWith(zipped{data: deflated(long), local: zipSays{name: "a.txt", method: zipDeflated}, directory: &zipSays{name: "a.txt", flags: zipEncrypted, method: 99}}), "a.txt"},
		{"deflated, said to be stored", packed(zipSays{name: "a.txt"}), "a.txt"},
		{"stored, said to be deflated", stored(zipSays{name: "a.txt", method: zipDeflated}), "a.txt"},
		{"deflated, an unknown method", packed(zipSays{name: "a.txt", method: 97}), "a.txt"},
		{"stored, an unknown method", stored(zipSays{name: "a.txt", method: 14}), "a.txt"},
		{"bzip2, said to be deflated", bz(zipSays{name: "a.txt", method: zipDeflated}), "a.txt"},
		{"bzip2, too long", bz(zipSays{name: "a.txt", method: zipBzip2, size: 1 << 16}), "b.txt"},
		{"stored, no size", stored(zipSays{name: "a.txt", flags: zipDescriptor, size: -len(long)}), "a.txt"},
		{"stored, no size and no flag", stored(zipSays{name: "a.txt", size: -len(long)}), "a.txt"},
		{"stored, too short", stored(zipSays{name: "a.txt", size: 1 - len(long)}), "a.txt"},
		{"deflated, no size", packed(zipSays{name: "a.txt", method: zipDeflated, flags: zipDescriptor, size: -len(deflated(long))}), "a.txt"},
		{"deflated, said to be stored without a size", packed(zipSays{name: "a.txt", size: -len(deflated(long))}), "a.txt"},
		{"deflated, too short", packed(zipSays{name: "a.txt", method: zipDeflated, size: -7}), "a.txt"},
		{"deflated, too long", zipWith(zipped{data: deflated("hello"), local: zipSays{name: "a.txt", method: zipDeflated, size: 1 << 16}}, other), "b.txt"},
		{"deflated, too long, a document", zipWith(zipped{data: deflated("<a/>"), local: zipSays{name: "word/document.xml", method: zipDeflated, size: 1 << 16}}, other), "b.txt"},
		{"stored, too long", first(zipSays{name: "a.txt", size: 1 << 16}), "a.txt/b.txt"},
		{"stored, too long, a document", first(zipSays{name: "word/document.xml", size: 1 << 16}), "b.txt"},
		{"a folder with data", stored(zipSays{name: "a.txt/", size: -len(long)}), "a.txt/"},
		{"two directories", append(zipWith(zipped{data: deflated("hello"), local: zipSays{name: "a.txt", method: zipDeflated}}), packed(zipSays{name: "c.txt", method: zipDeflated})...), "c.txt"},
		{"behind something", append([]byte("\xff\xd8\xff\xe0"), packed(zipSays{name: "c.txt", method: zipDeflated})...), "c.txt"},
		{"not in the directory", zipWith(zipped{data: deflated(long), local: zipSays{name: "c.txt", method: zipDeflated}, notInTheIndex: true}), "c.txt"},
		{"in an extra field", zipWith(zipped{data: []byte("hello"), local: zipSays{name: "a.txt", extra: append([]byte("ab\xff\xff"), packed(zipSays{name: "c.txt", method: zipDeflated})...)}}), "c.txt"},
		{"another name in the directory", zipWith(zipped{data: deflated(long), local: zipSays{name: "a.txt", method: zipDeflated}, directory: &zipSays{name: "i.exe", method: zipDeflated}}), "i.exe"},
		{"a Unicode path", packed(zipSays{name: "a.txt", method: zipDeflated, extra: unicodePath("i.exe", "a.txt")}), "i.exe"},
		{"a Unicode path of a wrong checksum", packed(zipSays{name: "a.txt", method: zipDeflated, extra: unicodePath("i.exe", "b.txt")}), "i.exe"},
		{"a Unicode path behind others", packed(zipSays{name: "a.txt", method: zipDeflated, extra: append([]byte("\x55\x54\x01\x00x"), unicodePath("i.exe", "a.txt")...)}), "i.exe"},
		{"a Unicode path of a document", packed(zipSays{name: "word/document.xml", method: zipDeflated, extra: unicodePath("i.exe", "a.txt")}), "i.exe"},
		{"a Unicode path in the directory", zipWith(zipped{data: deflated(long), local: zipSays{name: "a.txt", method: zipDeflated}, directory: &zipSays{name: "a.txt", method: zipDeflated, extra: unicodePath("i.exe", "a.txt")}}), "i.exe"},
		{"NUL in a name", packed(zipSays{name: "i.exe\x00.txt", method: zipDeflated}), "i.exe"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := mustExaminer(t, Options{}, "!activation 1\n!scan attachments filenames\n1 secret offer\n")
			for _, size := range []int{1, 1000, 65535} {
				r := examine(t, e, attach("x.bin", "application/octet-stream", c.octets), size)
				if len(r.Outcomes[0].Hits) != 1 {
					t.Errorf("in pieces of %d: %d hits", size, len(r.Outcomes[0].Hits))
				}
				if !slices.Contains(names(r), "x.bin/"+c.member) {
					t.Errorf("in pieces of %d: found %q", size, names(r))
				}
				twin := bytes.ReplaceAll(c.octets, []byte("secret"), []byte("secre8"))
				if r := examine(t, e, attach("x.bin", "application/octet-stream", twin), size); bytes.Contains(c.octets, []byte("secret")) && len(r.Outcomes[0].Hits) != 0 {
					t.Errorf("in pieces of %d: the innocent twin: %d hits", size, len(r.Outcomes[0].Hits))
				}
			}
		})
	}
}

// TestZipFolders: a folder is no file, whatever its name ends in; one with data is.
func TestZipFolders(t *testing.T) {
	nothing := deflated("")
	for _, c := range []struct {
		name  string
		m     zipped
		files []string
	}{
		{"stored", zipped{local: zipSays{name: "www.shop.com/"}}, nil},
		{"deflated", zipped{data: nothing, local: zipSays{name: "www.shop.com/", method: zipDeflated}}, nil},
		{"as Java writes it", zipped{data: nothing, local: zipSays{name: "My.app/", method: zipDeflated, flags: zipDescriptor, size: -len(nothing)}, behind: zipSizes + "............"}, nil},
		{"with data", zipped{data: deflated("MZ"), local: zipSays{name: "i.exe/", method: zipDeflated}}, []string{"i.exe/"}},
		{"with data behind nothing", zipped{data: append(deflated(""), "MZ"...), local: zipSays{name: "i.exe/", method: zipDeflated}}, []string{"i.exe/"}},
		{"a file of nothing", zipped{data: nothing, local: zipSays{name: "i.exe", method: zipDeflated}}, []string{"i.exe"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			last := zipped{data: deflated("hello"), local: zipSays{name: "z.txt", method: zipDeflated}}
			r := examine(t, mustExaminer(t, Options{}), attach("a.zip", "application/zip", zipWith(c.m, last)), 100)
			want := "a.zip"
			for _, file := range append(c.files, "z.txt") {
				want += " a.zip/" + file
			}
			if got := slices.Compact(names(r)); strings.Join(got, " ") != want {
				t.Errorf("found %q, want %q", got, want)
			}
			if len(r.Limits) > 0 {
				t.Errorf("limits %v", r.Limits)
			}
		})
	}
}

// TestZipUnread: what the directory names and nobody has read leaves a trace; what is honest none.
func TestZipUnread(t *testing.T) {
	hello := zipped{data: deflated("hello"), local: zipSays{name: "a.txt", method: zipDeflated}}
	renamed := hello
	renamed.directory = &zipSays{name: "b.txt", method: zipDeflated}
	lost := zipWith(hello, zipped{data: []byte("hello"), local: zipSays{name: "c.txt"}})
	copy(lost[bytes.LastIndex(lost[:len(lost)/2], []byte(zipLocal)):], "QQ")
	for _, c := range []struct {
		name   string
		octets []byte
		want   bool
	}{
		{"honest", zipWith(hello), false},
		{"honest, by a library", zipOf(t, "a.txt", "hello", "b/", "", "b/c.bin", "\x00\x01\x02"), false},
		{"honest, stored", storedZip(t, "a.txt", "hello"), false},
		{"another name", zipWith(renamed), false},
		{"another name, behind something", append([]byte("\xff\xd8\xff\xe0"), zipWith(renamed)...), false},
		{"no header", lost, true},
		{"in an extra field", zipWith(zipped{data: []byte("hello"), local: zipSays{name: "a.txt", extra: append([]byte("ab\xff\xff"), zipWith(hello)...)}}), true},
		{"encrypted", zipWith(zipped{data: []byte("\x9f\x00\x8c\x03\xff\xd1\x02\x81\x90\x8b\x8c\x8d\x0e\x0f\x00"), local: zipSays{name: "a.txt", flags: zipEncrypted}}), false},
	} {
		r := examine(t, mustExaminer(t, Options{}), attach("x.bin", "application/octet-stream", c.octets), 1000)
		if got := slices.Contains(r.Limits, LimitUnreadable); got != c.want {
			t.Errorf("%s: limits %v, parts %s", c.name, r.Reached, strings.Join(names(r), " "))
		}
	}
}
