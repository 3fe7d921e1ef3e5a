// Package console tests the viewer and the console as people use them: in Chromium, on a mailweir
// behind a Postfix.
package console

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mailweir/internal/passwords"
	"mailweir/test/browser"
	"mailweir/test/testbed"
)

// bed is a console with mail behind it.
type bed struct {
	*testing.T
	postfix  *testbed.MTA
	mailweir *testbed.Mailweir
	chromium *browser.Chromium
	console  string // http://127.0.0.1:PORT
	dir      string
	conf     string // the file of --config as it is at first
	windows  map[string]*browser.Window
}

// people are the logins: name, role and whose mail. The password of each is "secret".
var people = map[string]string{
	"alice": "admin",
	"helen": "helpdesk",
	"otto":  "auditor",
	"bob":   "user:bob@example.org",
	"carol": "user:carol@example.org",
}

// newBed starts all of it. Mail from friend@ok.example is vouched for by SPF, and rspamd says what
// a message says of itself.
func newBed(t *testing.T) *bed {
	t.Helper()
	for _, part := range []string{"postfix", "rspamd", "dns"} {
		testbed.Require(t, part)
	}
	b := &bed{T: t, dir: testbed.TempDir(t), windows: make(map[string]*browser.Window)}
	b.postfix = testbed.StartPostfix(t, testbed.MTAConfig{})
	names := testbed.StartDNS(t, testbed.DNSConfig{Records: []string{`ok.example. 60 IN TXT "v=spf1 ip4:127.0.0.1 -all"`}})
	rspamd := testbed.StartRspamd(t)
	hash := passwords.New([]byte("secret"))
	var users strings.Builder
	for login, grant := range people {
		fmt.Fprintf(&users, "%s:%s:%s\n", login, hash, grant)
	}
	b.write("users", users.String())
	b.conf = "local-domains = inline:{example.org=x}\nspam-scanner = rspamd:http://" + rspamd.Address + "\n"
	b.write("conf", b.conf)
	b.mailweir = testbed.StartMailweir(t, testbed.MailweirConfig{
		Binary: testbed.BuildMailweir(t), Socket: b.postfix.Milter,
		Flags: []string{
			b.postfix.Services(), "--trusted-nets=127.0.0.2/32", "--dns=" + names.Address, "--config=" + b.dir + "/conf", "--watch=0",
			"--state=file:" + b.dir + "/state", "--record=file:" + b.dir + "/record", "--record-subjects=on",
			"--control=unix:" + b.dir + "/control", "--console=127.0.0.1:0", "--console-users=" + b.dir + "/users",
		},
	})
	t.Cleanup(func() {
		if err := b.mailweir.End(); err != nil {
			t.Error(err)
		}
	})
	ready, err := b.mailweir.WaitEntry(0, testbed.Entry{"msg": "mailweir is ready"})
	if err != nil {
		t.Fatal(err)
	}
	b.chromium = browser.StartChromium(t)
	b.console = "http://" + strings.TrimPrefix(ready["console"], "inet:")
	return b
}

func (b *bed) write(name, text string) {
	b.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
}

// login is the window of somebody, who logs in when it is opened.
func (b *bed) login(t *testing.T, name string) *browser.Window {
	t.Helper()
	if w := b.windows[name]; w != nil {
		return w.For(t)
	}
	w := b.chromium.Window(b.T, b.console).For(t)
	b.windows[name] = w
	w.Go("/")
	w.Fill("[name=name]", name)
	w.Fill("[name=password]", "secret")
	w.Click("button.main")
	w.AwaitText(name)
	return w
}

var eventID = regexp.MustCompile(`mw-[0-9a-z]{8}`)

// letter is a message to one recipient or more.
type letter struct {
	from, subject string
	to            []string
	fields        []string
}

// send sends a letter through Postfix and returns the last reply, and the id of the event in it.
func (b *bed) send(t *testing.T, l letter) (reply, id string) {
	t.Helper()
	talk := b.postfix.Talk(t, b.postfix.MX)
	talk.Say("EHLO client.example", "250")
	talk.Say("MAIL FROM:<"+l.from+">", "250")
	for _, to := range l.to {
		talk.Say("RCPT TO:<"+to+">", "250")
	}
	talk.Say("DATA", "354")
	text := strings.Join(append(l.fields, "From: "+l.from, "Subject: "+l.subject, "Message-ID: <1@ok.example>", "", "hello", "."), "\r\n")
	answer, err := talk.Ask(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, b.postfix.LogText())
	}
	talk.Say("QUIT", "221")
	reply = strings.Join(answer, "\n")
	return reply, eventID.FindString(reply)
}
