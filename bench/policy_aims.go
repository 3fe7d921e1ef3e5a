package main

import (
	"fmt"

	"mailweir/test/testbed"
)

// policyAims are the whole default policy beside the C filter, on each state, and what it asks of
// Redis.
func (b *bench) policyAims() ([]aim, error) {
	single, onRedis, err := b.policyRatios(1, map[string]float64{"memory": 0.5, "file": 0.6, "redis": 0.8})
	if err != nil {
		return nil, err
	}
	several, _, err := b.policyRatios(5, map[string]float64{"memory": 0.4, "file": 0.6, "redis": 0.8})
	if err != nil {
		return nil, err
	}
	h := b.Part()
	defer h.Close()
	dns := testbed.StartNameServer(h, testbed.NameServerConfig{}).Address
	crowd := b.policyPeer(h, contender{name: "mailweir"}, wholeDefault("redis", 64, 1), dns)
	err = b.policyTurns([]*policyPeer{crowd})
	return append(append(single, several...), readsAim(onRedis, 4), readsAim(crowd, 2)), err
}

// policyRatios have mailweir on each state and the C filter take turns at eight sessions. The peer
// on Redis is returned, too.
func (b *bench) policyRatios(letters int, most map[string]float64) (aims []aim, onRedis *policyPeer, err error) {
	h := b.Part()
	defer h.Close()
	dns := testbed.StartNameServer(h, testbed.NameServerConfig{}).Address
	var peers []*policyPeer
	states := []string{"memory", "file", "redis"}
	for _, state := range states {
		peers = append(peers, b.policyPeer(h, contender{name: "mailweir"}, wholeDefault(state, 8, letters), dns))
	}
	yardstick := b.policyPeer(h, cFilter, wholeDefault("", 8, letters), dns)
	if err := b.policyTurns(append(peers, yardstick)); err != nil {
		return nil, nil, err
	}
	for i, p := range peers {
		aims = append(aims, aim{
			What:  fmt.Sprintf("default policy on %s:, %d a connection: CPU of the C filter's", states[i], letters),
			Bound: atMost(most[states[i]], ""),
			Got:   p.cpu.over(yardstick.cpu),
			Of: []reading{
				{"mailweir", "CPU µs a message", p.cpu},
				{"C filter", "CPU µs a message", yardstick.cpu},
			},
		})
	}
	return aims, peers[len(peers)-1], nil
}

// readsAim is how often the Redis server reads from its connections.
func readsAim(p *policyPeer, most float64) aim {
	return aim{
		What:  fmt.Sprintf("default policy, %d sessions: reads of the Redis server a message", p.load.connections),
		Bound: atMost(most, ""),
		Got:   p.reads,
		Of:    []reading{{"Redis server", "reads a message", p.reads}, {"Redis server", "CPU µs a message", p.theirs}},
	}
}

// wholeDefault is the whole default policy on a state.
func wholeDefault(state string, sessions, letters int) policyCase {
	return policyCase{state: state, flags: []string{recipientsHere}, connections: sessions, letters: letters}
}
