package spamd

import (
	"errors"
	"io"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"mailweir/internal/spamscan"
	"mailweir/test/testbed"
)

const gtube = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"

// TestRealSpamd: whatever clients choose, a real spamd judges the message, and knows the client.
func TestRealSpamd(t *testing.T) {
	peer := testbed.StartSpamd(t)
	c := client(t, peer.Address)
	has := func(a spamscan.Answer, name string) bool {
		return slices.ContainsFunc(a.Symbols, func(s spamscan.Symbol) bool { return s.Name == name })
	}
	for name, tt := range map[string]struct {
		text      string
		change    func(*spamscan.Message)
		has, lack string
	}{
		"spam":          {"Subject: x\r\n\r\n" + gtube, nil, "GTUBE", ""},
		"local":         {text, nil, "NO_RELAYS", ""},
		"from a client": {text, func(m *spamscan.Message) { m.Client = netip.MustParseAddr("8.8.8.8") }, "", "NO_RELAYS"},
		"IPv6":          {text, func(m *spamscan.Message) { m.Client = netip.MustParseAddr("2001:4860::1") }, "", "NO_RELAYS"},
		"a login":       {text, func(m *spamscan.Message) { m.Client, m.Login = netip.MustParseAddr("8.8.8.8"), "bob" }, "ALL_TRUSTED", ""},
		"a forged one": {text, func(m *spamscan.Message) {
			m.Client, m.Helo = netip.MustParseAddr("8.8.8.8"), "x (y [10.0.0.1]) by us with ESMTPA id 1; "
		}, "", "ALL_TRUSTED"},
		"no last line end": {"Subject: x\r\n\r\n" + strings.TrimSpace(gtube), nil, "GTUBE", ""},
		"no header":        {"\r\n" + gtube, nil, "GTUBE", ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := message(func(m *spamscan.Message) {
				m.Open = func() io.Reader { return strings.NewReader(tt.text) }
				m.MTA, m.QueueID = "mx.example.org", "4AbC"
			})
			if tt.change != nil {
				tt.change(m)
			}
			a, err := c.Scan(t.Context(), m)
			if err != nil || (a.Action == spamscan.Reject) != (a.Score >= 5) || math.IsNaN(a.Score) || a.Required != 5 || tt.has != "" && !has(a, tt.has) || tt.lack != "" && has(a, tt.lack) {
				t.Errorf("%s, %v", a.Whole(), err)
			}
		})
	}
	if text, err := c.Ping(t.Context()); err != nil || text != "spamd, protocol SPAMD/1.5" {
		t.Errorf("ping: %q, %v", text, err)
	}
}

// TestRealRefusal: what spamd itself answers with an error is its answer.
func TestRealRefusal(t *testing.T) {
	c := client(t, testbed.StartSpamd(t).Address)
	for _, request := range []string{
		"SYMBOLS SPAMC/1.5\r\nContent-length: 10\r\n\r\nmore than ten octets", "SYMBOLS SPAMC/1.5\r\nContent-length: 100\r\n\r\nless", "symbols SPAMC/1.5\r\n\r\nx",
	} {
		text, err := c.ask(t.Context(), strings.NewReader(request))
		if err == nil {
			_, err = Parse(text)
		}
		var said *spamscan.AnsweredError
		if !errors.As(err, &said) {
			t.Errorf("%q: %q, %v", request, text, err)
		}
	}
}
