// Package hosts tests several hosts that share what they know: two Postfix, a mailweir to each, and
// one Redis.
package hosts

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailweir/test/testbed"
)

// TestHosts builds mailweir once for all tests of several hosts.
func TestHosts(t *testing.T) {
	for _, component := range []string{"postfix", "dns", "redis"} {
		testbed.Require(t, component)
	}
	binary := testbed.BuildMailweir(t)
	for _, tt := range []struct {
		name  string
		alone bool // it makes load
		flags []string
		test  func(*testing.T, *site)
	}{
		{"state killed", true, outageFlags, func(t *testing.T, s *site) { s.outage(t, s.redis.Kill, s.redis.Start) }},
		{"state hangs", true, outageFlags, func(t *testing.T, s *site) { s.outage(t, s.redis.Pause, s.redis.Resume) }},
		{"one dies", false, crashFlags, oneDies},
		{"starts alone", false, nil, startsAlone},
		{"share", false, shareFlags, share},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !tt.alone {
				t.Parallel()
			}
			tt.test(t, newSite(t, binary, tt.flags))
		})
	}
}

// site is two hosts that share a state.
type site struct {
	redis *testbed.Redis
	hosts [2]*host
}

// host is a Postfix with its mailweir.
type host struct {
	name     string
	mta      *testbed.MTA
	config   testbed.MailweirConfig
	control  string
	state    string
	mailweir *testbed.Mailweir
}

// milterPatience is how long Postfix waits for an answer of mailweir: as long as Sendmail would.
// Whatever takes longer stands in Postfix's log.
const milterPatience = 10 * time.Second

// records are what the hosts find in the DNS.
var records = []string{`friend.example. 60 IN TXT "v=spf1 ip4:127.3.0.55 -all"`}

// newSite starts Redis as docs/operate/state.md asks for, and two hosts with it. Mail from
// open.example is never greylisted.
func newSite(t *testing.T, binary string, flags []string) *site {
	t.Helper()
	s := &site{redis: testbed.StartRedis(t, "--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction")}
	dns := testbed.StartDNS(t, testbed.DNSConfig{Records: records})
	for i := range s.hosts {
		mta := testbed.StartPostfix(t, testbed.MTAConfig{CommandTimeout: milterPatience})
		h := &host{
			name: string(rune('A' + i)), mta: mta, state: "--state=redis://" + s.redis.Address,
			control: "--control=unix:" + filepath.Join(testbed.TempDir(t), "control"),
		}
		own := []string{
			mta.Services(), "--trusted-nets=" + testbed.Trusted + "/32", "--dns=" + dns.Address, h.state, h.control, "--log-level=debug",
			"--local-domains=inline:{example.org=local, quiet.example=local, closed.example=local}", "--greylist-bypass=inline:{ {open.example=OK unverified} }",
		}
		h.config = testbed.MailweirConfig{Binary: binary, Socket: mta.Milter, Flags: append(own, flags...)}
		s.hosts[i] = h
		h.start(t)
	}
	t.Cleanup(func() {
		for _, h := range s.hosts {
			h.end(t)
		}
	})
	return s
}

// start starts the host's mailweir.
func (h *host) start(t *testing.T) {
	t.Helper()
	h.mailweir = testbed.StartMailweir(t, h.config)
}

// end ends the host's mailweir.
func (h *host) end(t *testing.T) {
	t.Helper()
	if err := h.mailweir.End(); err != nil {
		t.Errorf("host %s: %v", h.name, err)
	}
	if t.Failed() {
		t.Logf("host %s\n%s", h.name, tail(h.mailweir.Log.String()))
	}
}

// neverWaited: no Postfix has waited too long for an answer of its mailweir, or lost it.
func (s *site) neverWaited(t *testing.T) {
	t.Helper()
	for _, h := range s.hosts {
		for line := range strings.Lines(h.mta.LogText()) {
			if strings.Contains(line, "warning: milter") {
				t.Errorf("host %s: %s", h.name, line)
			}
		}
	}
}

// tail returns the last lines of a log.
func tail(text string) string {
	lines := strings.SplitAfter(text, "\n")
	return strings.Join(lines[max(0, len(lines)-60):], "")
}

// unavailable is what a command says that cannot reach the state, with its exit code.
const unavailable = "exit status 69: mailweir: state is unavailable: "

// commandPatience is how long a run-time command may take: it waits for a second or two at most.
const commandPatience = testbed.Patience

// command gives the host's mailweir a run-time command.
func (h *host) command(words ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), commandPatience)
	defer cancel()
	run := exec.CommandContext(ctx, h.config.Binary, append(words, h.control, h.state)...)
	run.Env = testbed.Environment()
	out, err := run.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("host %s: %s: %w: %s", h.name, strings.Join(words, " "), err, out)
	}
	return string(out), err
}

// do gives a command that must succeed, and returns its output, of which one line must have these
// words. On a machine that is so busy that a second is too short for the state, it is given again.
func (h *host) do(t *testing.T, command string, shows ...string) (out string) {
	t.Helper()
	if err := testbed.Until(func() (err error) {
		if out, err = h.command(strings.Fields(command)...); err != nil && !strings.Contains(err.Error(), unavailable) {
			t.Fatal(err)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if !hasLine(out, shows) {
		t.Fatalf("host %s: %s: no line has all of %q:\n%s", h.name, command, shows, out)
	}
	return out
}

func hasLine(text string, words []string) bool {
	for line := range strings.Lines(text + "\n") {
		has := true
		for _, word := range words {
			has = has && strings.Contains(line, word)
		}
		if has {
			return true
		}
	}
	return false
}

// learned waits until a host has learned all there is from a transaction with that sender.
func (h *host) learned(t *testing.T, sender string) {
	t.Helper()
	h.wants(t, 0, testbed.Entry{"level": "debug", "sender": "<" + sender + ">"})
}

// wants waits for a log line from the given one on.
func (h *host) wants(t *testing.T, from int, entry testbed.Entry) {
	t.Helper()
	if _, err := h.mailweir.WaitEntry(from, entry); err != nil {
		t.Fatalf("host %s: %v", h.name, err)
	}
}

// event returns the log line of the event whose id stands in a reply.
func (h *host) event(t *testing.T, reply string) testbed.Entry {
	t.Helper()
	_, rest, _ := strings.Cut(reply, "[")
	id, _, found := strings.Cut(rest, "]")
	if !found {
		t.Fatalf("host %s: no event in %q", h.name, reply)
	}
	entry, err := h.mailweir.WaitEvent(id)
	if err != nil {
		t.Fatalf("host %s: %v", h.name, err)
	}
	return entry
}
