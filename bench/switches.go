package main

import (
	"fmt"

	"mailweir/test/testbed"
)

// switches measures what turning off a check of the default policy saves: all take turns at the
// same load.
func (b *bench) switches() error {
	h := b.Part()
	defer h.Close()
	dns := testbed.StartNameServer(h, testbed.NameServerConfig{}).Address
	fmt.Printf("What is saved by turning off what is monitored by default (memory:, 8 sessions, 1 message a connection; median of %d "+
		"rounds of %v, lowest and highest in brackets):\n\n", b.rounds, b.duration)
	row("flags", "CPU µs a message", "of the default policy")
	row("---", "--:", "--:")
	names := append([]string{"none: the default policy"}, forgetful...)
	var peers []*policyPeer
	for i, name := range append(names, "all of these") {
		c := wholeDefault("memory", 8, 1)
		switch {
		case i == 0:
		case i <= len(forgetful):
			c.flags = append(c.flags, name)
		default:
			c.flags = append(c.flags, forgetful...)
		}
		peers = append(peers, b.policyPeer(h, contender{name: name}, c, dns))
	}
	if err := b.policyTurns(peers); err != nil {
		return err
	}
	for _, p := range peers {
		row(p.name, p.cpu, p.cpu.over(peers[0].cpu).decimals())
	}
	fmt.Println()
	return nil
}
