package dialog

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	const text = `What this is about.
needs: dns

-- file list --
bad@example.net REJECT
(sendmail) only@sendmail REJECT
-- mailweir --
# a remark
--header-from-list=texthash:$DIR/list
-- dialog submission from 127.0.0.9 --
S: 220 ...
(postfix) C: XCLIENT ADDR=192.0.2.1
(postfix) S: 220 ...
C*3: RCPT TO:<u%d@example.org>
S*2: 250 ...
S: 452 4.5.3 Too many recipients [ID]
S: 250-first
S: 250 second
|*2 X-%d: y
|.
|$"a\x00b"
|@list
TLS: 1.2 as a.example self-signed
S: closed
-- event --
check=rcpt-limit text="Too many \"recipients\"" empty=
`
	s, err := Parse("d.txt", text, "postfix")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(s.Needs, " ") != "dns" || len(s.MTAs) != 2 || len(s.Sections) != 4 {
		t.Fatalf("parsed: %+v", s)
	}
	if got := s.Sections[0].text(); got != "bad@example.net REJECT\n" {
		t.Errorf("file: %q", got)
	}
	service, from, err := s.Sections[2].service()
	if service != "submission" || from != "127.0.0.9" || err != nil {
		t.Errorf("service %q from %q, %v", service, from, err)
	}
	want := []Step{
		{Expect, 11, 1, "220 ..."},
		{Command, 12, 1, "XCLIENT ADDR=192.0.2.1"},
		{Expect, 13, 1, "220 ..."},
		{Command, 14, 3, "RCPT TO:<u%d@example.org>"},
		{Expect, 15, 2, "250 ..."},
		{Expect, 16, 1, "452 4.5.3 Too many recipients [ID]"},
		{Expect, 17, 1, "250-first\n250 second"},
		{Content, 19, 2, "X-%d: y"},
		{Content, 20, 1, "."},
		{Content, 21, 1, "a\x00b"},
		{File, 22, 1, "list"},
		{TLS, 23, 1, "1.2 as a.example self-signed"},
		{Closed, 24, 1, "closed"},
	}
	got := s.Sections[2].Steps
	if len(got) != len(want) {
		t.Fatalf("steps: %+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("step %d is %+v, want %+v", i, got[i], want[i])
		}
	}
	fields, err := s.Sections[3].fields()
	if err != nil || len(fields) != 3 || fields["text"] != `Too many "recipients"` || fields["empty"] != "" {
		t.Errorf("fields %q, %v", fields, err)
	}
	other, err := Parse("d.txt", text, "sendmail")
	if err != nil || len(other.Sections[2].Steps) != len(want)-2 {
		t.Errorf("for Sendmail: %+v, %v", other, err)
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"unknown section", "-- dialogue --\n", `d.txt:1: no section is named "dialogue"`},
		{"output of no command", "x\n-- command --\n> a\n", "d.txt:3: output before any command"},
		{"words missing", "x\n-- zone bl.example --\n", `d.txt:2: section "zone" takes 2 to 2 words, not 1`},
		{"peer without a need", "x\n-- peer mariadb stop --\n", `d.txt:2: no peer is named "mariadb", or there is no line "needs: mariadb"`},
		{"unknown action", "needs: mariadb\n-- peer mariadb kill --\n", "d.txt:2: a peer can do, stop, start, pause, resume"},
		{"unknown MTA", "mta: exim\n", `d.txt:1: no MTA is named "exim"`},
		{"unknown service", "-- dialog msa --\n", `d.txt:1: no service is named "msa"`},
		{"neither C nor S", "-- dialog --\nHELO x\n", `d.txt:2: want "C: …"`},
		{"count of nought", "-- dialog --\nS: 220 x\nC*0: x\n", "d.txt:3: a count is 1 to"},
		{"replies missing", "-- dialog --\nC*3: x\nS*2: 250 ok\nC: y\n", "d.txt:2: C*3 is followed by S lines for 2 replies"},
		{"too many replies", "-- dialog --\nC*3: x\nS*4: 250 ok\n", "d.txt:2: C*3 is followed by S lines for 4 replies"},
		{"unknown handshake", "-- dialog --\nTLS: 1.0\n", "d.txt:2: a handshake is written: TLS: [1.2|1.3]"},
		{"certificate without a name", "-- dialog --\nTLS: self-signed\n", "d.txt:2: a handshake is written"},
		{"logins at Sendmail", "needs: dovecot\n", "d.txt: Sendmail asks no Dovecot"},
		{"no Go string", "-- dialog --\n|$\"\\q\"\n", "d.txt:2: \"\\q\" is no Go string"},
		{"no field", "-- event --\nhops\n", "d.txt:2: want name=value"},
		{"no count of lines", "-- log some --\nmsg=a\n", `d.txt:1: "some" is no number of lines`},
		{"a field twice", "-- log --\nmsg=a\nmsg=b\n", "d.txt:3: msg stands twice"},
		{"no arrow", "-- sink --\na@b c@d\n", "d.txt:2: want \"sender -> recipient…\""},
		{"no recipient", "-- sink --\na@b ->\n", "d.txt:2: a message has recipients"},
		{"no message", "-- sink --\n  Subject: x\n", "d.txt:2: this line belongs to no message"},
		{"XCLIENT for Sendmail", "-- dialog --\nC: XCLIENT ADDR=192.0.2.1\n", "d.txt:2: Sendmail has no XCLIENT"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse("d.txt", test.text, "sendmail")
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v\nwant %s", err, test.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add("mta: postfix\n-- dialog --\nC*2: x\nS*2: 250-a\nS: 250 b [ID]\n|*3 y\n")
	f.Add("-- event ID2 --\na=\"b\\\"c\" d=\n-- sink --\n<> -> 2 recipients\n  x\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, mta := range MTANames {
			if s, err := Parse("d.txt", text, mta); err != nil && !strings.HasPrefix(err.Error(), "d.txt:") {
				t.Errorf("an error without file and line: %v (%+v)", err, s)
			}
		}
	})
}

func TestMatch(t *testing.T) {
	tests := []struct {
		name, want, got string
		ok              bool
		ids             string
	}{
		{"same", "250 2.1.0 Ok", "250 2.1.0 Ok", true, ""},
		{"longer", "250 2.1.0 Ok", "250 2.1.0 Okay", false, ""},
		{"open", "250 ...", "250 2.1.0 Ok", true, ""},
		{"open, without text", "250 ...", "250", true, ""},
		{"open, several lines", "250 ...", "250-a\n250 b", true, ""},
		{"open, other code", "250 ...", "251 x", false, ""},
		{"open, longer code", "25 ...", "250 x", false, ""},
		{"open after text", "250-a\n250-b ...", "250-a\n250-b\n250 c", true, ""},
		{"id", "550 5.7.1 No [ID]", "550 5.7.1 No [mw-0a1B2c3d]", true, "ID=mw-0a1B2c3d"},
		{"named id", "550 5.7.1 No [ID2]", "550 5.7.1 No [mw-x]", true, "ID2=mw-x"},
		{"id missing", "550 5.7.1 No [ID]", "550 5.7.1 No", false, ""},
		{"queue id", "250 2.0.0 Ok: queued as <queue-id>", "250 2.0.0 Ok: queued as 3F2", true, ""},
		{"no expression", "250 a.c", "250 abc", false, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ids, ok := match(test.want, test.got)
			var list []string
			for name, id := range ids {
				list = append(list, name+"="+id)
			}
			if ok != test.ok || strings.Join(list, " ") != test.ids {
				t.Errorf("match(%q, %q) = %q, %v", test.want, test.got, list, ok)
			}
		})
	}
}

func TestAsSendmail(t *testing.T) {
	tests := []struct{ want, command, sendmail string }{
		{"550 5.7.1 No [ID]", "RCPT TO:<b@example.org>", "550 5.7.1 <b@example.org>... No [ID]"},
		{"553 5.7.1 No", "mail from: <a@example.net> SIZE=1", "553 5.7.1 <a@example.net>... No"},
		{"450 4.7.1 Later", "RCPT TO:<b@example.org>", "450 4.7.1 <b@example.org>... Later"},
		{"451 4.7.1 Later", "RCPT TO:<b@example.org>", "451 4.7.1 Later"},
		{"550 5.7.1 No [ID]", ".", "550 5.7.1 No [ID]"},
		{"550 5.7.1 ...", "RCPT TO:<b@example.org>", "550 5.7.1 ..."},
		{"550 ...", "RCPT TO:<b@example.org>", "550 ..."},
	}
	for _, test := range tests {
		if got := asSendmail(test.want, test.command); got != test.sendmail {
			t.Errorf("asSendmail(%q, %q) = %q, want %q", test.want, test.command, got, test.sendmail)
		}
	}
}
