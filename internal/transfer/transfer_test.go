package transfer

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// TestReader decodes as mail readers do, whatever the pieces are in which a text comes.
func TestReader(t *testing.T) {
	for _, c := range []struct{ name, encoding, in, out string }{
		{"base64", "base64", "c2VjcmV0\r\nIG9mZmVy", "secret offer"},
		{"base64 with padding", "base64", "YQ==", "a"},
		{"base64 of two texts", "base64", "YQ==Yg==", "ab"},
		{"base64 with rubbish", "base64", "c2!V j\x00cmV0", "secret"},
		{"base64 with signs of the URL alphabet", "base64", "c2V-jcm_V0-", "secret"},
		{"base64 without its end", "base64", "c2VjcmV0IG8", "secret o"},
		{"quoted-printable", "quoted-printable", "secret=20of=\r\nfer", "secret offer"},
		{"lower case", "quoted-printable", "=e4=C3", "\xe4\xc3"},
		{"soft break with blanks", "quoted-printable", "a= \t\r\nb", "ab"},
		{"soft break with a line of blanks", "quoted-printable", "a=" + strings.Repeat(" ", 990) + "\r\nb", "ab"},
		{"soft break with as many blanks as are looked at", "quoted-printable", "a=" + strings.Repeat(" ", maxSoftBreak-2) + "\nb", "ab"},
		{"more blanks are no soft break", "quoted-printable", "a=" + strings.Repeat(" ", maxSoftBreak) + "\nb", "a=" + strings.Repeat(" ", maxSoftBreak) + "\nb"},
		{"soft break at the end", "quoted-printable", "a=", "a"},
		{"no escape", "quoted-printable", "1=2 and =zz", "1=2 and =zz"},
		{"cut escape", "quoted-printable", "a=4", "a=4"},
		{"none", "7bit", "as=20it is", "as=20it is"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for how, in := range map[string]io.Reader{
				"at once":        strings.NewReader(c.in),
				"octet by octet": iotest.OneByteReader(strings.NewReader(c.in)),
				"with its end":   iotest.DataErrReader(strings.NewReader(c.in)),
			} {
				if got, err := io.ReadAll(Reader(c.encoding, in)); err != nil || string(got) != c.out {
					t.Errorf("%s: %q, %v", how, got, err)
				}
			}
		})
	}
}

func TestCut(t *testing.T) {
	for in, want := range map[string]bool{"YWJj": false, "YQ==": false, "YQ": true, "": false, "YWJjY": true} {
		r := Reader("base64", strings.NewReader(in)).(*Base64Reader)
		if _, err := io.ReadAll(r); err != nil || r.Cut() != want {
			t.Errorf("%q: cut %v, %v", in, r.Cut(), err)
		}
	}
}

func TestHex(t *testing.T) {
	const digits = "0123456789abcdef"
	for c := range 256 {
		want := strings.IndexByte(digits, byte(c)|0x20)
		if c < '0' || c > '9' && c < 'A' {
			want = -1
		}
		if got := Hex(byte(c)); got != want {
			t.Errorf("%q: %d, want %d", byte(c), got, want)
		}
	}
}
