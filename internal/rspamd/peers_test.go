package rspamd

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"

	"mailweir/internal/spamscan"
	"mailweir/test/testbed"
)

const gtube = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"

// TestRealRspamd: whatever clients choose, a real rspamd judges the message.
func TestRealRspamd(t *testing.T) {
	peer := testbed.StartRspamd(t)
	many := make([]string, 5000)
	for i := range many {
		many[i] = fmt.Sprintf("recipient-%d@a-rather-long-domain.example.org", i)
	}
	for name, tt := range map[string]struct {
		text   string
		change func(*spamscan.Message)
		want   string
	}{
		"spam":      {"Subject: x\r\n\r\n" + gtube, nil, "reject, score 15 of 15: GTUBE 0"},
		"marked":    {"Test-Score: 7\r\n\r\n", nil, "add header, score 7 of 15: TEST_SCORE 7"},
		"fine":      {"Subject: x\r\n\r\nhello\r\n", nil, "no action, score 0 of 15"},
		"no body":   {"Subject: x\r\n\r\n", nil, "no action, score 0 of 15"},
		"no header": {"\r\n" + gtube, nil, "reject, score 15 of 15: GTUBE 0"},
		"one octet": {"x", nil, "no action, score 0 of 15"},
		"NUL":       {"Subject: \x00\r\n\r\n\x00" + gtube, nil, "reject, score 15 of 15: GTUBE 0"},
		"1 MiB":     {"Test-Score: 7\r\n\r\n" + strings.Repeat("hello\r\n", 150_000), nil, "add header, score 7 of 15: TEST_SCORE 7"},
		"IPv6, UTF-8": {"Test-Score: 7\r\n\r\n", func(m *spamscan.Message) {
			m.Client, m.Sender = netip.MustParseAddr("2001:db8::1"), "jörg@example.net"
		}, "add header, score 7 of 15: TEST_SCORE 7"},
		"hostile names": {"Test-Score: 7\r\n\r\n", func(m *spamscan.Message) {
			m.Helo, m.Login = "a\r\n\r\nGET / HTTP/1.1", strings.Repeat("\xff,\x01", 9000)
		}, "add header, score 7 of 15: TEST_SCORE 7"},
		"a null sender":     {"Test-Score: 7\r\n\r\n", func(m *spamscan.Message) { m.Sender = "" }, "add header, score 7 of 15: TEST_SCORE 7"},
		"quoted recipients": {"Test-Score: 7\r\n\r\n", func(m *spamscan.Message) { m.Recipients = []string{`"a, b> c"@example.org`, "<>", ""} }, "add header, score 7 of 15: TEST_SCORE 7"},
		"5000 recipients":   {"Test-Score: 7\r\n\r\n", func(m *spamscan.Message) { m.Recipients = many }, "add header, score 7 of 15: TEST_SCORE 7"},
	} {
		t.Run(name, func(t *testing.T) {
			m := message(func(m *spamscan.Message) { m.Open = func() io.Reader { return strings.NewReader(tt.text) } })
			if tt.change != nil {
				tt.change(m)
			}
			for _, address := range []string{"http://" + peer.Address, "unix:" + peer.Socket} {
				a, err := client(t, address).Scan(t.Context(), m)
				if got, _, _ := strings.Cut(a.Whole(), "; not done"); err != nil || got != tt.want {
					t.Errorf("%s: %s, %v, want %s", address, a.Whole(), err, tt.want)
				}
			}
		})
	}
	if text, err := client(t, "http://"+peer.Address).Ping(t.Context()); err != nil || !strings.HasPrefix(text, "rspamd/") {
		t.Errorf("ping: %q, %v", text, err)
	}
}

// TestRealRefusal: what rspamd itself answers with an error is its answer.
func TestRealRefusal(t *testing.T) {
	c := client(t, "http://"+testbed.StartRspamd(t).Address)
	_, err := c.do(t.Context(), "POST", "/no-such-command", nil, strings.NewReader("x"), 1)
	var said *spamscan.AnsweredError
	if !errors.As(err, &said) || !strings.Contains(said.Said, "invalid command") {
		t.Errorf("error %v", err)
	}
}
