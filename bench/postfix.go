package main

import (
	"fmt"
	"os/exec"
	"strconv"
	"time"

	"mailweir/test/testbed"
)

// postfix measures smtp-source → smtpd → discard without a milter, with the C
// filter and with mailweir, each with a Postfix of its own.
func (b *bench) postfix() error {
	fmt.Printf("Through Postfix (smtp-source, 20 sessions at once, 8 KiB, delivery to discard; median of %d rounds of %d messages):\n\n",
		b.rounds, b.messages)
	row("milter", "messages/s, one a connection", "of none", "messages/s, many a connection", "of none")
	row("---", "--:", "--:", "--:", "--:")
	h := b.Part()
	defer h.Close()
	names := []string{"none"}
	mtas := []*testbed.MTA{testbed.StartPostfix(h, testbed.MTAConfig{NoMilter: true, Discard: true})}
	for _, c := range b.contenders {
		m := testbed.StartPostfix(h, testbed.MTAConfig{Discard: true})
		b.start(h, c, m.Milter)
		names, mtas = append(names, c.String()), append(mtas, m)
	}
	single, many := make([]sample, len(mtas)), make([]sample, len(mtas))
	for range b.rounds {
		for i, m := range mtas {
			// Both kinds in each turn, so that one round compares all.
			rate, err := b.source(m, "-d")
			if err != nil {
				return fmt.Errorf("%s: %w", names[i], err)
			}
			many[i] = append(many[i], rate)
			if rate, err = b.source(m); err != nil {
				return fmt.Errorf("%s: %w", names[i], err)
			}
			single[i] = append(single[i], rate)
		}
	}
	for i, name := range names {
		row(name, single[i], single[i].against(single[0]), many[i], many[i].against(many[0]))
	}
	fmt.Println()
	return nil
}

// source sends the messages of one round and returns messages a second. With
// "-d" smtp-source keeps its connections.
func (b *bench) source(m *testbed.MTA, options ...string) (float64, error) {
	args := append(options, "-s", "20", "-m", strconv.Itoa(b.messages), "-l", strconv.Itoa(bodySize),
		"-f", "alice@example.net", "-t", "bob@example.org", m.MX)
	begun := time.Now()
	if out, err := exec.Command("smtp-source", args...).CombinedOutput(); err != nil {
		return 0, fmt.Errorf("smtp-source: %w: %s", err, out)
	}
	return float64(b.messages) / time.Since(begun).Seconds(), nil
}
