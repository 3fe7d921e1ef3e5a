package attempts_test

import (
	"context"
	"testing"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/record/attempts"
	"mailweir/internal/record/files"
)

// The queries find in a real record what is meant: every form of the sender, the null sender, a
// recipient however it is written, and one without a domain.
func TestInFiles(t *testing.T) {
	for name, c := range map[string]struct {
		tries []try
		m     attempts.Mail
		want  string
	}{
		"VERP": {
			tries: []try{{fate: policy.Deferred, from: "bounce-1@else.example"}, {minute: 12, from: "BOUNCE-2@Else.example"}, {minute: 13, from: "bounce-3@third.example"}},
			m:     attempts.Mail{Sender: "bounce-1@else.example", Recipient: "bob@ours.example"}, want: "accepted after 12m (2 attempts)",
		},
		"the null sender": {
			tries: []try{{fate: policy.Deferred, from: "<>"}, {minute: 1, from: "x@else.example"}, {minute: 2, from: "<>"}},
			m:     attempts.Mail{Recipient: "bob@ours.example"}, want: "accepted after 2m (2 attempts)",
		},
		"in other letters": {
			tries: []try{{fate: policy.Deferred, to: `"Bob"@OURS.example.`}, {minute: 3}},
			m:     attempts.Mail{Sender: "a@else.example", Recipient: "BOB@ours.example"}, want: "accepted after 3m (2 attempts)",
		},
		"without a domain": {
			tries: []try{{fate: policy.Deferred, from: "root", to: "postmaster"}, {minute: 3, from: "root", to: "postmaster"}, {minute: 2, from: "bin", to: "postmaster"}},
			m:     attempts.Mail{Sender: "root", Recipient: "postmaster"}, want: "accepted after 3m (2 attempts)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			clock := noon
			store, err := files.Open(t.Context(), t.TempDir(), files.Options{Clock: func() time.Time { return clock }})
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			h := new(history)
			h.add(c.tries...)
			clock = noon.Add(time.Hour)
			if err := store.Write(context.Background(), h.entries, nil); err != nil {
				t.Fatal(err)
			}
			c.m.At = noon
			chain, err := attempts.Find(t.Context(), store, c.m, clock)
			if err != nil || chain.String() != c.want {
				t.Errorf("%s, %v, want %s", chain, err, c.want)
			}
		})
	}
}
