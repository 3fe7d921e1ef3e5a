package imported

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// kinds are what a dialog is put together from. Of each the first value of a pool is innocent.
var kinds = []string{"client", "helo", "sender", "recipient", "from", "subject", "header", "body"}

// value is one line of a pool.
type value struct {
	kind, text string
	// because names the line of the old configuration, or a word of the notes, by which the report
	// has announced that mailweir will decide otherwise than Postfix did: "sender_access:16".
	because string
}

func (v value) String() string { return v.kind + " " + v.text }

// pool is what the mail of a configuration is generated from. Its values hit each entry of the old
// configuration and miss it narrowly.
type pool struct {
	values map[string][]value
	// logins are senders with a login, for the submission service: "LOGIN SENDER".
	logins []value
	// mails are dialogs that need more than one value to hit anything: "sender=a@x
	// client=192.0.2.1".
	mails []value
}

// readPool reads a file of lines "KIND VALUE", with " ~ BECAUSE" behind where a difference is
// announced.
func readPool(t *testing.T, name string) *pool {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	p := &pool{values: map[string][]value{}}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimRight(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		line, because, _ := strings.Cut(line, " ~ ")
		kind, rest, _ := strings.Cut(line, " ")
		v := value{kind, rest, because}
		switch {
		case kind == "login":
			p.logins = append(p.logins, v)
		case kind == "mail":
			p.mails = append(p.mails, v)
		case slices.Contains(kinds, kind):
			p.values[kind] = append(p.values[kind], v)
		default:
			t.Fatalf("%s:%d: no kind %q", name, n, kind)
		}
	}
	for _, kind := range kinds {
		if len(p.values[kind]) == 0 {
			p.values[kind] = []value{{kind: kind}}
		}
	}
	return p
}

// dialog is one message to one or more recipients.
type dialog struct {
	number     int
	alone      *value // the one value that is not innocent, nil where there may be several
	client     string // "ADDRESS NAME"
	helo       string
	login      string
	sender     string
	recipients []value
	from       string
	subject    string
	header     string
	body       string
	values     []value // all of which may explain a difference, but recipients
}

// take gives the dialog a value of a kind.
func (d *dialog) take(v value) {
	switch v.kind {
	case "client":
		d.client = v.text
	case "helo":
		d.helo = v.text
	case "sender":
		d.sender = v.text
	case "from":
		d.from = v.text
	case "subject":
		d.subject = v.text
	case "header":
		d.header = v.text
	case "body":
		d.body = v.text
	case "recipient":
		d.recipients = append(d.recipients, v)
		return
	}
	d.values = append(d.values, v)
}

// explained are the reasons that the report gives for a difference of a recipient.
func (d *dialog) explained(recipient value) (because []string) {
	for _, v := range append(slices.Clone(d.values), recipient) {
		if v.because != "" {
			because = append(because, v.because)
		}
	}
	return because
}

// dialogs are those of each value alone, those that need several, and so many random ones.
func (p *pool) dialogs(t *testing.T, seed uint64, random int) (all []*dialog) {
	t.Helper()
	add := func(d *dialog) {
		d.number = len(all) + 1
		all = append(all, d)
	}
	for _, kind := range kinds {
		for i := range p.values[kind] {
			v := &p.values[kind][i]
			d := &dialog{alone: v}
			for _, other := range kinds {
				if other == kind {
					d.take(*v)
				} else {
					d.take(p.values[other][0])
				}
			}
			add(d)
		}
	}
	for i := range p.logins {
		add(p.login(t, &p.logins[i]))
	}
	for i := range p.mails {
		add(p.mail(t, &p.mails[i]))
	}
	chance := rand.New(rand.NewPCG(seed, 15))
	for range random {
		add(p.random(chance))
	}
	return all
}

// users are those who log in.
func (p *pool) users() (all []string) {
	for _, v := range p.logins {
		if user, _, _ := strings.Cut(v.text, " "); !slices.Contains(all, user) {
			all = append(all, user)
		}
	}
	return all
}

// random is a dialog with several values, most of which are innocent.
func (p *pool) random(chance *rand.Rand) *dialog {
	d := &dialog{}
	for _, kind := range kinds {
		values := p.values[kind]
		times := 1
		if kind == "recipient" {
			times += chance.IntN(3)
		}
		for range times {
			v := values[0]
			if chance.IntN(100) < 45 {
				v = values[chance.IntN(len(values))]
			}
			if kind != "recipient" || !slices.Contains(d.recipients, v) {
				d.take(v)
			}
		}
	}
	return d
}

// login is a dialog of the submission service.
func (p *pool) login(t *testing.T, v *value) *dialog {
	t.Helper()
	login, sender, found := strings.Cut(v.text, " ")
	if !found {
		t.Fatalf("login %q is not LOGIN SENDER", v.text)
	}
	d := p.innocent("client", "sender")
	d.alone, d.client, d.login, d.sender = v, "203.0.113.1 home.example", login, sender
	d.values = append(d.values, *v)
	return d
}

// mail is a dialog that names what is not innocent.
func (p *pool) mail(t *testing.T, v *value) *dialog {
	t.Helper()
	var given []value
	var names []string
	for _, word := range strings.Fields(v.text) {
		kind, text, found := strings.Cut(word, "=")
		if !found || !slices.Contains(kinds, kind) {
			t.Fatalf("mail %q: %q is not KIND=VALUE", v.text, word)
		}
		given = append(given, value{kind: kind, text: strings.ReplaceAll(text, "_", " ")})
		names = append(names, kind)
	}
	d := p.innocent(names...)
	d.alone = v
	for _, g := range given {
		d.take(g)
	}
	d.values = append(d.values, *v)
	return d
}

// innocent is a dialog without values of some kinds.
func (p *pool) innocent(but ...string) *dialog {
	d := &dialog{}
	for _, kind := range kinds {
		if !slices.Contains(but, kind) {
			d.take(p.values[kind][0])
		}
	}
	return d
}

// message is what follows DATA, line by line.
func (d *dialog) message() (lines []string) {
	fields := []string{
		"From: " + cmp.Or(d.from, "<"+d.sender+">"),
		"To: <" + d.recipients[0].text + ">",
		"Subject: " + d.subject,
		"Date: Sat, 28 Nov 2026 10:20:30 +0000",
		fmt.Sprintf("Message-ID: <%d.generated@mailer.example>", d.number),
	}
	if name, _, found := strings.Cut(d.header, ":"); found {
		fields = slices.DeleteFunc(fields, func(f string) bool { return strings.HasPrefix(f, name+":") })
		fields = append(fields, strings.Split(d.header, "\\n")...)
	}
	return append(append(fields, ""), strings.Split(d.body, "\\n")...)
}

func (d *dialog) String() string {
	var to []string
	for _, r := range d.recipients {
		to = append(to, r.text)
	}
	return fmt.Sprintf("%d: client %s, helo %s, login %s, <%s> to <%s>\n  %s", d.number, d.client, d.helo, d.login, d.sender,
		strings.Join(to, "> <"), strings.Join(d.message(), "\n  "))
}
