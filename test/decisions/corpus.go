package main

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"mailweir/test/wire"
)

// clients is how many there are. They take turns, so that what was learned of one message of a
// client has long been written when his next one comes.
const clients = 600

// mail is a message of the corpus with an envelope.
type mail struct {
	name       string // of its file
	queueID    string
	client     netip.Addr
	clientName string
	service    string // port of the door
	login      string
	tls        bool
	sender     string // as an MTA writes it, without its brackets
	recipients []string
	size       int // declared, 0 for none
	// joins tells that it comes over the connection of the one before.
	joins  bool
	letter wire.Letter
}

// readCorpus reads the sets of messages and mixes them, always alike.
func readCorpus(home string, every int) ([]mail, error) {
	sets, err := filepath.Glob(filepath.Join(home, "*.tar.xz"))
	if err != nil || len(sets) == 0 {
		return nil, fmt.Errorf("no sets of messages in %q, %v", home, err)
	}
	dir, err := os.MkdirTemp("", "mw")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	for _, set := range sets {
		if out, err := exec.Command("tar", "-xJf", set, "-C", dir).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s: %w: %s", set, err, out)
		}
	}
	names, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil {
		return nil, err
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	var mails []mail
	for i := 0; i < len(names); i += every {
		text, err := os.ReadFile(names[i])
		if err != nil {
			return nil, err
		}
		name, err := filepath.Rel(dir, names[i])
		if err != nil {
			return nil, err
		}
		mails = append(mails, envelope(len(mails), name, string(text)))
	}
	return mails, nil
}

// envelope chooses what an MTA would know of a message.
func envelope(number int, name, text string) mail {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(text))
	draw := rand.New(rand.NewPCG(hash.Sum64(), 0))
	m := mail{
		name: name, queueID: fmt.Sprintf("Q%05d", number), service: "25",
		letter: wire.ParseLetter(text), joins: number%5 == 4,
	}
	client := number % clients
	if m.joins {
		client = (number - 1) % clients
	}
	m.from(client, draw)
	m.chooseSender(text, draw)
	m.chooseRecipients(draw)
	if draw.IntN(3) == 0 {
		m.size = len(text)
	}
	if draw.IntN(100) == 0 {
		m.size = 200 << 20
	}
	return m
}

// from chooses the client: most are untrusted, some are ours, some log in.
func (m *mail) from(client int, draw *rand.Rand) {
	kind, low := client%25, byte(client%200)
	high := byte(client / 200)
	m.clientName = fmt.Sprintf("host%d.clients%d.example", client, client%7)
	m.tls = client%3 == 0
	switch {
	case kind == 3:
		m.client = netip.AddrFrom4([4]byte{172, 16, high, low}) // trusted
	case kind%10 == 5:
		m.client = netip.MustParseAddr(fmt.Sprintf("2001:db8:%x::1", client+1))
	default:
		m.client = netip.AddrFrom4([4]byte{20, high, low, byte(client%250 + 1)})
	}
	if m.joins { // the door is the connection's
		return
	}
	switch kind {
	case 7:
		m.service, m.login = "587", fmt.Sprintf("u%d@example.org", client%5)
	case 8:
		m.service = []string{"25", "587", "10026"}[draw.IntN(3)]
	}
}

var addressIn = regexp.MustCompile(`[A-Za-z0-9._+=-]+@[A-Za-z0-9.-]+`)

func (m *mail) ours() bool { return m.login != "" || m.client.Is4() && m.client.As4()[0] == 172 }

func (m *mail) chooseSender(text string, draw *rand.Rand) {
	m.sender = addressIn.FindString(m.letter.Header("Return-Path"))
	if m.sender == "" || draw.IntN(2) == 0 {
		m.sender = addressIn.FindString(m.letter.Header("From"))
	}
	switch n := draw.IntN(60); {
	case m.ours():
		m.sender = fmt.Sprintf("u%d@example.org", draw.IntN(20))
	case n < 3:
		m.sender = ""
	case n < 6:
		m.sender = fmt.Sprintf("u%d@example.org", draw.IntN(20))
	case n == 6:
		m.sender = "a..b@" + strings.Repeat("x", 70) + ".example"
	case m.sender == "" && strings.HasPrefix(text, "From "):
		m.sender = addressIn.FindString(text[:strings.IndexByte(text, '\n')])
	}
}

// chooseRecipients chooses one to three users, or somebody elsewhere.
func (m *mail) chooseRecipients(draw *rand.Rand) {
	if m.ours() && draw.IntN(3) > 0 { // an answer to whom the message is from
		if to := addressIn.FindString(m.letter.Header("From")); to != "" && !m.joins {
			m.recipients = append(m.recipients, to)
		}
	}
	if draw.IntN(50) == 0 {
		m.recipients = []string{"postmaster@example.org"}
		return
	}
	// Nobody gets two messages in a row of one client, or one message twice: what the first has
	// taught is not yet written then.
	first, end := 0, 20
	if m.joins {
		first, end = 20, 40
	}
	for _, n := range draw.Perm(end - first)[:1+draw.IntN(3)] {
		user := fmt.Sprintf("u%d", first+n)
		switch n := draw.IntN(40); {
		case n < 2:
			m.recipients = append(m.recipients, user+"@elsewhere.example")
		case n == 2:
			m.recipients = append(m.recipients, user+"@tls.example")
		case n == 3:
			m.recipients = append(m.recipients, user+"@off.example")
		case n < 8:
			m.recipients = append(m.recipients, user+"+box@example.com")
		default:
			m.recipients = append(m.recipients, user+"@example.org")
		}
	}
}
