package checks

import "testing"

func TestHops(t *testing.T) {
	const refused = "end 554 5.4.6 Mail loop detected"
	received := func(n int) letter {
		l := letter{header: []string{"X-Received: by no one"}}
		for range n {
			l.header = append(l.header, "RECEIVED: from a by b")
		}
		return l
	}
	only(Hops).play(t, nil, []scenario{
		{name: "24", mail: received(24)},
		{name: "25", mail: received(25), said: refused, events: "hops refused", cause: "25 Received fields, limit 25"},
		{name: "trusted", mail: letter{client: "127.0.0.1", header: received(25).header}, said: refused},
		{name: "abuse", mail: letter{to: []string{"abuse@ours.example"}, header: received(25).header}, said: refused},
		{name: "permitted", flags: []string{"--permit-clients=static:OK"}, mail: received(25), said: refused},
		{name: "other limit", flags: []string{"--hops-max=3"}, mail: received(3), said: refused},
		{name: "below it", flags: []string{"--hops-max=3"}, mail: received(2)},
		{name: "no limit", flags: []string{"--hops-max=0"}, mail: received(100)},
		{name: "monitor", flags: []string{"--hops=monitor"}, mail: received(25), events: "hops would refuse"},
		{name: "defer", flags: []string{"--hops=defer"}, mail: received(25), said: "end 451 4.4.6 Mail loop detected"},
	})
}
