package checks

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestSignature(t *testing.T) {
	refused := func(name string) string {
		return "end 554 5.7.1 Email rejected due to security policies (" + name + ")"
	}
	const program = "MZ\x90\x00\x03\x00\x00\x00"
	const ole = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
	hashes := file(t, "hashes", "# SHA-256 and MD5 of abc\nba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad Test.Abc\n900150983cd24fb0d6963f7d28e17f72 Test.Md5\n")
	md5 := file(t, "md5", "900150983CD24FB0D6963F7D28E17F72\n")
	names := file(t, "names", "invoice.exe Fake invoice\n.scr Screen saver\n.pdf.js Script behind a PDF\n.js Java-Script\ngood.js DUNNO\n")
	patterns := file(t, "patterns", `/^(payment|invoice)-[0-9]+\.zip$/ Payment $1`+"\n")
	harmless := file(t, "harmless", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad DUNNO\n")
	macros := zipped(t, "[Content_Types].xml", "<Types/>", "word/document.xml", "<w:p>hello</w:p>", "word/vbaProject.bin", "x")
	encrypted := []byte(zipped(t, "a.txt", "x"))
	encrypted[6] |= 1
	byHash, byName := "--signature-hashes="+hashes, "--signature-names="+names
	only(Signature).play(t, nil, []scenario{
		{name: "off", mail: attachment("a.exe", program)},
		{name: "sha256", flags: []string{byHash}, mail: attachment("a", "abc"), said: refused("Test.Abc"), cause: `file "a": ` + hashes + ":2"},
		{name: "md5 in a list without names", flags: []string{"--signature-hashes=list:" + md5}, mail: attachment("a", "abc"), said: refused("900150983cd24fb0d6963f7d28e17f72")},
		{name: "sha1", flags: []string{"--signature-hashes=inline:{a9993e364706816aba3e25717850c26c9cd0d89d=Test.Sha1}"}, mail: attachment("a", "abc"), said: refused("Test.Sha1")},
		{name: "hash in a zip", flags: []string{byHash}, mail: attachment("a.zip", zipped(t, "x/b", "abc")), said: refused("Test.Abc"), cause: `file "a.zip/x/b"`},
		{name: "hash of another file", flags: []string{byHash}, mail: attachment("a", "abd")},
		{name: "name", flags: []string{byName}, mail: attachment("INVOICE.exe", "x"), said: refused("Fake invoice")},
		{name: "another name", flags: []string{byName}, mail: attachment("notes.exe", "x")},
		{name: "extension", flags: []string{byName}, mail: attachment("a.b.SCR. ", "x"), said: refused("Screen saver")},
		{name: "extension in a zip in a zip", flags: []string{byName}, mail: attachment("a.zip", zipped(t, "b.zip", zipped(t, "c.scr", "x"))), said: refused("Screen saver")},
		{name: "extension that is a name", flags: []string{byName}, mail: attachment("scr", "x")},
		{name: "extension in the middle", flags: []string{byName}, mail: attachment("a.scr.txt", "x")},
		{name: "double extension", flags: []string{byName}, mail: attachment("a.pdf      .js", "x"), said: refused("Script behind a PDF")},
		{name: "single extension", flags: []string{byName}, mail: attachment("a.txt.js", "x"), said: refused("Java-Script")},
		{name: "taken out by name", flags: []string{byName}, mail: attachment("good.js", "x")},
		{name: "pattern", flags: []string{"--signature-names=regexp:" + patterns}, mail: attachment("invoice-17.zip", "x"), said: refused("Payment invoice")},
		{name: "pattern, neighbour", flags: []string{"--signature-names=regexp:" + patterns}, mail: attachment("invoices-17.zip", "x")},
		{name: "program as image", flags: []string{"--signature-types=executable"}, mail: attachment("a.jpg", program), said: refused("executable")},
		{name: "program with a name for it", flags: []string{"--signature-types=executable=No programs, please"}, mail: attachment("a.jpg", program), said: refused("No programs, please")},
		{name: "program in a zip behind something", flags: []string{"--signature-types=executable"}, mail: attachment("a.jpg", "\xff\xd8\xff\xe0"+zipped(t, "a.txt", "x")+zipped(t, "run.exe", "x")), said: refused("executable"), cause: `file "a.jpg/run.exe"`},
		{name: "text in a zip behind something", flags: []string{"--signature-types=executable"}, mail: attachment("a.jpg", "\xff\xd8\xff\xe0"+zipped(t, "a.txt", "x")+zipped(t, "run.txt", "x"))},
		{name: "program in a saved message", flags: []string{"--signature-types=executable"}, mail: attachment("x.eml", "Subject: x\r\nContent-Type: a/b; name=run.exe\r\n\r\nx"), said: refused("executable"), cause: `file "run.exe"`},
		{name: "program named in a saved message", flags: []string{"--signature-types=executable"}, mail: attachment("x.eml", "Subject: x\r\n\r\nContent-Type: a/b; name=run.exe\r\n")},
		{name: "letters MZ", flags: []string{"--signature-types=executable"}, mail: attachment("a.csv", "MZ;Name;Ort\n1;Bob;Bonn\n")},
		{name: "PDF named as a site", flags: []string{"--signature-types=executable"}, mail: attachment("Invoice from shop.com", "%PDF-1.4\n")},
		{name: "unknown octets named as a site", flags: []string{"--signature-types=executable"}, mail: attachment("www.shop.com", "\xb4\x09\xba\x00\x01\xcd\x21"), said: refused("executable")},
		{name: "text as program", flags: []string{"--signature-types=disguised"}, mail: attachment("a.exe", "x")},
		{name: "disguised", flags: []string{"--signature-types=disguised"}, mail: attachment("a.jpg", program), said: refused("disguised")},
		{name: "double extension by type", flags: []string{"--signature-types=double-extension"}, mail: attachment("a.pdf.exe", "x"), said: refused("double-extension")},
		{name: "one extension by type", flags: []string{"--signature-types=double-extension"}, mail: attachment("a.exe", "x")},
		{name: "script in a zip", flags: []string{"--signature-types=script"}, mail: attachment("a.zip", zipped(t, "run.vbs", "x")), said: refused("script")},
		{name: "macros in docx", flags: []string{"--signature-types=macros"}, mail: attachment("a.docx", macros), said: refused("macros")},
		{name: "docx without macros", flags: []string{"--signature-types=macros"}, mail: attachment("a.docx", zipped(t, "word/document.xml", "<w:p>hello</w:p>"))},
		{name: "macros in doc", flags: []string{"--signature-types=macros"}, mail: attachment("a.doc", ole+"_\x00V\x00B\x00A\x00_\x00P\x00R\x00O\x00J\x00E\x00C\x00T\x00"), said: refused("macros")},
		{name: "encrypted zip", flags: []string{"--signature-types=encrypted"}, mail: attachment("a.zip", string(encrypted)), said: refused("encrypted")},
		{name: "zip that is not encrypted", flags: []string{"--signature-types=encrypted"}, mail: attachment("a.zip", zipped(t, "a.txt", "x"))},
		{name: "media type", flags: []string{"--signature-types=Application/ZIP"}, mail: attachment("a.txt", zipped(t, "a.txt", "x")), said: refused("application/zip")},
		{name: "not examined whole", flags: []string{"--signature-types=unexamined=Not examined"}, mail: attachment("a.zip", zipped(t, "b", strings.Repeat("\x00", 4<<20))), said: refused("Not examined"), cause: `unexamined: limits reached: ratio in "a.zip/b"`},
		{name: "not examined whole, allowed", flags: []string{"--signature-types=executable"}, mail: attachment("a.zip", zipped(t, "b", strings.Repeat("\x00", 4<<20))), reached: `limits reached: ratio in "a.zip/b"`},
		{name: "not examined whole, with a name that is not wanted", flags: []string{byName, "--signature-types=unexamined"}, mail: attachment("a.zip", zipped(t, "b", strings.Repeat("\x00", 4<<20), "c.scr", "x")), said: refused("Screen saver")},
		{name: "examined whole", flags: []string{"--signature-types=unexamined"}, mail: attachment("a.zip", zipped(t, "b", strings.Repeat("x", 1<<20)))},
		{name: "not examined whole, bypass", flags: []string{"--signature-types=unexamined", "--signature-bypass=inline:{else.example=OK}"}, mail: attachment("a.zip", zipped(t, "b", strings.Repeat("\x00", 4<<20)))},
		{name: "harmless digest", flags: []string{"--signature-hashes=" + harmless, byName}, mail: attachment("a.scr", "abc")},
		{name: "bypass by sender", flags: []string{byHash, "--signature-bypass=inline:{else.example=OK}"}, mail: attachment("a", "abc")},
		{name: "bypass for one of two", flags: []string{byHash, "--signature-bypass=inline:{user@ours.example=OK}"}, mail: func() letter {
			l := attachment("a", "abc")
			l.to = []string{"user@ours.example", "b@ours.example"}
			return l
		}(), said: refused("Test.Abc")},
		{name: "bypass by recipient", flags: []string{byHash, "--signature-bypass=inline:{user@ours.example=OK}"}, mail: attachment("a", "abc")},
		{name: "monitor", flags: []string{byHash, "--signature=monitor"}, mail: attachment("a", "abc"), events: "signature would refuse"},
	})
}

func TestSignatureErrors(t *testing.T) {
	only(Signature).wantError(t, `--signature-types: "macro" is none of executable`, "--signature-types=macro")
	only(Signature).wantError(t, `--signature-types: "script=" gives a name`, "--signature-types=script=")
	for key, want := range map[string]string{
		"abc": "is no MD5, SHA-1 or SHA-256", "sha256:ba7816bf": "is no MD5", strings.Repeat("g", 64): "is no MD5", strings.Repeat("a", 48): "is no MD5",
	} {
		list := file(t, "hashes", "900150983CD24FB0D6963F7D28E17F72 Test.Md5\n"+key+" Test\n")
		only(Signature).wantError(t, list+":2: ", "--signature-hashes="+list)
		only(Signature).wantError(t, want, "--signature-hashes="+list)
		only(Signature).wantError(t, want, "--signature-hashes=list:"+file(t, "list", key+"\n"))
	}
	for key, want := range map[string]string{
		"*.js": "such as .js", "dir/x.exe": "without their directories", `"my file.exe"`: "a quote belongs", "x.exe.": "at the end", ".tar.gz.exe": "the last two",
	} {
		list := file(t, "names", "invoice.exe Invoice\n.pdf.js Script\n"+key+" Test\n")
		only(Signature).wantError(t, list+":3: ", "--signature-names="+list)
		only(Signature).wantError(t, want, "--signature-names="+list)
	}
	broken := file(t, "broken", ".exe\n")
	only(Signature).wantError(t, broken+":1: ", "--signature-names="+broken)
}

// An odd file name does no harm to log or reply.
func TestSignatureOddName(t *testing.T) {
	p, err := only(Signature).build(newWorld(), "--signature-names=regexp:"+file(t, "p", "/^(.*)\\.scr$/ $1\n"))
	if err != nil {
		t.Fatal(err)
	}
	c := scenario{mail: attachment("=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte("[a]\r\nb\u202e.scr"))+"?=", "x"), said: "end 554 5.7.1 Email rejected due to security policies ((a) b?)"}
	seen := c.check(t, p)
	if cause := seen[0].Cause; strings.ContainsAny(cause, "\r\n\u202e") {
		t.Errorf("cause %q", cause)
	}
}
