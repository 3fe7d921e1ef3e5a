package runner

import (
	"context"
	"strings"
	"testing"

	"mailweir/internal/policy"
)

// TestEdits: edits are done where their check is enforced for everyone, and come to nothing where
// the message is refused.
func TestEdits(t *testing.T) {
	const bad, good = "bad@ours.example", "good@ours.example"
	tag := func(name string) func(*policy.Recipient) (policy.Verdict, error) {
		return func(r *policy.Recipient) (policy.Verdict, error) {
			if r.Address.Local != "bad" {
				return policy.Pass, nil
			}
			return policy.Edits(policy.AddField("X-Tag", name+"\r\nX: y")), nil
		}
	}
	hold := func(*policy.Message) (policy.Verdict, error) {
		return policy.Edits(policy.Quarantine("look")), nil
	}
	a, b := check("a", policy.Hooks{MessageFor: tag("a")}), check("b", policy.Hooks{MessageFor: tag("b")}, fold(policy.AggregateAll))
	h := check("hold", policy.Hooks{Message: hold})
	refuse := check("refuse", policy.Hooks{Message: func(*policy.Message) (policy.Verdict, error) { return no("refuse") }})
	for _, tt := range []struct {
		name, flags string
		checks      []*policy.Check
		to          []string
		said        string
		events      []string
	}{
		{"one of two recipients", "", []*policy.Check{a}, []string{good, bad}, "change X-Tag: a  X: y", []string{"a changed good@ours.example,bad@ours.example"}},
		{"nobody", "", []*policy.Check{a}, []string{good}, "", nil},
		{"each field once", "", []*policy.Check{a}, []string{bad, bad}, "change X-Tag: a  X: y", []string{"a changed bad@ours.example,bad@ours.example"}},
		{"several checks", "", []*policy.Check{a, b, h}, []string{bad}, "change X-Tag: a  X: y; X-Tag: b  X: y; quarantine: look", []string{"a changed bad@ours.example", "b changed bad@ours.example", "hold changed bad@ours.example"}},
		{"a later check refuses", "", []*policy.Check{a, refuse}, []string{bad}, "end 550 5.7.1 refuse", []string{"refuse refused bad@ours.example"}},
		{"monitored", "--a=monitor", []*policy.Check{a}, []string{bad}, "", []string{"a would_change bad@ours.example"}},
		{"deferring is stricter than asked for", "--a=defer", []*policy.Check{a}, []string{bad}, "", []string{"a would_change bad@ours.example"}},
		{"a pilot for another", "--enforce-for=inline:{good@ours.example=x}", []*policy.Check{a}, []string{good, bad}, "", []string{"a would_change bad@ours.example"}},
		{"a pilot for one of two", "--enforce-for=inline:{bad@ours.example=x}", []*policy.Check{a}, []string{good, bad}, "", []string{"a would_change bad@ours.example"}},
		{"a pilot for all", "--enforce-for=inline:{bad@ours.example=x}", []*policy.Check{a}, []string{bad}, "change X-Tag: a  X: y", []string{"a changed bad@ours.example"}},
		{"before the end there is nothing to change", "", []*policy.Check{check("early", policy.Hooks{Mail: hold})}, []string{bad}, "", []string{"early would_change bad@ours.example"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, tt.flags, tt.checks...)
			wantSaid(t, r.send(mail(tt.to...)), strings.Split(tt.said, "\n")...)
			wantEvents(t, r, tt.events...)
		})
	}
}

// TestEditsNotDone: what the MTA has not granted is recorded and changes nothing, and no edit takes
// the last recipient off.
func TestEditsNotDone(t *testing.T) {
	const one, two = "one@ours.example", "two@ours.example"
	field, hold := policy.AddField("X-Tag", "a"), policy.Quarantine("look")
	off := func(spelling string) policy.Edit {
		return policy.Edit{Kind: policy.EditRemoveRecipient, Value: "<" + spelling + ">"}
	}
	asks := func(edits ...policy.Edit) *policy.Check {
		return check("a", policy.Hooks{Message: func(*policy.Message) (policy.Verdict, error) { return policy.Edits(edits...), nil }})
	}
	objects := check("a", policy.Hooks{MessageFor: func(r *policy.Recipient) (policy.Verdict, error) {
		if r.Address.Local == "one" {
			return no("a")
		}
		return policy.Pass, nil
	}}, fold(policy.AggregateRemove))
	for _, tt := range []struct {
		name   string
		check  *policy.Check
		denied policy.EditKinds
		to     []string
		said   string
		events []string
		edits  string // of all events
		fates  string // of those recipients
	}{
		{"granted", asks(field, hold), 0, []string{one}, "change X-Tag: a; quarantine: look", []string{"a changed " + one}, "X-Tag: a; quarantine: look", "accepted"},
		{"one kind denied", asks(field, hold), policy.Kinds(policy.EditQuarantine), []string{one}, "change X-Tag: a", []string{"a changed " + one, "a not_done " + one}, "quarantine: look; X-Tag: a", "accepted"},
		{"both denied", asks(field, hold), policy.Kinds(policy.EditQuarantine, policy.EditAdd), []string{one}, "", []string{"a not_done " + one}, "X-Tag: a; quarantine: look", "accepted"},
		{"a recipient is taken off", asks(off(one)), 0, []string{one, two}, "remove <" + one + ">", []string{"a changed " + one + "," + two}, "remove <" + one + ">", "removed accepted"},
		{"the last one is not", asks(off(one), off(two)), 0, []string{one, two}, "remove <" + one + ">", []string{"a changed " + one + "," + two, "a not_done " + one + "," + two}, "remove <" + two + ">; remove <" + one + ">", "removed accepted"},
		{"the only one, named twice, is not", asks(off(one)), 0, []string{one, one}, "", []string{"a not_done " + one + "," + one}, "remove <" + one + ">", "accepted accepted"},
		{"one who is named twice", asks(off(one)), 0, []string{one, two, one}, "remove <" + one + ">", []string{"a changed " + one + "," + two + "," + one}, "remove <" + one + ">", "removed accepted removed"},
		{"one who is not there", asks(off("else@ours.example")), 0, []string{one, two}, "", []string{"a not_done " + one + "," + two}, "remove <else@ours.example>", "accepted accepted"},
		{"removal denied to edits", asks(off(one)), policy.Kinds(policy.EditRemoveRecipient), []string{one, two}, "", []string{"a not_done " + one + "," + two}, "remove <" + one + ">", "accepted accepted"},
		{"an objection removes", objects, 0, []string{one, two}, "remove <" + one + ">", []string{"a removed " + one}, "", "removed accepted"},
		{"removal denied to objections", objects, policy.Kinds(policy.EditRemoveRecipient), []string{one, two}, "", []string{"a not_done " + one}, "remove <" + one + ">", "accepted accepted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fates := make(map[string]string)
			learn := check("learn", policy.Hooks{SettleRecipient: func(_ context.Context, r *policy.Recipient, o policy.Outcome) {
				fates[r.RcptFacts.Recipient] = o.Fate.String()
			}})
			r := newRig(t, "", tt.check, learn)
			l := mail(tt.to...)
			l.denied = tt.denied
			wantSaid(t, r.send(l), strings.Split(tt.said, "\n")...)
			wantEvents(t, r, tt.events...)
			var edits []policy.Edit
			for _, e := range r.seen.list {
				edits = append(edits, e.Edits...)
			}
			if got := policy.EditText(edits); got != tt.edits {
				t.Errorf("edits of the events %q, want %q", got, tt.edits)
			}
			var got []string
			for _, to := range tt.to {
				got = append(got, fates[to])
			}
			if strings.Join(got, " ") != tt.fates {
				t.Errorf("fates %q, want %q", got, tt.fates)
			}
		})
	}
}

// TestEditsBesideObjections: a check that refuses for some recipients only, in vain, still has its
// edits done.
func TestEditsBesideObjections(t *testing.T) {
	c := check("a", policy.Hooks{MessageFor: func(r *policy.Recipient) (policy.Verdict, error) {
		switch r.Address.Local {
		case "bad":
			return no("a")
		case "tagged":
			return policy.Edits(policy.AddField("X-Tag", "a")), nil
		}
		return policy.Pass, nil
	}}, fold(policy.AggregateAll))
	r := newRig(t, "", c)
	wantSaid(t, r.send(mail("bad@ours.example", "tagged@ours.example")), "change X-Tag: a")
	wantSaid(t, r.send(mail("bad@ours.example")), "end 550 5.7.1 a")
}

// TestPermittedEdits: edits give way to what their check is exempt for.
func TestPermittedEdits(t *testing.T) {
	c := check("a", policy.Hooks{Message: func(*policy.Message) (policy.Verdict, error) {
		return policy.Edits(policy.AddField("X-Tag", "a")), nil
	}}, func(c *policy.Check) { c.Exempt = policy.ExemptTrusted })
	r := newRig(t, "--trusted-nets=192.0.2.0/24", c)
	wantSaid(t, r.send(mail("a@ours.example")), "")
	wantEvents(t, r)
}
