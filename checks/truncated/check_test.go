package truncated

import (
	"context"
	"strings"
	"testing"
	"time"

	"mailweir/internal/policytest"
)

// cut is a message whose multipart is not closed.
func cut(header ...string) policytest.Letter {
	return policytest.Letter{Header: append(header, "Content-Type: multipart/mixed; boundary=b"), Body: "--b\r\n\r\nhello\r\n"}
}

func TestTruncated(t *testing.T) {
	const again = "end 451 4.6.0 Message ended early"
	whole := cut()
	whole.Body += "--b--\r\n"
	policytest.Only(Check).Play(t, []string{"--truncated=enforce"}, []policytest.Scenario{
		{Name: "whole", Mail: whole},
		{Name: "no closing boundary", Mail: cut(), Said: again, Cause: "multipart without its closing boundary; seen 0 times before"},
		{Name: "base64", Mail: policytest.Letter{Header: []string{"Content-Transfer-Encoding: base64"}, Body: "YWJjZA\r\n"}, Said: again, Cause: "base64 cut short"},
		{Name: "NUL", Mail: policytest.Letter{Body: "a\x00b\r\n"}, Said: again, Cause: "NUL octets"},
		{Name: "no part", Mail: policytest.Letter{Header: []string{"Content-Type: multipart/mixed; boundary=b"}, Body: "hello\r\n"}, Said: again},
		{Name: "plain text", Mail: policytest.Letter{Body: "hello\r\n"}},
		{Name: "no body at all", Mail: policytest.Letter{Header: []string{"Subject: x"}}},
		{Name: "monitored by default", Flags: []string{"--truncated=monitor"}, Mail: cut(), Events: "truncated would_refuse"},
		{Name: "off", Flags: []string{"--truncated=off"}, Mail: cut()},
		{Name: "bypass", Flags: []string{"--truncated-bypass=inline:{ours.example=OK}"}, Mail: cut()},
	})
}

// deliveries sends letters one after the other, with the clock going on before each, and returns
// what was said.
func deliveries(t *testing.T, flags []string, pause time.Duration, letters ...policytest.Letter) string {
	t.Helper()
	h := policytest.Only(Check).Host(t, flags...)
	var said []string
	for _, l := range letters {
		h.After(pause)
		answer := strings.Join(h.Visit(l), "; ")
		if code, rest, found := strings.Cut(strings.TrimPrefix(answer, "end "), " "); found {
			answer = code + " " + strings.Fields(rest)[0]
		}
		said = append(said, answer)
	}
	if _, err := h.World.State.Stats(context.Background()); err != nil {
		t.Error(err)
	}
	return strings.Join(said, ", ")
}

// TestTruncatedEnds: the third try of the same message is refused permanently.
func TestTruncatedEnds(t *testing.T) {
	first, other := cut("Message-Id: <a@b>"), cut("Message-Id: <other@b>")
	another := first
	another.From = "someone@else.example"
	for _, c := range []struct {
		name    string
		flags   string
		pause   time.Duration
		letters []policytest.Letter
		want    string
	}{
		{"three times", "enforce", time.Hour, []policytest.Letter{first, first, first, first}, "451 4.6.0, 451 4.6.0, 554 5.6.0, 554 5.6.0"},
		{"another message between", "enforce", time.Hour, []policytest.Letter{first, other, first, other, first}, "451 4.6.0, 451 4.6.0, 451 4.6.0, 451 4.6.0, 554 5.6.0"},
		{"another sender", "enforce", time.Hour, []policytest.Letter{first, another, first, another}, "451 4.6.0, 451 4.6.0, 451 4.6.0, 451 4.6.0"},
		{"weeks apart", "enforce", 4 * 24 * time.Hour, []policytest.Letter{first, first, first}, "451 4.6.0, 451 4.6.0, 451 4.6.0"},
		{"by header section", "enforce", time.Hour, []policytest.Letter{cut("Subject: x"), cut("Subject: y"), cut("Subject: x"), cut("Subject: x")}, "451 4.6.0, 451 4.6.0, 451 4.6.0, 554 5.6.0"},
		{"deferred", "defer", time.Hour, []policytest.Letter{first, first, first}, "451 4.6.0, 451 4.6.0, 451 4.6.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := deliveries(t, []string{"--truncated=" + c.flags}, c.pause, c.letters...); got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
}

// TestTruncatedMonitorLearns: what is only recorded counts as if it had been answered.
func TestTruncatedMonitorLearns(t *testing.T) {
	world := policytest.NewWorld()
	for i, mode := range []string{"monitor", "monitor", "enforce"} {
		p, err := policytest.Only(Check).Build(world, "--truncated="+mode)
		if err != nil {
			t.Fatal(err)
		}
		c := policytest.Scenario{Mail: cut("Message-Id: <a@b>"), Events: "truncated would_refuse"}
		if i == 2 {
			c.Said, c.Events = "end 554 5.6.0 Message ended early", "truncated refused"
		}
		c.Check(t, p)
	}
}
