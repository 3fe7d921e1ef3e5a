package test

import (
	"context"
	"strings"
	"testing"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/policytest"
	"mailweir/milter"
	"mailweir/test/testbed"
)

// wireBed is an MTA whose filter runs in this process, with a check of the test's own.
type wireBed struct {
	*testing.T
	mta  *testbed.MTA
	host *policytest.Host
}

// onEachWire runs a test with each MTA. hooks are those of the check, which enforces.
func onEachWire(t *testing.T, hooks func(reply *policy.Reply) policy.Hooks, test func(*wireBed)) {
	t.Helper()
	for _, name := range []string{"postfix", "sendmail"} {
		t.Run(name, func(t *testing.T) {
			testbed.Require(t, name)
			bed := &wireBed{T: t, mta: testbed.StartMTA(t, name, testbed.MTAConfig{})}
			check := policytest.Scripted("probe", hooks(policytest.ScriptedReply("probe")))
			bed.host = policytest.Only(check).Host(t)
			bed.serve()
			test(bed)
		})
	}
}

// serve answers the MTA until the test ends.
func (b *wireBed) serve() {
	listener, err := milter.Listen("unix:"+b.mta.Milter, milter.ListenOptions{})
	if err != nil {
		b.Fatal(err)
	}
	server := &milter.Server{
		NewSession: func() milter.Session { return b.host.Runner.NewSession() },
		ErrorLog:   func(err error) { b.Error(err) },
		OnDegraded: func(what string) { b.Error(what) },
		IdleGrace:  time.Nanosecond,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			b.Error(err)
		}
		if err := <-served; err != nil {
			b.Error(err)
		}
	})
}

// send sends a message, wants this code at its end and returns the reply.
func (b *wireBed) send(code, message string, to ...string) string {
	b.Helper()
	client := b.mta.Talk(b, b.mta.MX)
	client.Say("EHLO client.example", "250")
	client.Say("MAIL FROM:<alice@example.net>", "250")
	for _, rcpt := range to {
		client.Say("RCPT TO:<"+rcpt+">", "250")
	}
	client.Say("DATA", "354")
	reply, err := client.Ask(message + "\r\n.")
	if err != nil || reply.Code() != code {
		b.Fatalf("the message is answered %q, %v; want %s", reply, err, code)
	}
	client.Say("QUIT", "221")
	return strings.Join(reply, "\n")
}
