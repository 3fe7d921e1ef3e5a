package content

import (
	"strings"
	"testing"

	"mailweir/internal/content/htmltext"
)

// TestTwoReadings counts entries in both readings of HTML: what shows, and all of it in one line.
func TestTwoReadings(t *testing.T) {
	const card = `1 regex,cardnumber \b(?:\d[ -]?){12,19}\b`
	for _, c := range []struct {
		name, entry, html string
		count             int
	}{
		{"words in cells", "1 gold", "<table><td>gold</td><td>mine</td></table>", 1},
		{"a word in two cells", "1 goldmine", "<table><td>gold</td><td>mine</td></table>", 1},
		{"a word in letters", "1 gold", "<p>g<p>o<p>l<p>d", 1},
		{"a word in boxes", "1 gold", "<b style='display:inline-block'>g</b><b style='float:left'>old</b>", 1},
		{"a phrase over what is hidden", "1 gold mine", "gold <i hidden>x</i>mine", 1},
		{"a phrase with what is hidden", "1 gold mine", "gold <i hidden>mine</i>", 1},
		{"a phrase that is hidden", "1 gold mine", "<div hidden>gold<br>mine</div>", 1},
		{"not the sum", "1 gold", "<p>gold</p><p>gold</p> gold", 3},
		{"what shows has more", "1 gold", "<p>gold</p><p>gold</p>", 2},
		{"the second has more", "1 gold", "gold <table><td>go</td><td>ld</td></table>", 2},
		{"hidden text is part of the first", "1 gold", "gold<p hidden>gold</p>", 2},
		{"signs", "1 !!!", "!!<p>! a", 1},
		{"required", "1 required gold", "<table><td>go</td><td>ld</td></table>", 1},
		{"exclude in what shows", "0 exclude gold", "<p>gold", 1},
		{"regex,exclude in what shows", "0 regex,exclude g.ld", "<p>gold", 1},
		{"regex,exclude in hidden text", "0 regex,exclude g.ld", "<p hidden>gold</p>", 0},
		{"exclude glued", "0 exclude gold", "<table><td>go</td><td>ld</td></table>", 0},
		{"exclude in hidden text", "0 exclude gold", "<p hidden>gold</p>", 0},
		{"exclude of signs in hidden text", "0 exclude !!!", "<p hidden>!!!</p>", 0},
		{"exclude in an alternative text", "0 exclude gold", "<img alt=gold>", 1},
		{"pattern in what shows", `1 regex g.ld`, "<p>gold", 1},
		{"pattern glued", `1 regex g.ld`, "<table><td>go</td><td>ld</td></table>", 0},
		{"pattern in hidden text", `1 regex g.ld`, "<p hidden>gold</p>", 0},
		{"pattern over hidden text", `1 regex g.ld`, "go<i hidden>x</i>ld", 1},
		{"pattern over lines of the source", `1 regex ^gold.mine$`, "<p>gold\nmine</p>", 1},
		{"pattern over lines that show", `1 regex ^gold$\s^mine$`, "<pre>gold\nmine</pre>", 1},
		{"card number", card, "<p>4111 1111 <b>1111</b> 1111", 1},
		{"card number in cells", `1 regex,cardnumber \b\d{12,19}\b`, "<table><td>4111111111</td><td>111111</td></table>", 0},
		{"card number in blocks", card, "<a style='display:block'>4111111111</a><a style='display:block'>111111</a>", 0},
		{"card number in an alternative text", card, "<img alt='4111 1111 1111 1111'>", 1},
		{"links beside each other", "1 contact us", "<a style='display:block'>Home</a><a style='display:block'>Contact us</a>", 1},
		{"value of a hidden field", "1 gold", "<input type=hidden value=gold>", 0},
		{"value of a field", "1 gold", "x<input value=gold>y", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := mustExaminer(t, Options{}, "!activation 1\n1 nothing\n"+c.entry)
			deep := strings.Repeat("<div>", 513) + strings.Repeat("</div>", 513) + c.html
			for how, html := range map[string]string{"tree": c.html, "stream": deep} {
				for _, msg := range []string{
					mimePart("Content-Type: text/html", html),
					mimePart("Content-Type: text/html\nContent-Disposition: attachment", html),
					parts("alternative", "b", plainPart("hello"), "Content-Type: text/html\n\n"+html+"\n"),
				} {
					count := 0
					for _, h := range examine(t, e, msg, 65535).Outcomes[0].Hits {
						count += h.Count
					}
					if count != c.count {
						t.Errorf("%s: %d times, want %d", how, count, c.count)
					}
				}
			}
		})
	}
}

// TestHTMLLimits: at its limits HTML is read without a tree, nothing is lost, and there is a trace.
func TestHTMLLimits(t *testing.T) {
	e := mustExaminer(t, Options{}, "!activation 1\n1 gold\n1 regex g.ld")
	filled := func(n int) string { return strings.Repeat("x", n-len("\r\n<p>gold\r\n")) + "\n<p>gold\n" }
	for _, c := range []struct {
		name, html string
		limits     []Limit
	}{
		{"as long as a tree may be", filled(htmltext.MaxTree), nil},
		{"too long", filled(htmltext.MaxTree + 1), []Limit{LimitTree}},
		{"as deep as a tree may be", strings.Repeat("<div>", 500) + "gold", nil},
		{"too deep", strings.Repeat("<div>", 513) + "gold", []Limit{LimitTree}},
		{"a style sheet that is long", "<style>" + strings.Repeat("a{b:c}\n", 60_000) + "</style>gold", nil},
		{"a style sheet that is too long", "<style>" + strings.Repeat("a{b:c}\n", 80_000) + "</style>gold", []Limit{LimitStyle}},
		{"hidden text", "gold<p hidden>" + strings.Repeat("x", 60<<10), nil},
		{"too much hidden text", "gold<p hidden>" + strings.Repeat("x", 70<<10), []Limit{LimitHidden}},
		{"a word behind too much hidden text", "<p hidden>" + strings.Repeat("x", 70<<10) + "</p>gold", []Limit{LimitHidden}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := examine(t, e, mimePart("Content-Type: text/html", c.html), 65535)
			if len(r.Limits) != len(c.limits) || len(c.limits) > 0 && r.Limits[0] != c.limits[0] {
				t.Errorf("limits %v, want %v", r.Limits, c.limits)
			}
			if hits := r.Outcomes[0].Hits; len(hits) != 2 || hits[0].Count != 1 || hits[1].Count != 1 {
				t.Errorf("hits %+v", hits)
			}
		})
	}
}
