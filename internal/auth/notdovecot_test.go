package auth

import (
	"strings"
	"testing"
	"testing/synctest"
)

// What is no client socket of Dovecot's is called so: its userdb, LMTP, who says nothing.
func TestNotDovecot(t *testing.T) {
	for name, does := range map[string]func(*visit){
		"userdb":  func(v *visit) { v.say("VERSION\t1\t2", "SPID\t7"); v.hear() },
		"LMTP":    func(v *visit) { v.say("220 mail.example"); v.hear(); v.hear(); v.hear() },
		"silence": func(v *visit) { v.hear(); v.hear(); v.hear() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &dovecot{does: does}
				u := NewUpstream(UpstreamOptions{Dial: d.dial})
				defer u.Close()
				err := u.Greet(t.Context())
				if err == nil || !strings.Contains(err.Error(), "not a client socket of Dovecot's auth service") {
					t.Error(err)
				}
			})
		})
	}
}
