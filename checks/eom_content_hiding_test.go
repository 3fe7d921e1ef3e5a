package checks

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

// TestContentHiding hides a phrase in every section by the tricks that fit there, and holds each against a twin that looks alike and
// does not say it. internal/content has the tricks one by one; this is the way through the check.
func TestContentHiding(t *testing.T) {
	const refused = "end 550 5.7.1 Message bounced due to Content Examination Policy"
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	html := func(s string) letter {
		return letter{header: []string{"Content-Type: text/html; charset=utf-8"}, body: s + "\r\n"}
	}
	subject := func(s string) letter { return letter{header: []string{"Subject: " + s}, body: "x\r\n"} }
	body := func(s string) letter { return letter{header: []string{"Subject: x"}, body: s + "\r\n"} }
	docx := func(s string) string { return zipped(t, "word/document.xml", "<w:p>"+s+"</w:p>") }
	packed := func(s string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write([]byte(s))
		_ = z.Close()
		return b.String()
	}
	for _, c := range []struct {
		section, trick string
		says, twin     letter
	}{
		{"subject", "plain", subject("a Secret OFFER"), subject("a secretive offer")},
		{"subject", "encoded words", subject("=?utf-8?b?" + b64("secret off") + "?=\n =?utf-8?q?er?="), subject("=?utf-8?b?" + b64("secret off") + "?= er")},
		{"subject", "zero width", subject("=?utf-8?q?sec=E2=80=8Bret_offer?="), subject("=?utf-8?q?sec=E2=80=82ret_offer?=")},
		{"subject", "full width", subject("=?utf-8?b?" + b64("ｓｅｃｒｅｔ offer") + "?="), subject("=?utf-8?b?" + b64("ｓｅｃｒｅｔｓ offer") + "?=")},
		{"body", "line break", body("secret\r\n  offer"), body("secret,\r\noffer")},
		{"body", "tags inside words", html("sec<b>ret</b> <!-- x -->of<i></i>fer"), html("sec<br>ret offer")},
		{"body", "entities", html("&#115;ecret&nbsp;&#x6f;ffer"), html("&amp;#115;ecret offer")},
		{"body", "hidden text inside", html("sec<span style='display:none'>x</span>ret offer"), html("sec<span>x</span>ret offer")},
		{"body", "attached message", letter{header: []string{"Content-Type: message/rfc822"}, body: "Content-Transfer-Encoding: base64\r\n\r\n" + b64("secret offer") + "\r\n"}, letter{header: []string{"Content-Type: message/rfc822"}, body: "Subject: x\r\n\r\n" + b64("secret offer") + "\r\n"}},
		{"body", "quoted-printable", letter{header: []string{"Content-Transfer-Encoding: quoted-printable"}, body: "s=65cret=\r\n=20offer\r\n"}, letter{header: []string{"Content-Transfer-Encoding: quoted-printable"}, body: "s=65cret=\r\n=2Doffer\r\n"}},
		{"body", "utf-16", letter{header: []string{"Content-Type: text/plain; charset=utf-16le", "Content-Transfer-Encoding: base64"}, body: b64("s\x00e\x00c\x00r\x00e\x00t\x00 \x00o\x00f\x00f\x00e\x00r\x00") + "\r\n"}, letter{header: []string{"Content-Type: text/plain; charset=utf-16le", "Content-Transfer-Encoding: base64"}, body: b64("s\x00e\x00c\x00r\x00e\x00t\x00-\x00o\x00f\x00f\x00e\x00r\x00") + "\r\n"}},
		{"html", "comment", html("<p>x<!-- secret offer -->"), html("<p>x<!-- secret-offer -->")},
		{"html", "link", html("<a href='http://x.example/?secret&#32;offer'>x</a>"), html("<a href='http://x.example/?secret.offer'>x</a>")},
		{"headers", "encoded", letter{header: []string{"X-Note: =?iso-8859-1?q?secret_offer?="}, body: "x\r\n"}, letter{header: []string{"X-Secret: offer"}, body: "x\r\n"}},
		{"attachments", "text", attachment("a.txt", "secret offer"), attachment("a.txt", "secret+offer")},
		{"attachments", "wrong type", attachment("a.jpg", "secret offer, and more text"), attachment("a.jpg", "secret.offer, and more text")},
		{"attachments", "docx", attachment("a.docx", docx("<w:t>sec</w:t><w:t>ret offer</w:t>")), attachment("a.docx", docx("<w:t>sec</w:t></w:p><w:p><w:t>ret offer</w:t>"))},
		{"attachments", "gzip", attachment("a.gz", packed("secret offer")), attachment("a.gz", packed("secret, offer"))},
		{"attachments", "zip in zip", attachment("a.zip", zipped(t, "b.zip", zipped(t, "c.txt", "secret\noffer"))), attachment("a.zip", zipped(t, "b.zip", zipped(t, "c.txt", "secret\n-offer")))},
		{"attachments", "rtf", attachment("a.rtf", `{\rtf1 sec{\b ret}\~offer}`), attachment("a.rtf", `{\rtf1 sec{\b ret}\par -offer}`)},
		{"filenames", "plain", attachment("secret offer.bin", "x"), attachment("secret_offer.bin", "x")},
		{"filenames", "in a zip", attachment("a.zip", zipped(t, "x/secret offer.txt", "x")), attachment("a.zip", zipped(t, "secret/offer.txt", "x"))},
		{"filenames", "rfc 2231", letter{header: []string{"Content-Disposition: attachment; filename*0*=utf-8''s%65cret; filename*1=\" offer.bin\""}, body: "x\r\n"}, letter{header: []string{"Content-Disposition: attachment; filename*0=s%65cret; filename*1=\" offer.bin\""}, body: "x\r\n"}},
	} {
		definition := file(t, "definition", "!activation 1\n!scan "+c.section+"\n1 secret offer\n")
		only(Content).play(t, []string{"--content-definition=" + definition}, []scenario{
			{name: c.section + ", " + c.trick, mail: c.says, said: refused, cause: " in " + c.section + ")"},
			{name: c.section + ", " + c.trick + ", twin", mail: c.twin},
		})
	}
}

// TestContentBombs sends what would cost out of proportion: it passes if it does not say what is looked for, and the limits that were
// reached stand with the event if it does. internal/content has more and larger ones; here they are as large as the limits need.
func TestContentBombs(t *testing.T) {
	zeros := strings.Repeat("\x00", 4<<20)
	nested := &strings.Builder{}
	for i := range 10_000 {
		fmt.Fprintf(nested, "--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n", i, i+1)
	}
	multipart := []string{"Content-Type: multipart/mixed; boundary=b0", "Subject: gold"}
	gold := func(l letter) letter { l.header = append(l.header, "Subject: gold"); return l }
	for _, c := range []struct {
		name   string
		mail   letter
		limits string
	}{
		{"zip of zeros", gold(attachment("a.zip", zipped(t, "zeros", zeros))), `limits reached: ratio in "a.zip/zeros"`},
		{"nested parts", letter{header: multipart, body: nested.String()}, "limits reached: depth"},
		{"many boundaries", letter{header: multipart, body: strings.Repeat("--b0\r\n\r\n", 50_000)}, "limits reached: parts"},
		{"endless line", letter{header: []string{"Subject: gold"}, body: strings.Repeat("x", 1<<20)}, ""},
		{"open tags", letter{header: []string{"Content-Type: text/html", "Subject: gold"}, body: strings.Repeat("<a ", 1<<17)}, "limits reached: markup"},
		{"many fields", letter{header: append(strings.Split(strings.Repeat("A: b|", 100_000)+"A: b", "|"), "Subject: x"), body: "gold\r\n"}, ""},
	} {
		const refused = "end 550 5.7.1 Message bounced due to Content Examination Policy"
		flags := func(word string) []string {
			return []string{"--content-definition=" + file(t, "d", "!activation 1\n1 "+word+"\n1 regex (x+x+)+y\n")}
		}
		only(Content).play(t, nil, []scenario{
			{name: c.name + ", found", flags: flags("gold"), mail: c.mail, said: refused, cause: c.limits},
			{name: c.name + ", passed", flags: flags("silver"), mail: c.mail, reached: c.limits},
		})
	}
}
