package managed

import (
	"strings"
	"testing"

	"mailweir/internal/policy"
	"mailweir/internal/policytest"
)

// A permit for all counts for everybody, as mailweir permit does, if something vouches for the
// sender. Nobody blocks for all here.
func TestManagedPermitForAll(t *testing.T) {
	strict := policytest.Refuses("strict", func(*policy.Recipient) bool { return true })
	strict.Exempt = policy.ExemptPermitSender
	world := policytest.NewWorld()
	world.DNS, world.Lists, _ = policytest.Names{"vouched.example TXT": "v=spf1 ip4:192.0.2.1 -all", "forged.example TXT": "v=spf1 -all"}.Serve(t)
	p, err := policytest.Only(Check, strict).Build(world, "--managed-list=inline:{ {other@ours.example=block a@vouched.example} }")
	if err != nil {
		t.Fatal(err)
	}
	host := policytest.NewHost(t, world, p)
	const no = "rcpt 550 5.7.1 strict"
	want := func(from, to, said string) {
		t.Helper()
		if got := strings.Join(host.Send(policytest.Letter{From: from, To: []string{to}}).Said, "\n"); got != said {
			t.Errorf("%s to %s: said %q, want %q", from, to, got, said)
		}
	}
	want("a@vouched.example", "user@ours.example", no)
	c := &policy.Call{Backends: &policy.Backends{State: world.State, Clock: world.Clock}}
	for _, subject := range []string{"vouched.example", "forged.example"} {
		if _, err := add(t.Context(), c, request{Recipient: policy.Everybody, Subject: subject, Permit: true}); err != nil {
			t.Fatal(err)
		}
	}
	want("a@vouched.example", "user@ours.example", "")
	want("a@vouched.example", "another@ours.example", "")
	want("a@forged.example", "user@ours.example", no)
	want("a@vouched.example", "other@ours.example", "") // a permit of the administrator beats a recipient's block
	if _, err := add(t.Context(), c, request{Recipient: policy.Everybody, Subject: "bad.example"}); err == nil || !strings.Contains(err.Error(), "mailweir block add") {
		t.Errorf("a block for all: %v", err)
	}
	if list, err := list(t.Context(), c, request{Recipient: policy.Everybody}); len(list) != 2 || err != nil {
		t.Errorf("list %+v, %v", list, err)
	}
	if _, err := remove(t.Context(), c, request{Recipient: policy.Everybody, Subject: "vouched.example"}); err != nil {
		t.Fatal(err)
	}
	want("a@vouched.example", "user@ours.example", no)
}
