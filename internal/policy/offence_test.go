package policy

import "testing"

func TestOffenceShown(t *testing.T) {
	lasting := &Reply{Code: 550, Offence: OffenceBlocked}
	passing := &Reply{Code: 451, Offence: OffenceOpenRelay}
	for _, c := range []struct {
		name  string
		reply *Reply
		fate  Fate
		want  Offence
	}{
		{"permanent, refused", lasting, Refused, OffenceBlocked},
		{"permanent, but only deferred", lasting, Deferred, NoOffence},
		{"permanent, taken off", lasting, Removed, NoOffence},
		{"temporary, deferred", passing, Deferred, OffenceOpenRelay},
		{"temporary, refused by the administrator's code", passing, Refused, OffenceOpenRelay},
		{"shows none", &Reply{Code: 550}, Refused, NoOffence},
	} {
		if got := c.reply.Shown(c.fate); got != c.want {
			t.Errorf("%s: shows %s, want %s", c.name, got, c.want)
		}
	}
}
