package content

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"mailweir/internal/policytest"
)

// TestContentHiding hides a phrase in every section by the tricks that fit there, and holds each
// against a twin that looks alike and does not say it. internal/content has the tricks one by one;
// this is the way through the check.
func TestContentHiding(t *testing.T) {
	const refused = "end 550 5.7.1 Message bounced due to Content Examination Policy"
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	html := func(s string) policytest.Letter {
		return policytest.Letter{Header: []string{"Content-Type: text/html; charset=utf-8"}, Body: s + "\r\n"}
	}
	subject := func(s string) policytest.Letter {
		return policytest.Letter{Header: []string{"Subject: " + s}, Body: "x\r\n"}
	}
	body := func(s string) policytest.Letter {
		return policytest.Letter{Header: []string{"Subject: x"}, Body: s + "\r\n"}
	}
	docx := func(s string) string { return policytest.Zipped(t, "word/document.xml", "<w:p>"+s+"</w:p>") }
	packed := func(s string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write([]byte(s))
		_ = z.Close()
		return b.String()
	}
	for _, c := range []struct {
		section, trick string
		says, twin     policytest.Letter
	}{
		{"subject", "plain", subject("a Secret OFFER"), subject("a secretive offer")},
		{"subject", "encoded words", subject("=?utf-8?b?" + b64("secret off") + "?=\n =?utf-8?q?er?="), subject("=?utf-8?b?" + b64("secret off") + "?= er")},
		{"subject", "zero width", subject("=?utf-8?q?sec=E2=80=8Bret_offer?="), subject("=?utf-8?q?sec=E2=80=82ret_offer?=")},
		{"subject", "full width", subject("=?utf-8?b?" + b64("ｓｅｃｒｅｔ offer") + "?="), subject("=?utf-8?b?" + b64("ｓｅｃｒｅｔｓ offer") + "?=")},
		{"body", "line break", body("secret\r\n  offer"), body("secret,\r\noffer")},
		{"body", "tags inside words", html("sec<b>ret</b> <!-- x -->of<i></i>fer"), html("sec<br>.ret offer")},
		{"body", "entities", html("&#115;ecret&nbsp;&#x6f;ffer"), html("&amp;#115;ecret offer")},
		{"body", "hidden text inside", html("sec<span style='display:none'>x</span>ret offer"), html("sec<span>x</span>ret offer")},
		{"body", "attached message", policytest.Letter{Header: []string{"Content-Type: message/rfc822"}, Body: "Content-Transfer-Encoding: base64\r\n\r\n" + b64("secret offer") + "\r\n"}, policytest.Letter{Header: []string{"Content-Type: message/rfc822"}, Body: "Subject: x\r\n\r\n" + b64("secret offer") + "\r\n"}},
		{"body", "quoted-printable", policytest.Letter{Header: []string{"Content-Transfer-Encoding: quoted-printable"}, Body: "s=65cret=\r\n=20offer\r\n"}, policytest.Letter{Header: []string{"Content-Transfer-Encoding: quoted-printable"}, Body: "s=65cret=\r\n=2Doffer\r\n"}},
		{"body", "utf-16", policytest.Letter{Header: []string{"Content-Type: text/plain; charset=utf-16le", "Content-Transfer-Encoding: base64"}, Body: b64("s\x00e\x00c\x00r\x00e\x00t\x00 \x00o\x00f\x00f\x00e\x00r\x00") + "\r\n"}, policytest.Letter{Header: []string{"Content-Type: text/plain; charset=utf-16le", "Content-Transfer-Encoding: base64"}, Body: b64("s\x00e\x00c\x00r\x00e\x00t\x00-\x00o\x00f\x00f\x00e\x00r\x00") + "\r\n"}},
		{"html", "comment", html("<p>x<!-- secret offer -->"), html("<p>x<!-- secret-offer -->")},
		{"html", "link", html("<a href='http://x.example/?secret&#32;offer'>x</a>"), html("<a href='http://x.example/?secret.offer'>x</a>")},
		{"headers", "encoded", policytest.Letter{Header: []string{"X-Note: =?iso-8859-1?q?secret_offer?="}, Body: "x\r\n"}, policytest.Letter{Header: []string{"X-Secret: offer"}, Body: "x\r\n"}},
		{"attachments", "text", policytest.Attachment("a.txt", "secret offer"), policytest.Attachment("a.txt", "secret+offer")},
		{"attachments", "wrong type", policytest.Attachment("a.jpg", "secret offer, and more text"), policytest.Attachment("a.jpg", "secret.offer, and more text")},
		{"attachments", "docx", policytest.Attachment("a.docx", docx("<w:t>sec</w:t><w:t>ret offer</w:t>")), policytest.Attachment("a.docx", docx("<w:t>sec</w:t></w:p><w:p><w:t>ret offer</w:t>"))},
		{"attachments", "gzip", policytest.Attachment("a.gz", packed("secret offer")), policytest.Attachment("a.gz", packed("secret, offer"))},
		{"attachments", "zip in zip", policytest.Attachment("a.zip", policytest.Zipped(t, "b.zip", policytest.Zipped(t, "c.txt", "secret\noffer"))), policytest.Attachment("a.zip", policytest.Zipped(t, "b.zip", policytest.Zipped(t, "c.txt", "secret\n-offer")))},
		{"attachments", "rtf", policytest.Attachment("a.rtf", `{\rtf1 sec{\b ret}\~offer}`), policytest.Attachment("a.rtf", `{\rtf1 sec{\b ret}\par -offer}`)},
		{"filenames", "plain", policytest.Attachment("secret offer.bin", "x"), policytest.Attachment("secret_offer.bin", "x")},
		{"filenames", "in a zip", policytest.Attachment("a.zip", policytest.Zipped(t, "x/secret offer.txt", "x")), policytest.Attachment("a.zip", policytest.Zipped(t, "secret/offer.txt", "x"))},
		{"filenames", "rfc 2231", policytest.Letter{Header: []string{"Content-Disposition: attachment; filename*0*=utf-8''s%65cret; filename*1=\" offer.bin\""}, Body: "x\r\n"}, policytest.Letter{Header: []string{"Content-Disposition: attachment; filename*0=s%65cret; filename*1=\" offer.bin\""}, Body: "x\r\n"}},
	} {
		definition := policytest.File(t, "definition", "!activation 1\n!scan "+c.section+"\n1 secret offer\n")
		policytest.Only(Check).Play(t, []string{"--content-definition=" + definition}, []policytest.Scenario{
			{Name: c.section + ", " + c.trick, Mail: c.says, Said: refused, Cause: " in " + c.section + ")"},
			{Name: c.section + ", " + c.trick + ", twin", Mail: c.twin},
		})
	}
}

// TestContentBombs sends what would cost out of proportion: it passes if it does not say what is
// looked for, and the limits that were reached stand with the event if it does. internal/content
// has more and larger ones; here they are as large as the limits need.
func TestContentBombs(t *testing.T) {
	zeros := strings.Repeat("\x00", 4<<20)
	nested := &strings.Builder{}
	for i := range 10_000 {
		fmt.Fprintf(nested, "--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n", i, i+1)
	}
	multipart := []string{"Content-Type: multipart/mixed; boundary=b0", "Subject: gold"}
	gold := func(l policytest.Letter) policytest.Letter { l.Header = append(l.Header, "Subject: gold"); return l }
	for _, c := range []struct {
		name   string
		mail   policytest.Letter
		limits string
	}{
		{"zip of zeros", gold(policytest.Attachment("a.zip", policytest.Zipped(t, "zeros", zeros))), `limits reached: ratio in "a.zip/zeros"`},
		{"nested parts", policytest.Letter{Header: multipart, Body: nested.String()}, "limits reached: depth"},
		{"many boundaries", policytest.Letter{Header: multipart, Body: strings.Repeat("--b0\r\n\r\n", 50_000)}, "limits reached: parts"},
		{"endless line", policytest.Letter{Header: []string{"Subject: gold"}, Body: strings.Repeat("x", 1<<20)}, ""},
		{"open tags", policytest.Letter{Header: []string{"Content-Type: text/html", "Subject: gold"}, Body: strings.Repeat("<a ", 1<<19)}, "limits reached: tree, markup"},
		{"many fields", policytest.Letter{Header: append(strings.Split(strings.Repeat("A: b|", 100_000)+"A: b", "|"), "Subject: x"), Body: "gold\r\n"}, ""},
	} {
		const refused = "end 550 5.7.1 Message bounced due to Content Examination Policy"
		flags := func(word string) []string {
			return []string{"--content-definition=" + policytest.File(t, "d", "!activation 1\n1 "+word+"\n1 regex (x+x+)+y\n")}
		}
		policytest.Only(Check).Play(t, nil, []policytest.Scenario{
			{Name: c.name + ", found", Flags: flags("gold"), Mail: c.mail, Said: refused, Cause: c.limits},
			{Name: c.name + ", passed", Flags: flags("silver"), Mail: c.mail, Reached: c.limits},
		})
	}
}
