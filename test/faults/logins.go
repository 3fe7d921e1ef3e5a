package main

import (
	"encoding/base64"
	"fmt"
	"path/filepath"
	"time"

	"mailweir/test/testbed"
)

// authSocket is where Postfix asks about passwords, below its queue directory.
const authSocket = "private/mw-auth"

// withLogins returns a bed with a Postfix that asks mailweir auth, and no milter.
func (b *bed) withLogins(tb testbed.TB) *bed {
	own := *b
	own.mta = testbed.StartPostfix(tb, testbed.MTAConfig{NoMilter: true, Extra: testbed.SASLFlags(authSocket)})
	return &own
}

func startDovecot(tb testbed.TB) (network, target string) {
	path := filepath.Join(testbed.TempDir(tb), "auth")
	testbed.StartDovecot(tb, path)
	return "unix", path
}

// passwords are every other time wrong.
func passwords(n int) letter {
	if n%2 == 1 {
		return letter{to: "alice", body: fmt.Sprint("guess", n), want: "auth 535"}
	}
	return letter{to: "alice", body: "secret", want: "auth 235"}
}

// login logs in once, and returns what was said to that, and the longest time that an answer took
// once there was TLS. An answer that is neither yes, no nor "try again" is an error, and so is
// none.
func login(server, from string, l letter) (said string, slowest time.Duration, err error) {
	c, err := testbed.Dial(server, from)
	if err != nil {
		return "", 0, err
	}
	defer c.Close()
	c.Patience = patience
	if reply, err := c.ReadReply(); err != nil || reply.Code() != "220" {
		return "", 0, fmt.Errorf("no greeting: %q, %v", reply, err)
	}
	for _, step := range []struct{ command, want string }{{"EHLO client.example", "250"}, {"STARTTLS", "220"}} {
		if reply, err := c.Ask(step.command); err != nil || reply.Code() != step.want {
			return "", 0, fmt.Errorf("%s: %q, %v", step.command, reply, err)
		}
	}
	if err := c.StartTLS(nil); err != nil {
		return "", 0, fmt.Errorf("TLS: %w", err)
	}
	begun := time.Now()
	if reply, err := c.Ask("EHLO client.example"); err != nil || reply.Code() != "250" {
		return "", time.Since(begun), fmt.Errorf("EHLO over TLS: %q, %v", reply, err)
	}
	slowest, begun = time.Since(begun), time.Now()
	reply, err := c.Ask("AUTH PLAIN " + base64.StdEncoding.EncodeToString([]byte("\x00"+l.to+"\x00"+l.body)))
	slowest = max(slowest, time.Since(begun))
	if err != nil {
		return "", slowest, fmt.Errorf("AUTH: %w", err)
	}
	switch code := reply.Code(); code {
	case "235", "535", "454":
		return "auth " + code, slowest, nil
	}
	return "", slowest, fmt.Errorf("AUTH: %q", reply)
}
