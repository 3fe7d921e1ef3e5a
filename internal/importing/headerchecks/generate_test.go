package headerchecks

import (
	"math/rand/v2"
	"regexp/syntax"
	"strings"

	"mailweir/internal/table"
)

// generator makes lines that a pattern matches, and lines that are nearly such.
type generator struct{ *rand.Rand }

// filler is what stands where a pattern takes anything.
var filler = []string{"", "x", " ", "7", "offer", "Bob Builder ", "re: ", "<", "a.b", "-", "\"q\" ", "zz9 ", ".", "!"}

// from writes a text that an old pattern matches, "" where it cannot be parsed.
func (g generator) from(r *rule) string {
	source := r.Pattern
	if r.posix {
		var err error
		if source, err = table.FromPOSIX(wordEnds(source)); err != nil {
			return ""
		}
	} else {
		source = fromPCRE(source, strings.Contains(r.Flags, "x"))
	}
	tree, err := syntax.Parse(source, syntax.Perl|syntax.FoldCase|syntax.DotNL)
	if err != nil {
		return ""
	}
	var b strings.Builder
	g.write(&b, tree)
	return b.String()
}

func (g generator) write(b *strings.Builder, e *syntax.Regexp) {
	times := 0
	switch e.Op {
	case syntax.OpLiteral:
		for _, r := range string(e.Rune) {
			if g.IntN(2) == 0 {
				b.WriteString(strings.ToLower(string(r)))
			} else {
				b.WriteRune(r)
			}
		}
	case syntax.OpCharClass:
		b.WriteRune(g.member(e.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte("abz019 .-<>@"[g.IntN(12)])
	case syntax.OpAlternate:
		g.write(b, e.Sub[g.IntN(len(e.Sub))])
	case syntax.OpConcat, syntax.OpCapture:
		for _, sub := range e.Sub {
			g.write(b, sub)
		}
	case syntax.OpStar:
		times = g.IntN(4)
	case syntax.OpPlus:
		times = 1 + g.IntN(3)
	case syntax.OpQuest:
		times = g.IntN(2)
	case syntax.OpRepeat:
		times = e.Min
		if e.Max < 0 || e.Max > e.Min {
			times += g.IntN(2)
		}
	}
	if times > 0 && (e.Sub[0].Op == syntax.OpAnyChar || e.Sub[0].Op == syntax.OpAnyCharNotNL) && e.Op != syntax.OpRepeat {
		b.WriteString(filler[g.IntN(len(filler))])
		times = e.Min
	}
	for range times {
		g.write(b, e.Sub[0])
	}
}

// member is a printable character of a class.
func (g generator) member(ranges []rune) rune {
	var all []rune
	for i := 0; i < len(ranges); i += 2 {
		for r := max(ranges[i], ' '); r <= min(ranges[i+1], '~'); r++ {
			all = append(all, r)
		}
	}
	if len(all) == 0 {
		return ' '
	}
	return all[g.IntN(len(all))]
}

// pieces are put into lines.
const pieces = "aeiouxyz059 .,-_@<>\"':;!?/=+()[]$%*"

// spoil changes a line in a few places.
func (g generator) spoil(line string) string {
	for range 1 + g.IntN(3) {
		at := g.IntN(len(line) + 1)
		switch g.IntN(6) {
		case 0:
			line = line[:at] + string(pieces[g.IntN(len(pieces))]) + line[at:]
		case 1:
			if at < len(line) {
				line = line[:at] + line[at+1:]
			}
		case 2:
			if at < len(line) {
				line = line[:at] + string(pieces[g.IntN(len(pieces))]) + line[at+1:]
			}
		case 3:
			line += []string{"x", ">", ".example", "e", " more", "\""}[g.IntN(6)]
		case 4:
			line = line[:at] + filler[g.IntN(len(filler))] + line[at:]
		case 5:
			line = strings.ToUpper(line[:at]) + line[at:]
		}
	}
	return line
}

// ordinary are lines of ordinary mail.
var ordinary = []string{
	"From: Jane Roe <jane.roe@partner.example>", "From: \"Roe, Jane\" <jane@mail.partner.example>", "From: shop@partner.example",
	"From: =?utf-8?q?J=C3=BCrgen?= <j@partner.example>", "From: news@news.partner.com", "From: Ole Bergstrom <ole@hansen-marine.example>",
	"Subject: Re: your order of last week", "Subject: Minutes", "Subject: Fwd: sale of the boat", "Subject: invoice 4711", "Subject: payment advice",
	"Subject: =?utf-8?q?g=C3=BCnstig?=", "Subject: [HM-Ticket 12] viagra", "To: crew@hansen-marine.example", "To: undisclosed-recipients:;",
	"Date: Mon, 02 Jan 2023 10:00:00 +0100", "Message-ID: <x.1@mail.partner.example>", "X-Mailer: Apple Mail (2.3445)", "X-Spam-Level: ***",
	"Content-Type: text/plain; charset=\"utf-8\"", "Content-Type: application/pdf; name=\"offer.pdf\"", "Content-Disposition: attachment; filename=plan.docx",
	"Content-Disposition: attachment; filename=\"run.exe\"", "Content-Transfer-Encoding: base64", "MIME-Version: 1.0", "Precedence: list",
	"Received: from a.example ([192.0.2.1]) by b.example", "Reply-To: jane@partner.example", "List-Id: <crew.yachtclub.example>", "X-Priority: 3",
}
