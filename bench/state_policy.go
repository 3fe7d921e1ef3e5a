package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/spf13/pflag"

	"mailweir/checks"
	"mailweir/internal/dns"
	"mailweir/internal/events"
	"mailweir/internal/policy"
	"mailweir/internal/runner"
	"mailweir/internal/state"
	"mailweir/rbl"
	"mailweir/test/testbed"
)

// wholePolicy is what mailweir serve runs behind the wire: the policy, the observer that logs and
// counts, DNS.
type wholePolicy struct {
	runner *runner.Runner
	close  func()
	// undecided counts new triplets that passed: greylisting could not tell in time, and then it
	// accepts.
	undecided atomic.Int64
}

// greylisting are flags under which a new triplet has to wait. All else is the default policy.
var greylisting = []string{"--greylist=enforce", "--local-domains=inline:{recipient.example=x}"}

// greylistingAlone turns every other check off, and SPF, which asks DNS and no store.
func greylistingAlone() []string {
	return slices.Concat(greylisting, othersOff(), []string{"--greylist-skip-spf=false"})
}

// othersOff turns off every check but greylisting that is on by default.
func othersOff() []string {
	return slices.DeleteFunc(slices.Concat(wireAlone, forgetful), func(flag string) bool { return flag == "--greylist=off" })
}

// openPolicy builds it on a store, which stays the caller's. The log goes to nowhere; a name server
// of its own knows no name.
func openPolicy(store state.Store, flags ...string) (*wholePolicy, error) {
	set := pflag.NewFlagSet("bench", pflag.ContinueOnError)
	draft := runner.NewDraft(checks.Registry(), set)
	if err := set.Parse(flags); err != nil {
		return nil, err
	}
	h := testbed.NewProgram("bench")
	server := testbed.StartNameServer(h, testbed.NameServerConfig{}) // knows no name
	resolver, err := dns.NewResolver(dns.ResolverOptions{Servers: []string{server.Address}})
	if err != nil {
		return nil, err
	}
	lists := rbl.NewLists(resolver, rbl.ListsOptions{})
	world := &policy.Backends{Connections: func() int { return stateWorkers }, Clock: time.Now, DNS: resolver, Lists: lists, State: store}
	p, err := draft.Build(world, nil)
	if err != nil {
		return nil, err
	}
	p.Ready(context.Background())
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	log := logrus.New()
	log.SetOutput(null)
	log.SetFormatter(&logrus.TextFormatter{DisableColors: true, FullTimestamp: true})
	recorder := events.NewRecorder(events.Options{Log: log, Metrics: events.NewMetrics("bench"), Clock: time.Now})
	rn := runner.NewRunner(p, recorder, runner.DefaultLimits)
	ticking, stop := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() { tick(ticking, rn, recorder) })
	return &wholePolicy{runner: rn, close: func() {
		stop()
		rn.Close()
		recorder.Close()
		lists.Close()
		resolver.Close()
		_ = null.Close()
		work.Wait()
		h.Close()
	}}, nil
}

// tick does as the daemon does.
func tick(ctx context.Context, rn *runner.Runner, recorder *events.Recorder) {
	ticker := time.NewTicker(30 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			rn.Tick(ctx)
			recorder.Sweep()
		}
	}
}

// decide plays one mail as an MTA does. It returns how long the client waited for the answer to
// RCPT, from its connection on, and whether the mail has to wait.
func (w *wholePolicy) decide(t triplet) (took time.Duration, waits bool, err error) {
	begun := time.Now()
	s := w.runner.NewSession()
	defer s.Close()
	s.Connect(policy.ConnectFacts{Client: t.client, Port: 25252, Name: "mail." + domainOf(t.sender), DaemonName: "smtpd"})
	s.Helo(policy.HeloFacts{Name: "mail." + domainOf(t.sender)})
	if a := s.Mail(policy.MailFacts{Sender: t.sender}); a.Refuses() {
		return 0, false, fmt.Errorf("MAIL: %s", a.Line)
	}
	a := s.Rcpt(policy.RcptFacts{Recipient: t.recipient, Spelling: "<" + t.recipient + ">"})
	took = time.Since(begun)
	if a.Refuses() {
		if a.Line.Code() != 451 {
			err = fmt.Errorf("RCPT: %s", a.Line)
		}
		s.Abort()
		return took, true, err
	}
	s.Header(policy.Field{Name: "Subject", Value: "bench"}, "4BpXyz1Qw3z9rTk")
	s.EndOfHeaders()
	if a := s.EndOfMessage("4BpXyz1Qw3z9rTk"); a.Refuses() {
		return took, false, fmt.Errorf("end of message: %s", a.Line)
	}
	return took, false, nil
}
