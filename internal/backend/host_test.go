package backend

import "testing"

func TestLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost": true, "127.0.0.1": true, "127.1.2.3": true, "::1": true, "[::1]": true, "::ffff:127.0.0.1": true,
		"/run/socket": true, "": true,
		"localhost.example": false, "192.0.2.1": false, "2001:db8::1": false, "0.0.0.0": false, "scanner": false,
	} {
		if Loopback(host) != want {
			t.Errorf("%q: %t, want %t", host, !want, want)
		}
	}
}
