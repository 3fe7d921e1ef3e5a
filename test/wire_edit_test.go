package test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"mailweir/internal/policy"
)

const editedMessage = "Received: from first.example by second.example; Mon, 23 Nov 2026 12:00:00 +0000\r\n" +
	"Date: Mon, 23 Nov 2026 12:00:00 +0000\r\n" +
	"Message-ID: <1@example.net>\r\n" +
	"From: alice@example.net\r\n" +
	"To: bob@example.org\r\n" +
	"X-One: first\r\n" +
	"X-Two: first\r\n" +
	"X-One: second\r\n" +
	"X-Two: second\r\n" +
	"Subject: edits\r\n" +
	"\r\n" +
	"hello"

// TestEditsArrive: what a check asks for is what arrives. An insertion counts those before it.
func TestEditsArrive(t *testing.T) {
	long := strings.Repeat("a word of many ", 40) + "end"
	edits := func(*policy.Reply) policy.Hooks {
		return policy.Hooks{MessageFor: func(r *policy.Recipient) (policy.Verdict, error) {
			if r.Address.Local == "carol" {
				return policy.Edits(policy.RemoveRecipient(r)), nil
			}
			return policy.Edits(
				policy.AddField("X-Long", long), policy.AddField("X-Hostile", "a\r\nX-Injected: yes\x00\n\nbody"),
				policy.InsertField(1, "X-Below", "below"), policy.InsertField(0, "X-Top", "top"),
				policy.ReplaceField("X-One", 2, "replaced"), policy.DeleteField("X-Two", 1), policy.ReplaceField("Received", 1, "replaced"),
			), nil
		}}
	}
	want := []string{
		"X-Top: top", "Received: from client.example", "X-Below: below", "Received: replaced", "Date: Mon, 23 Nov 2026 12:00:00 +0000",
		"Message-ID: <1@example.net>", "From: alice@example.net", "To: bob@example.org", "X-One: first", "X-One: replaced",
		"X-Two: second", "Subject: edits", "X-Long: " + long, "X-Hostile: a  X-Injected: yes   body",
	}
	onEachWire(t, edits, func(b *wireBed) {
		b.send("250", editedMessage, "bob@example.org", "Carol@example.org")
		m := b.mta.Arrived(b, 1)[0]
		if !slices.Equal(m.To, []string{"bob@example.org"}) {
			b.Errorf("it arrives at %q", m.To)
		}
		header, body, _ := strings.Cut(m.Data, "\n\n")
		if strings.TrimSpace(body) != "hello" {
			b.Errorf("body %q", body)
		}
		fields := strings.Split(strings.NewReplacer("\n ", " ", "\n\t", "\t").Replace(header), "\n")
		if len(fields) != len(want) {
			b.Fatalf("%d fields, want %d:\n%s", len(fields), len(want), header)
		}
		for i, field := range fields {
			if field != want[i] && (i != 1 || !strings.HasPrefix(field, want[i])) {
				b.Errorf("field %d: %q, want %q", i, field, want[i])
			}
		}
	})
}

// TestQuarantineArrives: the MTA holds the message for a person to look at.
func TestQuarantineArrives(t *testing.T) {
	hold := func(*policy.Reply) policy.Hooks {
		return policy.Hooks{Message: func(*policy.Message) (policy.Verdict, error) {
			return policy.Edits(policy.Quarantine("look at it")), nil
		}}
	}
	onEachWire(t, hold, func(b *wireBed) {
		accepted := regexp.MustCompile(`queued as (\w+)|(\w+) Message accepted`).FindStringSubmatch(b.send("250", editedMessage, "bob@example.org"))
		if accepted == nil {
			b.Fatal("no queue id")
		}
		if err := b.mta.WaitQuarantined(accepted[1] + accepted[2]); err != nil {
			b.Error(err)
		}
	})
}
