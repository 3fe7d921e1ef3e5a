package crash

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"mailweir/internal/admin"
	"mailweir/test/testbed"
	"mailweir/test/wire"
)

// upgradeBed is a service with mail coming in through a Postfix, and a person's commands.
type upgradeBed struct {
	t       *testing.T
	control string
	config  testbed.MailweirConfig
	mta     *testbed.MTA
	service *testbed.Service
	entries *entries
}

func newUpgradeBed(t *testing.T) *upgradeBed {
	t.Helper()
	mta := testbed.StartMTA(t, "postfix", testbed.MTAConfig{})
	dir := t.TempDir()
	b := &upgradeBed{t: t, control: filepath.Join(dir, "control"), mta: mta}
	b.entries = &entries{t: t, path: b.control, stands: make(map[string]bool)}
	b.config = testbed.MailweirConfig{Binary: testbed.BuildMailweir(t), Socket: mta.Milter, Flags: []string{
		mta.Services(),
		"--trusted-nets=" + testbed.Trusted + "/32",
		"--local-domains=inline:{example.org=local}",
		"--state=file:" + filepath.Join(dir, "state"),
		"--control=unix:" + b.control,
		"--http=127.0.0.1:0", "--drain=30s",
		"--greylist=enforce", "--greylist-delay=1ms", "--greylist-client-passes=0",
		"--tempblock=monitor", "--concurrency=enforce", "--concurrency-client=1000", "--concurrency-domain=1000", "--reputation=off",
	}}
	b.service = testbed.StartService(t, b.config)
	return b
}

// openAtOnce is how many transactions are under way when the service is upgraded, idleAtOnce how
// many connections have none.
const (
	openAtOnce = 200
	idleAtOnce = 50
)

// TestUpgrade upgrades a service twice under load: no client sees that it did not answer,
// transactions that are open come to their end, idle sessions begin others, and what was
// acknowledged or learned is there afterwards.
func TestUpgrade(t *testing.T) {
	testbed.Require(t, "postfix")
	b := newUpgradeBed(t)
	open := b.transactions(openAtOnce)
	idle := b.connections(idleAtOnce)
	load := startLoad(t, b.mta.MX, true)
	stop := b.person(new(atomic.Bool))
	load.wait(20)
	for n := range 2 {
		old := b.service.Main()
		began := time.Now()
		out, err := b.service.Upgrade(b.control)
		if err != nil || b.service.Main() == old {
			t.Fatalf("upgrade: %v, %s\n%s", err, out, b.service.Log)
		}
		t.Logf("upgrade %d: %v; %s", n+1, time.Since(began).Round(time.Millisecond), strings.TrimSpace(out))
		load.forget()
		load.wait(20)
	}
	for i, c := range open[:openAtOnce/2] {
		c.finishes(i)
	}
	for i, c := range idle {
		c.begins(fmt.Sprintf("idle%d.example.net", i))
		c.finishes(i)
	}
	for i, c := range open[openAtOnce/2:] {
		c.finishes(i)
	}
	load.end()
	load.check()
	stop()
	b.entries.check()
	if n := b.leases(); n > 10 { // Postfix keeps some connections
		t.Errorf("%d places are taken when next to nobody is there", n)
	}
	for _, c := range append(open, idle...) {
		c.close()
	}
	if err := b.service.End(); err != nil {
		t.Errorf("%v\n%s", err, b.service.Log)
	}
	b.quiet()
	t.Logf("%s; %d entries", load.summary(), b.entries.count())
}

// person enters things until it is stopped; its commands may fail once killed is set.
func (b *upgradeBed) person(killed *atomic.Bool) (stop func()) {
	ctx, cancel := context.WithCancel(b.t.Context())
	var entering sync.WaitGroup
	entering.Go(func() { b.entries.enter(ctx, killed.Load) })
	return func() {
		cancel()
		entering.Wait()
	}
}

// quiet looks for what no log of an upgrade may have.
func (b *upgradeBed) quiet() {
	b.t.Helper()
	if text := b.service.Log.String(); strings.Contains(text, "DATA RACE") || strings.Contains(text, "panic") || strings.Contains(text, `"level":"error"`) ||
		strings.Contains(text, "milter connection") || strings.Contains(text, "check error") {
		b.t.Errorf("the log\n%s", text)
	}
}

// leases is how many places are held, by whichever process.
func (b *upgradeBed) leases() int {
	b.t.Helper()
	client := admin.NewClient(b.control)
	defer client.Close()
	var stats struct{ Leases int }
	if err := client.Ask(b.t.Context(), "state/stats", struct{}{}, &stats); err != nil {
		b.t.Fatal(err)
	}
	return stats.Leases
}

// session is a connection of an MTA, of a client of its own.
type session struct {
	t *testing.T
	*wire.Client
}

func (b *upgradeBed) connections(n int) (all []*session) {
	b.t.Helper()
	for i := range n {
		c, err := wire.Dial(b.mta.Milter)
		if err != nil {
			b.t.Fatal(err)
		}
		s := &session{b.t, c}
		all = append(all, s)
		s.passes(wire.Connect, fmt.Sprintf("c%d.example.net\x004\x04\x0010.1.%d.%d\x00", i, i/200, i%200+1))
		s.passes(wire.Helo, "client.example.net\x00")
	}
	return all
}

// transactions are open ones, whose triplets have been greylisted before.
func (b *upgradeBed) transactions(n int) []*session {
	b.t.Helper()
	all := b.connections(n)
	for i, s := range all {
		s.begins(fmt.Sprintf("open%d.example.net", i))
	}
	return all
}

// begins begins a transaction, which is deferred at first.
func (s *session) begins(domain string) {
	s.t.Helper()
	mail := func() wire.Answer {
		s.passes(wire.Mail, "<alice@"+domain+">\x00")
		answer, err := s.Do(wire.Rcpt, "<bob@example.org>\x00")
		if err != nil {
			s.t.Fatal(err)
		}
		return answer
	}
	if first := mail(); !strings.HasPrefix(first.Text, "451 ") || !strings.Contains(first.Text, "[mw-") {
		s.t.Fatalf("%s: the first try is answered %q", domain, first)
	}
	// What a try teaches is learned after its reply; a host that is busy may take a moment.
	if err := testbed.Until(func() error {
		s.Abort()
		if again := mail(); again.Code != 'c' {
			return fmt.Errorf("another try is answered %q", again)
		}
		return nil
	}); err != nil {
		s.t.Fatalf("%s: %v", domain, err)
	}
}

// finishes has the message of the transaction taken.
func (s *session) finishes(n int) {
	s.t.Helper()
	for _, field := range []string{"From\x00 alice@example.net\x00", fmt.Sprintf("Message-ID\x00 <%d@example.net>\x00", n)} {
		s.passes(wire.Header, field)
	}
	s.passes(wire.EOH, "")
	s.passes(wire.Body, "hello\r\n")
	s.passes(wire.BodyEOB, "")
	s.Abort()
}

func (s *session) passes(command byte, data string) {
	s.t.Helper()
	answer, err := s.Do(command, data)
	if err != nil || answer.Refuses() {
		s.t.Fatalf("%q is answered %v, %v", command, answer, err)
	}
}

func (s *session) close() {
	if err := s.Close(); err != nil {
		s.t.Error(err)
	}
}

// TestUpgradeKilled kills the new process at every moment of the hand-over: the old one goes on, or
// what the new one has taken over is on the disk; nothing that was acknowledged is lost.
func TestUpgradeKilled(t *testing.T) {
	testbed.Require(t, "postfix")
	b := newUpgradeBed(t)
	back, tried := 0, 12
	if testing.Short() {
		tried = 6
	}
	began := time.Now()
	if out, err := b.service.Upgrade(b.control); err != nil {
		t.Fatalf("%v, %s\n%s", err, out, b.told())
	}
	took := time.Since(began) // the whole of it, with the check of the configuration
	for n := range tried {
		var killed atomic.Bool
		stop := b.person(&killed)
		old, from := b.service.Main(), b.service.Said()
		var upgrading sync.WaitGroup
		var out string
		var failed error
		upgrading.Go(func() { out, failed = b.service.Upgrade(b.control) })
		if _, err := b.service.AwaitFrom(from, "STATUS=handing over"); err != nil {
			t.Fatalf("%v\n%s", err, b.service.Log)
		}
		b.killOther(old, took*time.Duration(n)/time.Duration(tried), &killed)
		upgrading.Wait()
		stop()
		switch {
		case failed != nil:
			if back++; b.service.Main() != old || !strings.Contains(out, "goes on") {
				t.Fatalf("%d: %v, %s\n%s", n, failed, out, b.told())
			}
		case killed.Load(): // when it served already
			b.service.Kill() // as systemd does
			b.service = testbed.StartService(t, b.config)
		}
		b.entries.check()
		if t.Failed() {
			t.Fatalf("after kill %d\n%s", n, b.told())
		}
	}
	t.Logf("%d upgrades, of which %d were taken back; %d entries", tried, back, b.entries.count())
}

// told is the log without a person's commands.
func (b *upgradeBed) told() string {
	lines := slices.DeleteFunc(b.service.Log.Lines(), func(line string) bool { return strings.Contains(line, "run-time command") })
	return strings.Join(lines, "\n")
}

// killOther waits for the new process, and kills it after some time. A person's command may fail
// from then on.
func (b *upgradeBed) killOther(old int, after time.Duration, killed *atomic.Bool) {
	b.t.Helper()
	var others []int
	if err := testbed.Until(func() error {
		if others = b.service.Others(old); len(others) == 0 {
			return errors.New("there is no new process")
		}
		return nil
	}); err != nil {
		b.t.Fatalf("%v\n%s", err, b.service.Log)
	}
	time.Sleep(after)
	for _, pid := range others {
		killed.Store(syscall.Kill(pid, syscall.SIGKILL) == nil || killed.Load())
	}
}
