package main

import (
	"fmt"
	"time"

	"mailweir/test/testbed"
)

// patience is longer than any deadline that an answer may have.
const patience = 2 * time.Minute

// send sends one message, and returns at which command it was answered in the end and how, and the
// longest time that an answer took.
func send(server, from string, l letter, id string) (said string, slowest time.Duration, err error) {
	c, err := testbed.Dial(server, from)
	if err != nil {
		return "", 0, err
	}
	defer c.Close()
	c.Patience = patience
	if _, err := c.ReadReply(); err != nil { // many connect at once: the greeting is the MTA's own
		return "", 0, fmt.Errorf("greeting: %w", err)
	}
	for _, step := range []struct{ name, lines, want string }{
		{"ehlo", "EHLO client.example", "250"},
		{"mail", "MAIL FROM:<alice@example.net>", "250"},
		{"rcpt", "RCPT TO:<" + l.to + ">", "250"},
		{"data", "DATA", "354"},
		{"end", "From: alice@example.net\r\nSubject: " + id + "\r\n" + l.header + "\r\n" + l.body + "\r\n.", "250"},
	} {
		begun := time.Now()
		if err := c.Send(step.lines); err != nil {
			return "", slowest, fmt.Errorf("%s: %w", step.name, err)
		}
		reply, err := c.ReadReply()
		if err != nil {
			return "", slowest, fmt.Errorf("%s: %w", step.name, err)
		}
		slowest = max(slowest, time.Since(begun))
		said = step.name + " " + reply.Code()
		if reply.Code() != step.want {
			return said, slowest, nil
		}
	}
	return said, slowest, nil
}
