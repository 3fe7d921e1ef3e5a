package content

import (
	"fmt"
	"strings"
	"testing"
)

// parts joins parts of a multipart; each begins with its header.
func parts(kind, boundary string, list ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Content-Type: multipart/%s; boundary=%s\n\n", kind, boundary)
	for _, part := range list {
		fmt.Fprintf(&b, "--%s\n%s\n", boundary, part)
	}
	return b.String() + "--" + boundary + "--\n"
}

func plainPart(text string) string { return "Content-Type: text/plain\n\n" + text + "\n" }
func htmlPart(text string) string  { return "Content-Type: text/html\n\n<p>" + text + "</p>\n" }
func filePart(text string) string {
	return "Content-Type: text/plain\nContent-Disposition: attachment; filename=gold.txt\n\n" + text + "\n"
}

// TestAlternatives counts `gold` as a reader of one alternative sees it, however the message is
// cut.
func TestAlternatives(t *testing.T) {
	twin := func(text string) string { return parts("alternative", "tw", plainPart(text), htmlPart(text)) }
	long := strings.Repeat("gold and other things. ", 5000)
	for _, c := range []struct {
		name, msg string
		count     int
	}{
		{"twins", twin("gold"), 1},
		{"mixed is no choice", parts("mixed", "b", plainPart("gold"), htmlPart("gold")), 2},
		{"the first has more", parts("alternative", "b", plainPart("gold, gold, gold"), htmlPart("gold")), 3},
		{"the last has more", parts("alternative", "b", plainPart("gold"), htmlPart("gold, gold")), 2},
		{"only one has it", parts("alternative", "b", plainPart("see the HTML"), htmlPart("gold")), 1},
		{"three", parts("alternative", "b", plainPart("gold"), htmlPart("gold"), "Content-Type: text/calendar\n\ngold\n"), 1},
		{"text around", parts("mixed", "b", plainPart("gold"), twin("gold gold"), plainPart("gold")), 4},
		{"one after the other", parts("mixed", "b", twin("gold"), parts("alternative", "c", plainPart("gold"), htmlPart("gold"))), 2},
		{"picture beside the HTML", parts("alternative", "b", plainPart("gold"), parts("related", "c", htmlPart("gold"), "Content-Type: image/png\n\nx")), 1},
		{"file beside the HTML", parts("alternative", "b", plainPart("gold"), parts("mixed", "c", htmlPart("gold"), filePart("gold"))), 3},
		{"alternatives in an alternative", parts("alternative", "b", plainPart("gold"), parts("alternative", "c", plainPart("gold gold"), htmlPart("gold gold")), htmlPart("gold")), 2},
		{"alternatives and text in an alternative", parts("alternative", "b", plainPart("gold"), parts("mixed", "c", parts("alternative", "d", plainPart("gold"), htmlPart("gold")), plainPart("gold"))), 2},
		{"attached message", parts("mixed", "b", twin("gold"), "Content-Type: message/rfc822\n\n"+parts("alternative", "c", plainPart("gold"), htmlPart("gold"))), 2},
		{"before the first boundary", strings.Replace(twin("gold"), "\n\n", "\n\ngold\n", 1), 1},
		{"no boundary met", "Content-Type: multipart/alternative; boundary=b\n\ngold\n--c\n\ngold\n", 2},
		{"never closed", strings.TrimSuffix(twin("gold"), "--tw--\n"), 1},
		{"ended by the outer boundary", parts("mixed", "b", strings.TrimSuffix(twin("gold"), "--tw--\n"), plainPart("gold")), 2},
		{"a line that begins with the boundary, HTML behind it", parts("mixed", "b", plainPart("gold\n--bx"), htmlPart("gold")), 2},
		{"a line that begins with the boundary, alternatives behind it", parts("mixed", "b", plainPart("gold\n--bx"), twin("gold gold")), 3},
		{"a line that begins with the boundary, alternatives within alternatives behind it", parts("mixed", "b", plainPart("--bx"), parts("alternative", "c", twin("gold"), htmlPart("gold gold")), plainPart("gold")), 3},
		{"a line that begins with the boundary, alternatives before it", parts("mixed", "b", twin("gold"), plainPart("gold\n--bx"), plainPart("gold")), 3},
		{"a line that begins with the boundary in one of the alternatives", parts("alternative", "b", plainPart("gold\n--bx"), htmlPart("gold")), 1},
		{"a line that begins with the outer boundary in an alternative", parts("mixed", "b", parts("alternative", "c", plainPart("gold\n--bx"), htmlPart("gold")), htmlPart("gold")), 2},
		{"a line that begins with the boundary of an attached message", parts("mixed", "b", "Content-Type: message/rfc822\n\n"+parts("mixed", "c", plainPart("gold\n--cx"), htmlPart("gold")), twin("gold")), 3},
		{"more than HTML is read where a line begins with the boundary", parts("mixed", "b", htmlPart("gold"), plainPart("x\n--bx\nContent-Transfer-Encoding: base64\n\nZ29sZA=="), htmlPart("gold")), 3},
		{"longer than a window", twin(long), 5000},
		{"longer than a window, nothing in the last", parts("alternative", "b", plainPart(long), htmlPart("hello")), 5000},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := mustExaminer(t, Options{}, "!activation 1\n!scan body attachments filenames\n1 gold\n")
			for _, size := range []int{7, 65535} {
				if hits := examine(t, e, c.msg, size).Outcomes[0].Hits; len(hits) != 1 || hits[0].Count != c.count {
					t.Errorf("in pieces of %d: %+v, want %d", size, hits, c.count)
				}
			}
		})
	}
}

// TestAlternativesDecide: what one alternative says is said, whatever the others say.
func TestAlternativesDecide(t *testing.T) {
	for _, c := range []struct {
		name, definition, msg string
		score                 int
		fires                 bool
	}{
		{"each entry from its own best", "5 gold\n3 silver", parts("alternative", "b", plainPart("gold gold silver"), htmlPart("gold silver silver")), 16, true},
		{"max", "5:10 gold", parts("mixed", "b", plainPart("gold"), parts("alternative", "c", plainPart("gold gold"), htmlPart("gold gold"))), 10, true},
		{"pattern", "5 regex go.d", parts("alternative", "b", plainPart("gold goad"), htmlPart("gold goad")), 10, true},
		{"pattern never across two", "5 gold\n5 regex ore(?s:.*)gold", parts("alternative", "b", plainPart("gold ore"), htmlPart("gold")), 5, true},
		{"card numbers of twins", "5 regex,cardnumber \\b[\\d ]{16,}\\b", parts("alternative", "b", plainPart("4111 1111 1111 1111"), htmlPart("4111 1111 1111 1111")), 5, true},
		{"required in one", "5 required gold\n5 silver", parts("alternative", "b", plainPart("silver"), htmlPart("silver, gold")), 10, true},
		{"exclude in one", "5 gold\n0 exclude draft", parts("alternative", "b", plainPart("gold, draft"), htmlPart("gold")), 5, false},
		{"hash in one", "5 hash 900150983cd24fb0d6963f7d28e17f72", parts("alternative", "b", plainPart("x"), parts("mixed", "c", htmlPart("x"), "Content-Type: a/b\n\nabc")), 5, true},
		{"section of the best", "!scan html body\n5 gold", parts("alternative", "b", plainPart("gold"), htmlPart("gold")), 10, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := examine(t, mustExaminer(t, Options{}, "!activation 5\n"+c.definition), c.msg, 100).Outcomes[0]
			if o.Score != c.score || o.Fired != c.fires {
				t.Errorf("score %d, fires %v; want %d, %v", o.Score, o.Fired, c.score, c.fires)
			}
		})
	}
}

// TestAlternativesCost: patterns are counted 20,000 times over all alternatives, and what many
// entries take in nested ones is lent.
func TestAlternativesCost(t *testing.T) {
	e := mustExaminer(t, Options{}, "!activation 1\n1 regex g[ou]ld")
	var list []string
	for range 30 {
		list = append(list, plainPart(strings.Repeat("gold ", 1100)))
	}
	x := e.Begin(Text | Files)
	defer x.Close()
	feedMessage(x, parts("alternative", "b", list...), 65535)
	r, err := x.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if n := r.Outcomes[0].Hits[0].Count; n != maxCount || x.tried[0] != maxTried {
		t.Errorf("counted %d of %d, want %d of %d", n, x.tried[0], maxCount, maxTried)
	}

	var words, text strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&words, "1 word%d\n", i)
		fmt.Fprintf(&text, "word%d ", i)
	}
	nested := plainPart(text.String())
	for i := range 10 {
		nested = parts("alternative", fmt.Sprint("b", i), plainPart(text.String()), nested)
	}
	e = mustExaminer(t, Options{Budget: NewBudget(2 << 20)}, "!activation 1\n"+words.String())
	x = e.Begin(Text | Files)
	feedMessage(x, nested, 65535)
	if r, err := x.Finish(); err != ErrMemory {
		t.Errorf("%d hits with %d octets of memory, error %v", len(r.Outcomes[0].Hits), e.pool.budget.size, err)
	}
	x.Close()
	if used := e.pool.budget.Used(); used != 0 {
		t.Errorf("%d octets not given back", used)
	}
}
