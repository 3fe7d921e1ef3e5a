package content

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

// kindsOf names what a file is said to be.
func kindsOf(p *Part) string {
	var kinds []string
	for _, k := range []struct {
		name string
		is   bool
	}{
		{"executable", p.Executable},
		{"script", p.Script},
		{"macros", p.Macros},
		{"disk-image", p.DiskImage},
		{"onenote", p.OneNote},
		{"encrypted", p.Encrypted},
		{"disguised", p.Disguised()},
		{"double-extension", p.DoubleExtension()},
	} {
		if k.is {
			kinds = append(kinds, k.name)
		}
	}
	return strings.Join(kinds, " ")
}

// wantKinds examines a message in pieces of several sizes and holds the kinds of its file number i
// against want.
func wantKinds(t *testing.T, msg string, i int, want string) {
	t.Helper()
	e := mustExaminer(t, Options{})
	for _, size := range []int{7, 1000, 65535} {
		parts := examine(t, e, msg, size).Parts
		if len(parts) <= i {
			t.Fatalf("%d files, want more than %d", len(parts), i)
		}
		if got := kindsOf(&parts[i]); got != want {
			t.Errorf("in pieces of %d: %s: %q, want %q", size, parts[i].Name, got, want)
		}
	}
}

// TestScripts: a text is a script only where its extension runs it.
func TestScripts(t *testing.T) {
	const shell, perl, php = "#!/bin/sh\necho\n", "#!/usr/bin/perl -w\nprint 1;\n", "<? $a = 1; ?>\n<html></html>\n"
	png := "\x89PNG\r\n\x1a\n\x00\x00"
	for _, c := range []struct{ name, file, octets, want string }{
		{"patch", "p.patch", shell, ""},
		{"patch of a Perl program", "p.diff", perl, ""},
		{"page with a short mark", "index.html", php, ""},
		{"page with PHP", "index.html", "<?php echo 1; ?>", ""},
		{"text", "notes.txt", shell, ""},
		{"no extension", "configure", shell, ""},
		{"Perl", "a.pl", perl, ""},
		{"shell", "a.sh", shell, "script"},
		{"shell without the mark", "a.sh", "echo\n", "script"},
		{"shell with other octets", "a.sh", "#!/bin/sh\n" + strings.Repeat("\x00\x01", 50), "script"},
		{"PDF named as a site", "brand.sh", "%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", ""},
		{"image named as a site", "logo.brand.sh", png, ""},
		{"image named as a site of Samoa", "firma.ws", png, ""},
		{"script for the Windows host", "a.ws", "<job>", "script"},
		{"image named as a web site", "my.website", png, ""},
		{"web site", "my.website", "[InternetShortcut]\nURL=x\n", "script"},
		{"image named as a script", "a.js", png, "script"},
		{"settings", "a.SettingContent-ms", "<PCSettings/>", "script"},
		{"library", "a.library-ms", "<x/>", "script"},
		{"search", "a.search-ms", "<x/>", "script"},
		{"connector", "a.searchConnector-ms", "<x/>", "script"},
		{"document and search", "a.pdf.search-ms", "<x/>", "script double-extension"},
		{"theme", "a.themepack", "MSCF", "script"},
		{"query", "a.iqy", "WEB\n1\nhttp://x/", "script"},
		{"PowerShell", "a.psm1", "x", "script"},
		{"shortcut", "a.lnk", "L\x00\x00\x00\x01\x14\x02\x00", "script"},
		{"shortcut under another name", "report.pdf", "L\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00F", "script"},
		{"shortcut without a name", "", "L\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00F", "script"},
		{"help under another name", "a.dat", "ITSF\x03\x00\x00\x00\x60\x00\x00\x00", "script"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantKinds(t, attach(c.file, "application/octet-stream", []byte(c.octets)), 0, c.want)
		})
	}
	t.Run("in an archive without an extension", func(t *testing.T) {
		wantKinds(t, attach("a.zip", "a/b", zipOf(t, "bin/run", shell)), 1, "script")
	})
	t.Run("in an archive with another", func(t *testing.T) {
		wantKinds(t, attach("a.zip", "a/b", zipOf(t, "p.patch", shell)), 1, "")
	})
	t.Run("in an archive without the mark", func(t *testing.T) {
		wantKinds(t, attach("a.zip", "a/b", zipOf(t, "README", "echo\n")), 1, "")
	})
}

// TestRealOfPHP: "<?" alone makes no PHP.
func TestRealOfPHP(t *testing.T) {
	e := mustExaminer(t, Options{})
	for octets, want := range map[string]string{
		"<?php echo 1; ?>": "text/x-php", "<?PHP echo 1; ?>": "text/x-php", "<?= 1 ?>": "text/plain", "<? $a ?>": "text/plain", "<? $a ?>\n<HTML><p>x": "text/html",
	} {
		if got := examine(t, e, attach("a", "x/y", []byte(octets)), 100).Parts[0].Real; got != want {
			t.Errorf("%q: %q, want %q", octets, got, want)
		}
	}
}

// TestNameless: a part without an extension gets the one of its declared type.
func TestNameless(t *testing.T) {
	for _, c := range []struct{ name, declared, file, octets, want string }{
		{"script", "application/x-javascript", "", "alert(1)", "script"},
		{"application", "application/hta", "", "<script>", "script"},
		{"page of script in a name without extension", "application/hta", "report", "<script>", "script"},
		{"with another extension", "application/hta", "report.txt", "<script>", ""},
		{"program", "application/x-msdownload", "", "\x01\x02\x00", "executable"},
		{"wrong type", "application/x-msdownload", "", "%PDF-1.4\n", ""},
		{"notebook", "application/msonenote", "", "\x00\x01", "onenote"},
		{"image of a disk", "application/x-iso9660-image", "", "\x00\x01", "disk-image"},
		{"octets", "application/octet-stream", "", "alert(1)", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := "Content-Disposition: attachment; filename=\"" + c.file + "\"\n"
			if c.file == "" {
				name = ""
			}
			msg := "Content-Type: " + c.declared + "\n" + name + "Content-Transfer-Encoding: base64\n\n" + b64(c.octets)
			wantKinds(t, msg, 0, c.want)
		})
	}
}

// TestShownScript: a nameless text that becomes a file that runs is noted, and read as text.
func TestShownScript(t *testing.T) {
	wantKinds(t, "Content-Type: text/javascript\n\nalert(1)\n", 0, "script")
	wantKinds(t, "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b\nContent-Type: text/vbscript\n\nx\n--b--\n", 0, "script")
	e := mustExaminer(t, Options{}, "!activation 1\n!scan body\n1 gold\n")
	if !examine(t, e, "Content-Type: text/javascript\n\ngold\n", 100).Outcomes[0].Fired {
		t.Error("its text is not read as body")
	}
	if parts := examine(t, e, "Content-Type: text/x-patch\n\ngold\n", 100).Parts; len(parts) != 0 {
		t.Errorf("another text is noted as %+v", parts)
	}
}

func TestDiskImages(t *testing.T) {
	at := func(size, offset int, mark string) string {
		b := make([]byte, size)
		copy(b[offset:], mark)
		return string(b)
	}
	const oneNote = "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3"
	for _, c := range []struct{ name, file, octets, want string }{
		{"iso by name", "a.iso", "x", "disk-image"},
		{"iso by content", "a.pdf", at(50_000, 32769, "CD001"), "disk-image"},
		{"iso that begins as a PDF", "a.pdf", "%PDF-1.4\n" + at(50_000, 32769, "CD001")[9:], "disk-image"},
		{"udf", "a.dat", at(50_000, 34817, "NSR02"), "disk-image"},
		{"beside the mark", "a.dat", at(50_000, 32770, "CD001"), ""},
		{"virtual hard disk", "a.bin", "conectix" + at(2000, 0, ""), "disk-image"},
		{"virtual hard disk by its end", "a.bin", at(2000, 2000-512, "conectix"), "disk-image"},
		{"new virtual hard disk", "a.bin", "vhdxfile", "disk-image"},
		{"disk image of macOS", "a.bin", at(2000, 2000-512, "koly"), "disk-image"},
		{"named so", "a.vhdx", "", "disk-image"},
		{"img", "a.img", "\x00\x01", "disk-image"},
		{"image named img", "photo.img", "\x89PNG\r\n\x1a\n", ""},
		{"notebook", "a.one", oneNote, "onenote"},
		{"notebook under another name", "a.pdf", oneNote, "onenote"},
		{"table of contents", "x", oneNoteContents, "onenote"},
		{"of 2007", "x", oneNote2007, "onenote"},
		{"package", "a.onepkg", "MSCF\x00\x00\x00\x00", "onenote"},
		{"PDF named as a site", "number.one", "%PDF-1.4\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantKinds(t, attach(c.file, "application/octet-stream", []byte(c.octets)), 0, c.want)
		})
	}
	e := mustExaminer(t, Options{})
	p := examine(t, e, attach("a.dat", "a/b", []byte(at(50_000, 32769, "CD001"))), 1000).Parts[0]
	if p.Real != "application/x-iso9660-image" {
		t.Errorf("real type %q", p.Real)
	}
}

// TestJava: an archive that Java runs, under any name.
func TestJava(t *testing.T) {
	manifest := func(text string) []byte { return zipOf(t, "META-INF/MANIFEST.MF", text, "a/B.txt", "x") }
	for _, c := range []struct {
		name, file string
		octets     []byte
		want       string
	}{
		{"named so", "a.jar", zipOf(t, "a.txt", "x"), "executable"},
		{"under another name", "a.zip", manifest("Manifest-Version: 1.0\r\nMain-Class: a.B\r\n"), "executable disguised"},
		{"in lower case", "a.pdf", zipOf(t, "meta-inf/manifest.mf", "manifest-version: 1.0\nmain-class: a.B\n"), "executable disguised"},
		{"first line", "a", manifest("Main-Class: a.B\r\n"), "executable disguised"},
		{"line ends of old", "a", manifest("Manifest-Version: 1.0\rMain-Class: a.B\r"), "executable disguised"},
		{"behind an image", "a.gif", append([]byte("GIF89a"), manifest("Main-Class: a.B\r\n")...), "executable disguised"},
		{"a library", "a.zip", manifest("Manifest-Version: 1.0\r\n"), ""},
		{"in a value", "a.zip", manifest("Comment: no Main-Class: here\r\n"), ""},
		{"in a directory", "a.zip", zipOf(t, "src/META-INF/MANIFEST.MF", "Main-Class: a.B\r\n"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantKinds(t, attach(c.file, "application/octet-stream", c.octets), 0, c.want)
		})
	}
	t.Run("class in an archive", func(t *testing.T) {
		wantKinds(t, attach("a.zip", "a/b", zipOf(t, "B.dat", "\xca\xfe\xba\xbe\x00\x00\x00\x34")), 1, "executable disguised")
	})
}

// ole makes an OLE storage that is none but by its first octets.
func oleFile(sectors ...string) string {
	file := oleMark + strings.Repeat("\x00", 512-len(oleMark))
	for _, s := range sectors {
		file += s + strings.Repeat("\x00", 512-len(s)%512)
	}
	return file
}

// boundSheet is the record of a sheet of an Excel workbook.
func boundSheet(kind byte, name string) string {
	return fmt.Sprintf("\x85\x00%c\x00\x00\x10\x00\x00\x00%c%c\x00%s", rune(8+len(name)), rune(kind), rune(len(name)), name)
}

func rootEntry(class string) string {
	name := string(utf16Name("Root Entry"))
	return name + strings.Repeat("\x00", 64-len(name)) + "\x16\x00\x05\x01" + strings.Repeat("\xff", 12) + class
}

func TestMacros(t *testing.T) {
	const bof8, bof5 = "\x09\x08\x10\x00\x00\x06\x05\x00", "\x09\x08\x08\x00\x00\x05\x05\x00"
	const rest8, rest5 = "\xbb\x0d\xcc\x07\x41\x00\x00\x00\x06\x00\x00\x00", "\xbb\x0d\xcc\x07"
	word := func(flags, back string) string {
		return "\xec\xa5\xc1\x00\x00\x00\x09\x04\x00\x00\x00" + flags + back + "\x00" + strings.Repeat("\x00", 18)
	}
	packed := func(octets string) string {
		var b bytes.Buffer
		z := zlib.NewWriter(&b)
		_, _ = z.Write([]byte(octets))
		_ = z.Close()
		return b.String()
	}
	mime := "ActiveMime\x00\x00\x01\xf0\x04\x00\x00\x00\xff\xff\xff\xff\x00\x00\x07\xf0"
	mime += strings.Repeat("\x00", activeMimeData-len(mime))
	vba := oleFile(string(utf16Name("_VBA_PROJECT")))
	base64Of := func(octets string) string { return base64.StdEncoding.EncodeToString([]byte(octets)) }
	types := func(list string) []byte {
		return zipOf(t, "[Content_Types].xml", list, "xl/workbook.xml", "<workbook/>")
	}
	for _, c := range []struct{ name, file, octets, want string }{
		{"project", "a.doc", vba, "macros"},
		{"project in lower case", "a.doc", oleFile(string(utf16Name("_vba_project"))), "macros"},
		{"sheet of Excel 4", "a.xls", oleFile(bof8 + rest8 + boundSheet(1, "Macro1")), "macros"},
		{"hidden sheet", "a.xls", oleFile(bof8 + rest8 + boundSheet(0, "Sheet1") + strings.Replace(boundSheet(1, "Macro1"), "\x00\x01\x06", "\x02\x01\x06", 1)), "macros"},
		{"sheet with a wide name", "a.xls", oleFile("\x85\x00\x0a\x00\x00\x10\x00\x00\x00\x01\x01\x01M\x04"), "macros"},
		{"sheet of Excel 5", "a.xls", oleFile("\x85\x00\x0d\x00\x00\x10\x00\x00\x00\x01\x06Macro1"), "macros"},
		{"sheet by its own beginning", "a.xls", oleFile("\x09\x08\x10\x00\x00\x06\x40\x00" + rest8), "macros"},
		{"across a border of reading", "a.xls", oleFile(strings.Repeat("x", 8192-512-6) + boundSheet(1, "Macro1")), "macros"},
		{"worksheets", "a.xls", oleFile(bof8 + rest8 + boundSheet(0, "Sheet1") + boundSheet(2, "Chart1")), ""},
		{"name too long", "a.xls", oleFile(boundSheet(1, strings.Repeat("M", 32))), ""},
		{"record longer than its name", "a.xls", oleFile("\x85\x00\x0f\x00\x00\x10\x00\x00\x00\x01\x06Macro1"), ""},
		{"record of another kind", "a.xls", oleFile("\x85\x00\x0e\x00\x00\x10\x00\x00\x00\x01\x06\x01Macro1"), ""},
		{"no record", "a.xls", oleFile("\x85\x00\x0f\x00\x00\x10\x00\x00\x00\x01\x06\x00Macro1"), ""},
		{"presentation", "a.ppt", oleFile("\x02\x00\x00\x04\x0c\x00\x00\x00\x05\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00"), "macros"},
		{"presentation without", "a.ppt", oleFile("\x02\x00\x00\x04\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00"), ""},
		{"password of Excel", "a.xls", oleFile(bof8 + rest8 + "\x2f\x00\x36\x00\x01\x00"), "encrypted"},
		{"password of Excel, read-only", "a.xls", oleFile(bof8 + rest8 + "\x86\x00\x00\x00\x2f\x00\x36\x00\x01\x00"), "encrypted"},
		{"password of Excel 5", "a.xls", oleFile(bof5 + rest5 + "\x2f\x00\x04\x00\x01\x02\x03\x04"), "encrypted"},
		{"password of Word", "a.doc", oleFile(word("\x13", "\xbf")), "encrypted"},
		{"no password of Word", "a.doc", oleFile(word("\x12", "\xbf")), ""},
		{"not Word, by one octet", "a.doc", oleFile(strings.Replace(word("\x13", "\xbf"), "\xbf\x00", "\xbf\x01", 1)), ""},
		{"not Word", "a.doc", oleFile(word("\x13", "\xb0")), ""},
		{"password of PowerPoint", "a.ppt", oleFile(string(utf16Name("EncryptedSummary"))), "encrypted"},
		{"installer", "a.msi", oleFile(rootEntry("\x84\x10\x0c\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46")), "executable"},
		{"installer under another name", "a.doc", oleFile(rootEntry("\x84\x10\x0c\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46")), "executable disguised"},
		{"patch", "a.dat", oleFile("x", rootEntry("\x86\x10\x0c\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46")), "executable disguised"},
		{"Word's class", "a.doc", oleFile(rootEntry("\x06\x09\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46")), ""},
		{"active mime", "editdata.mso", mime + packed(vba), "macros"},
		{"active mime under another name", "image.jpg", mime + packed(vba), "macros"},
		{"active mime with a longer header", "a.mso", mime + strings.Repeat("\x00", 99) + packed(vba), "macros"},
		{"active mime with a false beginning", "a.mso", strings.Replace(mime, "\xff\xff\xff\xff", "\x78\x9c\xff\xff", 1) + packed(oleFile("x")), ""},
		{"active mime of other objects", "oledata.mso", mime + packed(oleFile("x")), ""},
		{"active mime of something else", "a.mso", mime + packed("hello"), "macros"},
		{"active mime that is damaged", "a.mso", mime + "hello", "macros"},
		{"active mime in XML", "a.xml", `<?xml version="1.0"?><w:wordDocument><w:binData w:name="editdata.mso">` + base64Of(mime+packed(vba)) + "</w:binData>", "macros"},
		{"in XML with blanks", "a.xml", `<?xml version="1.0"?><w:binData>` + strings.Join(strings.Split(base64Of(mime), ""), "\r\n ") + "</w:binData>", "macros"},
		{"project in XML", "a.xml", `<?xml version="1.0"?><pkg:part pkg:contentType="application/vnd.ms-office.vbaProject">`, "macros"},
		{"XML without", "a.xml", `<?xml version="1.0"?><w:binData>` + base64Of("hello") + "</w:binData>", ""},
		{"text about it", "a.txt", "QWN0aXZlTWltZQ", ""},
		{"sheet in xlsx", "a.xlsx", string(types(`<Override ContentType="application/vnd.ms-excel.macrosheet+xml"/>`)), "macros"},
		{"international sheet", "a.xlsx", string(types(`<Override ContentType="application/vnd.ms-excel.IntlMacroSheet+xml"/>`)), "macros"},
		{"sheet in xlsx, hidden", "a.xlsx", string(types(`<Override ContentType="application/vnd.ms-excel.&#109;acro&#x73;heet"/>`)), "macros"},
		{"sheet by relationship", "a.xlsx", string(zipOf(t, "xl/_rels/workbook.bin.rels", `<Relationship Type="http://schemas.microsoft.com/office/2006/relationships/xlMacrosheet"/>`)), "macros"},
		{"worksheet in xlsx", "a.xlsx", string(types(`<Override ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>`)), ""},
		{"add-in", "a.xla", "x", "macros"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantKinds(t, attach(c.file, "application/octet-stream", []byte(c.octets)), 0, c.want)
		})
	}
}
