package content

import (
	"slices"
	"strings"
	"testing"
)

func uu(name, text string) string {
	var b strings.Builder
	b.WriteString("begin 644 " + name + "\n")
	for len(text) > 0 {
		n := min(45, len(text))
		b.WriteByte(byte(' ' + n))
		line := text[:n] + "\x00\x00\x00"[:(3-n%3)%3]
		for i := 0; i < len(line); i += 3 {
			v := uint32(line[i])<<16 | uint32(line[i+1])<<8 | uint32(line[i+2])
			for shift := 18; shift >= 0; shift -= 6 {
				b.WriteByte(byte(v>>shift&63) + ' ')
			}
		}
		b.WriteByte('\n')
		text = text[n:]
	}
	return b.String() + "`\nend\n"
}

// TestDecoding hides the words "secret offer" in transfer encodings, charsets and encoded words
// that programs read differently, each beside a twin that no program shows them in.
func TestDecoding(t *testing.T) {
	encoded := func(encoding, body string) string {
		return mimePart("Content-Transfer-Encoding: "+encoding, body)
	}
	charset := func(label, body string) string {
		return mimePart("Content-Type: text/plain; charset="+label+"\nContent-Transfer-Encoding: base64", b64(body))
	}
	long := strings.Repeat("some more words of a text, to make it long\n", 200)
	for _, c := range []struct{ name, hidden, innocent string }{
		{"nothing glued to the last word", encoded("base64", b64("a secret offer!!")+"bW9yZQ"), encoded("base64", b64("a secret-offer!!")+"bW9yZQ")},
		{"a footer behind padding", encoded("base64", b64("a secret offer")+"\n\nA list of lists"), encoded("base64", b64("a secret-offer")+"\n\nA list of lists")},
		{"a footer behind a long text", encoded("base64", b64(long+"a secret offer")+"\n\nA list of lists"), encoded("base64", b64(long+"a secret-offer")+"\n\nA list of lists")},
		{"a footer that is read as it is", encoded("base64", b64("hello\n")+"\n\n-- \nsecret offer\n"), encoded("base64", b64("hello\n")+"\n\n-- \nsecret-offer\n")},
		{"text goes on behind padding", encoded("base64", b64("a secr")+b64("et offer")), encoded("base64", b64("a secr")+b64("et-offer"))},
		{"each group padded", encoded("base64", "cw==ZQ==Yw==cmU=dCBv\nZg==ZmU=cg=="), encoded("base64", "cw==ZQ==Yw==cmU=dC1v\nZg==ZmU=cg==")},
		{"padding in a group", encoded("base64", "c2=VjcmV0IG9mZmVy"), encoded("base64", "c2=VjcmV0LW9mZmVy")},
		{"padding skipped", encoded("base64", "YS==BzZWNyZXQgb2ZmZXI"), encoded("base64", "YS==BzZWNyZXQtb2ZmZXI")},
		{"signs that are ignored", encoded("base64", "c2-Vjc_mV0IG9-mZmVy"), encoded("base64", "c2-Vjc_mV0LW9-mZmVy")},
		{"signs of URLs", encoded("base64", "c2VjcmV0IG9mZmVyIMO_"), encoded("base64", "c2VjcmV0LW9mZmVyIMO_")},
		{"signs of URLs in an odd place", mimePart("Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: base64", "_z4gc2VjcmV0IG9mZmVy"), mimePart("Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: base64", "_z4gc2VjcmV0LW9mZmVy")},
		{"no base64 at all", encoded("base64", "a secret offer, now"), encoded("base64", "a secret-offer, now")},
		{"two words", encoded("base64, 7bit", b64("secret offer")), encoded("base64, 7bit", b64("secret-offer"))},
		{"two words, read as the second", encoded("base64, 7bit", "secret offer"), encoded("base64, 7bit", "secret-offer")},
		{"two words, the other way", encoded("8bit base64", b64("secret offer")), encoded("8bit base64", b64("secret-offer"))},
		{"a dot", encoded("base64.", b64("secret offer")), encoded("base64.", b64("secret-offer"))},
		{"a dot, read strictly", encoded("base64.", "secret offer"), encoded("base64.", "secret-offer")},
		{"a longer word", encoded("base64x", b64("secret offer")), encoded("base64x", b64("secret-offer"))},
		{"a longer word, read strictly", encoded("base64x", "secret offer"), encoded("base64x", "secret-offer")},
		{"a word before the name", encoded("x-base64", b64("secret offer")), encoded("x-base64", b64("secret-offer"))},
		{"a longer quoted-printable", encoded("quoted-printable/x", "secret=20off=65r"), encoded("quoted-printable/x", "secret=2doff=65r")},
		{"NUL in the encoding", encoded("bas\x00e64", b64("secret offer")), encoded("bas\x00e64", b64("secret-offer"))},
		{"NUL in the name of its field", mimePart("Content-Transfer-\x00Encoding: base64", b64("secret offer")), mimePart("Content-Transfer-\x00Encoding: base64", b64("secret-offer"))},
		{"quotes", encoded(`"base64"`, b64("secret offer")), encoded(`"base64"`, b64("secret-offer"))},
		{"quotes around quoted-printable", encoded(`'Quoted-Printable'`, "secret=20off=65r"), encoded(`'Quoted-Printable'`, "secret=2doff=65r")},
		{"a comment", encoded("base64 (7bit)", b64("secret offer")), encoded("base64 (7bit)", b64("secret-offer"))},
		{"two fields", encoded("7bit\nContent-Transfer-Encoding: base64", b64("secret offer")), encoded("7bit\nContent-Transfer-Encoding: base64", b64("secret-offer"))},
		{"two fields, the first", encoded("quoted-printable\nContent-Transfer-Encoding: base64", "secret=20offer"), encoded("quoted-printable\nContent-Transfer-Encoding: base64", "secret=2doffer")},
		{"uuencode", encoded("x-uuencode", uu("a.txt", "secret offer")), encoded("x-uuencode", uu("a.txt", "secret-offer"))},
		{"uuencode by another name", encoded("x-uue", "some words\n"+uu("a.txt", "secret offer")), encoded("x-uue", "some words\n"+uu("a.txt", "secret-offer"))},
		{"uuencode in an attachment", mimePart("Content-Type: application/x; name=a\nContent-Transfer-Encoding: uuencode", uu("b.txt", long+"secret offer")), mimePart("Content-Type: application/x; name=a\nContent-Transfer-Encoding: uuencode", uu("b.txt", long+"secret-offer"))},
		{"the name in uuencode", mimePart("Content-Type: application/x; name=a\nContent-Transfer-Encoding: uuencode", uu("secret offer", "x")), mimePart("Content-Type: application/x; name=a\nContent-Transfer-Encoding: uuencode", uu("secret-offer", "x"))},

		{"ASCII as UTF-16", charset("utf-16", "a secret offer\n"), charset("utf-16", "a secret-offer\n")},
		{"ASCII as UCS-2, not quite", charset("ucs-2", "\xe4 secret offer\n"), charset("ucs-2", "\xe4 secret-offer\n")},
		{"ASCII as UTF-32", charset("utf-32be", "a secret offer\n"), charset("utf-32be", "a secret-offer\n")},
		{"ASCII as EBCDIC", charset("cp500", "a secret offer\n"), charset("ebcdic-cp-it", "a secret-offer\n")},
		{"EBCDIC", charset("ibm037", "\xa2\x85\x83\x99\x85\xa3\x40\x96\x86\x86\x85\x99"), charset("ibm037", "\xa2\x85\x83\x99\x85\xa3\x60\x96\x86\x86\x85\x99")},
		{"ASCII as iso-2022-kr", charset("iso-2022-kr", "\x0esecret offer\n"), charset("iso-2022-kr", "\x0esecret-offer\n")},
		{"ASCII as hz", charset("hz-gb-2312", "~{secret offer\n"), charset("hz-gb-2312", "~{secret-offer\n")},
		{"UTF-7", charset("utf-7", "secret+ACA-of+AGY-er\n"), charset("utf-7", "secret+AC0-of+AGY-er\n")},
		{"UTF-8 as GBK", charset("gbk", "\xc3\x9fsecret offer"), charset("gbk", "\xc3\x9fsecret-offer")},
		{"octets that mean nothing", charset("iso-8859-15", "sec\x84ret off\x9fer"), charset("iso-8859-15", "sec\x84ret-off\x9fer")},
		{"octets that mean nothing to Windows", charset("windows-1252", "sec\x81ret off\x8der"), charset("windows-1252", "sec\x81ret-off\x8der")},
		{"HTML that declares what browsers refuse", mimePart("Content-Type: text/html", "<meta charset=iso-2022-kr><p>\x1b$)C\x0e\x0fsecret offer"), mimePart("Content-Type: text/html", "<meta charset=iso-2022-kr><p>\x1b$)C\x0e\x0fsecret-offer")},
		{"a file in a charset that hides it", mimePart("Content-Type: text/plain; charset=utf-16; name=a.txt\nContent-Transfer-Encoding: base64", b64("\xe4 secret offer\n")), mimePart("Content-Type: text/plain; charset=utf-16; name=a.txt\nContent-Transfer-Encoding: base64", b64("\xe4 secret-offer\n"))},

		{"subject with padding", "Subject: =?utf-8?B?c2=VjcmV0IG9mZmVy?=\n\n", "Subject: =?utf-8?B?c2=VjcmV0LW9mZmVy?=\n\n"},
		{"subject of two programs", "Subject: secret=?utf-8?Q?offer?=\n\n", "Subject: secret=?utf-8?Q?-offer?=\n\n"},
		{"subject without an end", "Subject: =?utf-8?Q?secret_offer\n\n", "Subject: =?utf-8?Q?secret-offer\n\n"},
		{"subject in EBCDIC", "Subject: =?cp037?Q?=A2=85=83=99=85=A3=40=96=86=86=85=99?=\n\n", "Subject: =?cp037?Q?=A2=85=83=99=85=A3=60=96=86=86=85=99?=\n\n"},
		{"extended name of a file", mimePart("Content-Type: a/b; name*=utf-16'en'secret%20offer.txt", "x"), mimePart("Content-Type: a/b; name*=utf-16'en'secret%2doffer.txt", "x")},
		{"name of a file", mimePart("Content-Type: a/b; name=\"=?utf-16?Q?secret=20offer=2etxt?=\"", "x"), mimePart("Content-Type: a/b; name=\"=?utf-16?Q?secret=2Doffer=2etxt?=\"", "x")},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := mustExaminer(t, Options{}, "!activation 1\n1 secret offer\n")
			for _, size := range []int{1, 333, 65535} {
				if !examine(t, e, c.hidden, size).Outcomes[0].Fired {
					t.Errorf("in pieces of %d: not found", size)
				}
				if examine(t, e, c.innocent, size).Outcomes[0].Fired {
					t.Errorf("in pieces of %d: found in the innocent twin", size)
				}
			}
		})
	}
}

// TestDecodedOnce: what is read in several ways counts once.
func TestDecodedOnce(t *testing.T) {
	e := mustExaminer(t, Options{}, "!activation 1\n!scan subject body attachments\n1 secret\n")
	for _, c := range []struct{ name, msg string }{
		{"base64", mimePart("Content-Transfer-Encoding: base64", b64("a secret"))},
		{"faulty base64", mimePart("Content-Transfer-Encoding: base64", b64("a secret!")+"=bW9yZQ==\n--\nx")},
		{"an odd encoding", mimePart("Content-Transfer-Encoding: 7bit, 8bit, base64", "a secret")},
		{"an odd charset", mimePart("Content-Type: text/plain; charset=hz", "a secret")},
		{"an encoded word", "Subject: =?hz?Q?a_secret?= =?utf-8?B?=?=\n\nx"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := examine(t, e, c.msg, 100).Outcomes[0]
			if len(o.Hits) != 1 || o.Hits[0].Count != 1 {
				t.Errorf("%+v", o.Hits)
			}
		})
	}
}

// TestUuencodedType: the type and the inner name of a file in uuencode are seen.
func TestUuencodedType(t *testing.T) {
	e := mustExaminer(t, Options{})
	program := "MZ\x90\x00\x03\x00\x00\x00" + strings.Repeat("\x00", 52) + "\x80\x00\x00\x00"
	for _, encoding := range []string{"x-uuencode", "X-UUE", "uuencode", `"x-uuencode"`, "x-uu"} {
		r := examine(t, e, mimePart("Content-Type: image/png; name=a.png\nContent-Transfer-Encoding: "+encoding, uu("i.exe", program)), 100)
		var names []string
		for _, p := range r.Parts {
			if p.Executable {
				names = append(names, p.Name)
			}
		}
		if !slices.Contains(names, "a.png") || !slices.Contains(names, "i.exe") {
			t.Errorf("%s: %+v", encoding, r.Parts)
		}
	}
}

// TestBranchTooLate: a file that a program may read otherwise from its middle on is said to be.
func TestBranchTooLate(t *testing.T) {
	long := b64(strings.Repeat("\x00some octets\xff", 600))
	for body, want := range map[string]bool{
		long:                         false,
		long + "\n\nthe list's end!": false,
		long + "=YmFk":               true,
		long + "-YmFk":               true,
	} {
		r := examine(t, mustExaminer(t, Options{}), mimePart("Content-Type: a/b; name=x\nContent-Transfer-Encoding: base64", body), 1000)
		if got := slices.Contains(r.Limits, LimitReadings); got != want {
			t.Errorf("%q: %v", body[len(long):], r.Limits)
		}
	}
}
