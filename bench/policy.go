package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mailweir/test/testbed"
)

// people is how many clients write to one user in the part policy, each in a net of his own and
// under an address of his own.
const people = 2000

// policyCase is one kind of load.
type policyCase struct {
	state                string // memory, file or redis
	name                 string
	flags                []string
	connections, letters int
}

// recipientsHere are the recipients of the load.
const recipientsHere = "--local-domains=inline:{example.org=x}"

// policyCases are the whole default policy on each state, and greylisting alone on the embedded
// one.
func policyCases() []policyCase {
	const whole, alone = "whole default policy", "greylisting, all other checks off"
	local := []string{recipientsHere}
	var list []policyCase
	for _, state := range []string{"memory", "file", "redis"} {
		for _, connections := range []int{8, 64} {
			for _, letters := range []int{1, 5} {
				list = append(list, policyCase{state, whole, local, connections, letters})
			}
		}
	}
	monitored := slices.Concat(local, othersOff(), []string{"--greylist-skip-spf=false"})
	return append(list, policyCase{"file", alone, monitored, 8, 1}, policyCase{"file", alone, monitored, 64, 1})
}

// policyPeer is a filter that takes part in a case.
type policyPeer struct {
	contender
	pid   int
	load  load
	redis *testbed.Redis // its own, nil on another state

	rate, cpu, reads, theirs sample
}

var cFilter = contender{name: "C filter that does nothing", native: true}

// policy measures whole messages under the default policy, over the milter protocol: so any program
// can take part.
func (b *bench) policy() error {
	fmt.Printf("The default policy over the milter protocol (20 header fields, 8 KiB body, %d clients and senders in turn, a name server that "+
		"knows no name; median of %d rounds of %v, lowest and highest in brackets):\n\n", people, b.rounds, b.duration)
	row("state", "policy", "program", "sessions", "messages a connection", "messages/s", "CPU µs a message", "of the C filter", "of before",
		"reads of Redis a message", "CPU µs of Redis")
	row("---", "---", "---", "--:", "--:", "--:", "--:", "--:", "--:", "--:", "--:")
	for _, c := range policyCases() {
		if b.states != "" && !slices.Contains(strings.Split(b.states, ","), c.state) {
			continue
		}
		if err := b.policyRows(c); err != nil {
			return fmt.Errorf("%s on %s: %w", c.name, c.state, err)
		}
	}
	fmt.Println()
	return nil
}

// policyRows lets this program, that of -against and the C filter take turns.
func (b *bench) policyRows(c policyCase) error {
	h := b.Part()
	defer h.Close()
	dns := testbed.StartNameServer(h, testbed.NameServerConfig{}).Address
	ours := b.policyPeer(h, contender{name: "mailweir"}, c, dns)
	peers := []*policyPeer{ours}
	if b.against != "" {
		peers = append(peers, b.policyPeer(h, contender{name: "mailweir", before: true}, c, dns))
	}
	yardstick := b.policyPeer(h, cFilter, c, dns)
	peers = append(peers, yardstick)
	if err := b.policyTurns(peers); err != nil {
		return err
	}
	for _, p := range peers {
		of := ""
		if p == ours && b.against != "" {
			of = p.cpu.against(peers[1].cpu)
		}
		row(c.state, c.name, p.contender, c.connections, c.letters, p.rate, p.cpu, p.cpu.against(yardstick.cpu), of,
			p.reads.decimals(), p.theirs)
	}
	return nil
}

// policyTurns lets the peers take turns.
func (b *bench) policyTurns(peers []*policyPeer) error {
	for _, p := range peers { // warm up: every person has been seen
		if _, _, err := measure(p.pid, p.load, b.duration); err != nil {
			return fmt.Errorf("%v: %w", p.contender, err)
		}
	}
	for range b.rounds {
		for _, p := range peers {
			if err := p.round(b); err != nil {
				return fmt.Errorf("%v: %w", p.contender, err)
			}
		}
	}
	return nil
}

func (b *bench) policyPeer(h testbed.TB, program contender, c policyCase, dns string) *policyPeer {
	p := &policyPeer{contender: program}
	if !program.native {
		place := "memory:"
		switch c.state {
		case "file":
			place = "file:" + filepath.Join(testbed.TempDir(h), "state")
		case "redis":
			p.redis = testbed.StartRedis(h)
			place = "redis://" + p.redis.Address
		}
		p.flags = append(slices.Clone(c.flags), "--state="+place, "--dns="+dns)
	}
	pid, socket := b.start(h, p.contender, "")
	p.pid = pid
	p.load = load{socket: socket, connections: c.connections, letters: usualLetters(c.letters, bodySize), people: people}
	return p
}

// round measures one round of this peer.
func (p *policyPeer) round(b *bench) error {
	reads, theirs, err := p.ofRedis()
	if err != nil {
		return err
	}
	m, err := measureLoad(p.pid, p.load, b.duration)
	if err != nil {
		return err
	}
	p.rate, p.cpu = append(p.rate, m.rate()), append(p.cpu, m.cost(m.cpu))
	if p.redis == nil {
		return nil
	}
	readsAfter, theirsAfter, err := p.ofRedis()
	p.reads = append(p.reads, float64(readsAfter-reads)/float64(m.messages))
	p.theirs = append(p.theirs, m.cost(theirsAfter-theirs))
	return err
}

// ofRedis is how often the server has read from its connections so far, and its processor time.
func (p *policyPeer) ofRedis() (reads int64, cpu time.Duration, err error) {
	if p.redis == nil {
		return 0, 0, nil
	}
	if cpu, err = cpuTime(p.redis.PID()); err != nil {
		return 0, 0, err
	}
	reads, err = serverReads(p.redis)
	return reads, cpu, err
}
