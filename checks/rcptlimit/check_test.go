package rcptlimit

import (
	"fmt"
	"strings"
	"testing"

	"mailweir/internal/policy"
	"mailweir/internal/policytest"
)

func TestRcptLimit(t *testing.T) {
	const refused = "rcpt 452 4.5.3 Too many recipients"
	to := func(n int) []string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf("user%d@ours.example", i))
		}
		return list
	}
	times := func(n int) string { return strings.TrimSuffix(strings.Repeat(refused+"\n", n), "\n") }
	three := []string{"--rcpt-limit-max=3"}
	blocked := policytest.Refuses("blocked", func(r *policy.Recipient) bool { return r.Address.Local == "bad" })
	policytest.Only(blocked, Check).Play(t, nil, []policytest.Scenario{
		{Name: "100", Mail: policytest.Letter{To: to(100)}},
		{Name: "300", Mail: policytest.Letter{To: to(300)}, Said: times(200)},
		{Name: "limit", Flags: three, Mail: policytest.Letter{To: to(5)}, Said: times(2), Events: "rcpt-limit deferred\nrcpt-limit deferred", Cause: "3 recipients accepted, limit 3"},
		{Name: "the same one again", Flags: three, Mail: policytest.Letter{To: append(to(3), "USER0@ours.example")}},
		{Name: "refused ones do not count", Flags: three, Mail: policytest.Letter{To: append([]string{"bad@ours.example"}, to(3)...)}, Said: "rcpt 550 5.7.1 blocked"},
		{Name: "trusted", Flags: three, Mail: policytest.Letter{Client: "127.0.0.1", To: to(5)}},
		{Name: "login", Flags: three, Mail: policytest.Letter{Login: "alice", To: to(5)}},
		{Name: "trusted with a limit", Flags: []string{"--rcpt-limit-trusted=4"}, Mail: policytest.Letter{Client: "127.0.0.1", To: to(5)}, Said: refused},
		{Name: "local submission", Flags: []string{"--rcpt-limit-trusted=4"}, Mail: policytest.Letter{Client: "none", To: to(5)}},
		{Name: "permitted", Flags: append(three, "--permit-clients=static:OK"), Mail: policytest.Letter{To: to(4)}, Said: refused},
		{Name: "off", Flags: []string{"--rcpt-limit-max=0"}, Mail: policytest.Letter{To: to(300)}},
		{Name: "monitor", Flags: append(three, "--rcpt-limit=monitor"), Mail: policytest.Letter{To: to(4)}, Events: "rcpt-limit would_refuse"},
		{Name: "defer", Flags: append(three, "--rcpt-limit=defer"), Mail: policytest.Letter{To: to(4)}, Said: refused},
	})
}

// Recipients that the MTA refused do not count, and the next message starts anew.
func TestRcptLimitCounts(t *testing.T) {
	p, err := policytest.Only(Check).Build(policytest.NewWorld(), "--rcpt-limit-max=1")
	if err != nil {
		t.Fatal(err)
	}
	h := policytest.NewHost(t, nil, p)
	s := h.Runner.NewSession()
	defer h.Leave(s)
	s.Connect(policytest.Letter{}.Connect())
	s.Helo(policy.HeloFacts{})
	for message := range 2 {
		s.Mail(policytest.Letter{}.Mail())
		s.RcptRefusedByMTA(policy.RcptFacts{Recipient: "nobody@ours.example"})
		if a := s.Rcpt(policy.RcptFacts{Recipient: "a@ours.example"}); a.Refuses() {
			t.Errorf("message %d: %v", message, a.Line)
		}
		if a := s.Rcpt(policy.RcptFacts{Recipient: "b@ours.example"}); a.Line.Code() != 452 {
			t.Errorf("message %d, second recipient: %v", message, a.Line)
		}
		s.EndOfHeaders()
		s.EndOfMessage("4AbC")
	}
}
