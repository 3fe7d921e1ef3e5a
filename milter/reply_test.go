package milter

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

func TestReplyPackets(t *testing.T) {
	tests := []struct {
		name     string
		code     int
		enhanced string
		text     string
		want     string
	}{
		{"plain", 550, "5.7.1", "No", "y550 5.7.1 No\x00"},
		{"percent signs", 451, "4.7.1", "50% of 100%%", "y451 4.7.1 50%% of 100%%%%\x00"},
		{"all that is printable", 550, "5.7.1", " !~", "y550 5.7.1  !~\x00"},
		{"421", 421, "4.3.2", "Unable to process connection at this time", "y421 4.3.2 Unable to process connection at this time\x00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := "\x00\x00\x00" + string(rune(len(tt.want))) + tt.want
			if got := string(refusal(refuseWith(t, tt.code, tt.enhanced, tt.text).Line)); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

// postfixReply is what Postfix takes for a reply (milter8_event, and the stricter check of later
// versions).
var postfixReply = regexp.MustCompile(`^(4\d\d 4|5\d\d 5)\.\d{1,3}\.\d{1,3} [ -~]+$`)

// FuzzReply: any line comes out as both MTAs read it.
func FuzzReply(f *testing.F) {
	f.Add("No thank you")
	f.Add("50% off %s %%")
	f.Add("two\r\nlines\x00and caf\xc3\xa9")
	f.Fuzz(func(t *testing.T, text string) {
		packet := encodeReply("550 5.7.1 x" + text)
		if bytes.IndexByte(packet, 0) != len(packet)-1 {
			t.Fatalf("%q: one NUL, and that at the end", packet)
		}
		line := string(packet[:len(packet)-1])
		if strings.Count(strings.ReplaceAll(line, "%%", ""), "%") > 0 {
			t.Errorf("%q has a single percent sign: Sendmail gives its own reply", line)
		}
		read := strings.ReplaceAll(line, "%%", "%") // what both MTAs make of it
		if !postfixReply.MatchString(read) {
			t.Errorf("Postfix does not take %q", read)
		}
		if printable := strings.Trim(text, printableASCII) == ""; printable && read != "550 5.7.1 x"+text {
			t.Errorf("%q became %q", text, read)
		}
	})
}

// printableASCII is every character from space to tilde.
var printableASCII = func() string {
	var b strings.Builder
	for c := byte(' '); c <= '~'; c++ {
		b.WriteByte(c)
	}
	return b.String()
}()
