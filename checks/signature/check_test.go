package signature

import (
	"encoding/base64"
	"strings"
	"testing"

	"mailweir/internal/policytest"
)

func TestSignature(t *testing.T) {
	refused := func(name string) string {
		return "end 554 5.7.1 Email rejected due to security policies (" + name + ")"
	}
	const program = "MZ\x90\x00\x03\x00\x00\x00"
	const ole = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
	hashes := policytest.File(t, "hashes", "# SHA-256 and MD5 of abc\nba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad Test.Abc\n900150983cd24fb0d6963f7d28e17f72 Test.Md5\n")
	md5 := policytest.File(t, "md5", "900150983CD24FB0D6963F7D28E17F72\n")
	names := policytest.File(t, "names", "invoice.exe Fake invoice\n.scr Screen saver\n.pdf.js Script behind a PDF\n.js Java-Script\ngood.js DUNNO\n")
	patterns := policytest.File(t, "patterns", `/^(payment|invoice)-[0-9]+\.zip$/ Payment $1`+"\n")
	harmless := policytest.File(t, "harmless", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad DUNNO\n")
	macros := policytest.Zipped(t, "[Content_Types].xml", "<Types/>", "word/document.xml", "<w:p>hello</w:p>", "word/vbaProject.bin", "x")
	encrypted := []byte(policytest.Zipped(t, "a.txt", "x"))
	encrypted[6] |= 1
	byHash, byName := "--signature-hashes="+hashes, "--signature-names="+names
	outbound := func(to ...string) policytest.Letter {
		l := policytest.Attachment("a", "abc")
		l.Client, l.To = "127.0.0.1", to
		return l
	}
	policytest.Only(Check).Play(t, nil, []policytest.Scenario{
		{Name: "off", Mail: policytest.Attachment("a.exe", program)},
		{Name: "sha256", Flags: []string{byHash}, Mail: policytest.Attachment("a", "abc"), Said: refused("Test.Abc"), Cause: `file "a": ` + hashes + ":2"},
		{Name: "md5 in a list without names", Flags: []string{"--signature-hashes=list:" + md5}, Mail: policytest.Attachment("a", "abc"), Said: refused("900150983cd24fb0d6963f7d28e17f72")},
		{Name: "sha1", Flags: []string{"--signature-hashes=inline:{a9993e364706816aba3e25717850c26c9cd0d89d=Test.Sha1}"}, Mail: policytest.Attachment("a", "abc"), Said: refused("Test.Sha1")},
		{Name: "hash in a zip", Flags: []string{byHash}, Mail: policytest.Attachment("a.zip", policytest.Zipped(t, "x/b", "abc")), Said: refused("Test.Abc"), Cause: `file "a.zip/x/b"`},
		{Name: "hash of another file", Flags: []string{byHash}, Mail: policytest.Attachment("a", "abd")},
		{Name: "name", Flags: []string{byName}, Mail: policytest.Attachment("INVOICE.exe", "x"), Said: refused("Fake invoice")},
		{Name: "another name", Flags: []string{byName}, Mail: policytest.Attachment("notes.exe", "x")},
		{Name: "extension", Flags: []string{byName}, Mail: policytest.Attachment("a.b.SCR. ", "x"), Said: refused("Screen saver")},
		{Name: "extension in a zip in a zip", Flags: []string{byName}, Mail: policytest.Attachment("a.zip", policytest.Zipped(t, "b.zip", policytest.Zipped(t, "c.scr", "x"))), Said: refused("Screen saver")},
		{Name: "extension that is a name", Flags: []string{byName}, Mail: policytest.Attachment("scr", "x")},
		{Name: "extension in the middle", Flags: []string{byName}, Mail: policytest.Attachment("a.scr.txt", "x")},
		{Name: "extension before a tab", Flags: []string{byName}, Mail: policytest.Attachment("a.scr\t", "x"), Said: refused("Screen saver")},
		{Name: "extension before a blank of other kinds", Flags: []string{byName}, Mail: policytest.Attachment("a.scr\u00a0\u200b. ", "x"), Said: refused("Screen saver")},
		{Name: "extension with a control character", Flags: []string{byName}, Mail: policytest.Attachment("a.s\x01cr", "x"), Said: refused("Screen saver")},
		{Name: "extension read from right to left", Flags: []string{byName}, Mail: policytest.Attachment("a\u202etxt.scr", "x"), Said: refused("Screen saver")},
		{Name: "name behind a path of Windows", Flags: []string{byName}, Mail: policytest.Attachment(`C:\\temp\\invoice.exe`, "x"), Said: refused("Fake invoice")},
		{Name: "name behind a path", Flags: []string{byName}, Mail: policytest.Attachment("/tmp/invoice.exe/", "x"), Said: refused("Fake invoice")},
		{Name: "another name of the same file", Flags: []string{byName}, Mail: policytest.Letter{Header: []string{"Content-Type: application/octet-stream; name=a.txt", "Content-Disposition: attachment; filename=b.txt; filename=c.scr"}, Body: "x\r\n"}, Said: refused("Screen saver"), Cause: `file "c.scr"`},
		{Name: "two harmless names", Flags: []string{byName}, Mail: policytest.Letter{Header: []string{"Content-Type: application/octet-stream; name=a.txt", "Content-Disposition: attachment; filename=b.txt; filename=scr"}, Body: "x\r\n"}},
		{Name: "double extension", Flags: []string{byName}, Mail: policytest.Attachment("a.pdf      .js", "x"), Said: refused("Script behind a PDF")},
		{Name: "single extension", Flags: []string{byName}, Mail: policytest.Attachment("a.txt.js", "x"), Said: refused("Java-Script")},
		{Name: "taken out by name", Flags: []string{byName}, Mail: policytest.Attachment("good.js", "x")},
		{Name: "pattern", Flags: []string{"--signature-names=regexp:" + patterns}, Mail: policytest.Attachment("invoice-17.zip", "x"), Said: refused("Payment invoice")},
		{Name: "pattern, neighbour", Flags: []string{"--signature-names=regexp:" + patterns}, Mail: policytest.Attachment("invoices-17.zip", "x")},
		{Name: "program as image", Flags: []string{"--signature-types=executable"}, Mail: policytest.Attachment("a.jpg", program), Said: refused("executable")},
		{Name: "program with a name for it", Flags: []string{"--signature-types=executable=No programs, please"}, Mail: policytest.Attachment("a.jpg", program), Said: refused("No programs, please")},
		{Name: "program in a zip behind something", Flags: []string{"--signature-types=executable"}, Mail: policytest.Attachment("a.jpg", "\xff\xd8\xff\xe0"+policytest.Zipped(t, "a.txt", "x")+policytest.Zipped(t, "run.exe", "x")), Said: refused("executable"), Cause: `file "a.jpg/run.exe"`},
		{Name: "text in a zip behind something", Flags: []string{"--signature-types=executable"}, Mail: policytest.Attachment("a.jpg", "\xff\xd8\xff\xe0"+policytest.Zipped(t, "a.txt", "x")+policytest.Zipped(t, "run.txt", "x"))},
		{Name: "program in a saved message", Flags: []string{"--signature-types=executable"}, Mail: policytest.Attachment("x.eml", "Subject: x\r\nContent-Type: a/b; name=run.exe\r\n\r\nx"), Said: refused("executable"), Cause: `file "run.exe"`},
		{Name: "program named in a saved message", Flags: []string{"--signature-types=executable"}, Mail: policytest.Attachment("x.eml", "Subject: x\r\n\r\nContent-Type: a/b; name=run.exe\r\n")},
		{Name: "letters MZ", Flags: []string{"--signature-types=executable"}, Mail: policytest.Attachment("a.csv", "MZ;Name;Ort\n1;Bob;Bonn\n")},
		{Name: "PDF named as a site", Flags: []string{"--signature-types=executable"}, Mail: policytest.Attachment("Invoice from shop.com", "%PDF-1.4\n")},
		{Name: "unknown octets named as a site", Flags: []string{"--signature-types=executable"}, Mail: policytest.Attachment("www.shop.com", "\xb4\x09\xba\x00\x01\xcd\x21"), Said: refused("executable")},
		{Name: "text as program", Flags: []string{"--signature-types=disguised"}, Mail: policytest.Attachment("a.exe", "x")},
		{Name: "disguised", Flags: []string{"--signature-types=disguised"}, Mail: policytest.Attachment("a.jpg", program), Said: refused("disguised")},
		{Name: "double extension by type", Flags: []string{"--signature-types=double-extension"}, Mail: policytest.Attachment("a.pdf.exe", "x"), Said: refused("double-extension")},
		{Name: "one extension by type", Flags: []string{"--signature-types=double-extension"}, Mail: policytest.Attachment("a.exe", "x")},
		{Name: "script in a zip", Flags: []string{"--signature-types=script"}, Mail: policytest.Attachment("a.zip", policytest.Zipped(t, "run.vbs", "x")), Said: refused("script")},
		{Name: "text named as a page", Flags: []string{"--signature-types=script"}, Mail: policytest.Attachment("index.html", "<? $a ?>")},
		{Name: "patch of a script", Flags: []string{"--signature-types=script"}, Mail: policytest.Attachment("p.patch", "#!/bin/sh\n")},
		{Name: "settings that run", Flags: []string{"--signature-types=script"}, Mail: policytest.Attachment("a.settingcontent-ms", "x"), Said: refused("script")},
		{Name: "PDF named as a site of a script", Flags: []string{"--signature-types=script"}, Mail: policytest.Attachment("brand.sh", "%PDF-1.4\n")},
		{Name: "zip named as a bundle", Flags: []string{"--signature-types=executable"}, Mail: policytest.Attachment("my.app", policytest.Zipped(t, "a.txt", "x"))},
		{Name: "jar under another name", Flags: []string{"--signature-types=disguised"}, Mail: policytest.Attachment("a.pdf", policytest.Zipped(t, "META-INF/MANIFEST.MF", "Main-Class: a.B\n")), Said: refused("disguised")},
		{Name: "disk image", Flags: []string{"--signature-types=Disk-Image"}, Mail: policytest.Attachment("a.vhd", "x"), Said: refused("disk-image")},
		{Name: "disk image under another name", Flags: []string{"--signature-types=disk-image"}, Mail: policytest.Attachment("a.pdf", strings.Repeat("\x00", 32769)+"CD001"), Said: refused("disk-image")},
		{Name: "no disk image", Flags: []string{"--signature-types=disk-image"}, Mail: policytest.Attachment("a.pdf", strings.Repeat("\x00", 32768)+"CD001")},
		{Name: "notebook", Flags: []string{"--signature-types=onenote"}, Mail: policytest.Attachment("a.onepkg", "x"), Said: refused("onenote")},
		{Name: "no notebook", Flags: []string{"--signature-types=onenote"}, Mail: policytest.Attachment("a.docx", "x")},
		{Name: "script without a name", Flags: []string{byName}, Mail: policytest.Letter{Header: []string{"Content-Type: application/javascript"}, Body: "alert(1)\r\n"}, Said: refused("Java-Script")},
		{Name: "macros in docx", Flags: []string{"--signature-types=macros"}, Mail: policytest.Attachment("a.docx", macros), Said: refused("macros")},
		{Name: "docx without macros", Flags: []string{"--signature-types=macros"}, Mail: policytest.Attachment("a.docx", policytest.Zipped(t, "word/document.xml", "<w:p>hello</w:p>"))},
		{Name: "macros in doc", Flags: []string{"--signature-types=macros"}, Mail: policytest.Attachment("a.doc", ole+"_\x00V\x00B\x00A\x00_\x00P\x00R\x00O\x00J\x00E\x00C\x00T\x00"), Said: refused("macros")},
		{Name: "encrypted zip", Flags: []string{"--signature-types=encrypted"}, Mail: policytest.Attachment("a.zip", string(encrypted)), Said: refused("encrypted")},
		{Name: "zip that is not encrypted", Flags: []string{"--signature-types=encrypted"}, Mail: policytest.Attachment("a.zip", policytest.Zipped(t, "a.txt", "x"))},
		{Name: "media type", Flags: []string{"--signature-types=Application/ZIP"}, Mail: policytest.Attachment("a.txt", policytest.Zipped(t, "a.txt", "x")), Said: refused("application/zip")},
		{Name: "not examined whole", Flags: []string{"--signature-types=unexamined=Not examined"}, Mail: policytest.Attachment("a.zip", policytest.Zipped(t, "b", strings.Repeat("\x00", 4<<20))), Said: refused("Not examined"), Cause: `unexamined: limits reached: ratio in "a.zip/b"`},
		{Name: "not examined whole, allowed", Flags: []string{"--signature-types=executable"}, Mail: policytest.Attachment("a.zip", policytest.Zipped(t, "b", strings.Repeat("\x00", 4<<20))), Reached: `limits reached: ratio in "a.zip/b"`},
		{Name: "not examined whole, with a name that is not wanted", Flags: []string{byName, "--signature-types=unexamined"}, Mail: policytest.Attachment("a.zip", policytest.Zipped(t, "b", strings.Repeat("\x00", 4<<20), "c.scr", "x")), Said: refused("Screen saver")},
		{Name: "examined whole", Flags: []string{"--signature-types=unexamined"}, Mail: policytest.Attachment("a.zip", policytest.Zipped(t, "b", strings.Repeat("x", 1<<20)))},
		{Name: "not examined whole, bypass", Flags: []string{"--signature-types=unexamined", "--signature-bypass=inline:{ {else.example=OK unverified} }"}, Mail: policytest.Attachment("a.zip", policytest.Zipped(t, "b", strings.Repeat("\x00", 4<<20)))},
		{Name: "harmless digest", Flags: []string{"--signature-hashes=" + harmless, byName}, Mail: policytest.Attachment("a.scr", "abc")},
		{Name: "bypass by sender", Flags: []string{byHash, "--signature-bypass=inline:{ {else.example=OK unverified} }"}, Mail: policytest.Attachment("a", "abc")},
		{Name: "bypass for one of two", Flags: []string{byHash, "--signature-bypass=inline:{user@ours.example=OK}"}, Mail: func() policytest.Letter {
			l := policytest.Attachment("a", "abc")
			l.To = []string{"user@ours.example", "b@ours.example"}
			return l
		}(), Said: refused("Test.Abc")},
		{Name: "bypass by recipient", Flags: []string{byHash, "--signature-bypass=inline:{user@ours.example=OK}"}, Mail: policytest.Attachment("a", "abc")},
		{Name: "inbound", Flags: []string{byHash, "--signature-direction=inbound"}, Mail: policytest.Attachment("a", "abc"), Said: refused("Test.Abc")},
		{Name: "another direction", Flags: []string{byHash, "--signature-direction=outbound,internal"}, Mail: policytest.Attachment("a", "abc")},
		{Name: "outbound", Flags: []string{byHash, "--signature-direction=outbound"}, Mail: outbound("x@else.example"), Said: refused("Test.Abc")},
		{Name: "outbound, and only inbound counts", Flags: []string{byHash, "--signature-direction=inbound"}, Mail: outbound("x@else.example")},
		{Name: "outbound for one of two", Flags: []string{byHash, "--signature-direction=outbound"}, Mail: outbound("a@ours.example", "x@else.example"), Said: refused("Test.Abc")},
		{Name: "internal", Flags: []string{byHash, "--signature-direction=internal"}, Mail: outbound("a@ours.example"), Said: refused("Test.Abc")},
		{Name: "every direction by default", Flags: []string{byHash}, Mail: outbound("a@ours.example"), Said: refused("Test.Abc")},
		{Name: "monitor", Flags: []string{byHash, "--signature=monitor"}, Mail: policytest.Attachment("a", "abc"), Events: "signature would_refuse"},
	})
}

func TestSignatureErrors(t *testing.T) {
	policytest.Only(Check).WantError(t, `--signature-types: "macro" is none of executable`, "--signature-types=macro")
	policytest.Only(Check).WantError(t, `--signature-direction: "in" is none of inbound, outbound, internal, relay`, "--signature-types=script", "--signature-direction=in")
	policytest.Only(Check).WantError(t, `--signature-direction: no direction`, "--signature-types=script", "--signature-direction=")
	policytest.Only(Check).WantError(t, `--signature-types: "script=" gives a name`, "--signature-types=script=")
	for key, want := range map[string]string{
		"abc": "is no MD5, SHA-1 or SHA-256", "sha256:ba7816bf": "is no MD5", strings.Repeat("g", 64): "is no MD5", strings.Repeat("a", 48): "is no MD5",
	} {
		list := policytest.File(t, "hashes", "900150983CD24FB0D6963F7D28E17F72 Test.Md5\n"+key+" Test\n")
		policytest.Only(Check).WantError(t, list+":2: ", "--signature-hashes="+list)
		policytest.Only(Check).WantError(t, want, "--signature-hashes="+list)
		policytest.Only(Check).WantError(t, want, "--signature-hashes=list:"+policytest.File(t, "list", key+"\n"))
	}
	for key, want := range map[string]string{
		"*.js": "such as .js", "dir/x.exe": "without their directories", `"my file.exe"`: "a quote belongs", "x.exe.": "at the end", ".tar.gz.exe": "the last two",
	} {
		list := policytest.File(t, "names", "invoice.exe Invoice\n.pdf.js Script\n"+key+" Test\n")
		policytest.Only(Check).WantError(t, list+":3: ", "--signature-names="+list)
		policytest.Only(Check).WantError(t, want, "--signature-names="+list)
	}
	broken := policytest.File(t, "broken", ".exe\n")
	policytest.Only(Check).WantError(t, broken+":1: ", "--signature-names="+broken)
}

// An odd file name does no harm to log or reply.
func TestSignatureOddName(t *testing.T) {
	p, err := policytest.Only(Check).Build(policytest.NewWorld(), "--signature-names=regexp:"+policytest.File(t, "p", "/^(.*)\\.scr$/ $1\n"))
	if err != nil {
		t.Fatal(err)
	}
	c := policytest.Scenario{Mail: policytest.Attachment("=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte("[a]\r\nb\u202e.scr"))+"?=", "x"), Said: "end 554 5.7.1 Email rejected due to security policies ((a) b?)"}
	seen := c.Check(t, p)
	if cause := seen[0].Cause; strings.ContainsAny(cause, "\r\n\u202e") {
		t.Errorf("cause %q", cause)
	}
}
