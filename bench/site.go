package main

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mailweir/test/testbed"
	"mailweir/test/wire"
)

// What the policy of a real site has beside the default.
const (
	siteLists       = 20
	siteDefinitions = 4
	sitePhrases     = 1000 // of each definition
	siteMailboxes   = 100_000
	siteSessions    = 8
)

// site measures whole messages under the policy of a real site, beside the C filter and an rspamd
// that does much of it as a milter.
func (b *bench) site() error {
	fmt.Printf("The policy of a real site over the milter protocol: %d DNS lists whose answers are known, %d definitions of %d phrases, kinds of files, "+
		"a table of %d recipients, every check of the default policy enforced (%d sessions, one message a connection, %d clients and senders in turn, "+
		"all known to greylisting; median of %d rounds of %v, lowest and highest in brackets):\n\n",
		siteLists, siteDefinitions, sitePhrases, siteMailboxes, siteSessions, people, b.rounds, b.duration)
	row("messages", "filter", "messages/s", "CPU µs a message", "of the C filter", "of rspamd", "of before")
	row("---", "---", "--:", "--:", "--:", "--:", "--:")
	mails, err := b.siteMails()
	if err != nil {
		return err
	}
	for _, mail := range mails {
		peers, err := b.sitePeers(mail)
		if err != nil {
			return fmt.Errorf("%s: %w", mail.name, err)
		}
		for _, p := range peers {
			row(mail.name, p.name, p.rate, p.cpu, p.against(peers, siteNoop), p.against(peers, siteRspamd), p.against(peers, siteBefore))
		}
	}
	fmt.Println()
	return nil
}

// siteAims are the policy of a real site beside the C filter and rspamd.
func (b *bench) siteAims() ([]aim, error) {
	mails, err := b.siteMails()
	if err != nil {
		return nil, err
	}
	peers, err := b.sitePeers(mails[0])
	if err != nil {
		return nil, err
	}
	of := func(what, name, yardstick string, most float64, note string) aim {
		a := aim{What: what, Bound: atMost(most, ""), Note: note}
		ours, theirs := peerNamed(peers, name), peerNamed(peers, yardstick)
		if theirs == nil {
			a.Note = yardstick + " is not installed."
		}
		if ours != nil && theirs != nil {
			a.Got = ours.cpu.over(theirs.cpu)
			a.Of = []reading{{name, "CPU µs a message", ours.cpu}, {yardstick, "CPU µs a message", theirs.cpu}}
		}
		return a
	}
	const what = "a real site's policy: CPU of "
	return []aim{
		of(what+"the C filter's", siteOurs, siteNoop, 1, ""),
		of(what+"rspamd's", siteOurs, siteRspamd, 0.2,
			"rspamd does not do quite the same: it remembers on Redis, whose time is not counted, greylists only what seems to be spam, and keeps no record."),
		of(what+"rspamd's, neither keeps a record", siteNoRecord, siteRspamd, 0.2, ""),
	}, nil
}

// peerNamed is the peer of that name, nil if it does not take part.
func peerNamed(peers []*sitePeer, name string) *sitePeer {
	i := slices.IndexFunc(peers, func(p *sitePeer) bool { return p.name == name })
	if i < 0 {
		return nil
	}
	return peers[i]
}

// siteMail is one kind of messages.
type siteMail struct {
	name    string
	letters []letter // of the people in turn
}

// siteMails are the usual message and, with a corpus, real ones.
func (b *bench) siteMails() ([]siteMail, error) {
	mails := []siteMail{{"plain text of 8 KiB", usualLetters(1, bodySize)}}
	h := b.Part()
	defer h.Close()
	texts, err := contentTexts(testbed.TempDir(h))
	if err != nil || texts[0].name != wantedMail {
		return mails, err
	}
	octets := 0
	for _, l := range texts[0].letters {
		octets += len(l.String())
	}
	letters := texts[0].letters
	return append(mails, siteMail{fmt.Sprintf("%s, %.1f KiB on average", wantedMail, float64(octets)/float64(len(letters))/1024), letters}), nil
}

// The names of those who take part.
const (
	siteNoop     = "C filter that does nothing"
	siteOurs     = "mailweir"
	siteNoRecord = "mailweir, no record"
	siteBefore   = "before: mailweir"
	siteRspamd   = "rspamd"
)

// sitePeer is a filter that takes part.
type sitePeer struct {
	name      string
	pid       int
	load      load
	rate, cpu sample
}

// against compares a peer with the one of that name, "" if it is that or there is none.
func (p *sitePeer) against(peers []*sitePeer, name string) string {
	other := peerNamed(peers, name)
	if other == nil || other == p {
		return ""
	}
	return p.cpu.against(other.cpu)
}

// sitePeers lets all take turns with these messages.
func (b *bench) sitePeers(mail siteMail) ([]*sitePeer, error) {
	h := b.Part()
	defer h.Close()
	s := siteBed{b, h, testbed.TempDir(h), startNameServer(h, nil).Address, phrases(siteDefinitions*sitePhrases, commonWords)}
	peers, err := s.start()
	if err != nil {
		return nil, err
	}
	for _, p := range peers {
		p.load.connections, p.load.letters, p.load.people, p.load.each = siteSessions, mail.letters, people, true
		if err := p.round(b.duration); err != nil { // warm up
			return nil, err
		}
		p.rate, p.cpu = nil, nil
	}
	for range b.rounds {
		for _, p := range peers {
			if err := p.round(b.duration); err != nil {
				return nil, err
			}
		}
	}
	return peers, nil
}

// round measures one round of this peer.
func (p *sitePeer) round(duration time.Duration) error {
	before, err := familyCPU(p.pid)
	if err != nil {
		return err
	}
	m, err := measureLoad(p.pid, p.load, duration)
	if err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	after, err := familyCPU(p.pid)
	p.rate, p.cpu = append(p.rate, m.rate()), append(p.cpu, m.cost(after-before))
	return err
}

// siteBed is what the peers of one case have in common.
type siteBed struct {
	*bench
	h       testbed.TB
	dir     string
	dns     string
	phrases []string
}

// start starts all peers; rspamd only where it is installed.
func (s siteBed) start() ([]*sitePeer, error) {
	noop, socket := s.bench.start(s.h, contender{native: true}, "")
	peers := []*sitePeer{{name: siteNoop, pid: noop, load: load{socket: socket}}}
	if s.mailweir != "none" {
		flags, err := s.flags()
		if err != nil {
			return nil, err
		}
		programs := []contender{{name: siteOurs, flags: flags}, {name: siteNoRecord, flags: append(slices.Clone(flags), "--record=off")}}
		if s.against != "" {
			programs = append(programs, contender{name: siteBefore, flags: flags, before: true})
		}
		for _, c := range programs {
			c.flags = append(slices.Clone(c.flags), "--state=file:"+testbed.TempDir(s.h))
			pid, socket := s.bench.start(s.h, c, "")
			if err := s.introduce(socket); err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			peers = append(peers, &sitePeer{name: c.name, pid: pid, load: load{socket: socket}})
		}
	}
	if _, err := exec.LookPath("rspamd"); err != nil {
		return peers, nil
	}
	pid, socket, err := s.startRspamd()
	return append(peers, &sitePeer{name: siteRspamd, pid: pid, load: load{socket: socket}}), err
}

// flags are mailweir's, without where it remembers.
func (s siteBed) flags() ([]string, error) {
	flags := []string{
		"--greylist=enforce", "--reputation=enforce", "--tempblock=enforce", "--concurrency=enforce", "--outbound-limit=enforce",
		"--lockout=enforce", "--truncated=enforce", "--greylist-delay=" + siteDelay.String(),
		"--local-domains=inline:{example.org=x}", "--dns=" + s.dns,
		"--recipient-source=*=" + filepath.Join(s.dir, "recipients"),
	}
	for i := range siteLists {
		flags = append(flags, fmt.Sprintf("--rbl-zone=l%d.example", i))
	}
	for _, kind := range []string{"executable", "script", "macros", "disk-image", "onenote", "encrypted", "disguised", "double-extension"} {
		flags = append(flags, "--signature-types="+kind)
	}
	files := map[string]string{"recipients": strings.Join(mailboxesOf(siteMailboxes), " x\n") + " x\n"}
	for i := range siteDefinitions {
		name := fmt.Sprintf("%d.def", i)
		files[name] = definitionOf(s.definition(i))
		flags = append(flags, "--content-definition="+filepath.Join(s.dir, name))
	}
	return flags, writeAll(s.dir, files)
}

// definition is the phrases of one definition.
func (s siteBed) definition(i int) []string { return s.phrases[i*sitePhrases : (i+1)*sitePhrases] }

// definitionOf is a definition file of phrases that never fires.
func definitionOf(phrases []string) string {
	return "!activation 1000000\n1 " + strings.Join(phrases, "\n1 ") + "\n"
}

// mailboxesOf are that many addresses; all mail of the load goes to one of them.
func mailboxesOf(n int) []string {
	list := []string{"bob@example.org"}
	for i := range n - 1 {
		list = append(list, fmt.Sprintf("user%d@example.org", i))
	}
	return list
}

// siteDelay is how long greylisting has somebody wait who is new.
const siteDelay = time.Second

// introduce has everybody come twice, so that greylisting and the DNS lists know them.
func (s siteBed) introduce(socket string) error {
	for _, want := range []string{"451 4.7.1", "c"} {
		for person := range people {
			said, err := envelope(socket, person)
			if err == nil && !strings.HasPrefix(said, want) {
				err = fmt.Errorf("person %d is told %q, not %q", person, said, want)
			}
			if err != nil {
				return err
			}
		}
		time.Sleep(siteDelay) // after the last one has come: the second turn may be the faster one
	}
	return nil
}

// envelope begins a message of a person, and returns what is said to the recipient.
func envelope(socket string, person int) (string, error) {
	c, err := wire.Dial(socket)
	if err != nil {
		return "", err
	}
	for name, value := range macroValues {
		c.Macros[name] = value
	}
	var said wire.Answer
	for _, packet := range []struct {
		command byte
		data    string
	}{
		{wire.Connect, "client.example.net\x004\xa1\x12" + clientOf(person) + "\x00"},
		{wire.Helo, "client.example.net\x00"},
		{wire.Mail, "<" + senderOf(person) + ">\x00SIZE=9500\x00BODY=8BITMIME\x00"},
		{wire.Rcpt, "<bob@example.org>\x00"},
	} {
		if said, err = c.Do(packet.command, packet.data); err != nil || said.Refuses() {
			break
		}
	}
	return said.String(), errors.Join(err, c.Close())
}
