package rbl

import "testing"

func TestPublicResolver(t *testing.T) {
	for server, want := range map[string]string{
		"8.8.8.8": "Google", "8.8.4.4:53": "Google", "1.1.1.1:53": "Cloudflare", "[2606:4700:4700::1111]:53": "Cloudflare", "9.9.9.9": "Quad9", "::ffff:9.9.9.9": "Quad9",
		"127.0.0.1:53": "", "192.0.2.1": "", "nonsense": "", "8.8.8.9": "",
	} {
		if got := PublicResolver(server); got != want {
			t.Errorf("%s is of %q, want %q", server, got, want)
		}
	}
}
