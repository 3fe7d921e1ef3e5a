package postgrey

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailweir/internal/address"
	"mailweir/internal/importing"
	"mailweir/internal/table"
	"mailweir/test/testbed"
)

// The lists of the package, and entries of every other form. Those that are left because postgrey
// knows what no table can are not among them.
const oddClients = `
SPI-INC.org
/a/b/
/^mail\d+\.[a-c]x+\.example$/
/\.(?:de|at)$/
/sales#1/
/\bdsl\b/
192.0.2.0/24
192.0.2.177/28
203.0.113.9
193.7
193.7.22
10
300.1.1.1
2001:db8::/32
2001:DB8:0:0::25
::ffff:198.51.100.1
x
under_score.example
two words
`

const oddRecipients = `
Bob@Example.org
carol+lists@example.org
example.net
dots.in.name@
/^sales-.*@example\.org$/
/\+spam@/
/x{2,}@.*\.test$/
`

// written has the tables of a result written, and opens those of a flag.
func written(t *testing.T, r *importing.Result, flag string, use table.ListOptions) *table.List {
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
	list, err := table.NewLoader(nil).List(use, specs...)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// entries are those of a list.
func entries(list string) (all []string) {
	for line := range strings.Lines(list) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// names are names about those of a list: the same, below, beside and longer ones.
func names(list string) (all []string) {
	for _, word := range entries(list) {
		if ipv6Form.MatchString(word) || numberForm.MatchString(strings.Split(word, "/")[0]) && word[0] != '/' {
			continue
		}
		if strings.Contains(word, "/") {
			word = strings.NewReplacer("/", "", "^", "", "$", "", `\d+`, "7", `\.`, ".", ".*", "lake").Replace(word)
		}
		all = append(all, word, "mx."+word, "x"+word, strings.ToUpper(word), word+".example", "a.b-c."+word)
	}
	return append(all, "mail1.axx.example", "mail.axx.example", "MAIL22.cx.example", "a/b.example", "host.de", "host.at.example", "dsl.example", "adsl.example", "1-dsl-2.example")
}

// near are the addresses at the edges of the nets of a list.
func near(list string) (all []netip.Addr) {
	for _, word := range entries(list) {
		net, err := prefix(word)
		if err != nil {
			continue
		}
		first := net.Masked().Addr()
		last := first
		for last.Next().IsValid() && net.Contains(last.Next()) && len(all) < 400 && net.Addr().Is4() {
			last = last.Next()
		}
		all = append(all, first, last, first.Prev(), last.Next())
	}
	for _, more := range []string{"193.7.0.1", "193.7.1.1", "193.7.22.3", "10.1.2.3", "2001:db8:ffff::1", "2001:db9::1", "198.51.100.1", "8.1.1.1"} {
		all = append(all, netip.MustParseAddr(more))
	}
	return all
}

// TestClientsAgree: of more than a thousand clients postgrey lets the same ones pass as the tables.
func TestClientsAgree(t *testing.T) {
	testbed.Require(t, "postgrey")
	usual, err := os.ReadFile("/etc/postgrey/whitelist_clients")
	if err != nil {
		t.Fatal(err)
	}
	root := tree(t, map[string]string{"etc/postgrey/whitelist_clients": string(usual) + oddClients, "etc/postgrey/whitelist_recipients": "\n"})
	list := written(t, from(t, nil, root, "/etc/postgrey"), clientsFlag, clientUse)
	p := testbed.StartPostgrey(t, "--whitelist-clients="+filepath.Join(root, "etc/postgrey/whitelist_clients"), "--whitelist-recipients=/dev/null")
	var questions []testbed.PostgreyQuestion
	ask := func(name string, client netip.Addr) {
		if !client.IsValid() || client.Is4In6() {
			return
		}
		questions = append(questions, testbed.PostgreyQuestion{Name: name, Client: client.String(), Sender: fmt.Sprintf("a%d@else.example", len(questions)), Recipient: "b@ours.example"})
	}
	all, random := names(string(usual)+oddClients), rand.New(rand.NewPCG(1, 2))
	for i, name := range all {
		ask(name, netip.AddrFrom4([4]byte{172, 16, byte(i >> 8), byte(i)}))
	}
	for _, client := range near(string(usual) + oddClients) {
		ask([...]string{"", all[random.IntN(len(all))]}[random.IntN(2)], client)
	}
	hits := 0
	for i, action := range asked(t, p, questions) {
		q := questions[i]
		var names []string
		if q.Name != "" {
			names = []string{q.Name}
		}
		match, err := list.Client(t.Context(), netip.MustParseAddr(q.Client), names...)
		if err != nil {
			t.Fatal(err)
		}
		if passes := action == "DUNNO"; passes != match.Found() {
			t.Errorf("%s[%s]: postgrey says %s, the tables have %q", q.Name, q.Client, action, match.Where())
		} else if passes {
			hits++
		}
	}
	checkSpread(t, len(questions), hits)
}

// TestRecipientsAgree: the same of recipients.
func TestRecipientsAgree(t *testing.T) {
	testbed.Require(t, "postgrey")
	usual, err := os.ReadFile("/etc/postgrey/whitelist_recipients")
	if err != nil {
		t.Fatal(err)
	}
	text := string(usual) + oddRecipients
	root := tree(t, map[string]string{"etc/postgrey/whitelist_recipients": text, "etc/postgrey/whitelist_clients": "\n"})
	list := written(t, from(t, nil, root, "/etc/postgrey"), recipientsFlag, recipientUse)
	p := testbed.StartPostgrey(t, "--whitelist-recipients="+filepath.Join(root, "etc/postgrey/whitelist_recipients"), "--whitelist-clients=/dev/null")
	var questions []testbed.PostgreyQuestion
	for _, local := range []string{
		"postmaster", "PostMaster", "abuse", "abuse+x", "abusex", "bob", "bob+x", "Bob+x+y", "carol", "carol+lists", "carol+lis", "dots.in.name", "dotsXinXname",
		"sales-1", "sales", "sales-+spam", "x+spam", "x+spammer", "xx", "xXx", "a-b", "o'neil", "user/x", "1", "abuse.x", "abuse-", "info", "_", "b+o+b",
	} {
		for _, domain := range []string{
			"example.org", "EXAMPLE.org", "mail.example.org", "xexample.org", "example.org.example", "example.net", "sub.example.net", "a.b.example.net", "example.netx", "notexample.net",
			"example.com", "my.test", "test", "x.test.example", "dots.in.name", "ours.example", "localhost", "xn--bcher-kva.example", "sub.example.com",
			"sales.example", "bob.example", "a.test", "b.TEST", "example", "net", "org", "com", "mx.example", "x-y.example.net", "carol.example.org", "xx.test", "7.example", "4u.test", "q.example.net",
			"long.chain.of.labels.example.net", "examplexnet", "example-net.example",
		} {
			questions = append(questions, testbed.PostgreyQuestion{Client: "172.16.0.1", Sender: fmt.Sprintf("a%d@else.example", len(questions)), Recipient: local + "@" + domain})
		}
	}
	hits := 0
	for i, action := range asked(t, p, questions) {
		q := questions[i]
		match, err := list.Address(t.Context(), address.Parse(q.Recipient))
		if err != nil {
			t.Fatal(err)
		}
		if passes := action == "DUNNO"; passes != match.Found() {
			t.Errorf("%s: postgrey says %s, the tables have %q", q.Recipient, action, match.Where())
		} else if passes {
			hits++
		}
	}
	checkSpread(t, len(questions), hits)
}

func asked(t *testing.T, p *testbed.Postgrey, questions []testbed.PostgreyQuestion) []string {
	t.Helper()
	actions, err := p.AskAll(questions)
	if err != nil {
		t.Fatalf("%v\n%s", err, p.Log)
	}
	return actions
}

// checkSpread: so many questions have been asked, and each answer has been given often.
func checkSpread(t *testing.T, asked, hits int) {
	t.Helper()
	if asked < 1000 || hits < 100 || asked-hits < 100 {
		t.Errorf("%d questions, %d hits are no comparison", asked, hits)
	}
	t.Logf("%d questions, %d hits", asked, hits)
}
