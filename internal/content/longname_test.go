package content

import (
	"strconv"
	"strings"
	"testing"
)

// TestLongNames: however long a name is, the end of it tells what kind of file it is, and no word
// of it is lost. What is not seen of a name leaves a trace.
func TestLongNames(t *testing.T) {
	const def = "!activation 1\n!scan filenames\n1 gold\n"
	e := mustExaminer(t, Options{}, def)
	attached := func(name string) string {
		return "Content-Type: application/octet-stream\nContent-Disposition: attachment; filename=\"" + name + "\"\n\nx"
	}
	zipped := func(name string) string {
		return "Content-Type: application/zip\nContent-Transfer-Encoding: base64\n\n" + b64(string(zipOf(t, name, "x")))
	}
	// listed has a name in the directory of the archive alone.
	listed := func(name string) string {
		whole := string(zipOf(t, name, "x"))
		return "Content-Type: application/zip\nContent-Transfer-Encoding: base64\n\n" + b64(string(zipOf(t, "a", "b"))+whole[strings.Index(whole, zipDirectory):])
	}
	for _, size := range []int{200, 254, 255, 256, 300, 1024, 1025, 3900} {
		for where, message := range map[string]func(string) string{"attached": attached, "in an archive": zipped, "in the directory of an archive": listed} {
			t.Run(where+"/"+strconv.Itoa(size), func(t *testing.T) {
				const end = ".pdf.exe"
				name := strings.Repeat("x", size/2) + " gold " + strings.Repeat("y", size-size/2-len(" gold ")-len(end)) + end
				last := lastPart(t, examine(t, e, message(name), 1000))
				if last.Extension != ".exe" || !last.Executable || !last.DoubleExtension() || !strings.HasSuffix(last.Name, end) || len(last.Name) > 255 {
					t.Errorf("%+v", last)
				}
			})
		}
	}
	blanks := lastPart(t, examine(t, e, attached("invoice.pdf"+strings.Repeat(" ", 400)+".exe"), 1000))
	if blanks.Name != "invoice.pdf .exe" || !blanks.DoubleExtension() {
		t.Errorf("%+v", blanks)
	}
	for name, message := range map[string]string{
		"attached": attached(strings.Repeat("x", 400) + " gold " + strings.Repeat("x", 400) + ".txt"),
		"zipped":   zipped(strings.Repeat("x", 400) + " gold " + strings.Repeat("x", 400) + ".txt"),
	} {
		if result := examine(t, e, message, 1000); len(result.Fired()) != 1 {
			t.Errorf("%s: a word in the middle of a name is not found", name)
		}
	}
	for size, want := range map[int]int{maxZipName: 0, maxZipName + 1: 1} {
		if result := examine(t, e, listed(strings.Repeat("x", size-4)+".exe"), 1000); len(result.Limits) != want {
			t.Errorf("a name of %d octets in the directory: limits %v", size, result.Limits)
		}
		if result := examine(t, e, zipped(strings.Repeat("x", size-4)+".exe"), 1000); len(result.Limits) != 0 || len(result.Parts) != 2 || !lastPart(t, result).Executable {
			t.Errorf("a name of %d octets: %+v", size, result)
		}
	}
}

func lastPart(t *testing.T, r *Result) *Part {
	t.Helper()
	if len(r.Parts) == 0 {
		t.Fatal("no parts")
	}
	return &r.Parts[len(r.Parts)-1]
}
