package main

import (
	"fmt"
	"strings"
	"time"

	"mailweir/test/testbed"
)

// lateAnswer is how late the DNS answers about clients of 127.1.0.0/16, just within --rbl-timeout.
const lateAnswer = 2900 * time.Millisecond

// listsThroughPostfix measures what a slow DNS costs a message, and what it costs others meanwhile.
func (b *bench) listsThroughPostfix() error {
	fmt.Printf("Through Postfix, five lists, every DNS answer about some clients after %v, --rbl-timeout=3s:\n\n", lateAnswer)
	row("session", "MAIL to the end of the message")
	row("---", "--:")
	h := b.Part()
	defer h.Close()
	server := startNameServer(h, func(name string) time.Duration {
		if strings.Contains(name, ".1.127.") {
			return lateAnswer
		}
		return 0
	})
	mta := testbed.StartPostfix(h, testbed.MTAConfig{Discard: true})
	flags := []string{mta.Services(), "--dns=" + server.Address, "--trusted-nets=127.0.0.2/32", "--rbl-threshold=5"}
	for i := range 5 {
		flags = append(flags, fmt.Sprintf("--rbl-zone=l%d.example", i))
	}
	testbed.StartMailweir(h, testbed.MailweirConfig{Binary: b.mailweir, Socket: mta.Milter, Flags: flags})
	var first, others, slow, again sample
	for round := range b.rounds {
		client := fmt.Sprintf("127.1.0.%d", 10*round+1)
		done := make(chan error, 1)
		go func() {
			took, err := oneMessage(mta.MX, client)
			slow = append(slow, took)
			done <- err
		}()
		var err error
		for i := range 5 {
			var took float64
			if took, err = oneMessage(mta.MX, fmt.Sprintf("127.2.%d.%d", round, 10*i+1)); err != nil {
				break
			}
			others = append(others, took)
		}
		if err := <-done; err != nil {
			return err
		}
		if err != nil {
			return err
		}
		took, err := oneMessage(mta.MX, client)
		if err != nil {
			return err
		}
		again = append(again, took)
		if took, err = oneMessage(mta.MX, testbed.Trusted); err != nil {
			return err
		}
		first = append(first, took)
	}
	row("trusted client, never asked about", first.String()+" ms")
	row("the client of whom the DNS answers late", slow.String()+" ms")
	row("other clients meanwhile, never seen before", others.String()+" ms")
	row("the first client again", again.String()+" ms")
	return nil
}

// oneMessage sends a message from an address of 127.0.0.0/8 and returns how many milliseconds it
// took from MAIL on.
func oneMessage(address, from string) (float64, error) {
	c, err := testbed.Dial(address, from)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if _, err := c.ReadReply(); err != nil {
		return 0, err
	}
	var began time.Time
	for _, command := range []string{"EHLO bench.example", "MAIL FROM:<a@example.net>", "RCPT TO:<b@example.org>", "DATA", "Subject: x\r\n\r\nhello\r\n.", "QUIT"} {
		if strings.HasPrefix(command, "MAIL") {
			began = time.Now()
		}
		if command == "QUIT" {
			return float64(time.Since(began).Milliseconds()), nil
		}
		if err := c.Send(command); err != nil {
			return 0, err
		}
		reply, err := c.ReadReply()
		if err != nil {
			return 0, err
		}
		if code := reply.Code(); code[0] != '2' && code[0] != '3' {
			return 0, fmt.Errorf("%s from %s: %s", command, from, reply)
		}
	}
	return 0, nil
}
