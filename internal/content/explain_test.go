package content

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestExplain holds the working of one message against a golden file.
func TestExplain(t *testing.T) {
	e := mustExaminer(t, Options{KeepText: true},
		"!activation 10\n!scan body attachments\n5:20 secret offer\n3 required gold\n9 required never\n",
		"!activation 1\n!action quarantine\n1 regex g[a-z]+d\n", "!activation 1\n1 gold\n0 exclude silver\n")
	msg := "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>Secret <b>offer</b>: <i hidden>x</i>Gold, silver\n" +
		"--b\nContent-Type: image/png; name=\"pic.png.exe\"\nContent-Transfer-Encoding: base64\n\nTVqQAAMAAAAE\n" +
		"--b\nContent-Type: application/zip; name=a.zip\nContent-Transfer-Encoding: base64\n\n" + b64(string(storedZip(t, "b.txt", "secret offer, secret\noffer"))) + "\n"
	var b strings.Builder
	if err := examine(t, e, msg, 100).Explain(&b); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "explain.golden")
	if os.Getenv("MAILWEIR_UPDATE") != "" {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(mustRead(t, golden), b.String()); diff != "" {
		t.Error(diff)
	}
}
