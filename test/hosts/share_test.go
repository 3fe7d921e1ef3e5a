package hosts

import (
	"os/user"
	"strings"
	"testing"

	"mailweir/test/testbed"
)

var shareFlags = []string{
	"--greylist=enforce", "--greylist-delay=1s", "--greylist-client-passes=0", "--greylist-skip-spf=false",
	"--open-relay=enforce", "--tempblock=enforce", "--tempblock-rules=open-relay=2/5m",
	"--concurrency=enforce", "--concurrency-client=2", "--concurrency-domain=2",
	"--outbound-limit=enforce", "--outbound-limit-sessions=2", "--outbound-limit-rate=3/1h",
	"--sender-block-list=inline:{evil.example=REJECT}",
	"--reputation=enforce", "--reputation-min-events=2",
}

// What Postfix says when it takes a command, and what mailweir does when it does not.
const (
	taken      = "250 "
	greylisted = "451 4.7.1 Internal resource temporarily unavailable ["
	blocked    = "451 4.7.1 Recipient Temporarily Unavailable ["
	full       = "451 4.7.0 Account service temporarily unavailable ["
	tooMuch    = "550 5.7.0 Exceeding outbound thread limit ["
	sendsNone  = "451 4.3.2 Account outbounds disabled ["
	takesNone  = "451 4.3.2 Account inbounds disabled ["
)

// share shows for everything that checks remember that one host knows it from the other.
func share(t *testing.T, s *site) {
	a, b := s.hosts[0], s.hosts[1]
	for _, tt := range []struct {
		name string
		test func(t *testing.T, a, b *host)
	}{
		{"greylist", greylist},
		{"greylist pass", greylistPass},
		{"tempblock by a rule", tempblockRule},
		{"tempblock add", tempblockAdd},
		{"reputation", reputation},
		{"auto-allow", autoAllow},
		{"managed", managed},
		{"account", account},
		{"concurrency", concurrency},
		{"logins at once", loginsAtOnce},
		{"recipients of a login", loginRate},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, a, b) })
	}
}

// greylist: seen first on one host, passed on the other, and then known on the first.
func greylist(t *testing.T, a, b *host) { sharesGreylist(t, a, b, "127.1.0.1", "alice@new.example") }

func sharesGreylist(t *testing.T, a, b *host, client, sender string) {
	t.Helper()
	const recipient = "bob@example.org"
	first := a.answers(t, client, sender, recipient, greylisted)
	if cause := a.event(t, first)["cause"]; !strings.HasSuffix(cause, ": first seen") {
		t.Errorf("the first attempt, on %s: %s", a.name, cause)
	}
	a.learned(t, sender)
	answer, err := b.try(client, sender, recipient)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(answer, taken) { // too soon
		if cause := b.event(t, answer)["cause"]; !strings.Contains(cause, ": retried after ") {
			t.Fatalf("the second attempt, on %s: %s", b.name, cause)
		}
		b.answers(t, client, sender, recipient, taken)
	}
	b.wants(t, 0, testbed.Entry{"level": "debug", "fate": "accepted", "sender": "<" + sender + ">"})
	if answer, err = a.try(client, sender, recipient); err != nil || !strings.HasPrefix(answer, taken) {
		t.Errorf("after it passed on %s: %q, %v", b.name, answer, err)
	}
}

func greylistPass(t *testing.T, a, b *host) {
	a.do(t, "greylist pass --client=127.1.1.1 --from=carol@new.example --to=bob@example.org --note=waits", "1 known")
	session := b.from(t, "127.1.1.1")
	session.begin(t, "carol@new.example", "bob@example.org", taken)
	session.quit(t)
	b.do(t, "greylist show --from=carol@new.example", "known", "waits", me(t))
}

// tempblockRule: bad conduct on one host is held against the client on the other.
func tempblockRule(t *testing.T, a, b *host) {
	sharesTempblock(t, a, b, "127.2.0.1")
	session := b.from(t, "127.2.0.2") // a neighbour
	session.begin(t, "alice@open.example", "bob@example.org", taken)
	session.quit(t)
}

func sharesTempblock(t *testing.T, a, b *host, client string) {
	t.Helper()
	sender := "relay." + client + "@open.example"
	session := a.from(t, client)
	session.begin(t, sender, "one@else.example", "451 4.7.1 Open relay not allowed")
	session.say(t, "RCPT TO:<two@else.example>", "451 4.7.1 Open relay not allowed")
	session.quit(t)
	a.learned(t, sender)
	answer := b.answers(t, client, "alice@open.example", "bob@example.org", blocked)
	if cause := b.event(t, answer)["cause"]; !strings.Contains(cause, "open-relay=2/5m: 2 bad") {
		t.Errorf("blocked on %s: %s", b.name, cause)
	}
}

// tempblockAdd: what a person enters on one host acts on both, and both say who and why.
func tempblockAdd(t *testing.T, a, b *host) {
	const client, note = "127.2.0.9", "flood-of-spam"
	a.do(t, "tempblock add "+client+" --for=1h --note="+note)
	for _, h := range []*host{a, b} {
		answer := h.answers(t, client, "alice@open.example", "bob@example.org", blocked)
		if cause := h.event(t, answer)["cause"]; !strings.Contains(cause, "by "+me(t)) || !strings.HasSuffix(cause, note) {
			t.Errorf("blocked on %s: %s", h.name, cause)
		}
		h.do(t, "tempblock list", client, me(t), note)
	}
	b.do(t, "tempblock rm "+client)
	for _, h := range []*host{a, b} {
		h.answers(t, client, "alice@open.example", "bob@example.org", taken)
	}
}

// reputation: one refusal on each host makes two on both.
func reputation(t *testing.T, a, b *host) {
	const client = "127.6.0.1"
	for _, h := range []*host{a, b} {
		sender := h.name + "@evil.example"
		session := h.from(t, client)
		session.begin(t, sender, "bob@example.org", "550 5.7.1 Administrative prohibition - envelope blocked [")
		session.quit(t)
		h.learned(t, sender)
	}
	for _, h := range []*host{a, b} {
		session := h.from(t, client)
		answer := session.begin(t, "alice@open.example", "bob@example.org", greylisted) // the same words
		session.quit(t)
		if entry := h.event(t, answer); entry["check"] != "reputation" {
			t.Errorf("on %s: %s", h.name, entry)
		}
		h.do(t, "reputation show "+client, "blocked", "2")
	}
}

// autoAllow: whom our user wrote to through one host may answer through the other, if SPF vouches
// for it.
func autoAllow(t *testing.T, a, b *host) {
	const user, friend = "bob@example.org", "carol@friend.example"
	session := a.from(t, "127.0.0.2")
	session.begin(t, user, friend, taken)
	session.send(t, user)
	session.quit(t)
	a.learned(t, user)
	b.do(t, "auto-allow list --user="+user, user, friend)

	session = b.from(t, "127.3.0.55")
	session.begin(t, friend, user, taken)
	session.say(t, "RCPT TO:<alice@example.org>", greylisted) // to whom she has not written
	session.quit(t)
	session = b.from(t, "127.3.1.66") // for whom SPF does not vouch
	session.begin(t, friend, user, greylisted)
	session.quit(t)
}

// managed: what a recipient blocks on one host is refused on the other.
func managed(t *testing.T, a, b *host) {
	const client, sender, recipient = "127.7.0.1", "enemy@open.example", "bob@example.org"
	a.do(t, "managed add --user="+recipient+" --block="+sender+" --note=enough")
	b.answers(t, client, sender, recipient, "550 5.7.1 Envelope blocked - User Entry [")
	b.answers(t, client, sender, "alice@example.org", taken)
	b.do(t, "managed list --user="+recipient, sender, "enough", me(t))
	b.do(t, "managed rm --user="+recipient+" --entry="+sender)
	a.answers(t, client, sender, recipient, taken)
}

// account: mail that is switched off on one host is held on both, until the other switches it on.
func account(t *testing.T, a, b *host) {
	a.do(t, "account off --outbound=dave --for=1h --note=stolen")
	for _, h := range []*host{a, b} {
		answer := h.loginAnswers(t, "dave", "x@else.example", sendsNone)
		if cause := h.event(t, answer)["cause"]; !strings.Contains(cause, "by "+me(t)) || !strings.HasSuffix(cause, "stolen") {
			t.Errorf("switched off on %s: %s", h.name, cause)
		}
		h.do(t, "account list", "dave", me(t), "stolen")
	}
	session := b.as(t, "erin")
	session.begin(t, "erin@example.org", "x@else.example", taken)
	session.quit(t)
	b.do(t, "account on --outbound=dave")
	for _, h := range []*host{a, b} {
		h.loginAnswers(t, "dave", "x@else.example", taken)
	}
}

// concurrency: one place of a client on each host are two, and so are two places into one domain.
func concurrency(t *testing.T, a, b *host) {
	const client, sender = "127.4.0.1", "alice@open.example"
	var held []*session
	for _, h := range []*host{a, b} {
		session := h.from(t, client)
		session.begin(t, sender, "bob@example.org", taken)
		held = append(held, session)
	}
	for _, h := range []*host{a, b} {
		session := h.from(t, client)
		answer := session.begin(t, sender, "bob@quiet.example", full)
		session.quit(t)
		if entry := h.event(t, answer); entry["reply"] != "concurrency-client" {
			t.Errorf("on %s: %s", h.name, entry)
		}
		session = h.from(t, "127.4.0.2")
		answer = session.begin(t, sender, "bob@example.org", full)
		session.say(t, "RCPT TO:<bob@quiet.example>", taken)
		session.quit(t)
		if entry := h.event(t, answer); entry["reply"] != "concurrency" {
			t.Errorf("on %s: %s", h.name, entry)
		}
	}
	held[0].quit(t)
	b.answers(t, client, sender, "bob@example.org", taken) // the place that was taken on the other host
	held[1].quit(t)
}

// loginsAtOnce: one transaction of a login on each host are two. Recipients of ours do not count
// for its rate, whose refusal reads the same.
func loginsAtOnce(t *testing.T, a, b *host) {
	var held []*session
	for _, h := range []*host{a, b} {
		session := h.as(t, "frank")
		session.begin(t, "frank@example.org", "bob@example.org", taken)
		held = append(held, session)
	}
	for _, h := range []*host{a, b} {
		session := h.as(t, "frank")
		session.begin(t, "frank@example.org", "bob@example.org", tooMuch)
		session.quit(t)
	}
	held[0].quit(t)
	b.loginAnswers(t, "frank", "bob@example.org", taken)
	held[1].quit(t)
}

// loginRate: what a login sends through one host counts on the other, from RCPT on.
func loginRate(t *testing.T, a, b *host) {
	const sender = "grace@example.org"
	session := a.as(t, "grace")
	session.begin(t, sender, "one@else.example", taken)
	session.say(t, "RCPT TO:<two@else.example>", taken)
	other := b.as(t, "grace")
	other.begin(t, sender, "three@else.example", taken)
	other.say(t, "RCPT TO:<four@else.example>", tooMuch)
	other.quit(t)
	session.send(t, sender)
	session.quit(t)
	a.learned(t, sender)
	session = b.as(t, "grace")
	session.begin(t, sender, "three@else.example", taken)
	session.say(t, "RCPT TO:<four@else.example>", tooMuch)
	session.say(t, "RCPT TO:<bob@example.org>", taken) // is not external
	session.quit(t)
}

// me is who gives the commands, as the kernel says.
func me(t *testing.T) string {
	t.Helper()
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	return u.Username
}
