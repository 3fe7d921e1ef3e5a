package content

import (
	"encoding/base64"
	"strings"
	"testing"
)

func mimePart(header, body string) string {
	return "MIME-Version: 1.0\n" + header + "\n\n" + body
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// hidingTricks are ways to write the words "secret offer" so that a reader sees them, each with a
// twin that looks alike and does not show them.
var hidingTricks = []struct{ name, hidden, innocent string }{
	{"plain", "Subject: x\n\na Secret OFFER now", "Subject: x\n\nsecretive offer, secret\noffers"},
	{"line break", "Subject: x\n\nsecret\n  offer", "Subject: x\n\nsecret, offer"},
	{"subject", "Subject: secret offer\n\n", "Subject: secret; offer\n\n"},
	{"subject encoded", "Subject: =?utf-8?b?" + b64("secret off") + "?=\n =?utf-8?q?er?=\n\n", "Subject: =?utf-8?b?" + b64("secret off") + "?= er\n\n"},
	{"character split between encoded words", "Subject: =?utf-8?q?secret=E2=80?= =?utf-8?q?=8B_offer?=\n\n", "Subject: =?utf-8?q?secret=E2=80=94offer?=\n\n"},
	{"base64", mimePart("Content-Type: text/plain\nContent-Transfer-Encoding: base64", b64("secret offer")), mimePart("Content-Type: text/plain\nContent-Transfer-Encoding: 7bit", b64("secret offer"))},
	{"base64 with rubbish", mimePart("Content-Transfer-Encoding: base64", "c2Vj!cmV0\n IG9m*ZmVy"), mimePart("Content-Transfer-Encoding: base64", "c2Vj!cmV1\n IG9m*ZmVy")},
	{"base64 joined after padding", mimePart("Content-Transfer-Encoding: base64", b64("secre")+b64("t offer")), mimePart("Content-Transfer-Encoding: base64", b64("secre")+b64(" t offer"))},
	{"base64 with a semicolon", mimePart("Content-Transfer-Encoding: base64;", b64("secret offer")), mimePart("Content-Transfer-Encoding: base64;", b64("secret-offer"))},
	{"base64 with a parameter", mimePart("Content-Transfer-Encoding: Base64 ; x=y", b64("secret offer")), mimePart("Content-Transfer-Encoding: x=base-64", b64("secret offer"))},
	{"base64 in quotes", mimePart("Content-Transfer-Encoding: \"base64\"", b64("secret offer")), mimePart("Content-Transfer-Encoding: \"base64\"", b64("secret-offer"))},
	{"base64 with a comment", mimePart("Content-Transfer-Encoding: (x) base64 (y)", b64("secret offer")), mimePart("Content-Transfer-Encoding: (base64) 7bit", b64("secret offer"))},
	{"base64 and another word", mimePart("Content-Transfer-Encoding: base64 x", b64("secret offer")), mimePart("Content-Transfer-Encoding: base64 x", b64("secret-offer"))},
	{"quoted-printable", mimePart("Content-Transfer-Encoding: quoted-printable", "s=65cret=\n=20off=\n=65r"), mimePart("Content-Transfer-Encoding: quoted-printable", "s=65cret=\n=2Doff=\n=65r")},
	{"soft break with blanks", mimePart("Content-Transfer-Encoding: quoted-printable", "sec=  \nret offer="), mimePart("Content-Transfer-Encoding: quoted-printable", "sec  \nret offer=")},
	{"zero width", "Subject: x\n\nse\u200bcr\u00adet o\u2060ffer", "Subject: x\n\nse\u2002cret offer"},
	{"bidi controls", "Subject: x\n\n\u202dsecret\u202c \u2066offer\u2069", "Subject: x\n\nsecret\u202c.offer"},
	{"fullwidth and mathematical", "Subject: x\n\nｓｅｃｒｅｔ\u3000𝐨𝐟𝐟𝐞𝐫", "Subject: x\n\nｓｅｃｒｅｔ-𝐨𝐟𝐟𝐞𝐫"},
	{"NUL inside", "Subject: x\n\nsec\x00ret offer", "Subject: x\n\nsec ret offer"},
	{"utf-16", mimePart("Content-Type: text/plain; charset=utf-16be\nContent-Transfer-Encoding: base64", b64("\x00s\x00e\x00c\x00r\x00e\x00t\x00 \x00o\x00f\x00f\x00e\x00r")), mimePart("Content-Type: text/plain; charset=utf-16be\nContent-Transfer-Encoding: base64", b64("\x00s\x00e\x00c\x00r\x00e\x00t\x00-\x00o\x00f\x00f\x00e\x00r"))},
	{"utf-16 declared for plain text", mimePart("Content-Type: text/plain; charset=utf-16", "the secret offer"), mimePart("Content-Type: text/plain; charset=utf-16", "the secret+offer")},
	{"utf-16 declared for a line", mimePart("Content-Type: text/plain; charset=utf-16le", "secret offer\n"), mimePart("Content-Type: text/plain; charset=utf-16le\nContent-Transfer-Encoding: base64", b64("secret-offer N-N-N\x00-"))},
	{"ebcdic", mimePart("Content-Type: text/plain; charset=ibm037\nContent-Transfer-Encoding: base64", b64("\xa2\x85\x83\x99\x85\xa3\x40\x96\x86\x86\x85\x99")), mimePart("Content-Type: text/plain; charset=ibm037\nContent-Transfer-Encoding: base64", b64("\xa2\x85\x83\x99\x85\xa3\x60\x96\x86\x86\x85\x99"))},
	{"windows-1252 without a word", "Subject: x\n\nsecret\xa0offer", "Subject: x\n\nsecret\xe4offer"},
	{"unknown charset", mimePart("Content-Type: text/plain; charset=x-nobody", "secret offer"), mimePart("Content-Type: text/plain; charset=x-nobody", "secret-offer")},
	{"html tags inside words", mimePart("Content-Type: text/html", "<p>sec<b>r</b>et <!-- x -->off<font color=red>er</font>"), mimePart("Content-Type: text/html", "<p>sec<br>ret offer")},
	{"html blocks", mimePart("Content-Type: text/html", "<div>secret</div><div>offer</div>"), mimePart("Content-Type: text/html", "<div>secret</div>.<div>offer</div>")},
	{"html entities", mimePart("Content-Type: text/html", "&#115;ecret&nbsp;&#x6f;ffer"), mimePart("Content-Type: text/html", "&amp;#115;ecret&nbsp;offer")},
	{"html zero width entity", mimePart("Content-Type: text/html", "sec&#8203;ret&zwnj; offer"), mimePart("Content-Type: text/html", "sec&#8194;ret offer")},
	{"html comment inside", mimePart("Content-Type: text/html", "sec<!-- <p> -->ret offer"), mimePart("Content-Type: text/html", "<!-- secret offer -->")},
	{"html display none", mimePart("Content-Type: text/html", "sec<span style='Display : none'>xyz</span>ret offer"), mimePart("Content-Type: text/html", "sec<span style='display:inline'>xyz</span>ret offer")},
	{"html hidden block", mimePart("Content-Type: text/html", "sec<div style='display:none'>x</div>ret offer"), mimePart("Content-Type: text/html", "sec<div style='display:block'></div>ret offer")},
	{"html hidden paragraph with blocks", mimePart("Content-Type: text/html", "sec<p hidden>x<br>y</p>ret offer"), mimePart("Content-Type: text/html", "sec<p></p>ret offer")},
	{"html hidden table", mimePart("Content-Type: text/html", "sec<table hidden><tr><td>x</td><td>y</td></tr></table>ret offer"), mimePart("Content-Type: text/html", "sec<table><tr hidden><td>x</td></tr></table>ret offer")},
	{"html hidden line break", mimePart("Content-Type: text/html", "sec<br style='display:none'>ret<hr hidden /> offer"), mimePart("Content-Type: text/html", "sec<br style='display:block'>ret offer")},
	{"html hidden picture", mimePart("Content-Type: text/html", "sec<img alt=x style='display:none'>ret offer"), mimePart("Content-Type: text/html", "sec<img alt=x><br>ret offer")},
	{"html hidden button", mimePart("Content-Type: text/html", "sec<button alt=z hidden>x</button>ret offer"), mimePart("Content-Type: text/html", "sec<button>x</button>ret offer")},
	{"html block between hidden ones", mimePart("Content-Type: text/html", "<div hidden>x</div>secret<div>offer</div>"), mimePart("Content-Type: text/html", "<div hidden>x</div>sec<div>ret offer</div>")},
	{"html inline block", mimePart("Content-Type: text/html", "<div>sec<div style='display: INLINE'>re<b>t</b></div> off<p style='color:red;display:inline!important'>e</p>r<div>"), mimePart("Content-Type: text/html", "sec<div style='display:inline'>x<div>y</div>ret</div> offer")},
	{"html inline block with blocks in it", mimePart("Content-Type: text/html", "sec<div style='display:inline'>ret<div>offer</div></div>"), mimePart("Content-Type: text/html", "sec<div style='display:inline'><div></div></div>ret offer")},
	{"html css escapes", mimePart("Content-Type: text/html", "sec<u style='d\\69splay:n\\00006F ne'>1</u>ret <u style='displa\\y:none'>1</u>offer"), mimePart("Content-Type: text/html", "sec<u style='d\\69 splay\\3anone'>1</u>ret offer")},
	{"html class in @media", mimePart("Content-Type: text/html", "<style>@media all{a{b:c}.q{display:none}} @media (min-width:1px){.r{display:none}} @MEDIA print, only screen{.s{display:none}}</style>sec<u class=q>1</u>ret<u class=s>1</u> offer"), mimePart("Content-Type: text/html", "<style>@media all and (max-width:1px){.q{display:none}}</style>sec<u class=q>1</u>ret offer")},
	{"html class behind @media", mimePart("Content-Type: text/html", "<style>@media print{.r{display:none}}.q{display:none}</style>sec<u class=q>1</u>ret offer"), mimePart("Content-Type: text/html", "<style>@media screen{a{b:c}}@media print{.q{display:none}}</style>sec<u class=q>1</u>ret offer")},
	{"html font size nothing", mimePart("Content-Type: text/html", "secret<i style='font-size:0px;color:red'>-x-</i> offer"), mimePart("Content-Type: text/html", "secret<i style='font-size:10px;color:red'>-x-</i> offer")},
	{"html class in style", mimePart("Content-Type: text/html", "<style>.q , u.z{color:red;display:none}</style>sec<u class='y Z'>1</u>ret <u class=q>2</u>offer"), mimePart("Content-Type: text/html", "<style>@media print{.q{display:none}}</style>sec<u class=q>1</u>ret offer")},
	{"html hidden p ended by div", mimePart("Content-Type: text/html", "<p hidden>zzz<div>secret offer</div>"), mimePart("Content-Type: text/html", "<p hidden>zzz<div>secret of fer</div>")},
	{"html hidden text itself", mimePart("Content-Type: text/html", "<div style='display:none'>secret offer</div>"), mimePart("Content-Type: text/html", "secret <div style='display:none'>offer</div>")},
	{"html block in hidden span", mimePart("Content-Type: text/html", "sec<span hidden><p>x</p>zzz</span>ret offer"), mimePart("Content-Type: text/html", "sec<span><p>x</p></span>ret offer")},
	{"html alt text", mimePart("Content-Type: text/html", "<img src=x alt='secret offer'>"), mimePart("Content-Type: text/html", "<img src='secret offer'>")},
	{"html without end of tag", mimePart("Content-Type: text/html", "<p>secret offer<p"), mimePart("Content-Type: text/html", "<p><x secret offer")},
	{"html noscript", mimePart("Content-Type: text/html", "<noscript>secret <b>offer</b></noscript>"), mimePart("Content-Type: text/html", "<script>secret offer</script>")},
	{"html meta charset", mimePart("Content-Type: text/html\nContent-Transfer-Encoding: base64", b64("<meta charset=utf-16le><p>secret offer")), mimePart("Content-Type: text/html\nContent-Transfer-Encoding: base64", b64("<meta charset=koi8-r><p>se\xe3ret offer"))},
	{"html long style", mimePart("Content-Type: text/html", "<style>"+strings.Repeat("a{b:c}\n", 20000)+"</style>secret offer"), mimePart("Content-Type: text/html", "<style>"+strings.Repeat("a{b:c}\n", 20000)+"secret offer</style>")},
	{"multipart", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhello\n--b\n\nsecret offer\n--b--\n", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nsecret\n--b\n\noffer\n--b--\n"},
	{"multipart never opened", "Content-Type: multipart/mixed; boundary=b\n\nsecret offer\n", "Content-Type: multipart/mixed; boundary=b\n\nsecret\n--b\noffer\n"},
	{"multipart without boundary parameter", "Content-Type: multipart/mixed\n\n--b\n\nsecret offer\n", "Content-Type: multipart/mixed\n\n--b\n\nsecret_offer\n"},
	{"part with faulty header", "Content-Type: multipart/mixed; boundary=\"b\n\n--b\nContent-Type: text/plain\nno colon here\nsecret offer\n--b--\n", "Content-Type: multipart/mixed; boundary=b\n\n--b\nX: y\nno colon here\nsecret=offer\n--b--\n"},
	{"nested multipart unclosed", "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\nx\n--a\n\nsecret offer\n--a--", "Content-Type: multipart/mixed; boundary=a\n\n--a\n\nsecret --a\noffer"},
	{"nested message", mimePart("Content-Type: message/rfc822", "Subject: x\nContent-Transfer-Encoding: base64\n\n"+b64("secret offer")), mimePart("Content-Type: message/rfc822", "Subject: x\n\n"+b64("secret offer"))},
	{"nested message subject", mimePart("Content-Type: message/rfc822", "Subject: secret offer\n\nhi"), mimePart("Content-Type: message/rfc822", "X-Subject: secret offer\n\nhi")},
	{"nested message in base64", mimePart("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64", b64("Subject: secret offer\n\nhi")), mimePart("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64", b64("X: secret offer\n\nhi"))},
	{"calendar", mimePart("Content-Type: text/calendar", "BEGIN:VCALENDAR\nDESCRIPTION:Hello all\\n\\nsecret\\Nof\n fer\\, and more"), mimePart("Content-Type: text/calendar", "BEGIN:VCALENDAR\nDESCRIPTION:Hello allsecret\\;offer")},
	{"calendar folded in a character", mimePart("Content-Type: text/calendar; charset=utf-8", "DESCRIPTION:secret\xc2\n \xa0offer\\nBye"), mimePart("Content-Type: text/calendar; charset=utf-8", "DESCRIPTION:secret\xc3\n \xa4 offer\\nBye")},
	{"contact", mimePart("Content-Type: text/vcard", "NOTE:a\\nsecret\n  offer\\\\"), mimePart("Content-Type: text/vcard", "NOTE:\\\\nsecret\n offer")},
	{"calendar attached", mimePart("Content-Type: text/calendar; name=invite.ics", "BEGIN:VCALENDAR\nDESCRIPTION:a\\nsecret\n  offer"), mimePart("Content-Type: text/calendar; name=invite.ics", "BEGIN:VCALENDAR\nDESCRIPTION:secret\n offer")},
	{"calendar by its name", mimePart("Content-Type: application/octet-stream; name=invite.ICS", "BEGIN:VCALENDAR\nDESCRIPTION:a\\nsecret\n  offer"), mimePart("Content-Type: text/plain; name=invite.txt", "BEGIN:VCALENDAR\nDESCRIPTION:a\\nsecret offer")},
	{"folds of text are none", mimePart("Content-Type: text/plain", "BEGIN:VCALENDAR\nsecret\n offer"), mimePart("Content-Type: text/plain", "BEGIN:VCALENDAR\nsec\n ret offer, \\nsecret offer")},
	{"flowed with delsp", mimePart("Content-Type: text/plain; format=flowed; delsp=yes", "> sec \n> ret  \n>  of \n>fer"), mimePart("Content-Type: text/plain; format=flowed; delsp=yes", "secret \noffer")},
	{"flowed with delsp, other line ends", mimePart("Content-Type: text/plain; Format=Flowed; DelSp=Yes", "-- \nsecret\n  of \nfer"), mimePart("Content-Type: text/plain; format=flowed; delsp=no", "sec \nret offer")},
	{"digest", "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: secret offer\n\nx\n--b--", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nSubject: secret= offer\n\nx\n--b--"},
	{"text attachment", mimePart("Content-Type: text/plain; name=a.txt", "secret offer"), mimePart("Content-Type: text/plain; name=a.txt", "secret+offer")},
	{"html attachment", mimePart("Content-Type: text/html\nContent-Disposition: attachment", "sec<b>ret</b> offer"), mimePart("Content-Type: text/html\nContent-Disposition: attachment", "sec<p>ret</p> offer")},
	{"file name", mimePart("Content-Type: application/x-y; name=\"secret offer.bin\"", "x"), mimePart("Content-Type: application/x-y; name=\"secretoffer.bin\"", "x")},
	{"file name rfc 2231", mimePart("Content-Disposition: attachment; filename*0*=utf-8''s%65cret; filename*1=\" offer.bin\"", "x"), mimePart("Content-Disposition: attachment; filename*0=s%65cret; filename*1=\" offer.bin\"", "x")},
	{"file name rfc 2047", mimePart("Content-Type: a/b; name=\"=?utf-8?q?secret=20offer=2ebin?=\"", "x"), mimePart("Content-Type: a/b; name=\"=?utf-8?q?secret=2Doffer?=\"", "x")},
}

func TestHiding(t *testing.T) {
	// Words of HTML are found in a second reading that knows no breaks and nothing hidden, so that
	// the twins are held against a pattern, which is not.
	e := mustExaminer(t, Options{}, "!activation 1\n1 secret offer\n", "!activation 1\n1 regex \\bsecret\\s+offer\\b\n")
	for _, trick := range hidingTricks {
		t.Run(trick.name, func(t *testing.T) {
			for _, size := range []int{1, 7, 65535} {
				if r := examine(t, e, trick.hidden, size); !r.Outcomes[0].Fired {
					t.Errorf("in pieces of %d: not found", size)
				}
				if r := examine(t, e, trick.innocent, size); r.Outcomes[1].Fired || r.Outcomes[0].Fired && !strings.Contains(trick.innocent, "text/html") {
					t.Errorf("in pieces of %d: found in the innocent twin", size)
				}
			}
		})
	}
}
