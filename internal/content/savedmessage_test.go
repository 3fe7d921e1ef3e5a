package content

import (
	"strings"
	"testing"
)

// TestSavedMessages: a message is told by its first lines, under any name and type.
func TestSavedMessages(t *testing.T) {
	e := mustExaminer(t, Options{}, "!activation 1\n1 secret offer\n")
	const octets = "application/octet-stream"
	body := "Content-Transfer-Encoding: base64\n\n" + b64("secret offer")
	for _, c := range []struct {
		name, file, mediaType, text string
		found                       bool
	}{
		{"web archive", "a.mht", octets, "MIME-Version: 1.0\n" + body, true},
		{"under the name of a document", "a.doc", "application/msword", "MIME-Version: 1.0\n" + body, true},
		{"under the name of a text", "a.txt", "text/plain", "mime-version:1.0\r\n" + body, true},
		{"as HTML", "a.html", "text/html", "MIME-Version: 1.0\n" + body, true},
		{"of Internet Explorer", "a", octets, "From: <Saved by Windows>\nSubject: x\nMIME-Version: 1.0\n" + body, true},
		{"the version in another place", "a", octets, "X-A: b\n c\nX-D: e\nMIME-Version : 1.0\n" + body, true},
		{"no version", "a", octets, "Content-Type: text/plain\n" + body, true},
		{"behind empty lines", "a", octets, "\n\r\n\nContent-Type: text/plain\n" + body, true},
		{"behind a mark", "a", octets, "\ufeffMIME-Version: 1.0\n" + body, true},
		{"behind lines that are no header", "a.doc", octets, "junk\n\nmore junk\nMIME-Version: 1.0\n" + body, true},
		{"web archive behind junk", "a.mht", octets, "junk\n\nContent-Type: text/plain\nMIME-Version: 1.0\n" + body, true},
		{"in a mailbox", "a", octets, "From a@b Mon Jan  1 00:00:00 2024\nX-A: b\nMIME-Version: 1.0\n" + body, true},
		{"lines that end in a carriage return", "a.eml", octets, strings.ReplaceAll("Subject: x\n"+body, "\n", "\r"), true},
		{"the same under another name", "a.doc", octets, strings.ReplaceAll("MIME-Version: 1.0\nX: y\n"+body, "\n", "\r"), true},
		{"lines that end in two of them", "a.eml", octets, strings.ReplaceAll("Subject: x\n"+body, "\n", "\r\r\n"), true},
		{"no fields", "a.doc", octets, "some words\n" + body, false},
		{"fields of something else", "a.txt", octets, "Name: x\nTown: y\n" + body, false},
		{"far behind", "a.txt", octets, strings.Repeat("words\n", 600) + "MIME-Version: 1.0\n" + body, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := examine(t, e, attach(c.file, c.mediaType, []byte(c.text)), 100).Outcomes[0].Fired; got != c.found {
				t.Errorf("found %v, want %v", got, c.found)
			}
		})
	}
}
