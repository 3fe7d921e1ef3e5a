package entry

import (
	"testing"
	"time"
)

func TestOrigin(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.FixedZone("", 3600))
	for _, c := range []struct {
		name string
		in   Origin
		want string
	}{
		{"with a note", Origin{By: "root", UID: 7, At: at, Note: "stolen password"}, "by root (uid 7) on 2026-11-23 11:00:00: stolen password"},
		{"without", Origin{By: "bob", At: at}, "by bob (uid 0) on 2026-11-23 11:00:00"},
		{"of the console", Origin{By: "anna", UID: -1, At: at}, "by anna on 2026-11-23 11:00:00"},
		{"what a log must not show", Origin{By: "root", At: at, Note: "a\x1b[31m\nb"}, "by root (uid 0) on 2026-11-23 11:00:00: a(31m b"},
	} {
		got := Read(c.in.Value())
		if got.String() != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if !got.At.Equal(c.in.At) {
			t.Errorf("%s: at %s, want %s", c.name, got.At, c.in.At)
		}
	}
	if got := Read([]byte("{")); got != (Origin{}) {
		t.Errorf("from nothing that can be read: %+v", got)
	}
}

func TestUntil(t *testing.T) {
	if got := Until(time.Time{}); got != "permanently" {
		t.Error(got)
	}
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.FixedZone("", 3600))
	if got := Until(at); got != "until 2026-11-23 11:00:00" {
		t.Error(got)
	}
}
