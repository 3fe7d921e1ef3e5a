package spamd

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"

	"mailweir/internal/spamscan"
)

func itoa(n int) string { return strconv.Itoa(n) }

func TestParse(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"SPAMD/1.1 0 EX_OK\r\nContent-length: 16\r\nSpam: True ; 1000.0 / 5.0\r\n\r\nGTUBE,NO_RELAYS ", "spam, score 1000 of 5: GTUBE, NO_RELAYS"},
		{"SPAMD/1.5 0 EX_OK\r\nspam:yes;6.05/5.0\r\n\r\n", "spam, score 6.05 of 5"},
		{"SPAMD/1.1 0 EX_OK\r\nSpam: False ; -0.0 / 5.0\r\n\r\nA,,B\r\n", "no spam, score 0 of 5: A, B"},
		{"SPAMD/1.1 0 EX_OK\r\nSpam: No ; nan / inf\r\n\r\n", "no spam"},
		{"SPAMD/1.1 0 EX_OK\r\nSpam: True\r\n\r\n", "spam"},
	} {
		a, err := Parse([]byte(tt.text))
		if err != nil || a.String() != tt.want {
			t.Errorf("%q: %q, %v, want %q", tt.text, a.String(), err, tt.want)
		}
	}
}

func TestParseFails(t *testing.T) {
	for text, want := range map[string]string{
		"": "this is no spamd", "SPAMD/1.1": "this is no spamd", "SPAMD/1.1 x EX_OK\r\n\r\n": "this is no spamd", "SPAMD/1.1 -1 x\r\n\r\n": "this is no spamd",
		"SPAMD/1.1 0 EX_OK\r\nSpam: True ; 1000.0 / 5.0\r\n":                        "ends early",
		"SPAMD/1.1 0 EX_OK\r\n\r\n":                                                 "no line Spam",
		"SPAMD/1.1 0 EX_OK\r\nSpam: maybe ; 1 / 5\r\n\r\n":                          `says Spam: "maybe ; 1 / 5"`,
		"SPAMD/1.1 0 EX_OK\r\nContent-length: 6\r\nSpam: True ; 9 / 5\r\n\r\nGTUBE": `has 5 octets, not "6"`,
		"SPAMD/1.1 0 EX_OK\r\nContent-length: 4\r\nSpam: True ; 9 / 5\r\n\r\nGTUBE": `has 5 octets, not "4"`,
		"SPAMD/1.1 0 EX_OK\r\nContent-length: x\r\nSpam: True ; 9 / 5\r\n\r\n":      `not "x"`,
	} {
		if a, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v, want %q", text, a, err, want)
		}
	}
	for code := 64; code <= 79; code++ {
		_, err := Parse([]byte("SPAMD/1.0 " + itoa(code) + " sorry\r\n"))
		var said *spamscan.AnsweredError
		if !errors.As(err, &said) {
			t.Errorf("code %d: %v", code, err)
		}
	}
}

func TestParseBounds(t *testing.T) {
	a, err := Parse([]byte("SPAMD/1.1 0 EX_OK\r\nSpam: True ; 9 / 5\r\n\r\n" + strings.Repeat("X,", 5000) + strings.Repeat("Y", 5000)))
	if err != nil || len(a.Symbols) != maxSymbols || len(a.Left) != 1 {
		t.Errorf("%d symbols, left %q, %v", len(a.Symbols), a.Left, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("SPAMD/1.1 0 EX_OK\r\nContent-length: 5\r\nSpam: True ; 1000.0 / 5.0\r\n\r\nGTUBE"))
	f.Add([]byte("SPAMD/1.0 76 Bad header line\r\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := Parse(text)
		if err != nil {
			return
		}
		if a.Action != spamscan.Reject && a.Action != spamscan.Nothing || len(a.Symbols) > maxSymbols || math.IsInf(a.Score, 0) || math.IsInf(a.Required, 0) {
			t.Errorf("%v", a)
		}
		if strings.ContainsAny(a.Whole(), "\r\n\x00") {
			t.Errorf("more than one line: %q", a.Whole())
		}
	})
}
