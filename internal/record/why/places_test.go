package why

import (
	"slices"
	"testing"
)

// A port is no line, and a URL no file.
func TestPlaces(t *testing.T) {
	for name, one := range map[string]struct {
		text string
		want []Place
	}{
		"a file":               {"a@b is listed in /etc/mailweir/senders:12", []Place{{"/etc/mailweir/senders", 12}}},
		"at the beginning":     {"/etc/a:1: REJECT", []Place{{"/etc/a", 1}}},
		"on the second line":   {"no\n/etc/a:1", []Place{{"/etc/a", 1}}},
		"quoted":               {`"/etc/a:1" and '/etc/b:2' (/etc/c:3)`, []Place{{"/etc/a", 1}, {"/etc/b", 2}, {"/etc/c", 3}}},
		"a kind of table":      {"hash:/etc/a:7", []Place{{"/etc/a", 7}}},
		"each once":            {"/etc/a:1, /etc/b:2,/etc/a:1", []Place{{"/etc/a", 1}, {"/etc/b", 2}}},
		"a scanner":            {"tcp://127.0.0.1:25081: connection refused", nil},
		"a host by name":       {"clamd://scan.example.com:3310 does not answer", nil},
		"a path of a URL":      {"https://example.com/a:80", nil},
		"a socket as a URL":    {"unix:///run/clamd.sock:1", nil},
		"a network":            {"192.0.2.0/24:5", nil},
		"a relative path":      {"etc/a:1", nil},
		"line 0":               {"/etc/a:0", nil},
		"a file without lines": {"/etc/a", nil},
	} {
		if got := placesIn(one.text); !slices.Equal(got, one.want) {
			t.Errorf("%s: %v, want %v", name, got, one.want)
		}
	}
}
