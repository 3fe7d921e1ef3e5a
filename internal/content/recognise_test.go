package content

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// rawZip packs one member from packed octets, with sizes in front, and says that it is packed by
// method.
func rawZip(t testing.TB, name, text string, method uint16, packed []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.CreateRaw(&zip.FileHeader{
		Name: name, Method: method, CRC32: crc32.ChecksumIEEE([]byte(text)),
		CompressedSize64: uint64(len(packed)), UncompressedSize64: uint64(len(text)),
	})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.Write(packed)
	_ = z.Close()
	return b.Bytes()
}

func deflated(text string) []byte {
	var b bytes.Buffer
	z, _ := flate.NewWriter(&b, flate.BestCompression)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.Bytes()
}

// saysMethod changes the method in the header of the first member; the directory keeps the true
// one.
func saysMethod(archive []byte, method uint16) []byte {
	binary.LittleEndian.PutUint16(archive[8:], method)
	return archive
}

func joined(pieces ...string) []byte { return []byte(strings.Join(pieces, "")) }

// TestRecognition hides the words "secret offer" in files that are more than one thing, or not what
// they say, and beside each in a twin that does not hold them.
func TestRecognition(t *testing.T) {
	e := mustExaminer(t, Options{}, "!activation 1\n1 secret offer\n")
	const octets = "application/octet-stream"
	zipped := func(text string) string { return string(zipOf(t, "a.txt", text)) }
	mail := func(text string) []byte {
		return []byte("Date: 2024\nTo: all\nContent-Transfer-Encoding: base64\n\n" + b64(text))
	}
	long := strings.Repeat("some more words of a text, to make it long\n", 200)
	const covers = "PK\x01\x02.........................\xff\xff\xff\xff\xff\xff..............."
	for _, c := range []struct{ name, hidden, innocent string }{
		{"zip behind a letter", attach("a.zip", octets, joined("j", zipped("secret offer"))), attach("a.zip", octets, joined("j", zipped("secret-offer")))},
		{"zip behind an image", attach("a.jpg", "image/jpeg", joined("\xff\xd8\xff\xe0\x00\x10JFIF", long, zipped("secret offer"))), attach("a.jpg", "image/jpeg", joined("\xff\xd8\xff\xe0\x00\x10JFIF", long, zipped("secret-offer")))},
		{"zip in a program", attach("a.exe", octets, joined("MZ\x00\x01", long, zipped("secret offer"))), attach("a.exe", octets, joined("MZ\x00\x01", long, zipped("secret-offer")))},
		{"zip behind a PDF", attach("a.pdf", octets, joined("%PDF-1.4\n", zipped("secret offer"))), attach("a.pdf", octets, joined("%PDF-1.4\n", zipped("secret-offer")))},
		{"zip behind a zip", attach("a.zip", octets, joined(zipped("x"), zipped("secret offer"))), attach("a.zip", octets, joined(zipped("x"), zipped("secret-offer")))},
		{"zip behind gzip", attach("a.gz", octets, joined(string(gzipOf([]byte("x"))), "\x00", zipped("secret offer"))), attach("a.gz", octets, joined(string(gzipOf([]byte("x"))), "\x00", zipped("secret-offer")))},
		{"zip behind a false entry", attach("a.zip", octets, joined(covers, zipped("secret offer"))), attach("a.zip", octets, joined(covers, zipped("secret-offer")))},
		{"zip deflated, said stored", attach("a.zip", octets, saysMethod(rawZip(t, "a", "secret offer", zip.Deflate, deflated("secret offer")), zip.Store)), attach("a.zip", octets, saysMethod(rawZip(t, "a", "secret-offer", zip.Deflate, deflated("secret-offer")), zip.Store))},
		{"zip long and deflated, said stored", attach("a.zip", octets, saysMethod(rawZip(t, "a", long, zip.Deflate, deflated(long+"secret offer")), zip.Store)), attach("a.zip", octets, saysMethod(rawZip(t, "a", long, zip.Deflate, deflated(long+"secret-offer")), zip.Store))},
		{"zip stored, said deflated", attach("a.zip", octets, saysMethod(storedZip(t, "a", "a secret offer"), zip.Deflate)), attach("a.zip", octets, saysMethod(storedZip(t, "a", "a secret-offer"), zip.Deflate))},
		{"zip stored behind deflated", attach("a.zip", octets, rawZip(t, "a", "x", zip.Deflate, joined(string(deflated("x")), "secret offer"))), attach("a.zip", octets, rawZip(t, "a", "x", zip.Deflate, joined(string(deflated("x")), "secret-offer")))},
		{"zip by bzip2", attach("a.zip", octets, rawZip(t, "a", "secret offer", zipBzip2, bzipped)), attach("a.zip", octets, rawZip(t, "a", "secret offer", zipBzip2, bzipped[:20]))},
		{"message without its type", attach("minutes.txt", octets, mail("secret offer")), attach("minutes.txt", octets, mail("secret-offer"))},
		{"text that looks like a message", attach("minutes.txt", octets, []byte("Date: 2024\nTo: all\nContent-Transfer-Encoding: base64\n\nsecret offer")), attach("minutes.txt", octets, []byte("Date: 2024\nTo: all\nContent-Transfer-Encoding: base64\n\nsecret-offer"))},
		{"message by extension", attach("x.eml", octets, append([]byte("X-A: b\n"), mail("secret offer")...)), attach("x.eml", octets, append([]byte("X-A: b\n"), mail("secret-offer")...))},
		{"web archive", attach("x.mht", octets, append([]byte("X-A: b\n"), mail("secret offer")...)), attach("x.mht", octets, append([]byte("X-A: b\n"), mail("secret-offer")...))},
		{"text like bzip2", attach("a.txt", "text/plain", []byte("BZh91 is the magic\nsecret offer")), attach("a.txt", "text/plain", []byte("BZh91 is the magic\nsecret-offer"))},
		{"text like bzip2 by extension", attach("a.txt", octets, []byte("BZh91 is the magic\nsecret offer")), attach("a.bz2", octets, []byte("BZh91 is the magic\nsecret offer"))},
		{"text like zip", attach("a.txt", "text/plain", []byte("PK\x03\x04 secret offer")), attach("a.txt", "text/plain", []byte("PK\x03\x04 secret-offer"))},
		{"text like gzip", attach("a.txt", "text/plain", []byte("\x1f\x8b\x08 secret offer")), attach("a.txt", "text/plain", []byte("\x1f\x8b\x08 secret-offer"))},
		{"text like rar", attach("a.txt", "text/plain", []byte("Rar!\x1a\x07\x00 secret offer")), attach("a.txt", "text/plain", []byte("Rar!\x1a\x07\x00 secret-offer"))},
		{"text like 7z", attach("a.txt", "text/plain", []byte(sevenZipMark+" secret offer")), attach("a.txt", "text/plain", []byte(sevenZipMark+" secret-offer"))},
		{"text like rtf", attach("a.txt", "text/plain", []byte(`{\rtf1 {\*\x secret offer}}`)), attach("a.rtf", octets, []byte(`{\rtf1 {\*\x secret offer}}`))},
		{"html like zip", attach("a.html", "text/html", []byte("PK\x03\x04<p>sec<b>ret</b> offer")), attach("a.html", "text/html", []byte("PK\x03\x04<p>sec<p>ret</b> offer"))},
		{"zip named text", attach("a.txt", "text/plain", zipOf(t, "b", "secret offer")), attach("a.txt", "text/plain", zipOf(t, "b", "secret-offer"))},
		{"zip behind a long text", attach("a.txt", "text/plain", joined(long, zipped("secret offer"))), attach("a.txt", "text/plain", joined(long, zipped("secret-offer")))},
		{"long text before a zip", attach("a.txt", "text/plain", joined("secret offer\n", long, zipped("x"))), attach("a.txt", "text/plain", joined("secret-offer\n", long, zipped("x")))},
		{"zip behind rtf", attach("a.rtf", octets, joined(`{\rtf1 x}`, zipped("secret offer"))), attach("a.rtf", octets, joined(`{\rtf1 x}`, zipped("secret-offer")))},
		{"zip behind a document", attach("a.doc", octets, joined("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", long, zipped("secret offer"))), attach("a.doc", octets, joined("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", long, zipped("secret-offer")))},
		{"json", attach("a.json", octets, []byte(`{"a": "secret offer"}`)), attach("a.json", octets, []byte(`{"a": "secret, offer"}`))},
		{"json lines", attach("a", octets, []byte("{\"a\": \"secret offer\"}\n{\"b\": 1}\n")), attach("a", octets, []byte("{\"a\": \"secret-offer\"}\n{\"b\": 1}\n"))},
		{"letters MZ", attach("a.csv", "text/csv", []byte("MZ;Name\n1;secret offer\n")), attach("a.csv", "text/csv", []byte("MZ;Name\n1;secret;offer\n"))},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, size := range []int{1, 333, 65535} {
				if !examine(t, e, c.hidden, size).Outcomes[0].Fired {
					t.Errorf("in pieces of %d: not found", size)
				}
				if examine(t, e, c.innocent, size).Outcomes[0].Fired {
					t.Errorf("in pieces of %d: found in the innocent twin", size)
				}
			}
		})
	}
}

// TestPrograms: what a program is by its octets or its name, and what only looks so.
func TestPrograms(t *testing.T) {
	e := mustExaminer(t, Options{})
	program := "MZ\x90\x00\x03\x00\x00\x00" + strings.Repeat("\x00", 52) + "\x80\x00\x00\x00"
	const eicar = `X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`
	for _, c := range []struct {
		name, file, octets string
		executable         bool
	}{
		{"program", "a.jpg", program, true},
		{"program cut short", "a.jpg", program[:4], true},
		{"text in the place of the header", "a.csv", "MZ;Name;Ort\n1;Bob;Bonn\n", false},
		{"long text in the place of the header", "a", "MZ " + strings.Repeat("Gr\xc3\xb6\xc3\x9fe ", 40), false},
		{"two letters", "a", "MZ", false},
		{"text named as a program", "a.exe", "x", true},
		{"program named as a site", "www.example.com", program, true},
		{"unknown octets named as a site", "www.example.com", "\xb4\x09\xba\x00\x01\xcd\x21", true},
		{"letters named as a program", "eicar.com", eicar + "\r\n", true},
		{"nothing named as a site", "www.example.com", "", true},
		{"text named as a site", "www.example.com", "dear all,\nhello\n", false},
		{"mail named as a site", "www.example.com", "From: a@b\nTo: c@d\n\nhello", false},
		{"PDF named as a site", "Invoice from shop.com", "%PDF-1.4\n", false},
		{"image named as an address", "logo@example.com", "\x89PNG\r\n\x1a\n", false},
		{"archive named as a bundle", "my.app", string(zipOf(t, "a.txt", "x")), false},
		{"text named as a bundle", "notes.app", "dear all,\nhello\n", false},
		{"unknown octets named as a bundle", "my.app", "\xfe\xf2\xff\x00\x01", true},
		{"program named as a bundle", "my.app", program, true},
		{"class file", "a.jpg", "\xca\xfe\xba\xbe\x00\x00\x00\x34\x00\x10", true},
		{"class file of an old version", "Applet.class", "\xca\xfe\xba\xbe\x00\x03\x00\x2d\x00\x10", true},
		{"text named as a class", "notes.class", "class A {}", false},
		{"program for macOS", "a", "\xca\xfe\xba\xbe\x00\x00\x00\x02\x01\x00\x00\x07", true},
		{"add-in of Excel", "sales.XLL", "x", true},
		{"package of an app", "setup.msixbundle", "x", true},
		{"Python", "a.pyw", "print()", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := examine(t, e, attach(c.file, "application/octet-stream", []byte(c.octets)), 100).Parts[0]
			if p.Executable != c.executable {
				t.Errorf("%+v", p)
			}
		})
	}
	encrypted := zipOf(t, "a.com", "dear all")
	encrypted[6] |= 1
	if p := examine(t, e, attach("a.zip", "x/y", encrypted), 100).Parts[1]; !p.Executable {
		t.Errorf("a member that cannot be read: %+v", p)
	}
}

// TestReadTwice: a file that is read in two ways counts the greater of both, an archive behind it
// comes in addition, and what both tell is told.
func TestReadTwice(t *testing.T) {
	e := mustExaminer(t, Options{}, "!activation 100\n1 gold\n1 regex go[l]d\n1 gold silver\n")
	mail := func(text string) string { return "Date: 2024\nTo: all\n\n" + text }
	macros := string(zipOf(t, "word/vbaProject.bin", "x"))
	for _, c := range []struct {
		name, file, octets string
		counts             []int // of the entries
		macros             bool
	}{
		{"message and text", "a", mail("gold, gold"), []int{2, 2, 0}, false},
		{"text in more than the message", "a", "Date: gold\nTo: all\n\n gold", []int{2, 2, 0}, false},
		{"messages in each other", "a", "Date: 2024\nTo: all\nContent-Type: application/octet-stream; name=a\n\n" + mail("gold, gold"), []int{2, 2, 0}, false},
		{"archive behind a text", "a.txt", "gold, gold\n" + string(zipOf(t, "b", "gold")), []int{3, 3, 0}, false},
		{"phrase over the readings", "a.txt", "gold\n" + string(zipOf(t, "b", "silver")), []int{1, 1, 0}, false},
		{"phrase over a choice in a text", "a.eml", "X: y\n\ngold silver", []int{1, 1, 1}, false},
		{"document behind a text", "a.txt", "gold\n" + macros, []int{1, 1, 0}, true},
		{"document named text", "a.txt", macros, []int{0, 0, 0}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, size := range []int{7, 65535} {
				r := examine(t, e, attach(c.file, "application/octet-stream", []byte(c.octets)), size)
				got := make([]int, 3)
				for _, h := range r.Outcomes[0].Hits {
					got[h.Entry.Line-2] = h.Count
				}
				if diff := cmp.Diff(c.counts, got); diff != "" || r.Parts[0].Macros != c.macros {
					t.Errorf("in pieces of %d: macros %v, counts %s", size, r.Parts[0].Macros, diff)
				}
			}
		})
	}
}

// TestReadTwiceRests: a second reading rests where the answer to a piece is due, at any point, and
// comes to the same.
func TestReadTwiceRests(t *testing.T) {
	var msg strings.Builder
	msg.WriteString("Content-Type: multipart/mixed; boundary=b\n\n")
	long := strings.Repeat("some gold and more text\n", 3000)
	for _, octets := range []string{"Date: 2024\nTo: all\n\n" + long, long + string(zipOf(t, "b.txt", "PK\x03\x04"+long))} {
		msg.WriteString("--b\nContent-Type: application/octet-stream; name=a.txt\nContent-Transfer-Encoding: base64\n\n" + b64(octets) + "\n")
	}
	msg.WriteString("--b--\n")
	const def = "!activation 1\n1 gold\n1 regex s[o]me\n"
	want := examine(t, mustExaminer(t, Options{}, def), msg.String(), 65535)
	now := time.Unix(0, 0)
	clock := func() time.Time { now = now.Add(time.Millisecond); return now }
	for _, chunk := range []time.Duration{1, 5 * time.Millisecond, time.Second} {
		e := mustExaminer(t, Options{Now: clock, Limits: Limits{Chunk: chunk, Time: time.Hour}}, def)
		got := examine(t, e, msg.String(), 65535)
		if diff := cmp.Diff(counts(want), counts(got)); diff != "" || len(counts(want)) != 2 {
			t.Errorf("rests after %v: %s", chunk, diff)
		}
		x := e.Begin(Text | Files)
		feedMessage(x, msg.String()[:msg.Len()/2], 65535)
		x.Close()
		if used := e.pool.budget.Used(); used != 0 {
			t.Errorf("closed at rest after %v: %d octets not given back", chunk, used)
		}
	}
}

func counts(r *Result) (list []int) {
	for _, h := range r.Outcomes[0].Hits {
		list = append(list, h.Count)
	}
	return list
}

// TestReadTwiceBounded: files in files that are read in two ways each do not multiply the work
// without end.
func TestReadTwiceBounded(t *testing.T) {
	octets := strings.Repeat("gold\n", 20_000)
	for range 15 {
		octets = "Date: 2024\nTo: all\nContent-Type: application/octet-stream; name=a.txt\n\n" + octets
	}
	e := mustExaminer(t, Options{Limits: Limits{Expanded: 500_000}}, "!activation 1\n1 gold\n")
	r := examine(t, e, attach("a.txt", "application/octet-stream", []byte(octets)), 65535)
	if !slices.Contains(r.Limits, LimitExpanded) {
		t.Errorf("limits %v", r.Limits)
	}
	if got := counts(r); len(got) != 1 || got[0] != 20_000 {
		t.Errorf("counts %v: the first reading goes on where a second may not", got)
	}
}
