package content

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
)

// attach makes a message with one attachment.
func attach(name, mediaType string, octets []byte) string {
	return mimePart("Content-Type: "+mediaType+"; name=\""+name+"\"\nContent-Transfer-Encoding: base64", b64(string(octets)))
}

// zipOf packs name, content, name, content …
func zipOf(t testing.TB, pairs ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		f, err := z.Create(pairs[i])
		if err != nil {
			t.Fatal(err)
		}
		_, _ = f.Write([]byte(pairs[i+1]))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// storedZip packs one member uncompressed with its sizes in front.
func storedZip(t testing.TB, name, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.CreateRaw(&zip.FileHeader{
		Name: name, Method: zip.Store, CRC32: crc32.ChecksumIEEE([]byte(text)),
		CompressedSize64: uint64(len(text)), UncompressedSize64: uint64(len(text)),
	})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.Write([]byte(text))
	_ = z.Close()
	return b.Bytes()
}

func gzipOf(octets []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(octets)
	_ = z.Close()
	return b.Bytes()
}

func tarOf(name, text string) []byte {
	var b bytes.Buffer
	z := tar.NewWriter(&b)
	_ = z.WriteHeader(&tar.Header{Name: name, Size: int64(len(text)), Mode: 0o644})
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.Bytes()
}

// sparseTar makes an archive of 3 KiB with one member that is a hole, and an octet at its end (GNU
// tar, "PAX formats", 1.0).
func sparseTar(size int64) []byte {
	header := func(kind byte, name, body string) []byte {
		var b bytes.Buffer
		_ = tar.NewWriter(&b).WriteHeader(&tar.Header{Name: name, Size: int64(len(body)), Format: tar.FormatUSTAR})
		h := b.Bytes()[:512]
		h[156] = kind
		copy(h[148:], "        ")
		sum := 0
		for _, c := range h {
			sum += int(c)
		}
		copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
		return append(append(h, body...), make([]byte, -len(body)&511)...)
	}
	records := ""
	for _, r := range []string{"major=1", "minor=0", "name=big", fmt.Sprint("realsize=", size)} {
		r = "GNU.sparse." + r + "\n"
		records += fmt.Sprint(len(r)+3, " ", r)
	}
	holes := fmt.Sprintf("1\n%d\n1\n", size-1)
	member := holes + strings.Repeat("\x00", 512-len(holes)) + "x"
	return append(append(header('x', "pax", records), header('0', "big", member)...), make([]byte, 1024)...)
}

// rarOf makes a RAR archive of format 1.5 with one stored member.
func rarOf(name, text string) []byte {
	le := binary.LittleEndian
	block := func(kind byte, flags uint16, fields []byte) []byte {
		h := []byte{0, 0, kind}
		h = le.AppendUint16(h, flags)
		h = le.AppendUint16(h, uint16(7+len(fields)))
		h = append(h, fields...)
		le.PutUint16(h, uint16(crc32.ChecksumIEEE(h[2:])))
		return h
	}
	var f []byte
	f = le.AppendUint32(f, uint32(len(text)))
	f = le.AppendUint32(f, uint32(len(text)))
	f = append(f, 3) // Unix
	f = le.AppendUint32(f, crc32.ChecksumIEEE([]byte(text)))
	f = le.AppendUint32(f, 0)
	f = append(f, 29, 0x30) // version 2.9, stored
	f = le.AppendUint16(f, uint16(len(name)))
	f = le.AppendUint32(f, 0o100644)
	f = append(f, name...)
	out := []byte("Rar!\x1a\x07\x00")
	out = append(out, block(0x73, 0, make([]byte, 6))...)
	out = append(out, block(0x74, 0x8000, f)...)
	out = append(out, text...)
	return append(out, block(0x7b, 0, nil)...)
}

// rar5Of makes a RAR archive of format 5 with one stored member.
func rar5Of(name, text string) []byte {
	block := func(fields ...uint64) []byte {
		var body []byte
		for _, v := range fields {
			body = binary.AppendUvarint(body, v)
		}
		return body
	}
	seal := func(body []byte) []byte {
		sized := append(binary.AppendUvarint(nil, uint64(len(body))), body...)
		return append(binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(sized)), sized...)
	}
	n := uint64(len(text))
	member := append(block(2, 2, n, 0, n, 0o100644, 0, 1, uint64(len(name))), name...) // file, data follow
	out := append([]byte(rar5Mark), seal(block(1, 0, 0))...)
	out = append(append(out, seal(member)...), text...)
	return append(out, seal(block(5, 0, 0))...)
}

// TestContainers hides the words "secret offer" in files, and beside each in a twin that does not
// hold them.
func TestContainers(t *testing.T) {
	e := mustExaminer(t, Options{}, "!activation 1\n1 secret offer\n")
	const octets = "application/octet-stream"
	docx := func(text string) []byte {
		return zipOf(t, "[Content_Types].xml", "<Types/>", "word/document.xml",
			`<?xml version="1.0"?><w:document xmlns:w="u"><w:body><w:p><w:r><w:rPr><w:b/></w:rPr><w:t>sec</w:t></w:r><w:r><w:t xml:space="preserve">`+text+`</w:t></w:r></w:p></w:body></w:document>`)
	}
	for _, c := range []struct{ name, hidden, innocent string }{
		{"docx", attach("a.docx", octets, docx("ret off</w:t></w:r><w:r><w:t>er")), attach("a.docx", octets, docx("ret off</w:t></w:r></w:p><w:p><w:r><w:t>er"))},
		{"docx under another type", attach("a.jpg", "image/jpeg", docx("ret offer")), attach("a.jpg", "image/jpeg", docx("ret-offer"))},
		{"docx link", attach("a.docx", octets, zipOf(t, "word/_rels/document.xml.rels", `<Relationships><Relationship Target="http://x/?secret offer" TargetMode="External"/></Relationships>`)), attach("a.docx", octets, zipOf(t, "word/_rels/document.xml.rels", `<Relationship Target="secret offer"/>`))},
		{"xlsx", attach("a.xlsx", octets, zipOf(t, "xl/sharedStrings.xml", "<sst><si><r><rPr><b/></rPr><t>sec</t></r><r><t>ret offer</t></r></si></sst>")), attach("a.xlsx", octets, zipOf(t, "xl/sharedStrings.xml", "<sst><si><t>sec</t></si><si><t>ret offer</t></si></sst>"))},
		{"pptx", attach("a.pptx", octets, zipOf(t, "ppt/slides/slide1.xml", "<p:sld><a:p><a:r><a:t>secret&#32;of</a:t></a:r><a:r><a:t>fer</a:t></a:r></a:p></p:sld>")), attach("a.pptx", octets, zipOf(t, "ppt/slides/slide1.xml", "<p:sld><a:p><a:t>secret of</a:t></a:p><a:p><a:t>fer</a:t></a:p></p:sld>"))},
		{"odt", attach("a.odt", octets, zipOf(t, "mimetype", "application/vnd.oasis.opendocument.text", "content.xml", "<text:p>sec<text:span>ret</text:span><text:s/>offer</text:p>")), attach("a.odt", octets, zipOf(t, "content.xml", "<text:p>sec</text:p><text:p>ret</text:p>offer"))},
		{"rtf", attach("a.doc", "application/msword", []byte(`{\rtf1\ansi{\fonttbl{\f0 Arial;}}sec{\b ret}\~o{\*\x junk}f\'66\u101?r}`)), attach("a.rtf", octets, []byte(`{\rtf1{\*\x secret offer}secret\par +offer}`))},
		{"zip", attach("a.zip", octets, zipOf(t, "x/y.txt", "secret\noffer")), attach("a.zip", octets, zipOf(t, "x/y.txt", "secret\n.offer"))},
		{"zip stored", attach("a.zip", octets, storedZip(t, "y.txt", "secret offer")), attach("a.zip", octets, storedZip(t, "y.txt", "secret_offer"))},
		{"zip in zip", attach("a.zip", octets, zipOf(t, "b.zip", string(zipOf(t, "c.txt", "secret offer")))), attach("a.zip", octets, zipOf(t, "b.zip", string(zipOf(t, "c.txt", "secret"))))},
		{"zip without directory", attach("a.zip", octets, zipOf(t, "c.txt", "secret offer")[:60]), attach("a.zip", octets, zipOf(t, "c.txt", "secret bother")[:60])},
		{"name in zip", attach("a.zip", octets, zipOf(t, "x/secret offer.bin", "x")), attach("a.zip", octets, zipOf(t, "x/secret/offer.bin", "x"))},
		{"name in directory of zip alone", attach("a.zip", octets, bytes.Replace(zipOf(t, "secret offer.bin", "x"), []byte("secret offer"), []byte("harmlessname"), 1)), attach("a.zip", octets, zipOf(t, "secret-offer.bin", "x"))},
		{"gzip", attach("a.gz", octets, gzipOf([]byte("secret offer"))), attach("a.gz", octets, gzipOf([]byte("secret, offer")))},
		{"bzip2", attach("a.bz2", octets, bzipped), attach("a.bz2", octets, bzipped[:20])},
		{"tar in gzip", attach("a.tgz", octets, gzipOf(tarOf("a/b", "secret offer"))), attach("a.tgz", octets, gzipOf(tarOf("a/b", "secret/offer")))},
		{"name in tar", attach("a.tar", octets, tarOf("secret offer", "x")), attach("a.tar", octets, tarOf("secret-offer", "x"))},
		{"rar", attach("a.rar", octets, rarOf("a.txt", "secret offer")), attach("a.rar", octets, rarOf("a.txt", "secret+offer"))},
		{"name in rar", attach("a.rar", octets, rarOf("secret offer.txt", "x")), attach("a.rar", octets, rarOf("secret;offer.txt", "x"))},
		{"rar 5", attach("a.rar", octets, rar5Of("a.txt", "secret offer")), attach("a.rar", octets, rar5Of("a.txt", "secret+offer"))},
		{"name in rar 5", attach("a.rar", octets, rar5Of("secret offer.txt", "x")), attach("a.rar", octets, rar5Of("secret;offer.txt", "x"))},
		{"uuencode", "Subject: x\n\nsee file\nbegin 644 a.txt\n,<V5C<F5T(&]F9F5R\n`\nend\nbye", "Subject: x\n\nbegin 644 a.txt\n,<V5C<F5U(&]F9F5R\n`\nend\nbye"},
		{"name in uuencode", "Subject: x\n\nbegin 0644 secret offer\n#86)C\nend", "Subject: x\n\nbegin 0844 secret.offer\n#86)C\nend"},
		{"text behind uuencode", "Subject: x\n\nbegin 644 a\n#86)C\nsecret offer is not code\n", "Subject: x\n\nbegin 644 a\n#86)C\n#8V5C\n"},
		{"message in zip", attach("a.zip", octets, zipOf(t, "m.eml", "Content-Transfer-Encoding: base64\n\n"+b64("secret offer"))), attach("a.zip", octets, zipOf(t, "m.txt", "Content-Transfer-Encoding: base64\n\n"+b64("secret offer")))},
		{"html as octets", attach("a.htm", octets, []byte("<!doctype html><p>sec<b>ret</b> offer")), attach("a.htm", octets, []byte("<!doctype html><p>sec<p>.ret</b> offer"))},
		{"calendar", attach("a.ics", "text/calendar", []byte("BEGIN:VCALENDAR\nSUMMARY:Secret offer\nEND:VCALENDAR")), attach("a.ics", "text/calendar", []byte("BEGIN:VCALENDAR\nSUMMARY:Secret\nX:offer"))},
		{"text without type", attach("a", octets, []byte("secret offer")), attach("a", octets, []byte("secret.offer"))},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !examine(t, e, c.hidden, 333).Outcomes[0].Fired {
				t.Error("not found")
			}
			if examine(t, e, c.innocent, 333).Outcomes[0].Fired {
				t.Error("found in the innocent twin")
			}
		})
	}
}

// bzipped is "secret offer" compressed by bzip2.
var bzipped = []byte("\x42\x5a\x68\x39\x31\x41\x59\x26\x53\x59\xb1\x1c\x48\x34\x00\x00\x05\x11\x80\x40\x00\x0b\x00\x9c\x00\x20\x00\x31\x0c\x08\x21\xa1\x9a\x86\x8c\x44\x23\x5e\x2e\xe4\x8a\x70\xa1\x21\x62\x38\x90\x68")
