// Package crash kills mailweir, again and again, while mail comes in through a real Postfix.
package crash

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"mailweir/test/testbed"
)

// strangersRecipient is to whom the untrusted client writes: its triplets are found by it.
const strangersRecipient = "carol@example.org"

// quietReplies make a life of more than a second, after which the disk has something of what was
// counted.
const quietReplies = 600

// bed is a Postfix with mail coming in, and the mailweir that lives at the moment.
type bed struct {
	t       *testing.T
	config  testbed.MailweirConfig
	state   string // the directory
	mta     *testbed.MTA
	load    *load
	entries *entries

	mailweir *testbed.Mailweir
	counted  counted
	recorded recorded
}

// TestKill kills mailweir a hundred times with SIGKILL: at work, while a person enters things,
// while it starts and while it ends.
func TestKill(t *testing.T) {
	testbed.Require(t, "postfix")
	kills := 100
	if testing.Short() {
		kills = 10
	}
	b := newBed(t)
	for n := range kills {
		switch n % 10 {
		case 3:
			b.dieStarting()
		case 5:
			b.dieEnding()
		case 7:
			b.dieQuietly()
		default:
			b.dieAtWork(1 + n*n%97) // the same moments each time, all over
		}
		b.load.check()
		if t.Failed() {
			t.Fatalf("after kill %d: %s\n%s", n+1, b.load.summary(), b.mailweir.Log)
		}
	}
	b.begin()
	b.counted.settle(b)
	b.load.end()
	b.load.check()
	b.arrived()
	b.refusesAccount()
	if err := b.mailweir.End(); err != nil {
		t.Errorf("%v\n%s", err, b.mailweir.Log)
	}
	b.recorded.settle(b)
	t.Logf("%d kills; %s; %d entries; %s", kills, b.load.summary(), b.entries.count(), &b.counted)
}

func newBed(t *testing.T) *bed {
	t.Helper()
	mta := testbed.StartMTA(t, "postfix", testbed.MTAConfig{})
	dir := t.TempDir()
	socket := filepath.Join(dir, "control")
	b := &bed{t: t, state: filepath.Join(dir, "state"), mta: mta, entries: &entries{t: t, path: socket, stands: make(map[string]bool)}}
	b.config = testbed.MailweirConfig{Binary: testbed.BuildMailweir(t), Socket: mta.Milter, Flags: []string{
		mta.Services(),
		"--trusted-nets=" + testbed.Trusted + "/32",
		"--local-domains=inline:{example.org=local}",
		"--state=file:" + b.state,
		"--control=unix:" + socket,
		"--http=off",
		"--greylist=enforce", "--greylist-delay=1ms", "--greylist-client-passes=0",
		"--tempblock=enforce", "--concurrency=enforce", "--reputation=enforce",
	}}
	b.load = startLoad(t, mta.MX, false)
	return b
}

// begin starts the next mailweir with the state that the last one left, and looks what it knows.
func (b *bed) begin() {
	b.t.Helper()
	b.mailweir = testbed.LaunchMailweir(b.t, b.config)
	b.mailweir.Await(b.t)
	b.entries.check()
	b.counted.measure(b)
	b.recorded.measure(b)
}

// kill ends the mailweir, and looks through its log.
func (b *bed) kill() {
	b.t.Helper()
	b.mailweir.Kill()
	if text := b.mailweir.Log.String(); strings.Contains(text, "WARNING: DATA RACE") || strings.Contains(text, "panic") {
		b.t.Errorf("mailweir says\n%s", text)
	}
	for _, entry := range b.mailweir.Entries() {
		if entry["level"] == "error" || entry["level"] == "fatal" {
			b.t.Errorf("mailweir says %s", entry)
		}
	}
}

// dieAtWork is a life with mail and a person's commands, ended after so many replies.
func (b *bed) dieAtWork(replies int) {
	b.t.Helper()
	b.begin()
	var killed atomic.Bool
	var person sync.WaitGroup
	person.Go(func() { b.entries.enter(b.t.Context(), killed.Load) })
	b.load.forget()
	b.load.wait(replies)
	b.recorded.keep(b)
	killed.Store(true)
	b.kill()
	person.Wait()
}

// dieStarting kills a mailweir that has just taken hold of the state, and is about to read it.
func (b *bed) dieStarting() {
	b.t.Helper()
	b.mailweir = testbed.LaunchMailweir(b.t, b.config)
	own := fmt.Sprintf("%d ", b.mailweir.PID())
	if err := testbed.Until(func() error {
		holder, err := os.ReadFile(filepath.Join(b.state, "holder"))
		if err == nil && !strings.HasPrefix(string(holder), own) {
			err = fmt.Errorf("%s is held by %q", b.state, holder)
		}
		return err
	}); err != nil {
		b.t.Fatalf("%v\n%s", err, b.mailweir.Log)
	}
	b.kill()
}

// dieEnding kills a mailweir that was asked to end, and says that it is about to.
func (b *bed) dieEnding() {
	b.t.Helper()
	b.begin()
	b.load.forget()
	b.load.wait(1)
	if err := b.mailweir.Signal(syscall.SIGTERM); err != nil {
		b.t.Fatal(err)
	}
	b.mailweir.Log.Wait(0, func(line string) bool { return strings.Contains(line, "draining") })
	b.kill()
}

// dieQuietly is a longer life without commands, which would have the disk keep what is counted,
// too. The next life measures how much of that is lost.
func (b *bed) dieQuietly() {
	b.t.Helper()
	b.begin()
	b.load.forget()
	b.load.wait(quietReplies)
	b.counted.killed = time.Now()
	b.kill()
}

// arrived waits until every message that was answered 250 at its end is at the sink.
func (b *bed) arrived() {
	b.t.Helper()
	var missing []string
	_, err := b.mta.Sink.Wait(func(messages []testbed.Message) bool {
		there := make(map[string]bool)
		for _, m := range messages {
			_, rest, _ := strings.Cut(m.Data, "\nSubject: ")
			subject, _, _ := strings.Cut(rest, "\n")
			there[subject] = true
		}
		missing = nil
		for _, subject := range b.load.accepted {
			if !there[subject] {
				missing = append(missing, subject)
			}
		}
		return len(missing) == 0
	})
	if err != nil {
		b.t.Errorf("%v; accepted and lost: %q", err, missing)
	}
	if len(b.load.accepted) == 0 {
		b.t.Error("no message was ever accepted")
	}
}

// refusesAccount shows that an entry does what it is for after all.
func (b *bed) refusesAccount() {
	b.t.Helper()
	c := client{load: b.load, from: testbed.Trusted}
	defer c.hangUp()
	name := b.entries.account()
	reply := c.envelope("alice@"+name, "dave@else.example")
	if want := "451 4.3.2 Account outbounds disabled [mw-"; len(reply) != 1 || !strings.HasPrefix(reply[0], want) {
		b.t.Errorf("mail of %q is answered %q; want %q", name, reply, want)
	}
}
