package runner

import (
	"strings"
	"testing"

	"mailweir/internal/policy"
)

// TestChange: an objection that asks for a change of the message lets it go on, changed, where it is enforced for everyone.
func TestChange(t *testing.T) {
	const bad, good = "bad@ours.example", "good@ours.example"
	tag := func(name string) func(*policy.Recipient) (policy.Verdict, error) {
		return func(r *policy.Recipient) (policy.Verdict, error) {
			if r.Address.Local != "bad" {
				return policy.Pass, nil
			}
			return policy.Object(reply(name)).Changing(policy.Change{Fields: []policy.Field{{Name: "X-Tag", Value: name + "\r\nX: y"}}}), nil
		}
	}
	hold := func(*policy.Message) (policy.Verdict, error) {
		return policy.Object(reply("hold")).Changing(policy.Change{Quarantine: "look"}), nil
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
		{"one of two recipients", "", []*policy.Check{a}, []string{good, bad}, "change X-Tag: a X: y", []string{"a changed good@ours.example,bad@ours.example"}},
		{"nobody", "", []*policy.Check{a}, []string{good}, "", nil},
		{"each field once", "", []*policy.Check{a}, []string{bad, bad}, "change X-Tag: a X: y", []string{"a changed bad@ours.example,bad@ours.example"}},
		{"several checks", "", []*policy.Check{a, b, h}, []string{bad}, "change quarantine: look; X-Tag: a X: y; X-Tag: b X: y", []string{"a changed bad@ours.example", "b changed bad@ours.example", "hold changed bad@ours.example"}},
		{"a later check refuses", "", []*policy.Check{a, refuse}, []string{bad}, "end 550 5.7.1 refuse", []string{"refuse refused bad@ours.example"}},
		{"monitored", "--a=monitor", []*policy.Check{a}, []string{bad}, "", []string{"a would_refuse bad@ours.example"}},
		{"deferring is stricter than asked for", "--a=defer", []*policy.Check{a}, []string{bad}, "", []string{"a would_refuse bad@ours.example"}},
		{"a pilot for another", "--enforce-for=inline:{good@ours.example=x}", []*policy.Check{a}, []string{good, bad}, "", []string{"a would_refuse bad@ours.example"}},
		{"a pilot for one of two", "--enforce-for=inline:{bad@ours.example=x}", []*policy.Check{a}, []string{good, bad}, "", []string{"a would_refuse bad@ours.example"}},
		{"a pilot for all", "--enforce-for=inline:{bad@ours.example=x}", []*policy.Check{a}, []string{bad}, "change X-Tag: a X: y", []string{"a changed bad@ours.example"}},
		{"before the end there is nothing to change", "", []*policy.Check{check("early", policy.Hooks{Mail: hold})}, []string{bad}, "", []string{"early would_refuse bad@ours.example"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, tt.flags, tt.checks...)
			wantSaid(t, r.send(mail(tt.to...)), strings.Split(tt.said, "\n")...)
			wantEvents(t, r, tt.events...)
		})
	}
}
