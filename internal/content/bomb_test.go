package content

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// zeros gives n octets without holding them.
func zeros(n int64) io.Reader { return io.LimitReader(zeroReader{}, n) }

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func zipBomb(t testing.TB, members int, size int64) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := range members {
		f, err := z.Create(fmt.Sprintf("%d.txt", i))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(f, zeros(size))
	}
	_ = z.Close()
	return b.Bytes()
}

// TestBombs sends messages that cost out of proportion where a limit is missing. Each names the
// limits that must be reached, and must leave the words that stand behind it findable where the
// limit allows.
func TestBombs(t *testing.T) {
	const octet = "application/octet-stream"
	def := "!activation 1\n!scan subject body html headers attachments filenames\n1 gold\n1 regex (x+x+)+y\n1 regex g.{0,100}d\n"
	const markup = 5 << 18 // octets, above the limits of markup and of a tree, under the race detector too
	html := func(s string, n int) func() string {
		return func() string { return mimePart("Content-Type: text/html", strings.Repeat(s, n)) }
	}
	file := func(name string, octets func() []byte) func() string {
		return func() string { return attach(name, octet, octets()) }
	}
	// Each message is made when its turn comes, so that the others are no burden on the garbage
	// collector.
	for _, c := range []struct {
		name   string
		msg    func() string
		limits []Limit
	}{
		{"zip of zeros", file("a.zip", func() []byte { return zipBomb(t, 1, 4<<20) }), []Limit{LimitRatio}},
		{"gzip of zeros", file("a.gz", func() []byte { return gzipOf(make([]byte, 4<<20)) }), []Limit{LimitRatio}},
		{"zips in zips", file("a.zip", func() []byte { return zipsInZips(t, 30) }), []Limit{LimitDepth}},
		{"zip of many", file("a.zip", func() []byte { return zipBomb(t, 5000, 1) }), []Limit{LimitParts}},
		{"zip in sum", file("a.zip", func() []byte { return zipBomb(t, 9, 1<<20) }), []Limit{LimitExpanded}},
		{"tar with holes", file("a.tar", func() []byte { return sparseTar(1 << 40) }), []Limit{LimitRatio}},
		{"nested parts", nestedParts, []Limit{LimitDepth}},
		{"nested messages", func() string { return strings.Repeat("Content-Type: message/rfc822\n\n", 10000) }, []Limit{LimitDepth}},
		{"many parts", func() string {
			return "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\n", million)
		}, []Limit{LimitParts}},
		{"many fields", func() string {
			return mimePart("Content-Type: message/rfc822", strings.Repeat("A: b\n", million)+"\ngold")
		}, nil},
		{"long field", func() string {
			return mimePart("Content-Type: message/rfc822", "A: "+strings.Repeat("=?", million)+"\n\ngold")
		}, []Limit{LimitHeader}},
		{"folded field", func() string {
			return mimePart("Content-Type: message/rfc822", "A: b\n"+strings.Repeat(" c\n", million)+"\ngold")
		}, []Limit{LimitHeader}},
		{"many parameters", func() string { return "Content-Type: text/plain" + strings.Repeat("; a*99*=\"x", 6000) + "\n\ngold" }, nil},
		{"long line", func() string { return "Subject: x\n\n" + strings.Repeat("x", million) + " gold" }, nil},
		{"soft breaks", func() string {
			return mimePart("Content-Transfer-Encoding: quoted-printable", strings.Repeat("=  ", million/4))
		}, nil},
		{"marks", func() string { return "Subject: x\n\na" + strings.Repeat("\u0301", million/4) + " gold" }, nil},
		{"open tags", html("<a ", markup/3), []Limit{LimitTree, LimitMarkup}},
		{"open comments", html("<!-- ", markup/5), []Limit{LimitMarkup}},
		{"open quotes", html("<p a=\"", markup/6), []Limit{LimitMarkup}},
		{"nested elements", html("<div style=display:none>x", 50_000), []Limit{LimitTree}},
		{"elements that are made again", func() string {
			return mimePart("Content-Type: text/html", "<p>"+numbered("<b class=%d>", 400)+strings.Repeat("</p>\n<p>x", 60_000)+"gold")
		}, []Limit{LimitTree}},
		{"elements that are walked past", func() string {
			return mimePart("Content-Type: text/html", strings.Repeat("<b>", 500)+strings.Repeat("</p>\n", 200_000)+"gold")
		}, []Limit{LimitTree}},
		{"selectors", func() string {
			return mimePart("Content-Type: text/html", "<style>section "+strings.Repeat("div ", 20)+"i{display:none}</style>"+
				strings.Repeat("<div>", 400)+strings.Repeat("<i></i>", 15_000)+"gold")
		}, []Limit{LimitStyle}},
		{"rules", func() string {
			return mimePart("Content-Type: text/html", "<style>"+numbered("i:not(.a%d){color:red}\n", 4000)+"</style>"+strings.Repeat("<i></i>", 100_000)+"gold")
		}, []Limit{LimitStyle}},
		{"angles", html("<", million/4), nil},
		{"slashes", html("</", markup/2), []Limit{LimitMarkup}},
		{"entities", html("&#x", million/4), nil},
		{"styles", html("<style>a{", 90_000), []Limit{LimitStyle}},
		{"rtf groups", file("a.rtf", func() []byte { return []byte(`{\rtf1` + strings.Repeat("{", million/4)) }), nil},
		{"xml", file("a.docx", func() []byte { return zipOf(t, "word/document.xml", `<w:p a="`+strings.Repeat("b ", markup/2)) }), []Limit{LimitMarkup}},
	} {
		t.Run(c.name, func(t *testing.T) {
			opts := Options{Now: func() time.Time { return time.Time{} }} // a slow machine is no limit
			if c.name == "zip in sum" {
				opts.Limits = Limits{Expanded: 8 << 20, Ratio: 1 << 20}
			}
			e := mustExaminer(t, opts, def)
			msg := c.msg()
			before := memory()
			x := e.Begin(Text | Files)
			defer x.Close()
			feedMessage(x, msg, 65535)
			r, err := x.Finish()
			if err != nil {
				t.Fatal(err)
			}
			for _, limit := range c.limits {
				if !slices.Contains(r.Limits, limit) {
					t.Errorf("limits %v, want %v", r.Limits, c.limits)
				}
			}
			if c.limits == nil && len(r.Limits) > 0 {
				t.Errorf("limits %v, want none", r.Limits)
			}
			if len(r.Parts) > 2001 {
				t.Errorf("%d parts noted", len(r.Parts))
			}
			if strings.HasSuffix(msg, "gold") && !r.Outcomes[0].Fired {
				t.Error("the word behind it was not found")
			}
			if grown := memory() - before; grown > 16<<20 {
				t.Errorf("%d KiB more are in use", grown>>10)
			}
		})
	}
}

// numbered repeats a format with the numbers from 0 on.
func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// nestedParts is 10,000 multiparts in each other.
func nestedParts() string {
	var b strings.Builder
	b.WriteString("Content-Type: multipart/mixed; boundary=b0\n\n")
	for i := range 10000 {
		fmt.Fprintf(&b, "--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n", i, i+1)
	}
	return b.String()
}

func zipsInZips(t testing.TB, n int) []byte {
	t.Helper()
	inner := zipBomb(t, 1, 4<<20)
	for range n {
		inner = zipOf(t, "a.zip", string(inner))
	}
	return inner
}

// memory is what is reachable now. What lies in a pool, of earlier tests too, goes with the second
// collection.
func memory() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestLargeMessage compares the memory that a message of 16 MiB leaves in use with that of one of 1
// MiB, while their examinations are open.
func TestLargeMessage(t *testing.T) {
	e := mustExaminer(t, Options{}, "!activation 1\n1 gold")
	line := []byte(strings.Repeat("plain words and nothing more ", 36) + "\r\n")
	chunk := bytes.Repeat(line, 62)
	held := func(size int) int64 {
		x := e.Begin(Text | Files)
		defer x.Close()
		x.Header("Subject", "x")
		before := memory()
		for n := 0; n < size; n += len(chunk) {
			x.Body(chunk)
		}
		return memory() - before
	}
	small, large := held(1<<20), held(16<<20)
	if large > small+(1<<20) {
		t.Errorf("1 MiB holds %d KiB, 16 MiB hold %d KiB", small>>10, large>>10)
	}
	if peak := e.pool.budget.Used(); peak != 0 {
		t.Errorf("%d octets not given back", peak)
	}
}
