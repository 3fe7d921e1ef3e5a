package content

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestParts(t *testing.T) {
	const octets = "application/octet-stream"
	program := "MZ\x90\x00\x03\x00\x00\x00"
	ole := "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("x", 9000)
	encrypted := zipOf(t, "secret.exe", "x")
	encrypted[6] |= 1
	for _, c := range []struct {
		name, msg  string
		want       []Part
		disguised  bool
		doubleName bool
	}{
		{"program", attach("a.exe", octets, []byte(program)), []Part{{Name: "a.exe", Declared: octets, Real: "application/vnd.microsoft.portable-executable", Extension: ".exe", Program: true, Executable: true, Size: 8}}, false, false},
		{"program as image", attach("a.jpg", "image/jpeg", []byte(program)), []Part{{Name: "a.jpg", Declared: "image/jpeg", Real: "application/vnd.microsoft.portable-executable", Extension: ".jpg", Program: true, Executable: true, Size: 8}}, true, false},
		{"two extensions", attach("A.PDF .scr. ", octets, []byte("x")), []Part{{Name: "A.PDF .scr. ", Declared: octets, Real: "text/plain", Extension: ".scr", Executable: true, Size: 1}}, false, true},
		{"script in zip", attach("a.zip", "application/zip", zipOf(t, "b/c.JS", "x=1")), []Part{{Name: "a.zip", Declared: "application/zip", Real: "application/zip", Extension: ".zip"}, {Name: "a.zip/b/c.JS", Real: "text/plain", Extension: ".js", Script: true, Size: 3}}, false, false},
		{"member said to be encrypted", attach("a.zip", "application/zip", encrypted), []Part{{Name: "a.zip", Declared: "application/zip", Real: "application/zip", Extension: ".zip"}, {Name: "a.zip/secret.exe", Extension: ".exe", Executable: true, Encrypted: true}, {Name: "a.zip/secret.exe", Real: "text/plain", Extension: ".exe", Executable: true, Size: 1}}, false, false},
		{"macros in docx", attach("a.docx", octets, zipOf(t, "word/vbaProject.bin", "\x00x")), []Part{{Name: "a.docx", Declared: octets, Real: "application/zip", Extension: ".docx", Macros: true}, {Name: "a.docx/word/vbaProject.bin", Real: "application/octet-stream", Extension: ".bin", Size: 2}}, false, false},
		{"macros in doc", attach("a.doc", octets, []byte(ole+string(oleMacros))), []Part{{Name: "a.doc", Declared: octets, Real: oleStorage, Extension: ".doc", Macros: true}}, false, false},
		{"encrypted docx", attach("a.docx", octets, []byte(ole+string(oleEncrypted))), []Part{{Name: "a.docx", Declared: octets, Real: oleStorage, Extension: ".docx", Encrypted: true}}, false, false},
		{"no attachment", "Subject: x\n\nhello", nil, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			parts := examine(t, mustExaminer(t, Options{}), c.msg, 1000).Parts
			opts := cmp.FilterPath(func(p cmp.Path) bool { return len(c.want) > 1 && p.String() == "Size" }, cmp.Ignore())
			if len(c.want) == 1 && c.want[0].Real == oleStorage {
				opts = cmpopts.IgnoreFields(Part{}, "Size")
			}
			if diff := cmp.Diff(c.want, parts, opts); diff != "" {
				t.Fatal(diff)
			}
			if len(parts) == 1 && (parts[0].Disguised() != c.disguised || parts[0].DoubleExtension() != c.doubleName) {
				t.Errorf("disguised %v, double extension %v", parts[0].Disguised(), parts[0].DoubleExtension())
			}
		})
	}
}

func TestSums(t *testing.T) {
	const md5, sha1 = "900150983cd24fb0d6963f7d28e17f72", "a9993e364706816aba3e25717850c26c9cd0d89d"
	const sha = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	parts := examineFor(t, mustExaminer(t, Options{}), Sums, attach("a", "x/y", []byte("abc")), 10).Parts
	if parts[0].MD5 != md5 || parts[0].SHA1 != sha1 || parts[0].SHA256 != sha {
		t.Errorf("%+v", parts)
	}
	for _, entry := range []string{"md5:" + md5, strings.ToUpper(md5), sha, "sha1:" + sha1} {
		e := mustExaminer(t, Options{}, "!activation 5\n5 hash "+entry)
		for name, octets := range map[string][]byte{"plain": []byte("abc"), "in a zip": zipOf(t, "b", "abc")} {
			if !examine(t, e, attach("a", "x/y", octets), 10).Outcomes[0].Fired {
				t.Errorf("%s %s: not found", entry, name)
			}
		}
		parts := "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: x/y\n\nabc\n--b--\n"
		if !examine(t, e, parts, 10).Outcomes[0].Fired {
			t.Errorf("%s: not found where a boundary follows: the line end before it belongs to the boundary", entry)
		}
		if examine(t, e, attach("a", "x/y", []byte("abd")), 10).Outcomes[0].Fired {
			t.Errorf("%s: found in another file", entry)
		}
	}
}

// TestNeeds: what nobody needs is not looked at, and symptoms are told all the same.
func TestNeeds(t *testing.T) {
	e := mustExaminer(t, Options{}, "!activation 1\n1 gold\n1 hash 900150983cd24fb0d6963f7d28e17f72")
	msg := "Subject: gold\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>gold\n--b\n" +
		"Content-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=a.zip\n\n" + b64(string(zipOf(t, "b.txt", "abc")))
	for _, c := range []struct {
		needs Needs
		hits  int
		parts string
		sums  bool
	}{
		{0, 0, "", false},
		{Files, 0, "a.zip a.zip/b.txt", false},
		{Files | Sums, 0, "a.zip a.zip/b.txt", true},
		{Text, 2, "a.zip a.zip/b.txt", false},
	} {
		r := examineFor(t, e, c.needs, msg, 100)
		var names []string
		for _, p := range r.Parts {
			names = append(names, p.Name)
			if (p.SHA256 != "") != c.sums {
				t.Errorf("needs %b: %s has the sum %q", c.needs, p.Name, p.SHA256)
			}
		}
		if got := strings.Join(names, " "); got != c.parts || len(r.Outcomes[0].Hits) != c.hits {
			t.Errorf("needs %b: parts %q, %d hits; want %q, %d", c.needs, got, len(r.Outcomes[0].Hits), c.parts, c.hits)
		}
		if diff := cmp.Diff([]Symptom{SymptomOpenMultipart}, r.Symptoms); diff != "" {
			t.Errorf("needs %b: %s", c.needs, diff)
		}
	}
}

func TestSymptoms(t *testing.T) {
	for _, c := range []struct {
		name, msg string
		want      []Symptom
	}{
		{"whole", "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Transfer-Encoding: base64\n\nYWJj\n\n--b--\n", nil},
		{"whole with blanks", "Content-Type: multipart/mixed; boundary=\"b c \"\n\n--b c\t\n\nx\n--b c-- \n\nepilogue", nil},
		{"no closing boundary", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n", []Symptom{SymptomOpenMultipart}},
		{"inner without closing", "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\nx\n--b--\n", []Symptom{SymptomOpenMultipart}},
		{"no part", "Content-Type: multipart/mixed; boundary=b\n\nhello\n", []Symptom{SymptomNoParts, SymptomOpenMultipart}},
		{"inside a header", "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/pl", []Symptom{SymptomOpenHeader, SymptomOpenMultipart}},
		{"base64", mimePart("Content-Transfer-Encoding: base64", "YWJjZA"), []Symptom{SymptomBase64}},
		{"base64 whole", mimePart("Content-Transfer-Encoding: base64", "YWJjZA==\n"), nil},
		{"NUL", "Subject: x\n\na\x00b", []Symptom{SymptomNUL}},
		{"empty message", "Content-Type: message/rfc822\n\n", []Symptom{SymptomEmptyMessage}},
		{"8bit text", "Subject: x\n\ncaf\xe9", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, examine(t, mustExaminer(t, Options{}), c.msg, 3).Symptoms); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestCouldNotTell makes sure that used up memory is an error and that nothing is lost after it.
func TestCouldNotTell(t *testing.T) {
	e := mustExaminer(t, Options{Budget: NewBudget(40 << 10)}, "!activation 1\n1 gold")
	x := e.Begin(Text | Files)
	feedMessage(x, "Subject: x\n\n"+strings.Repeat("gold ", 20000), 4096)
	if r, err := x.Finish(); err != ErrMemory || r != nil {
		t.Errorf("result %v, error %v", r, err)
	}
	x.Close()
	x.Close()
	for name, msg := range map[string]string{"html": mimePart("Content-Type: text/html", strings.Repeat("<p>gold", 5000)), "file": attach("a", "x/y", []byte("gold"))} {
		x := e.Begin(Text | Files)
		feedMessage(x, msg, 4096)
		if r, err := x.Finish(); err != ErrMemory || r != nil {
			t.Errorf("%s: result %v, error %v", name, r, err)
		}
		x.Close()
	}
	if used := e.pool.budget.Used(); used != 0 {
		t.Errorf("%d octets still in use", used)
	}
	if !examine(t, e, "Subject: x\n\ngold", 100).Outcomes[0].Fired {
		t.Error("a small message afterwards is not examined")
	}
}

// TestAbort closes examinations at every stage.
func TestAbort(t *testing.T) {
	e := mustExaminer(t, Options{}, "!activation 1\n!scan subject body html headers\n1 gold")
	for stage := range 4 {
		x := e.Begin(Text | Files)
		if stage > 0 {
			x.Header("Content-Type", "text/html")
		}
		if stage > 1 {
			x.Body([]byte(strings.Repeat("<p>gold", 5000)))
		}
		if stage > 2 {
			x.Body([]byte("<a"))
		}
		x.Close()
		x.Body([]byte("gold"))
		if used := e.pool.budget.Used(); used != 0 {
			t.Errorf("stage %d: %d octets still in use", stage, used)
		}
	}
}

func TestTimeLimit(t *testing.T) {
	now := time.Unix(0, 0)
	step := time.Duration(0)
	e := mustExaminer(t, Options{Now: func() time.Time { now = now.Add(step); return now }}, "!activation 1\n1 gold\n1 silver\n")
	x := e.Begin(Text | Files)
	defer x.Close()
	x.Header("Content-Type", "multipart/mixed; boundary=b")
	x.Body([]byte("gold\r\n"))
	now = now.Add(time.Hour) // waiting for the MTA does not count
	x.Body([]byte("gold\r\n"))
	step = 30 * time.Second
	x.Body([]byte("silver\r\n"))
	r, err := x.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Limit{LimitTime}, r.Limits); diff != "" {
		t.Error(diff)
	}
	if len(r.Symptoms) != 0 {
		t.Errorf("symptoms of our own stop: %v", r.Symptoms)
	}
	if o := r.Outcomes[0]; o.Score != 2 {
		t.Errorf("score %d, want 2: what came before the limit counts, what came after does not", o.Score)
	}
}
