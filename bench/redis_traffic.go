package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"mailweir/test/testbed"
)

// redisPlace is where checks remember: a server, or the primaries of a cluster.
type redisPlace struct {
	name, spec string
	nodes      []*testbed.Redis
}

// redisPlaces are one server and a cluster of three, whose rows are placed in two ways.
func redisPlaces(h testbed.TB) []redisPlace {
	single := testbed.StartRedis(h)
	nodes := testbed.StartRedisCluster(h).Primaries()
	spec := "redis://" + nodes[0].Address + "?cluster=yes"
	return []redisPlace{
		{"one server", "redis://" + single.Address, []*testbed.Redis{single}},
		{"cluster of 3", spec, nodes},
		{"cluster of 3, place=net", spec + "&place=net", nodes},
	}
}

// traffic prints what a message asks of Redis: octets, commands, reads, processor time. At one
// session nobody shares a read, so reads are the round trips of a message, each node's for itself.
func (b *bench) traffic() error {
	fmt.Printf("What a message under the whole default policy asks of Redis (medians of %d rounds of %v):\n\n", b.rounds, b.duration)
	row("Redis", "clients", "sessions", "messages a connection", "messages/s", "scripts", "commands in all", "reads of the servers",
		"octets to them", "octets from them", "their CPU µs", "CPU µs of mailweir", "connections")
	row("---", "---", "--:", "--:", "--:", "--:", "--:", "--:", "--:", "--:", "--:", "--:", "--:")
	h := b.Part()
	defer h.Close()
	for _, place := range redisPlaces(h) {
		if err := b.trafficOf(place); err != nil {
			return fmt.Errorf("%s: %w", place.name, err)
		}
	}
	fmt.Println()
	return nil
}

// trafficOf measures one place: first clients who have never been seen, in one round, for they are
// known afterwards.
func (b *bench) trafficOf(place redisPlace) error {
	h := b.Part()
	defer h.Close()
	names := testbed.StartNameServer(h, testbed.NameServerConfig{})
	m := testbed.StartMailweir(h, testbed.MailweirConfig{
		Binary: b.mailweir, Flags: []string{"--local-domains=inline:{example.org=x}", "--state=" + place.spec, "--dns=" + names.Address},
	})
	const everybody = 1 << 16 // as many nets as clientOf has
	for _, c := range []struct {
		clients                       string
		people, sessions, each, times int
	}{
		{"new", everybody, 64, 1, 1},
		{"known", people, 1, 1, b.rounds},
		{"known", people, 8, 1, b.rounds},
		{"known", people, 64, 1, b.rounds},
		{"known", people, 8, 5, b.rounds},
	} {
		l := load{socket: m.Socket, connections: c.sessions, letters: usualLetters(c.each, bodySize), people: c.people}
		var t redisTraffic
		for range c.times {
			if err := t.round(place, m.PID(), l, b.duration); err != nil {
				return err
			}
		}
		row(place.name, c.clients, c.sessions, c.each, t.rate, t.scripts.decimals(), t.commands, t.reads.decimals(), t.in, t.out, t.theirs, t.own,
			t.connections)
	}
	return nil
}

// redisTraffic is what rounds have measured, a message.
type redisTraffic struct {
	rate, scripts, commands, reads, in, out, theirs, own sample
	connections                                          int64 // all servers'
}

func (t *redisTraffic) round(place redisPlace, pid int, l load, during time.Duration) error {
	before, err := countersOf(place.nodes)
	if err != nil {
		return err
	}
	m, err := measureLoad(pid, l, during)
	if err != nil {
		return err
	}
	after, err := countersOf(place.nodes)
	if err != nil {
		return err
	}
	each := func(before, after int64) float64 { return float64(after-before) / float64(m.messages) }
	t.rate, t.own = append(t.rate, m.rate()), append(t.own, m.cost(m.cpu))
	t.scripts = append(t.scripts, each(before.scripts, after.scripts))
	t.commands = append(t.commands, each(before.commands, after.commands))
	t.reads = append(t.reads, each(before.reads, after.reads))
	t.in = append(t.in, each(before.in, after.in))
	t.out = append(t.out, each(before.out-before.copied, after.out-after.copied)) // without what replicas get
	t.theirs = append(t.theirs, m.cost(after.cpu-before.cpu))
	t.connections = after.clients - int64(len(place.nodes)) // without the one that asks each
	return nil
}

// redisCounters are the sums of several servers since they began.
type redisCounters struct {
	scripts, commands, reads, in, out, copied, clients int64
	cpu                                                time.Duration
}

func countersOf(nodes []*testbed.Redis) (sum redisCounters, err error) {
	for _, node := range nodes {
		cpu, err := cpuTime(node.PID())
		if err != nil {
			return sum, err
		}
		sum.cpu += cpu
		for _, c := range []struct {
			section, name string
			to            *int64
		}{
			{"commandstats", "cmdstat_evalsha:calls=", &sum.scripts},
			{"stats", "total_commands_processed:", &sum.commands},
			{"stats", "total_reads_processed:", &sum.reads},
			{"stats", "total_net_input_bytes:", &sum.in},
			{"stats", "total_net_output_bytes:", &sum.out},
			{"stats", "total_net_repl_output_bytes:", &sum.copied},
			{"clients", "connected_clients:", &sum.clients},
		} {
			text, err := node.Ask("INFO", c.section)
			if err != nil {
				return sum, err
			}
			*c.to += infoOf(text, c.name)
		}
	}
	return sum, nil
}

// infoOf is a number of what a server tells of itself, 0 where it says nothing of it.
func infoOf(text, name string) int64 {
	_, after, _ := strings.Cut(text, name)
	digits := len(after) - len(strings.TrimLeft(after, "0123456789"))
	n, _ := strconv.ParseInt(after[:digits], 10, 64) // 0 where there is none
	return n
}
