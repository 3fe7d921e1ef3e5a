package content

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"

	"mailweir/internal/content/fold"
	"mailweir/internal/content/match"

	"go.uber.org/goleak"
)

// slowCount counts whole-word occurrences the obvious way, in a text without line feeds.
func slowCount(text, entry string) int {
	count := 0
	for i := 0; ; {
		at := strings.Index(text[i:], entry)
		if at < 0 {
			return count
		}
		i += at
		if !edge(text, i) || !edge(text, i+len(entry)) {
			i++
			continue
		}
		count++
		i += len(entry)
	}
}

// edge says that no word goes on across offset i.
func edge(text string, i int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:i])
	after, _ := utf8.DecodeRuneInString(text[i:])
	word := func(r rune) bool {
		return r == '_' || (unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsNumber(r)) && !unicode.Is(unicode.Han, r)
	}
	return i == 0 || i == len(text) || !word(before) || !word(after)
}

// TestCounts holds counts in a text of many windows against a plain search and against Go's regexp.
func TestCounts(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	vocabulary := strings.Fields("a b gold mine goldmine état don't c++ 100% $5 zażółć 黄金 _x end. (see) straße x-y 1.000 ы")
	glue := []string{" ", "  ", "\n", "\t", ", ", "-", ". "}
	var b strings.Builder
	for b.Len() < 3*match.WindowSize {
		b.WriteString(vocabulary[random.IntN(len(vocabulary))])
		b.WriteString(glue[random.IntN(len(glue))])
	}
	phrases := slices.Clone(vocabulary)
	for range 150 {
		phrase := vocabulary[random.IntN(len(vocabulary))]
		for range random.IntN(4) {
			phrase += " " + vocabulary[random.IntN(len(vocabulary))]
		}
		phrases = append(phrases, phrase)
	}
	patterns := []string{`straße\s100%.{0,9}état`, `(?:see|end).{3}(?:mine|état).gold`, `gold.{0,20}mine`, `ы.{0,3}_x`, `\$\d`, `^a b`, `[аы]+`, `1\.0+\b`, `état\s+b$`, `黄金,?\s`}
	src := "!activation 1\n!scan body\n" + "1 " + strings.Join(phrases, "\n1 ") + "\n1 regex " + strings.Join(patterns, "\n1 regex ")
	result := examine(t, mustExaminer(t, Options{}, src), "Subject: x\n\n"+b.String(), 65535)

	counts := map[string]int{}
	for _, hit := range result.Outcomes[0].Hits {
		counts[hit.Entry.Text] = hit.Count
	}
	// The lines of the milter's body end in CRLF, and the text in a fold.Barrier.
	text := string(fold.Text(b.String())) + fold.Barrier
	flat := strings.ReplaceAll(text, "\n", " ")
	for _, phrase := range phrases {
		if want := slowCount(flat, phrase); counts[phrase] != want || want == 0 && len(phrase) < 8 {
			t.Errorf("%q: %d, want %d", phrase, counts[phrase], want)
		}
	}
	for _, pattern := range patterns {
		want := min(len(regexp.MustCompile("(?im)"+pattern).FindAllString(text, -1)), maxCount)
		if counts[pattern] != want || want == 0 {
			t.Errorf("%s: %d, want %d", pattern, counts[pattern], want)
		}
	}
}

// TestWindowEdges moves a phrase, and one that only begins like it, over the places where windows
// begin, overlap and end.
func TestWindowEdges(t *testing.T) {
	e := mustExaminer(t, Options{}, "!activation 1\n1 golden  goose egg\n1 regex golden.{0,300}hen\\b")
	for _, filler := range []string{"x", "xyz ", "黄"} {
		for _, place := range []int{match.WindowSize - match.Overlap, match.WindowSize} {
			for shift := -36; shift < 12; shift += 5 {
				before := strings.Repeat(filler, (place+shift)/len(filler))
				after := strings.Repeat(filler, match.WindowSize/4/len(filler))
				for phrase, want := range map[string]int{"golden goose\negg": 1, "golden goose eggs": 0, "golden goose hen": 1, "golden goose hens": 0} {
					hits := examine(t, e, "X: y\n\n"+before+" "+phrase+" "+after, 65535).Outcomes[0].Hits
					if len(hits) != want || want == 1 && hits[0].Count != 1 {
						t.Fatalf("filler %q, place %d%+d, %q: hits %+v, want %d", filler, place, shift, phrase, hits, want)
					}
				}
			}
		}
	}
}

func TestScore(t *testing.T) {
	for _, c := range []struct {
		name, def, text string
		score           int
		fired           bool
	}{
		{"each occurrence", "!activation 6\n2 a\n", "a A a", 6, true},
		{"up to max", "!activation 4\n2:3 a\n3:9 b", "a a a a", 3, false},
		{"below", "!activation 7\n2 a\n", "a a a", 6, false},
		{"required missing", "!activation 1\n2 a\n1 required b\n", "a", 2, false},
		{"required there", "!activation 1\n2 a\n1 required b\n", "a b", 3, true},
		{"all required", "!activation 1\n2 required a\n1 required b\n", "b", 1, false},
		{"exclude", "!activation 1\n2 a\n5 exclude b\n", "a b", 2, false},
		{"exclude absent", "!activation 1\n2 a\n5 exclude b\n", "a c", 2, true},
		{"regex,exclude", "!activation 1\n2 a\n0 regex,exclude \\[ticket \\d+\\]\n", "a [Ticket 12]", 2, false},
		{"regex,exclude absent", "!activation 1\n2 a\n5 regex,exclude \\[ticket \\d+\\]\n", "a [ticket x]", 2, true},
		{"card number", "!activation 1\n1 regex,cardnumber \\b(?:\\d[ -]?){12,19}\\b\n", "4111 1111 1111 1111 and 4111111111111112", 1, true},
		{"card number of zeros", "!activation 1\n1 regex,cardnumber \\b(?:\\d[ -]?){12,19}\\b\n", "0000 0000 0000 0000", 0, false},
		{"signs only", "!activation 1\n1 !!! $$$\n", "win!!!  $$$", 1, true},
		{"no space script", "!activation 1\n1 发票\n", "代开发票联系", 1, true},
		{"word within", "!activation 1\n1 rate\n", "first-rate separate rated rate_1", 1, true},
		{"phrase goes on in a longer word", "!activation 1\n1 buy cheap pill\n", "buy cheap pills, buy cheap pill!", 1, true},
		{"typography", "!activation 1\n1 don't — go\n", "don’t - go", 1, true},
		{"case of greek and german", "!activation 1\n1 ΟΔΟΣ\n1 STRASSE\n1 Ünder", "οδος strasse U\u0308NDER", 3, true},
		{"more than 32 bits hold", "!activation 1000000000\n1000000 a\n1000000 b\n1000000 c\n", strings.Repeat("a b c ", 1000), min(3_000_000_000, maxScore), true},
		{"no weight counts nothing", "!activation 1\n0 a\n1 b\n", "a a", 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := examine(t, mustExaminer(t, Options{}, c.def), "X: y\n\n"+c.text, 100).Outcomes[0]
			if o.Score != c.score || o.Fired != c.fired {
				t.Errorf("score %d fired %v, want %d %v", o.Score, o.Fired, c.score, c.fired)
			}
		})
	}
}

// TestSections sends one word in every section and looks for it section by section.
func TestSections(t *testing.T) {
	msg := "Subject: gold\nX-Y: gold\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n" +
		"<a href='http://gold/'>gold</a>\n--b\nContent-Type: text/plain; name=gold.txt\n\ngold\n--b--\n"
	want := map[string]int{"subject": 1, "body": 1, "html": 2, "headers": 3, "attachments": 1, "filenames": 1}
	for _, name := range sectionNames {
		o := examine(t, mustExaminer(t, Options{}, "!activation 1\n!scan "+name+"\n1 gold"), msg, 9).Outcomes[0]
		if o.Score != want[name] {
			t.Errorf("%s: %d occurrences, want %d", name, o.Score, want[name])
		}
		if got := o.Hits[0].Sections.String(); got != name {
			t.Errorf("found in %q, want %q", got, name)
		}
	}
}

// TestDefinitionsApart makes sure that a definition is not fired by another's sections or entries.
func TestDefinitionsApart(t *testing.T) {
	e := mustExaminer(t, Options{}, "!activation 1\n!scan subject\n1 gold", "!activation 1\n!scan body\n1 gold", "!activation 1\n1 silver")
	r := examine(t, e, "Subject: x\n\ngold", 9)
	if fired := r.Fired(); len(fired) != 1 || fired[0] != e.defs[1] {
		t.Errorf("fired: %v", fired)
	}
}

func TestKeepText(t *testing.T) {
	for _, keep := range []bool{false, true} {
		r := examine(t, mustExaminer(t, Options{KeepText: keep}, "!activation 1\n1 regex g.ld"), "Subject: Gold\n\n", 9)
		if got := fmt.Sprint(r.Outcomes[0].Hits[0].Texts); got != map[bool]string{false: "[]", true: "[gold]"}[keep] {
			t.Errorf("keep %v: %s", keep, got)
		}
	}
}

// TestConcurrent examines many messages at once with one Examiner.
func TestConcurrent(t *testing.T) {
	defer goleak.VerifyNone(t)
	e := mustExaminer(t, Options{}, "!activation 1\n!scan subject body html attachments\n1 secret offer\n1 regex s.{3}et\\s+offer")
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for _, trick := range hidingTricks {
				x := e.Begin(Text | Files)
				feedMessage(x, trick.hidden, i*100+1)
				if i == 7 { // gone before the end
					x.Close()
					continue
				}
				if r, err := x.Finish(); err != nil || !r.Outcomes[0].Fired && !strings.Contains(trick.name, "name") {
					t.Errorf("%s: not found, %v", trick.name, err)
				}
				x.Close()
			}
		})
	}
	wait.Wait()
	if used := e.pool.budget.Used(); used != 0 {
		t.Errorf("%d octets of buffers not given back", used)
	}
}
