package content

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// names are those of the parts that are found in a message.
func names(r *Result) (names []string) {
	for _, p := range r.Parts {
		names = append(names, p.Name)
	}
	return names
}

// TestNames: whatever name one mail reader offers is judged.
func TestNames(t *testing.T) {
	const typed = "Content-Type: application/octet-stream"
	const program = "program at its end"
	disposition := func(rest string) string { return typed + "\nContent-Disposition: " + rest }
	var many strings.Builder
	for i := range 70 {
		fmt.Fprintf(&many, "; p%d=x", i)
	}
	for _, c := range []struct {
		name, header string
		want         []string // among others
	}{
		{"one", disposition(`attachment; filename="a.txt"`), []string{"a.txt"}},
		{"filename and name", typed + "; name=i.exe\nContent-Disposition: attachment; filename=a.txt", []string{"a.txt", "i.exe"}},
		{"the other way round", typed + "; name=a.txt\nContent-Disposition: attachment; filename=i.exe", []string{"a.txt", "i.exe"}},
		{"filename of a type", typed + "; filename=i.exe", []string{"i.exe"}},
		{"name of a disposition", disposition(`attachment; name=i.exe`), []string{"i.exe"}},
		{"two of a kind", disposition(`attachment; filename=a.txt; filename=i.exe`), []string{"a.txt", "i.exe"}},
		{"three of a kind, in capitals", disposition(`attachment; FILENAME="a.txt"; FileName=b.txt; fileName = i.exe`), []string{"a.txt", "b.txt", "i.exe"}},
		{"plain and extended", disposition(`attachment; filename=a.txt; filename*=utf-8''i.exe`), []string{"i.exe", "a.txt"}},
		{"extended and in sections", disposition(`attachment; filename*=utf-8''a.txt; filename*0="i."; filename*1=exe`), []string{"a.txt", "i.exe"}},
		{"extended twice", disposition(`attachment; filename*=utf-8''a.txt; filename*=utf-8''i.exe`), []string{"a.txt", "i.exe"}},
		{"sections with one missing", disposition(`attachment; filename*0=i.exe; filename*2=.txt`), []string{"i.exe.txt", "i.exe"}},
		{"sections of one number", disposition(`attachment; filename*0=i.; filename*1=exe; filename*1=txt`), []string{"i.exe", "i.txt", "i.exetxt"}},
		{"sections out of order", disposition(`attachment; filename*1=exe; filename*0=i.`), []string{"i.exe"}},
		{"two fields", typed + "\nContent-Disposition: attachment; filename=a.txt\nContent-Disposition: attachment; filename=i.exe", []string{"a.txt", "i.exe"}},
		{"two types", typed + "; name=a.txt\n" + typed + "; name=i.exe", []string{"a.txt", "i.exe"}},
		{"description alone", typed + "\nContent-Description: i.exe\nContent-Disposition: attachment", []string{"i.exe"}},
		{"description of a named part", typed + "; name=a.txt\nContent-Description: like setup.exe", []string{"a.txt"}},

		{"Content-Name", typed + "\nContent-Name: i.exe\nContent-Disposition: attachment", []string{"i.exe"}},
		{"Content-Name, encoded", typed + "\ncontent-name: =?utf-8?q?i=2Eexe?=", []string{"i.exe"}},
		{"the name of Sun's mail tool", typed + "\nX-Sun-Data-Name: i.exe", []string{"i.exe"}},
		{"NUL in the name of a field", typed + "\nContent-Dispo\x00sition: attachment; filename=i.exe", []string{"i.exe"}},
		{"NUL in the name of a parameter", disposition("attachment; file\x00name=i.exe"), []string{"i.exe"}},

		{"no semicolon", disposition(`attachment filename="i.exe"`), []string{"i.exe"}},
		{"a word behind", disposition(`attachment; filename="i.exe" size=3`), []string{"i.exe"}},
		{"a letter behind", disposition(`attachment; filename="i.exe"x`), []string{"i.exe"}},
		{"a quote that is not closed", disposition(`attachment; filename="i.exe`), []string{"i.exe"}},
		{"a quote that is not closed, and more", disposition(`attachment; filename="i.exe; size=3`), []string{"i.exe"}},
		{"a quote that is not closed, and a line that goes on", disposition("attachment; filename=\"i.exe\n x"), []string{"i.exe"}},
		{"two quotes", disposition(`attachment; filename="i".exe`), []string{"i.exe"}},
		{"a quote inside", disposition(`attachment; filename=i".exe"`), []string{"i.exe"}},
		{"single quotes", disposition(`attachment; filename='i.exe'`), []string{"i.exe"}},
		{"a comma", disposition(`attachment, filename=i.exe`), []string{"i.exe"}},
		{"a comma behind", disposition(`attachment; filename=i.exe, size=3`), []string{"i.exe"}},
		{"blanks in a name", disposition(`attachment; filename=my file.exe`), []string{"my file.exe"}},
		{"a word behind a token", disposition(`attachment; filename=i.exe size=3`), []string{"i.exe"}},
		{"no disposition", disposition(`filename="i.exe"`), []string{"i.exe"}},
		{"no disposition but a semicolon", disposition(`;filename=i.exe`), []string{"i.exe"}},
		{"no type", "Content-Type: name=i.exe\nContent-Disposition: attachment", []string{"i.exe"}},
		{"not indented", disposition("attachment;\nfilename=\"i.exe\""), []string{"i.exe"}},
		{"not indented, with a colon", disposition("attachment;\nfilename=\"a:i.exe\""), []string{"a:i.exe"}},
		{"quoted-printable", disposition(`attachment; filename=3D"i.exe"`), []string{"i.exe"}},
		{"quoted-printable, a type", typed + `; name=3d"i.exe"`, []string{"i.exe"}},
		{"a comment", disposition(`attachment; filename(x)=(y)"i.exe"(z)`), []string{"i.exe"}},
		{"parentheses in a name", disposition(`attachment; filename=i(1).exe`), []string{"i(1).exe", "i.exe"}},
		{"a comment that is not closed", disposition(`attachment (; filename=i.exe`), []string{"i.exe"}},
		{"a semicolon in a name", disposition(`attachment; filename="a;b.exe"`), []string{"a;b.exe"}},
		{"a blank before the equals sign", disposition(`attachment; filename = "i.exe"`), []string{"i.exe"}},
		{"a quoted name of a parameter", disposition(`attachment; "filename"="i.exe"`), []string{"i.exe"}},

		{"quoted pairs", disposition(`attachment; filename="i.e\xe"`), []string{`i.e\xe`, "i.exe"}},
		{"quoted pairs of quotes", disposition(`attachment; filename="\"i\".exe"`), []string{`"i".exe`}},
		{"a path of Windows", disposition(`attachment; filename="C:\new\i.exe"`), []string{`C:\new\i.exe`}},
		{"a bad escape", disposition(`attachment; filename*=utf-8''%i%2eexe%`), []string{"%i.exe%"}},
		{"a bad escape in a section", disposition(`attachment; filename*0*=utf-8''%zz%2; filename*1*=%2eexe`), []string{"%zz%2.exe"}},
		{"no charset", disposition(`attachment; filename*=i%2eexe`), []string{"i.exe"}},
		{"NUL", disposition(`attachment; filename*=utf-8''i.exe%00.txt`), []string{"i.exe", "i.exe.txt"}},
		{"NUL in a word", disposition(`attachment; filename="=?utf-8?q?i.exe=00.txt?="`), []string{"i.exe"}},
		{"a control character", disposition("attachment; filename=\"i.e\x01xe\""), []string{"i.exe"}},
		{"a tab", disposition("attachment; filename=\"i.e\txe\""), []string{"i.exe"}},
		{"a zero width space", disposition("attachment; filename=\"i.e\u200bxe\""), []string{"i.exe"}},
		{"right to left", disposition("attachment; filename=\"i\u202e.e\u202cxe\""), []string{"i.exe"}},
		{"behind 70 others", disposition("attachment" + many.String() + "; filename=i.exe"), []string{"i.exe"}},
		{"far sections", disposition("attachment; filename*999=exe; filename*0=i."), []string{"i.exe"}},
		{"a blank before the colon", typed + "\nContent-Disposition : attachment; filename=i.exe", []string{"i.exe"}},
		{"some words before", "some words\n" + disposition("attachment; filename=i.exe"), []string{"i.exe"}},
		{"an mbox line", ">From x\n" + disposition("attachment; filename=i.exe"), []string{"i.exe"}},
		{"an mbox line in the middle", typed + "\nFrom x\nContent-Disposition: attachment; filename=i.exe", []string{"i.exe"}},
		{"no name of a field", ": x\n" + disposition("attachment; filename=i.exe"), []string{"i.exe"}},
		{"all kinds of lines", ": x\nsome\nsome: \n \nsome words: x\nFrom x\n: x\nmore\n \n" + disposition("attachment; filename=i.exe"), []string{"i.exe"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			msg := "Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\n" + c.header + "\n\n" + program + "\n--b--\n"
			for _, size := range []int{1, 1000} {
				r := examine(t, mustExaminer(t, Options{}), msg, size)
				for _, want := range c.want {
					if !slices.Contains(names(r), want) {
						t.Errorf("in pieces of %d: found %q, not %q", size, names(r), want)
					}
				}
				if len(r.Limits) > 0 {
					t.Errorf("limits %v", r.Limits)
				}
			}
		})
	}
}

// TestFewNames: where all readers agree there is one name, and a part has no two entries.
func TestFewNames(t *testing.T) {
	for _, c := range []struct{ header, want string }{
		{`Content-Type: image/png; name="my picture (1).png"` + "\n" + `Content-Disposition: inline; filename="my picture (1).png"; size=17`, "my picture (1).png"},
		{`Content-Disposition: attachment; filename="=?utf-8?q?r=C3=A9sum=C3=A9.pdf?="`, "résumé.pdf"},
		{`Content-Disposition: attachment; filename*0="a "; filename*1="b.pdf"`, "a b.pdf"},
		{`Content-Disposition: attachment; filename*=utf-8''r%C3%A9sum%C3%A9.pdf`, "résumé.pdf"},
		{"Content-Type: application/pdf; charset=us-ascii;\n\tname=\"a;b.pdf\"\nContent-Transfer-Encoding: base64", "a;b.pdf"},
		{"Content-Type: application/pdf; name=\"a.pdf \"", "a.pdf "},
		{"Content-Type: application/x-a\nContent-Description: sent to you by shop.com", ""},
		{"Content-Type: application/pdf\nContent-Type: application/pdf; name=a.pdf\nContent-Disposition: attachment", "a.pdf"},
	} {
		if got := names(examine(t, mustExaminer(t, Options{}), c.header+"\n\neA==\n", 100)); !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s: names %q", c.header, got)
		}
	}
}

// TestNamesCount: a file's names are alternatives, and a name too many leaves a trace.
func TestNamesCount(t *testing.T) {
	e := mustExaminer(t, Options{}, "!activation 1\n!scan filenames\n1 gold\n1 silver")
	msg := "Content-Disposition: attachment; filename=gold.txt; filename=\"gold silver.txt\"; filename=gold.exe\n\nx"
	for _, h := range examine(t, e, msg, 100).Outcomes[0].Hits {
		if h.Count != 1 {
			t.Errorf("%s: counted %d times", h.Entry.Text, h.Count)
		}
	}
	// Names that say the same are one, however they are written.
	same := "Content-Disposition: attachment"
	for i := range 100 {
		same += "; filename=\"=?utf-8?q?" + strings.Repeat("_", i) + "?=a.txt\""
	}
	if r := examine(t, e, same+"; filename=i.exe\n\nx", 1000); !slices.Contains(names(r), "i.exe") && !slices.Contains(r.Limits, LimitNames) {
		t.Errorf("found %q, limits %v", names(r), r.Limits)
	}
	same = "Content-Disposition: attachment"
	for i := range 200 {
		same += "; filename=\"a\\" + strings.Repeat("\\\\", i) + ".txt\""
	}
	if r := examine(t, e, same+"; filename=i.exe\n\nx", 1000); !slices.Contains(names(r), "i.exe") && !slices.Contains(r.Limits, LimitNames) {
		t.Errorf("found %q, limits %v", names(r), r.Limits)
	}
	for _, n := range []int{maxNames, maxNames + 1} {
		header := "Content-Disposition: attachment"
		for i := range n {
			header += fmt.Sprintf("; filename=f%d.exe", i)
		}
		r := examine(t, e, header+"\n\nx", 1000)
		if reached := slices.Contains(r.Limits, LimitNames); reached != (n > maxNames) || len(r.Parts) != maxNames {
			t.Errorf("%d names: %d found, limits %v", n, len(r.Parts), r.Limits)
		}
	}
}
