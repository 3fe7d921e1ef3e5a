package charset

import (
	"bufio"
	"io"
	"strings"
	"testing"
)

// TestLenientUTF8 decodes text that grows, so that it ends anywhere in the buffers.
func TestLenientUTF8(t *testing.T) {
	for _, c := range []struct{ in, out string }{
		{"\xe4bcdefghijk", "äbcdefghijk"},
		{"ab\x80", "ab€"},
		{"ä\xe4", "ää"},
	} {
		r := Reader("", bufio.NewReader(strings.NewReader(strings.Repeat(c.in, 5000))), false)
		if got, err := io.ReadAll(r); err != nil || string(got) != strings.Repeat(c.out, 5000) {
			t.Errorf("%q: %d octets, %v", c.in, len(got), err)
		}
	}
}
