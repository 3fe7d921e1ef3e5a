package content

import (
	"strings"
	"testing"
)

// TestForms hides the words "secret offer" in calendars, contacts and texts with commands, in the
// message and attached, and beside each in a twin that does not show them.
func TestForms(t *testing.T) {
	e := mustExaminer(t, Options{}, "!activation 1\n1 secret offer\n")
	card := func(version, lines string) string {
		return "BEGIN:VCARD\nVERSION:" + version + "\n" + lines + "\nEND:VCARD\n"
	}
	event := func(lines string) string { return "BEGIN:VCALENDAR\nBEGIN:VEVENT\n" + lines + "\nEND:VEVENT\n" }
	for _, c := range []struct{ name, mediaType, hidden, innocent string }{
		{"quoted-printable", "text/x-vcard", card("2.1", "NOTE;ENCODING=QUOTED-PRINTABLE:=73ecr=65t=20offer"), card("2.1", "NOTE:=73ecr=65t=20offer")},
		{"quoted-printable without its name", "text/x-vcard", card("2.1", "NOTE;HOME;quoted-printable:=73ecret=20offer"), card("2.1", "NOTE;X=8BIT:=73ecret=20offer")},
		{"quoted-printable in lines", "text/x-vcard", card("2.1", "NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:sec=\nret=\r\n offer"), card("2.1", "NOTE;ENCODING=QUOTED-PRINTABLE:sec=\n ret=\n offer")},
		{"quoted-printable at its end", "text/x-vcard", card("2.1", "NOTE;ENCODING=QUOTED-PRINTABLE:x=\n\nFN:secret offer"), card("2.1", "NOTE;ENCODING=QUOTED-PRINTABLE:x=\nsecret=\n\n=20offer")},
		{"charset of a property", "text/x-vcard", card("2.1", "NOTE;CHARSET=ibm037;ENCODING=QUOTED-PRINTABLE:=A2=85=83=99=85=A3=40=96=86=86=85=99"), card("2.1", "NOTE;ENCODING=QUOTED-PRINTABLE:=A2=85=83=99=85=A3=40=96=86=86=85=99")},
		{"base64", "text/vcard", card("3.0", "NOTE;ENCODING=b:"+b64("secret offer")), card("3.0", "NOTE;X=b:"+b64("secret offer"))},
		{"base64 in lines", "text/vcard", card("2.1", "NOTE;BASE64:\n "+b64("secret ")+"\n "+b64("offer")), card("2.1", "NOTE;BASE64:\n "+b64("secret")+"\n "+b64("offer"))},
		{"picture", "text/vcard", card("2.1", "PHOTO;ENCODING=BASE64:"+b64("\x00\x01secret")+"\nNOTE:secret offer"), card("2.1", "PHOTO;ENCODING=BASE64:"+b64("\x00\x01secret offer"))},
		{"folded in a word", "text/vcard", card("4.0", "NOTE:sec\n ret of\r\n\tfer"), card("4.0", "NOTE:sec\n  ret offer")},
		{"folded at a blank", "text/vcard", card("2.1", "NOTE:secret\n offer"), card("3.0", "NOTE:secret\n offer")},
		{"old, folded in a word", "text/vcard", card("2.1", "NOTE:sec\n ret offer"), card("2.1", "NOTE:sec\n\n ret offer")},
		{"lines of the Macintosh", "text/vcard", strings.ReplaceAll(card("3.0", "NOTE:sec\n ret offer"), "\n", "\r"), strings.ReplaceAll(card("3.0", "NOTE:sec\n.ret offer"), "\n", "\r")},
		{"escapes", "text/calendar", event(`DESCRIPTION:a\nsecret\noffer\, and`), event(`DESCRIPTION:a\nsecret\,offer`)},
		{"language", "text/calendar", event(`DESCRIPTION;LANGUAGE=de;ALTREP="x:y":secret offer`), event(`DESCRIPTION;LANGUAGE=secret:offer`)},
		{"parameter", "text/calendar", event(`ATTENDEE;CN="secret^noffer":mailto:a@b`), event(`ATTENDEE;CN="secret^^noffer":mailto:a@b`)},
		{"HTML", "text/calendar", event(`X-ALT-DESC;FMTTYPE=text/html:<p>sec<b>ret</b> offer</p>`), event(`X-ALT-DESC;FMTTYPE=text/html:<p>sec<br>.ret offer</p>`)},
		{"HTML folded and escaped", "text/calendar", event("X-ALT-DESC;FMTTYPE=text/html:<p>sec<fo\n nt size=1\\,2>ret</font>&nbsp\\;offer</p>"), event("X-ALT-DESC;FMTTYPE=text/html:<p>sec<br\n >.ret offer</p>")},
		{"HTML in a description", "text/calendar", event(`DESCRIPTION:<i>sec</i>ret<br/>offer`), event(`DESCRIPTION:<i>sec</i> ret offer`)},
		{"HTML as plain text", "text/calendar", event(`DESCRIPTION:a <b c="secret offer">`), event(`DESCRIPTION:a <b c="secret; offer">`)},
		{"HTML in a parameter", "text/calendar", event(`DESCRIPTION;ALTREP="data:text/html,%3Cp%3Esec%3Cb%3Eret%3C/b%3E%20offer":x`), event(`DESCRIPTION;ALTREP="data:text/plain,%3Cp%3Esec%3Cb%3Eret%3C/b%3E%20offer":x`)},
		{"HTML in base64 in a parameter", "text/calendar", event(`DESCRIPTION;ALTREP="data:text/html;base64,` + b64("sec<b>ret</b> offer") + `":x`), event(`DESCRIPTION;ALTREP="data:text/html;base64,` + b64("sec<br>.ret offer") + `":x`)},
		{"long property", "text/calendar", event("DESCRIPTION:" + strings.Repeat("words ", 60_000) + "secret offer"), event("DESCRIPTION:" + strings.Repeat("words ", 60_000) + "secret-offer")},
		{"no property", "text/calendar", "a secret offer", "a secret, offer"},

		{"commands", "text/enriched", "<bold>sec</bold>ret<italic>\noffer</italic>", "<bold>sec</bold><center>ret</center> offer"},
		{"parameters of commands", "text/enriched", "sec<color><param>red</param>ret</color> offer", "sec<color><para>red</para>ret</color> offer"},
		{"no commands", "text/enriched", "<<b> secret offer < >", "<<b> secret <<offer"},
		{"commands that are not known", "text/enriched", "sec<x-y.z>ret</x-y.z> offer", "sec<x " + strings.Repeat("y", 80) + ">ret offer"},
		{"comments", "text/richtext", "sec<comment>x <bold> y</comment>ret offer", "sec<nl>ret offer"},
		{"as plain text", "text/richtext", "<comment>secret offer</comment>", "<comment>secret<b>offer</comment>"},
		{"AMP", "text/x-amp-html", "<!doctype html><html amp4email><p>sec<b>ret</b> offer", "<!doctype html><html amp4email><p>sec<p>.ret offer"},
		{"XHTML", "application/xhtml+xml", "<html><p>sec<b>ret</b> offer</p></html>", "<html><p>sec<br/>.ret offer</p></html>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			part := func(text string) string {
				return mimePart("Content-Type: "+c.mediaType+"\nContent-Transfer-Encoding: base64", b64(text))
			}
			for _, size := range []int{7, 65535} {
				for how, msg := range map[string]func(string) string{
					"in the message": part,
					"attached":       func(text string) string { return attach("a", c.mediaType, []byte(text)) },
				} {
					if !examine(t, e, msg(c.hidden), size).Outcomes[0].Fired {
						t.Errorf("%s, in pieces of %d: not found", how, size)
					}
					if examine(t, e, msg(c.innocent), size).Outcomes[0].Fired {
						t.Errorf("%s, in pieces of %d: found in the innocent twin", how, size)
					}
				}
			}
		})
	}
}

// TestFormsCount: what a program may show in two forms is said once.
func TestFormsCount(t *testing.T) {
	e := mustExaminer(t, Options{}, "!activation 100\n1 gold\n")
	for _, c := range []struct {
		name, mediaType, text string
		want                  int
	}{
		{"commands", "text/enriched", "gold <bold>gold</bold>", 2},
		{"HTML in a description", "text/calendar", "SUMMARY:gold\nDESCRIPTION:<p>gold\nX-ALT-DESC:<p>gold", 3},
		{"old card", "text/x-vcard", "BEGIN:VCARD\nVERSION:2.1\nNOTE:gold\n gold", 2},
		{"XML", "text/xml", "<d a='gold'>gold<b/>gold</d>", 3},
	} {
		r := examine(t, e, mimePart("Content-Type: "+c.mediaType, c.text), 100)
		if got := r.Outcomes[0].Score; got != c.want {
			t.Errorf("%s: %d times, want %d", c.name, got, c.want)
		}
	}
}
