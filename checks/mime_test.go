package checks

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"testing"
)

// attachment is a message with one file.
func attachment(name, octets string) letter {
	return letter{
		header: []string{"MIME-Version: 1.0", "Content-Type: application/octet-stream", "Content-Transfer-Encoding: base64", "Content-Disposition: attachment; filename=\"" + name + "\""},
		body:   base64.StdEncoding.EncodeToString([]byte(octets)) + "\r\n",
	}
}

// zipped packs name, content, name, content …
func zipped(t *testing.T, pairs ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		f, err := z.Create(pairs[i])
		if err != nil {
			t.Fatal(err)
		}
		_, _ = f.Write([]byte(pairs[i+1]))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
