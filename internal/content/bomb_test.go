package content

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// zeros gives n octets without holding them.
func zeros(n int64) io.Reader { return io.LimitReader(zeroReader{}, n) }

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func zipBomb(t testing.TB, members int, size int64) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, 1) })
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

// TestBombs sends messages that cost out of proportion where a limit is missing. Each names the limits that must be reached,
// and must leave the words that stand behind it findable where the limit allows.
func TestBombs(t *testing.T) {
	const octets = "application/octet-stream"
	def := "!activation 1\n!scan subject body html headers attachments filenames\n1 gold\n1 regex (x+x+)+y\n1 regex g.{0,100}d\n"
	nested := strings.Builder{}
	nested.WriteString("Content-Type: multipart/mixed; boundary=b0\n\n")
	for i := range 10000 {
		fmt.Fprintf(&nested, "--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n", i, i+1)
	}
	inner := zipBomb(t, 1, 16<<20)
	for range 30 {
		inner = zipOf(t, "a.zip", string(inner))
	}
	html := func(s string, n int) string { return mimePart("Content-Type: text/html", strings.Repeat(s, n)) }
	for _, c := range []struct {
		name, msg string
		limits    []Limit
	}{
		{"zip of zeros", attach("a.zip", octets, zipBomb(t, 1, 32<<20)), []Limit{LimitRatio}},
		{"gzip of zeros", attach("a.gz", octets, gzipOf(make([]byte, 16<<20))), []Limit{LimitRatio}},
		{"zips in zips", attach("a.zip", octets, inner), []Limit{LimitDepth}},
		{"zip of many", attach("a.zip", octets, zipBomb(t, 5000, 1)), []Limit{LimitParts}},
		{"zip in sum", attach("a.zip", octets, zipBomb(t, 20, 1<<20)), []Limit{LimitExpanded}},
		{"tar with holes", attach("a.tar", octets, sparseTar(1<<40)), []Limit{LimitRatio}},
		{"nested parts", nested.String(), []Limit{LimitDepth}},
		{"nested messages", strings.Repeat("Content-Type: message/rfc822\n\n", 10000), []Limit{LimitDepth}},
		{"many parts", "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\n", 1000000), []Limit{LimitParts}},
		{"many fields", mimePart("Content-Type: message/rfc822", strings.Repeat("A: b\n", 1000000)+"\ngold"), nil},
		{"long field", mimePart("Content-Type: message/rfc822", "A: "+strings.Repeat("=?", 1000000)+"\n\ngold"), []Limit{LimitHeader}},
		{"folded field", mimePart("Content-Type: message/rfc822", "A: b\n"+strings.Repeat(" c\n", 1000000)+"\ngold"), []Limit{LimitHeader}},
		{"many parameters", "Content-Type: text/plain" + strings.Repeat("; a*99*=\"x", 6000) + "\n\ngold", nil},
		{"long line", "Subject: x\n\n" + strings.Repeat("x", 4<<20) + " gold", nil},
		{"soft breaks", mimePart("Content-Transfer-Encoding: quoted-printable", strings.Repeat("=  ", 500000)), nil},
		{"marks", "Subject: x\n\na" + strings.Repeat("\u0301", 1<<20) + " gold", nil},
		{"open tags", html("<a ", 1<<20), []Limit{LimitMarkup}},
		{"open comments", html("<!-- ", 1<<19), []Limit{LimitMarkup}},
		{"open quotes", html("<p a=\"", 1<<19), nil},
		{"nested elements", html("<div style=display:none>x", 1<<17), []Limit{LimitHidden}},
		{"angles", html("<", 1<<20), nil},
		{"slashes", html("</", 1<<20), []Limit{LimitMarkup}},
		{"entities", html("&#x", 1<<20), nil},
		{"styles", html("<style>a{", 1<<18), nil},
		{"rtf groups", attach("a.rtf", octets, []byte(`{\rtf1`+strings.Repeat("{", 1<<20))), nil},
		{"xml", attach("a.docx", octets, zipOf(t, "word/document.xml", strings.Repeat("<w:p ", 1<<18))), []Limit{LimitMarkup}},
	} {
		t.Run(c.name, func(t *testing.T) {
			opts := Options{}
			if c.name == "zip in sum" {
				opts.Limits = Limits{Expanded: 8 << 20, Ratio: 1 << 20}
			}
			e := mustExaminer(t, opts, def)
			msg := c.msg
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
			if c.limits == nil && len(r.Limits) > 0 && c.name != "open quotes" {
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

// memory is what is reachable now.
func memory() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestLargeMessage compares the memory that a message of 64 MiB leaves in use with that of one of 1 MiB, while
// their examinations are open.
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
	small, large := held(1<<20), held(64<<20)
	if large > small+(1<<20) {
		t.Errorf("1 MiB holds %d KiB, 64 MiB hold %d KiB", small>>10, large>>10)
	}
	if peak := e.pool.budget.Used(); peak != 0 {
		t.Errorf("%d octets not given back", peak)
	}
}
