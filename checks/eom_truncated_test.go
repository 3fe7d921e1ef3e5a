package checks

import (
	"context"
	"strings"
	"testing"
	"time"
)

// cut is a message whose multipart is not closed.
func cut(header ...string) letter {
	return letter{header: append(header, "Content-Type: multipart/mixed; boundary=b"), body: "--b\r\n\r\nhello\r\n"}
}

func TestTruncated(t *testing.T) {
	const again = "end 451 4.6.0 Message ended early"
	whole := cut()
	whole.body += "--b--\r\n"
	only(Truncated).play(t, []string{"--truncated=enforce"}, []scenario{
		{name: "whole", mail: whole},
		{name: "no closing boundary", mail: cut(), said: again, cause: "multipart without its closing boundary; seen 0 times before"},
		{name: "base64", mail: letter{header: []string{"Content-Transfer-Encoding: base64"}, body: "YWJjZA\r\n"}, said: again, cause: "base64 cut short"},
		{name: "NUL", mail: letter{body: "a\x00b\r\n"}, said: again, cause: "NUL octets"},
		{name: "no part", mail: letter{header: []string{"Content-Type: multipart/mixed; boundary=b"}, body: "hello\r\n"}, said: again},
		{name: "plain text", mail: letter{body: "hello\r\n"}},
		{name: "no body at all", mail: letter{header: []string{"Subject: x"}}},
		{name: "monitored by default", flags: []string{"--truncated=monitor"}, mail: cut(), events: "truncated would refuse"},
		{name: "off", flags: []string{"--truncated=off"}, mail: cut()},
		{name: "bypass", flags: []string{"--truncated-bypass=inline:{ours.example=OK}"}, mail: cut()},
	})
}

// deliveries sends letters one after the other, with the clock going on before each, and returns what was said.
func deliveries(t *testing.T, flags []string, pause time.Duration, letters ...letter) string {
	t.Helper()
	h := only(Truncated).host(t, flags...)
	var said []string
	for _, l := range letters {
		h.after(pause)
		answer := strings.Join(h.visit(l), "; ")
		if code, rest, found := strings.Cut(strings.TrimPrefix(answer, "end "), " "); found {
			answer = code + " " + strings.Fields(rest)[0]
		}
		said = append(said, answer)
	}
	if _, err := h.world.State.Stats(context.Background()); err != nil {
		t.Error(err)
	}
	return strings.Join(said, ", ")
}

// TestTruncatedEnds: the third try of the same message is refused for good.
func TestTruncatedEnds(t *testing.T) {
	first, other := cut("Message-Id: <a@b>"), cut("Message-Id: <other@b>")
	another := first
	another.from = "someone@else.example"
	for _, c := range []struct {
		name    string
		flags   string
		pause   time.Duration
		letters []letter
		want    string
	}{
		{"three times", "enforce", time.Hour, []letter{first, first, first, first}, "451 4.6.0, 451 4.6.0, 554 5.6.0, 554 5.6.0"},
		{"another message between", "enforce", time.Hour, []letter{first, other, first, other, first}, "451 4.6.0, 451 4.6.0, 451 4.6.0, 451 4.6.0, 554 5.6.0"},
		{"another sender", "enforce", time.Hour, []letter{first, another, first, another}, "451 4.6.0, 451 4.6.0, 451 4.6.0, 451 4.6.0"},
		{"weeks apart", "enforce", 4 * 24 * time.Hour, []letter{first, first, first}, "451 4.6.0, 451 4.6.0, 451 4.6.0"},
		{"by header section", "enforce", time.Hour, []letter{cut("Subject: x"), cut("Subject: y"), cut("Subject: x"), cut("Subject: x")}, "451 4.6.0, 451 4.6.0, 451 4.6.0, 554 5.6.0"},
		{"deferred", "defer", time.Hour, []letter{first, first, first}, "451 4.6.0, 451 4.6.0, 451 4.6.0"},
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
	world := newWorld()
	for i, mode := range []string{"monitor", "monitor", "enforce"} {
		p, err := only(Truncated).build(world, "--truncated="+mode)
		if err != nil {
			t.Fatal(err)
		}
		c := scenario{mail: cut("Message-Id: <a@b>"), events: "truncated would refuse"}
		if i == 2 {
			c.said, c.events = "end 554 5.6.0 Message ended early", "truncated refused"
		}
		c.check(t, p)
	}
}
