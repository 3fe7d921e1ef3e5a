package rspamd

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"mailweir/internal/address"
	"mailweir/internal/importing"
	"mailweir/internal/table"
	"mailweir/test/testbed"
)

// ours are multimaps of every kind that is carried over; DIR is where rspamd's files are.
const ours = `
HASH { type = "from"; map = "DIR/any.map"; action = "reject"; }
DOMAINS { type = "from"; filter = "email:domain"; map = "DIR/domains.map"; action = "reject"; }
TLDS { type = "from"; filter = "email:domain:tld"; map = "DIR/tlds.map"; action = "reject"; }
USERS { type = "from"; filter = "email:user"; map = "DIR/users.map"; action = "reject"; }
PATTERNS { type = "from"; regexp = true; map = "DIR/any.re"; action = "reject"; }
DOMAIN_PATTERNS { type = "from"; filter = "email:domain"; regexp = true; map = "DIR/domains.re"; action = "reject"; }
USER_PATTERNS { type = "from"; filter = "email:user"; regexp = true; map = "DIR/users.re"; action = "reject"; }
ADDRESS_PATTERNS { type = "from"; filter = "email:addr"; regexp = true; map = "DIR/addresses.re"; action = "reject"; }
GLOBS { type = "from"; glob = true; map = "DIR/any.glob"; action = "reject"; }
DOMAIN_GLOBS { type = "from"; filter = "email:domain"; glob = true; map = "DIR/domains.glob"; action = "reject"; }
AUTHORS { type = "header"; header = "From"; filter = "email:addr"; map = "DIR/authors.map"; action = "reject"; }
AUTHOR_DOMAINS { type = "header"; header = "From"; filter = "email:domain"; map = "DIR/authordomains.map"; action = "reject"; }
CLIENTS { type = "ip"; map = "DIR/clients.map"; action = "reject"; }
INLINE { type = "ip"; map = ["203.0.113.7", "203.0.113.64/26"]; action = "reject"; }
HOSTS { type = "hostname"; map = "DIR/hosts.map"; action = "reject"; }
HOST_PATTERNS { type = "hostname"; regexp = true; map = "DIR/hosts.re"; action = "reject"; }
`

var maps = map[string]string{
	"any.map":           "bob@hash.example\nhash2.example 5\nnewsletter\n\"Quoted@q.example\"\n",
	"domains.map":       "fastcash.example\nCasino.Example # since 2019\nx@whole.example\n",
	"tlds.map":          "spam.com\nevil.com\n",
	"users.map":         "bounce\nnoreply\n",
	"any.re":            "/^spam/i\n/\\.top$/i 3\n/^a.*z$/\n/\\bcasino\\b/\nplain\\.ex\n/^(x|y)1$|q7/\n/[^a-z]{4}/\n",
	"domains.re":        "/^mail\\d+\\./\n/bulk/i\n/\\.zip$/\n",
	"users.re":          "/^b-[0-9]+$/\n/promo/\n/[$]/\n",
	"addresses.re":      "/^sales@.*\\.biz$/\n/o@o/\n",
	"any.glob":          "*@glob.example\nlot??ry\n",
	"domains.glob":      "*.wild.example\n",
	"authors.map":       "boss@partner.example\n",
	"authordomains.map": "phish.example\n",
	"clients.map":       "198.51.100.0/26\n192.0.2.9 1\n2001:db8:5::/48\n2001:db8:6::1/64\n",
	"hosts.map":         "mx.spam.example\nHost.Example\n",
	"hosts.re":          "/^dyn-\\d+/\n/\\.pool\\./i\n/^[0-9.]+$/\n",
}

// agreement is an rspamd and the tables that were made of its multimaps.
type agreement struct {
	*testing.T
	rspamd  *testbed.Rspamd
	senders *table.List
	authors *table.List
	clients *table.List
	mutex   sync.Mutex
	asked   int
	hits    int
}

func newAgreement(t *testing.T) *agreement {
	testbed.Require(t, "rspamd")
	root := t.TempDir()
	dir := filepath.Join(root, usualDir)
	files := map[string]string{"local.d/multimap.conf": strings.ReplaceAll(ours, "DIR/", "$LOCAL_CONFDIR/")}
	for name, text := range maps {
		files[name] = text
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r := from(t, nil, root)
	for _, i := range r.Items {
		if i.Fate == importing.Left && !strings.HasPrefix(i.Text, "x@whole") {
			t.Errorf("%s %s is left: %s", i.Place, i.Text, i.Reason)
		}
	}
	a := &agreement{
		T:      t,
		rspamd: testbed.StartRspamdWith(t, `modules { path = "/usr/share/rspamd/plugins/multimap.lua"; }`+"\nmultimap {"+strings.ReplaceAll(ours, "DIR", dir)+"}\n"),
	}
	l := newLists()
	a.senders, a.authors, a.clients = written(t, r, l.blockSenders.flag, l.blockSenders.use), written(t, r, l.blockAuthors.flag, l.blockAuthors.use), written(t, r, l.blockClients.flag, l.blockClients.use)
	return a
}

// written has the tables of a result written, and opens those of a flag.
func written(t *testing.T, r *importing.Result, flag string, use table.Use) *table.List {
	t.Helper()
	dir := t.TempDir()
	for _, f := range r.Files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), []byte(f.Text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var specs []string
	for _, f := range r.Flags {
		if f.Name == flag {
			specs = append(specs, strings.Replace(f.Value, "/etc/mailweir/imported", dir, 1))
		}
	}
	list, err := table.NewLoader(nil).List(table.ListOptions{Use: use, Subdomains: true, Delimiters: "+"}, specs...)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// mail is what rspamd is asked about.
type mail struct{ from, author, client, host string }

func (a *agreement) refuses(m mail) bool {
	request, err := http.NewRequestWithContext(a.Context(), http.MethodPost, "http://"+a.rspamd.Address+"/checkv2",
		strings.NewReader("From: <"+m.author+">\r\nSubject: x\r\nMessage-Id: <x@x.example>\r\n\r\nx\r\n"))
	if err != nil {
		a.Fatal(err)
	}
	request.Header = http.Header{"From": {m.from}, "Rcpt": {"b@ours.example"}, "Ip": {m.client}}
	if m.host != "" {
		request.Header.Set("Hostname", m.host)
	}
	request.Close = true
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		a.Error(err)
		return false
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	var said struct {
		Action  string
		Symbols map[string]any
	}
	if err == nil {
		err = json.Unmarshal(text, &said)
	}
	if err != nil {
		a.Errorf("%+v: %s: %v", m, text, err)
	}
	return said.Action == "reject"
}

// hold asks rspamd about each mail, and the table as well.
func (a *agreement) hold(all []mail, lists func(mail) (table.Match, error)) {
	a.Helper()
	work := make(chan mail)
	var running sync.WaitGroup
	for range 4 {
		running.Go(func() {
			for m := range work {
				old := a.refuses(m)
				match, err := lists(m)
				if err != nil || match.Found() != old {
					a.Errorf("%+v: rspamd refuses: %v, the tables have %q, %v", m, old, match.Where(), err)
				}
				a.mutex.Lock()
				a.asked++
				if old {
					a.hits++
				}
				a.mutex.Unlock()
			}
		})
	}
	for _, m := range all {
		work <- m
	}
	close(work)
	running.Wait()
}

// TestAgree: of more than a thousand mails rspamd refuses by its multimaps the same as the tables
// have.
func TestAgree(t *testing.T) {
	a := newAgreement(t)
	usual := mail{from: "ok@ok.example", author: "ok@ok.example", client: "127.0.0.1"}
	var senders []mail
	locals := []string{
		"bob", "newsletter", "newsletters", "quoted", "bounce", "noreply", "a-z", "az", "abcz", "spam", "myspam", "spammer", "x1", "y1", "ax1", "q7", "aq7b", "b-12", "b-1x", "xb-12",
		"promo", "big.promotion", "sales", "sales2", "foo", "casino", "casinos", "my-casino", "12345", "a$b", "lottery", "lotery", "lotxtery", "lot12ry", "plain.ex", "plainxex", "topz.top",
	}
	domains := []string{
		"hash.example", "hash2.example", "sub.hash2.example", "q.example", "fastcash.example", "sub.fastcash.example", "casino.example", "spam.com", "a.b.spam.com", "myspam.com",
		"evil.com", "x.evil.com", "sub.spam.com", "mail1.example", "mail.example", "xmail7.example", "bulk.example", "non-bulky.com", "x.zip", "zip.example", "best.top", "top.example",
		"az", "a-lot.oz", "glob.example", "glob.example.com", "x.wild.example", "wild.example", "some.biz", "plain.example", "whole.example", "1.2.3.4.example", "lottery.com",
	}
	for _, local := range locals {
		for _, domain := range domains {
			m := usual
			m.from = local + "@" + domain
			senders = append(senders, m)
		}
	}
	for _, address := range []string{"Bob@HASH.example", "x@FASTCASH.example", "x@CASINO.Example", "SPAM@x.example", "x@a.TOP", "NoReply@x.example"} {
		m := usual
		m.from = address
		senders = append(senders, m)
	}
	a.hold(senders, func(m mail) (table.Match, error) { return a.senders.Address(t.Context(), address.Parse(m.from)) })

	var authors []mail
	for _, author := range []string{"boss@partner.example", "Boss@Partner.example", "boss@x.partner.example", "xboss@partner.example", "a@phish.example", "a@x.phish.example", "a@PHISH.example", "a@phish.example.com"} {
		m := usual
		m.author = author
		authors = append(authors, m)
	}
	a.hold(authors, func(m mail) (table.Match, error) { return a.authors.Address(t.Context(), address.Parse(m.author)) })

	var clients []mail
	for i := range 256 {
		for _, net := range []string{"198.51.100.%d", "192.0.2.%d", "203.0.113.%d"} {
			if i%5 < 2 || i >= 60 && i < 70 || i == 7 || i == 9 {
				m := usual
				m.client = fmt.Sprintf(net, i)
				clients = append(clients, m)
			}
		}
	}
	for _, client := range []string{"2001:db8:5::1", "2001:db8:5:ffff::1", "2001:db8:6::2", "2001:db8:6:1::1", "2001:db8:7::1"} {
		m := usual
		m.client = client
		clients = append(clients, m)
	}
	for _, host := range []string{"mx.spam.example", "x.mx.spam.example", "MX.spam.example", "host.example", "host.example.com", "dyn-12.example", "xdyn-12.example", "a.pool.example", "a.POOL.example", "pool.example"} {
		m := usual
		m.host = host
		clients = append(clients, m)
	}
	a.hold(clients, func(m mail) (table.Match, error) {
		names := slices.DeleteFunc([]string{m.host}, func(name string) bool { return name == "" })
		return a.clients.Client(t.Context(), netip.MustParseAddr(m.client), names...)
	})
	if a.asked < 1000 || a.hits < 200 || a.asked-a.hits < 200 {
		t.Errorf("%d questions, %d hits are no comparison", a.asked, a.hits)
	}
	t.Logf("%d questions, %d hits", a.asked, a.hits)
}
