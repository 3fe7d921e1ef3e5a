package passwords

import (
	"strings"
	"testing"
)

// Whatever the file holds is read or refused, and an error repeats nothing of a line.
func FuzzParse(f *testing.F) {
	f.Add(entry("alice", "one") + "# x\n\nbob:{BLF-CRYPT}$2y$05$abcdefghijklmnopqrstuABCDEFGHIJKLMNOPQRSTUVWXYZ012345::::::\n")
	f.Add("a:{ARGON2ID}$argon2id$v=19$m=4294967304,t=4294967295,p=255$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA")
	f.Add("a:b\na:{X}y\nA:\n:\n")
	f.Fuzz(func(t *testing.T, text string) {
		entries, err := parse("passwd", text, ofDovecot)
		if err != nil {
			for line := range strings.Lines(text) {
				if line = strings.TrimSpace(line); len(line) > 40 && strings.Contains(err.Error(), line) {
					t.Errorf("%v repeats %q", err, line)
				}
			}
			return
		}
		for login, e := range entries {
			h := e.hash
			if name, ok := Login(login); !ok || name != login {
				t.Errorf("the login %q", login)
			}
			if h.effort() < 1 || h.effort() > 60<<maxCost && h.effort() > maxKiBPass || h.memory() > maxKiB<<10 {
				t.Errorf("%v is out of bounds", h)
			}
		}
	})
}
