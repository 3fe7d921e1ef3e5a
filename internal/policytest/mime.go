package policytest

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"testing"
)

// Attachment is a message with one file.
func Attachment(name, octets string) Letter {
	return Letter{
		Header: []string{"MIME-Version: 1.0", "Content-Type: application/octet-stream", "Content-Transfer-Encoding: base64", "Content-Disposition: attachment; filename=\"" + name + "\""},
		Body:   base64.StdEncoding.EncodeToString([]byte(octets)) + "\r\n",
	}
}

// Zipped packs name, content, name, content …
func Zipped(t *testing.T, pairs ...string) string {
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
