package clamd

import (
	"encoding/base64"
	"io"
	"strings"
	"testing"
	"time"

	"mailweir/test/testbed"
)

// open returns a scanner for a real clamd.
func open(t *testing.T, spec string) *Scanner {
	t.Helper()
	address, err := ParseAddress(spec)
	if err != nil {
		t.Fatal(err)
	}
	s := NewScanner(Options{Address: address, Deadline: time.Minute, MaxSize: 25 << 20})
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// inBase64 is a message with the test file as attachment. The fields of first stand in front.
func inBase64(first string) string {
	return first + "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		base64.StdEncoding.EncodeToString([]byte(testbed.Eicar)) + "\r\n"
}

// mailbox is a message whose body looks like two, of which the second is not what a mail program
// shows: the attachment of the first goes on in it.
func mailbox(contentType string) string {
	return "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\r\nFrom x\r\nContent-Type: " + contentType +
		"\r\n\r\nhello\r\n--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		base64.StdEncoding.EncodeToString([]byte(testbed.Eicar)) + "\r\n--b--\r\n"
}

// No first field and no line of the body hides from clamd what a mail program would show.
func TestRealClamdFinds(t *testing.T) {
	c := testbed.StartClamd(t)
	messages := map[string]string{"plain": "Subject: x\r\n\r\n" + testbed.Eicar}
	for _, first := range []string{
		"", "BM: x", "MZ: x", "GIF89a: x", "%PDF-1.4: x", "RIFF: x", "begin 644: x", "PK: x", "\x7fELF: x", "Rar!: x", "{\\rtf: x",
		"<html>: x", "#!/bin/sh: x", "From x: y", "From: x", ">From: x", strings.Repeat("X", 2000) + ": x", "X: y\r\n folded",
	} {
		if first != "" {
			first += "\r\n"
		}
		messages["first "+first[:min(len(first), 12)]] = inBase64(first)
	}
	for _, contentType := range []string{"text/plain", "text/html", "image/png", "application/octet-stream", "message/rfc822", "multipart/mixed; boundary=c"} {
		messages["mailbox "+contentType] = mailbox(contentType)
	}
	for _, spec := range []string{c.Socket, c.TCP} {
		s := open(t, spec)
		for name, text := range messages {
			got, err := s.Scan(t.Context(), message(text))
			if err != nil || got.Kind != Infected || got.Signature != "Eicar.Test.UNOFFICIAL" || got.Cut {
				t.Errorf("%s, %s: %+v, %v", spec, name, got, err)
			}
		}
		if got, err := s.Scan(t.Context(), message("Subject: x\r\n\r\nhello\r\n")); err != nil || got.Kind != Clean {
			t.Errorf("%s: %+v, %v", spec, got, err)
		}
	}
}

// zeros is a message of so many octets that begins with a text.
func zeros(text string, size int64) func() io.Reader {
	return func() io.Reader {
		return io.MultiReader(strings.NewReader(text), io.LimitReader(nothing{}, size-int64(len(text))))
	}
}

type nothing struct{}

func (nothing) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// Just as much as clamd takes is sent by what Debian configures, and it is found out where it takes
// less.
func TestRealClamdSizes(t *testing.T) {
	const limit = 25 << 20
	const text = "Subject: x\r\n\r\n" + testbed.Eicar + "\r\n"
	for _, tt := range []struct {
		name     string
		settings []string
		size     int64
		kind     Kind
		cut      bool
		less     bool
	}{
		{"just as much", nil, limit - int64(len(front)), Infected, false, false},
		{"more", nil, limit, Infected, true, false},
		{"takes less", []string{"StreamMaxLength 2M"}, 5 << 20, Infected, true, true},
		{"scans less", []string{"MaxFileSize 1M", "AlertExceedsMax yes"}, 5 << 20, Limited, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := testbed.StartClamd(t, tt.settings...)
			for _, spec := range []string{c.Socket, c.TCP} {
				s := open(t, spec)
				got, err := s.Scan(t.Context(), zeros(text, tt.size))
				if err != nil || got.Kind != tt.kind || got.Cut != tt.cut {
					t.Errorf("%s: %+v, %v", spec, got, err)
				}
				if less := s.limit.Load() < limit; less != tt.less {
					t.Errorf("%s: %d octets are sent from now on", spec, s.limit.Load())
				}
			}
		})
	}
}

func TestRealClamdTells(t *testing.T) {
	s := open(t, testbed.StartClamd(t, "MaxThreads 3").Socket)
	if v, err := s.Version(t.Context()); err != nil || !strings.HasPrefix(v.Program, "ClamAV ") {
		t.Errorf("%+v, %v", v, err)
	}
	s.askThreads(t.Context())
	if n := cap(*s.places.Load()); n != 3 {
		t.Errorf("%d threads", n)
	}
}
