package checks

import (
	"fmt"
	"strings"
	"testing"

	"mailweir/internal/policy"
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
	blocked := refuses("blocked", func(r *policy.Recipient) bool { return r.Address.Local == "bad" })
	only(blocked, RcptLimit).play(t, nil, []scenario{
		{name: "100", mail: letter{to: to(100)}},
		{name: "300", mail: letter{to: to(300)}, said: times(200)},
		{name: "limit", flags: three, mail: letter{to: to(5)}, said: times(2), events: "rcpt-limit deferred\nrcpt-limit deferred", cause: "3 recipients accepted, limit 3"},
		{name: "the same one again", flags: three, mail: letter{to: append(to(3), "USER0@ours.example")}},
		{name: "refused ones do not count", flags: three, mail: letter{to: append([]string{"bad@ours.example"}, to(3)...)}, said: "rcpt 550 5.7.1 blocked"},
		{name: "trusted", flags: three, mail: letter{client: "127.0.0.1", to: to(5)}},
		{name: "login", flags: three, mail: letter{login: "alice", to: to(5)}},
		{name: "trusted with a limit", flags: []string{"--rcpt-limit-trusted=4"}, mail: letter{client: "127.0.0.1", to: to(5)}, said: refused},
		{name: "local submission", flags: []string{"--rcpt-limit-trusted=4"}, mail: letter{client: "none", to: to(5)}},
		{name: "permitted", flags: append(three, "--permit-clients=static:OK"), mail: letter{to: to(4)}, said: refused},
		{name: "off", flags: []string{"--rcpt-limit-max=0"}, mail: letter{to: to(300)}},
		{name: "monitor", flags: append(three, "--rcpt-limit=monitor"), mail: letter{to: to(4)}, events: "rcpt-limit would refuse"},
		{name: "defer", flags: append(three, "--rcpt-limit=defer"), mail: letter{to: to(4)}, said: refused},
	})
}

// Recipients that the MTA refused do not count, and the next message starts anew.
func TestRcptLimitCounts(t *testing.T) {
	p, err := only(RcptLimit).build(newWorld(), "--rcpt-limit-max=1")
	if err != nil {
		t.Fatal(err)
	}
	runner := policy.NewRunner(p, onlooker{}, policy.DefaultLimits)
	defer runner.Close()
	s := runner.NewSession()
	defer s.Close()
	s.Connect(letter{}.connect())
	s.Helo(policy.HeloFacts{})
	for message := range 2 {
		s.Mail(letter{}.mail())
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
