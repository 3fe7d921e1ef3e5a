package content

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestReadings hides the words "secret offer" so that some reader shows them or offers the file
// "secret offer.exe", and beside each in a twin where none does.
func TestReadings(t *testing.T) {
	const (
		part    = "Content-Type: application/octet-stream; name=\"%s.exe\"\n\nx\n"
		base64  = "Content-Transfer-Encoding: base64\n\n"
		mixed   = "Content-Type: multipart/mixed; boundary="
		hello   = "\n\nhello\n"
		secrets = "secret offer"
		wide    = "\x00s\x00e\x00c\x00r\x00e\x00t\x00 \x00o\x00f\x00f\x00e\x00r"
	)
	many := strings.Repeat("; a=b", 70)
	byCR := "Content-Transfer-Encoding: base64\r\r" + b64(secrets)
	coded := func(s string) string { return "Content-Transfer-Encoding: base64\n\n" + b64(s) + "\n" }
	for _, c := range []struct{ name, msg string }{
		{"boundary unquoted, words behind", mixed + "b c\n\n--b\n" + part + "--b--"},
		{"boundary unquoted, words that belong to it", mixed + "b c\n\n--b c\n" + part + "--b c--"},
		{"boundary quoted, words behind", mixed + "\"b\" c\n\n--b\n" + part + "--b--"},
		{"boundary quoted, a letter behind", mixed + "\"b\"c\n\n--b\n" + part + "--b--"},
		{"boundary doubled, the first", mixed + "b; boundary=c\n\n--b\n" + part + "--b--"},
		{"boundary doubled, the second", mixed + "b; boundary=c\n\n--c\n" + part + "--c--"},
		{"boundary with a quoted pair", mixed + "\"ne\\xt\"\n\n--next\n" + part + "--next--"},
		{"boundary with a backslash", mixed + "\"ne\\xt\"\n\n--ne\\xt\n" + part + "--ne\\xt--"},
		{"boundary with an escaped quote", mixed + "\"ne\\\"xt\"\n\n--ne\"xt\n" + part + "--ne\"xt--"},
		{"boundary behind a comma", "Content-Type: multipart/mixed, boundary=b\n\n--b\n" + part + "--b--"},
		{"boundary without a semicolon", "Content-Type: multipart/mixed boundary=b\n\n--b\n" + part + "--b--"},
		{"boundary with a comma behind", mixed + "b, x=y\n\n--b\n" + part + "--b--"},
		{"boundary in single quotes", mixed + "'b'\n\n--b\n" + part + "--b--"},
		{"boundary as quoted-printable", mixed + "3D\"b\"\n\n--b\n" + part + "--b--"},
		{"boundary not closed", mixed + "\"b\n\n--b\n" + part + "--b--"},
		{"boundary in sections", "Content-Type: multipart/mixed; boundary*0=b; boundary*1=c\n\n--bc\n" + part + "--bc--"},
		{"boundary extended", "Content-Type: multipart/mixed; boundary*=us-ascii''b%63\n\n--bc\n" + part + "--bc--"},
		{"boundary behind 70 parameters", "Content-Type: multipart/mixed" + many + "; boundary=b\n\n--b\n" + part + "--b--"},
		{"boundary without multipart", "Content-Type: boundary=b\n\n--b\n" + part + "--b--"},
		{"boundary of text", "Content-Type: text/plain; boundary=b\n\n--b\n" + part + "--b--"},
		{"boundary not declared", "Content-Type: multipart/mixed\n\n--b\n" + part + "--b--"},
		{"boundary not declared, text before", "Content-Type: multipart/mixed\n\nhello\n-- \n--b\n" + part + "--b--"},
		{"boundary empty", mixed + "\"\"\n\n--b\n" + part + "--b--"},
		{"boundary wrong", mixed + "a\n\n--b\n" + part + "--b--"},
		{"boundary wrong, of text", mixed + "a\n\nhello\n--b\nContent-Type: text/html\n\n<p>sec<b>r</b>et offer\n--b--\n"},
		{"boundary of a type alone", "Content-Type: multipart; boundary=b\n\n--b\n" + part + "--b--"},
		{"boundary of a type with blanks", "Content-Type: multipart / mixed ; boundary=b\n\n--b\n" + part + "--b--"},
		{"boundary of a quoted type", "Content-Type: \"multipart/mixed\"; boundary=b\n\n--b\n" + part + "--b--"},
		{"boundary in a second field", "Content-Type: text/plain\nContent-Type: multipart/mixed; boundary=b\n\n--b\n" + part + "--b--"},
		{"boundary in a first field", "Content-Type: multipart/mixed; boundary=b\nContent-Type: text/plain\n\n--b\n" + part + "--b--"},

		{"boundary with blanks behind", mixed + "b\n\n--b \t\n" + part + "--b--"},
		{"boundary as a prefix", mixed + "b" + "\n\n--b" + hello + "--bcd\n" + part + "--b--"},
		{"boundary as a prefix of the first", mixed + "b\n\n--bcd\n" + part + "--b--"},
		{"boundary as a prefix in base64", mixed + "b\n\n--b\n" + coded("hello") + "--b-c\n" + coded("secret offer") + "--b--"},
		{"no boundary but a prefix in base64", mixed + "._\n\n--._\n" + base64 + b64("sec") + "\n--._....\n\n" + b64("ret offer") + "\n--._--"},
		{"boundary as a prefix inside", mixed + "b\n\n--b\n" + mixed + "c\n\n--c" + hello + "--cc\n" + part + "--c--\n--b--"},
		{"boundary as a prefix of the outer", mixed + "b\n\n--b\n" + mixed + "c\n\n--c" + hello + "--bb\n" + part + "--b--"},
		{"boundary as a prefix, ends", mixed + "b\n\n--b" + hello + "--b--x\n\nhello\n--b\n" + part + "--b--"},
		{"boundary behind a carriage return", mixed + "b\n\n--b\n\nhello\r--b\r" + strings.ReplaceAll(part, "\n", "\r") + "\n--b--"},
		{"boundary behind the second of them", mixed + "b\n\n--b\n\nhello\rmore\r--b\rX: y\r" + byCR + "\n--b--"},
		{"boundary behind one, where a long line is cut", mixed + "b\n\n--b\n\n" + strings.Repeat("a", maxMIMELine-1) + "\r--b\rX: y\r" + byCR + "\n--b--"},
		{"boundary behind one, cut itself", mixed + "bcd\n\n--bcd\n\n" + strings.Repeat("a", maxMIMELine-3) + "\r--bcd\rX: y\r" + byCR + "\n--bcd--"},
		{"field behind the second of them", mixed + "b\n\n--b\nX: y\rZ: y\rContent-Transfer-Encoding: base64\n\n" + b64("secret offer") + "\n--b--"},
		{"field behind a carriage return", mixed + "b\n\n--b\nX: y\rContent-Transfer-Encoding: base64\n\n" + b64("secret offer") + "\n--b--"},
		{"field of the message behind a carriage return", "X: y\rContent-Transfer-Encoding: base64\n\n" + b64("secret offer")},
		{"boundary of the message behind a carriage return", "X: y\rContent-Type: multipart/mixed; boundary=b\n\n--b\n" + part + "--b--"},
		{"type of the message before a carriage return", "Content-Type: multipart/mixed; boundary=b\rX: y\n\n--b\n" + part + "--b--"},
		{"no encoding behind a carriage return for others", "X: y\rContent-Transfer-Encoding: base64\n\nsecret offer"},
		{"boundary of both", mixed + "b\n\n--b\n" + mixed + "b\n\n--b" + hello + "--b--\n--b\n" + part + "--b--"},
		{"behind the last boundary", mixed + "b\n\n--b" + hello + "--b--\nhello\n--b\n" + part + "--b--"},
		{"behind two last boundaries", mixed + "b\n\n--b" + hello + "--b--\n--b--\n--b\n" + part},
		{"a last boundary first", mixed + "b\n\n--b--\n--b\n" + part + "--b--\n"},

		{"type and charset without a semicolon", "Content-Type: text/html charset=utf-8\n\n<p>sec<b>r</b>et offer"},
		{"type in quotes", "Content-Type: \"text/html\"; charset=utf-8\n\n<p>sec<b>r</b>et offer"},
		{"type with blanks", "Content-Type: text / html\n\n<p>sec<b>r</b>et offer"},
		{"type with a comma", "Content-Type: text/html, charset=utf-8\n\n<p>sec<b>r</b>et offer"},
		{"type with words before", "Content-Type: is text/html\n\n<p>sec<b>r</b>et offer"},
		{"type with a sign", "Content-Type: text/html\x01\n\n<p>sec<b>r</b>et offer"},
		{"type that others overlook", "Content-Type: text/html x\n\n<!-- secret offer -->"},
		{"type doubled, the first", "Content-Type: text/html\nContent-Type: text/plain\n\n<p>sec<b>r</b>et offer"},
		{"type doubled, the second", "Content-Type: text/plain\nContent-Type: text/html\n\n<p>sec<b>r</b>et offer"},
		{"type doubled, the text", "Content-Type: text/html\nContent-Type: text/plain\n\n<!-- secret offer -->"},
		{"charset doubled", "Content-Type: text/plain; charset=utf-8; charset=utf-16be\n" + coded(wide)},
		{"encoding doubled, the first", "Content-Transfer-Encoding: base64\nContent-Transfer-Encoding: 7bit\n\n" + b64("secret offer")},
		{"encoding doubled, the second", "Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64\n\n" + b64("secret offer")},

		{"part with some words, a reader that ends", mixed + "b\n\n--b\nContent-Type: text/html\nthe secret\noffer: x\n\nhello\n--b--"},
		{"part with some words, a reader that goes on", mixed + "b\n\n--b\nsome words\n" + coded("secret offer") + "--b--"},
		{"part with a mark, a reader that goes on", mixed + "b\n\n--b\n>From x\n" + coded("secret offer") + "--b--"},
		{"part with a mark, a reader that ends", mixed + "b\n\n--b\n>From x\nsecret\n offer: x\n\nhello\n--b--"},
		{"part without a name of a field, a reader that goes on", mixed + "b\n\n--b\n: x\n" + coded("secret offer") + "--b--"},
		{"part without a name of a field, a reader that ends", mixed + "b\n\n--b\n: x\nsecret\n offer: x\n\nhello\n--b--"},
		{"part with an odd name, a reader that goes on", mixed + "b\n\n--b\nsome words: x\n" + coded("secret offer") + "--b--"},
		{"part with an odd name, a reader that ends", mixed + "b\n\n--b\nX: y\nthe secret offer: x\n\nhello\n--b--"},
		{"part with an odd name, a reader that takes it", mixed + "b\n\n--b\nContent-Transfer-Encoding : base64\n\n" + b64("secret offer") + "\n--b--"},
		{"part with an odd name, a reader that skips it", mixed + "b\n\n--b\nContent-Transfer-Encoding : base64\n\nsecret offer\n--b--"},
		{"part with blanks, a reader that goes on", mixed + "b\n\n--b\nX: y\n \t\n" + coded("secret offer") + "--b--"},
		{"part with blanks, a reader that ends", mixed + "b\n\n--b\nX: y\n \t\nsecret\n offer: x\n\nhello\n--b--"},
		{"part with an mbox line, a reader that goes on", mixed + "b\n\n--b\nX: y\nFrom x\n" + coded("secret offer") + "--b--"},
		{"part with an mbox line, a reader that ends", mixed + "b\n\n--b\nX: y\nFrom x\nsecret\n offer: x\n\nhello\n--b--"},
		{"a parameter that is not indented", mixed + "b\n\n--b\nContent-Type: text/html;\ncharset=utf-8\n\n<p>sec<b>r</b>et offer\n--b--"},
		{"a boundary that is not indented", mixed + "b\n\n--b\nContent-Type: multipart/mixed;\nboundary=c\n\n--c\n" + part + "--c--\n--b--"},
		{"in an attached message", "Content-Type: message/rfc822\n\nsome words\n" + coded("secret offer")},
		{"in a saved message", attach("a.eml", "application/octet-stream", []byte("Subject: x\nsome words\nContent-Transfer-Encoding: quoted-printable\n\n=73ecret offer"))},
		{"disposition that is half one", "Content-Disposition: attachment filename=i.txt\n\nsecret offer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, size := range []int{1, 7, 65535} {
				e := mustExaminer(t, Options{}, "!activation 1\n!scan body filenames\n1 secret offer\n")
				msg := strings.ReplaceAll(c.msg, "%s", secrets)
				if r := examine(t, e, msg, size); len(r.Outcomes[0].Hits) != 1 || r.Outcomes[0].Hits[0].Count != 1 {
					t.Errorf("in pieces of %d: %+v", size, r.Outcomes[0].Hits)
				}
				if r := examine(t, e, innocent(msg), size); len(r.Outcomes[0].Hits) != 0 {
					t.Errorf("in pieces of %d: the innocent twin: %+v", size, r.Outcomes[0].Hits)
				}
			}
		})
	}
}

// innocent makes another word of the secret ones.
func innocent(msg string) string {
	return strings.NewReplacer("secret", "secre8", "sec<b>r", "sec<b>8", b64("secret offer"), b64("secre8 offer"), b64("sec"), b64("se8"), b64("Subject: x\nsome words\nContent-Transfer-Encoding: quoted-printable\n\n=73ecret offer"), b64("x"), b64("\x00s\x00"), b64("\x00x\x00")).Replace(msg)
}

// TestBoundaryLimit: what has no boundary leaves a trace, unless there is nothing in it.
func TestBoundaryLimit(t *testing.T) {
	for _, c := range []struct {
		name, msg string
		want      bool
	}{
		{"none", "Content-Type: multipart/mixed\n\nhello\n", true},
		{"not met", "Content-Type: multipart/mixed; boundary=b\n\nhello\n", true},
		{"found", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhello\n--b--\n", false},
		{"guessed", "Content-Type: multipart/mixed\n\n--b\n\nhello\n", false},
		{"guessed, another is named", "Content-Type: multipart/mixed; boundary=c\n\n--b\n\nhello\n", false},
		{"nothing", "Content-Type: multipart/mixed; boundary=b\n\n\n \n", false},
	} {
		if r := examine(t, mustExaminer(t, Options{}), c.msg, 100); slices.Contains(r.Limits, LimitBoundary) != c.want {
			t.Errorf("%s: limits %v", c.name, r.Limits)
		}
	}
}

// TestReadingsLimit: readings within readings come to an end, and leave a trace.
func TestReadingsLimit(t *testing.T) {
	types := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "Content-Type: text/plain; charset=c%d\n", i)
		}
		return b.String() + "\nhello"
	}
	nested := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=x%d; boundary=y%d\n\n--x%d\n", i, i, i)
		}
		return b.String() + "\nhello"
	}
	for _, c := range []struct {
		name, msg string
		want      bool
	}{
		{"types", types(maxReadings), false},
		{"types, one more", types(maxReadings + 1), true},
		{"one in another", nested(8), false},
		{"many in one another", nested(18), true},
	} {
		e := mustExaminer(t, Options{}, "!activation 1\n1 hello")
		r := examine(t, e, c.msg, 100)
		if slices.Contains(r.Limits, LimitReadings) != c.want || !r.Outcomes[0].Fired {
			t.Errorf("%s: limits %v, fired %v", c.name, r.Limits, r.Outcomes[0].Fired)
		}
	}
}
