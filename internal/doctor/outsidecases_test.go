package doctor

import (
	"errors"
	"time"

	"mailweir/internal/mta/sendmail"
)

// outsideCases are about Sendmail, the host, and who is asked.
func outsideCases() []examinationCase {
	zones := func(f *Facts) { f.Config.Zones = []string{"zen.example"} }
	const memory = "mailweir, S=inet:8424@127.0.0.1, F=T, T=C:30s;S:10s;R:20s;E:2m"
	return []examinationCase{
		{"sendmail", "none", nil, ""},
		{"sendmail", "cannot be read", func(f *Facts) { f.NoSendmail = errTest }, "unknown sendmail: permission denied; sudo mailweir doctor"},
		{"sendmail", "is there", withSendmail(goodFilter, nil), "ok      sendmail: version 8.17, /etc/mail/sendmail.cf"},
		{"sendmail", "not made again", withSendmail(goodFilter, func(s *Sendmail) { s.Changed = now.Add(time.Second) }), `
remark  sendmail: /etc/mail/sendmail.mc is newer than /etc/mail/sendmail.cf: its changes are not in use; sendmailconfig
ok      sendmail: version 8.17, /etc/mail/sendmail.cf`},
		{"sendmail", "no MILTER", withSendmail(goodFilter, func(s *Sendmail) { s.Compiled.Value.With = []string{"LOG"} }), "fault   sendmail: this Sendmail is compiled without MILTER and asks no filter"},
		{"sendmail", "does not tell", withSendmail(goodFilter, func(s *Sendmail) { s.Compiled = NotKnown[sendmail.Compiled](errTest) }), "unknown sendmail: permission denied; echo | sendmail -d0.1 -bt"},
		{"sendmail-attached", "asks", withSendmail(goodFilter, nil), "ok      sendmail-attached: asked as mailweir at unix:/run/mailweir/mailweir.sock"},
		{"sendmail-attached", "by inet", all(withSendmail(memory, nil), daemon(func(d *Daemon) { d.Listen = []string{"inet:127.0.0.1:8424"} })), "ok      sendmail-attached: asked as mailweir at inet:8424@127.0.0.1"},
		{"sendmail-attached", "no filter", withSendmail("other, S=inet:1@127.0.0.1", nil), "fault   sendmail-attached: Sendmail has no filter for mailweir; mailweir init"},
		{"sendmail-attached", "dropped", withSendmail(goodFilter, func(s *Sendmail) { s.Options["InputMailFilters"] = "other" }), "fault   sendmail-attached: InputMailFilters lacks mailweir: the filter is there, and nobody asks it; mailweir init"},
		{"sendmail-attached", "a daemon of its own", withSendmail(goodFilter, func(s *Sendmail) {
			s.Daemons = append(s.Daemons, sendmail.ParseDaemon("Name=MSA, Port=587, I=other"), sendmail.ParseDaemon("Name=RE, Addr=127.0.0.1, I="), sendmail.ParseDaemon("Name=IN, Port=10026, I="))
		}), "remark  sendmail-attached MSA: InputMailFilters=other of this daemon lacks mailweir: mail that comes in there is not looked at"},
		{"sendmail-socket", "answers", withSendmail(goodFilter, nil), "ok      sendmail-socket: mailweir answers at unix:/run/mailweir/mailweir.sock"},
		{"sendmail-socket", "silent", withSendmail(goodFilter, func(s *Sendmail) { s.Tried["unix:/run/mailweir/mailweir.sock"] = errTest }), "fault   sendmail-socket: mailweir does not answer at unix:/run/mailweir/mailweir.sock: permission denied; systemctl restart mailweir.service"},
		{"sendmail-socket", "only root", withSendmail(goodFilter, func(s *Sendmail) { clear(s.Tried) }), "unknown sendmail-socket: only root can connect as Sendmail does; sudo mailweir doctor"},
		{"sendmail-socket", "open to others", withSendmail(goodFilter, func(s *Sendmail) { s.Open["unix:/run/mailweir/mailweir.sock"] = "/run" }), "fault   sendmail-socket: Sendmail does not trust unix:/run/mailweir/mailweir.sock: others than root may write to /run; mailweir init"},
		{"sendmail-filter", "right", withSendmail(goodFilter, nil), "ok      sendmail-filter: F=T, and Sendmail waits longer than mailweir takes"},
		{"sendmail-filter", "accepts while monitoring", all(withSendmail("mailweir, S=unix:/run/mailweir/mailweir.sock, T=C:30s;S:10s;R:20s;E:2m", nil), func(f *Facts) { f.Config.Refuses = false }), "ok      sendmail-filter: F=, and Sendmail waits longer than mailweir takes"},
		{"sendmail-filter", "accepts", withSendmail("mailweir, S=unix:/run/mailweir/mailweir.sock, T=C:30s;S:10s;R:20s;E:2m", nil), "remark  sendmail-filter: without F=T, all mail is let in unseen while mailweir does not answer"},
		{"sendmail-filter", "rejects, and its times", withSendmail("mailweir, S=unix:/run/mailweir/mailweir.sock, F=R, T=C:29s;R:8s;E:60s", nil), `
fault   sendmail-filter: F=R: while mailweir does not answer, good mail is refused permanently; write F=T
fault   sendmail-filter: T=R:8s: mailweir may take 8s; write T=C:30s;S:10s;R:20s;E:2m
fault   sendmail-filter: T=E:1m0s: mailweir may take 1m0s; write T=C:30s;S:10s;R:20s;E:2m
remark  sendmail-filter: T=C:29s is short; write T=C:30s;S:10s;R:20s;E:2m`},
		{"sendmail-filter", "not readable", withSendmail(goodFilter+", Q=1", nil), "fault   sendmail-filter: /etc/mail/sendmail.cf:2: \"Q=1\" is neither S=, F= nor T="},
		{"sendmail-limits", "none", withSendmail(goodFilter, nil), "ok      sendmail-limits: none before those of mailweir"},
		{"sendmail-limits", "all", all(withSendmail(goodFilter, func(s *Sendmail) {
			s.Options["MaxMessageSize"], s.Options["MaxRecipientsPerMessage"], s.Options["BadRcptThrottle"] = "1000000", "100", "3"
		}), func(f *Facts) { f.Config.SizeMax = 2e6 }), `
remark  sendmail-limits: MaxMessageSize is 1000000: --size-max=2000000 never has its turn
remark  sendmail-limits: MaxRecipientsPerMessage is 100: Sendmail answers 452 before --rcpt-limit-max=100 does
remark  sendmail-limits: BadRcptThrottle is 3: Sendmail waits a second for each recipient that is refused beyond it`},
		{"resolver", "no lists", nil, ""},
		{"resolver", "of its own", zones, "ok      resolver: 127.0.0.1:53"},
		{"resolver", "not known", all(zones, func(f *Facts) { f.Servers = nil }), ""},
		{"resolver", "public", all(zones, func(f *Facts) { f.Servers = []string{"8.8.8.8:53"} }), "fault   resolver 8.8.8.8:53: a public resolver (Google): DNS lists refuse its questions; apt install unbound, then --dns=127.0.0.1"},
		{"resolver", "shared", all(zones, func(f *Facts) { f.Lists[0].Err, f.Lists[0].Cause = errTest, CauseRefused }), "fault   resolver: zen.example refuses to answer through 127.0.0.1:53: a public or shared resolver, or too many questions; apt install unbound, then --dns=127.0.0.1"},
		{"dns-lists", "in order", zones, "ok      dns-lists zen.example: has its test entries"},
		{"dns-lists", "dead", func(f *Facts) { f.Lists[0].Err = errors.New("127.0.0.1 is listed") }, "fault   dns-lists zen.example: 127.0.0.1 is listed; mailweir rbl test zen.example"},
		{"dns-lists", "no network", func(f *Facts) { f.Lists[0].Err, f.Lists[0].Cause = errors.New("no answer in time"), CauseSilent }, "unknown dns-lists zen.example: no answer in time; mailweir rbl test zen.example"},
		{"scanners", "objects", nil, "ok      scanners clamd:unix:/c: EICAR: Eicar-Signature"},
		{"scanners", "calls it clean", func(f *Facts) { f.Scanners[0].Objects, f.Scanners[0].Said = false, "clean" }, "fault   scanners clamd:unix:/c: calls EICAR clean (clean): it scans without signatures, or not at all"},
		{"scanners", "does not answer", func(f *Facts) { f.Scanners[0].Err = errTest }, "fault   scanners clamd:unix:/c: does not answer about EICAR: permission denied; mailweir backends test"},
		{"backends", "answer", nil, "ok      backends ldap:/etc/users.cf: 3 entries"},
		{"backends", "none", func(f *Facts) { f.Backends = Fact[[]Asked]{} }, ""},
		{"backends", "not asked", func(f *Facts) { f.Backends = NotKnown[[]Asked](errTest) }, "unknown backends: permission denied; sudo mailweir doctor"},
		{"backends", "do not", func(f *Facts) {
			f.Backends = Known([]Asked{{Name: "a", Err: errTest}, {Name: "b", Remarks: []string{"in clear"}}})
		}, `
fault   backends a: does not answer: permission denied; mailweir backends test
remark  backends b: in clear; mailweir backends test`},
		{"relays", "many clients", nil, "ok      relays: no client sends most of the mail"},
		{"relays", "one relay", clients(100, map[string]int{"10.0.0.1": 60, "10.0.0.2": 40}), "remark  relays 10.0.0.1: 60 % of the last 100 messages from outside came from it: if it is a mail server in front of this one, name it in --inbound-relays"},
		{"relays", "just enough", clients(50, map[string]int{"10.0.0.1": 50}), "remark  relays 10.0.0.1: 100 % of the last 50 messages from outside came from it: if it is a mail server in front of this one, name it in --inbound-relays"},
		{"relays", "too few", clients(10, map[string]int{"10.0.0.1": 10}), ""},
		{"relays", "no record", func(f *Facts) { f.Clients = Fact[Clients]{} }, ""},
		{"relays", "not readable", func(f *Facts) { f.Clients = NotKnown[Clients](errTest) }, "unknown relays: permission denied; sudo mailweir doctor"},
		{"clock", "right", nil, "ok      clock: synchronised"},
		{"clock", "not synchronised", func(f *Facts) { f.Clock.Value.Synchronised = false }, "remark  clock: the clock is not synchronised; timedatectl set-ntp true"},
		{"clock", "another's", func(f *Facts) { f.Clock.Value.Synchronised, f.Clock.Value.Container = false, true }, "ok      clock: that of the host of this container"},
		{"clock", "not told", func(f *Facts) { f.Clock = NotKnown[Clock](errTest) }, "unknown clock: permission denied; timedatectl"},
		{"clock", "set back", daemon(func(d *Daemon) { d.Newest = now.Add(2 * time.Hour) }), `
fault   clock: the newest entry of the record is 2h0m0s in the future: the clock was set back; timedatectl
ok      clock: synchronised`},
		{"clock", "a little ahead", daemon(func(d *Daemon) { d.Newest = now.Add(time.Minute) }), "ok      clock: synchronised"},
		{"disk", "room", nil, "ok      disk state: /var/lib/mailweir has 10.0 GiB left"},
		{"disk", "full", room(Room{Free: 1000, Size: 40 << 30}), "fault   disk state: /var/lib/mailweir has 1000 B left; df -h /var/lib/mailweir"},
		{"disk", "nearly full", room(Room{Free: 500 << 20, Size: 400 << 30}), "fault   disk state: /var/lib/mailweir has 500.0 MiB left; df -h /var/lib/mailweir"},
		{"disk", "little", room(Room{Free: 900 << 20, Size: 40 << 30}), "remark  disk state: /var/lib/mailweir has 900.0 MiB left; df -h /var/lib/mailweir"},
		{"disk", "small", room(Room{Free: 900 << 20, Size: 1 << 30}), "ok      disk state: /var/lib/mailweir has 900.0 MiB left"},
		{"disk", "no files", room(Room{Free: 10 << 30, Size: 40 << 30, FreeInodes: 499, Inodes: 1e6}), "fault   disk state: /var/lib/mailweir has room for 499 more files; df -i /var/lib/mailweir"},
		{"disk", "few files", room(Room{Free: 10 << 30, Size: 40 << 30, FreeInodes: 9000, Inodes: 1e6}), "remark  disk state: /var/lib/mailweir has room for 9000 more files; df -i /var/lib/mailweir"},
		{"disk", "not told", func(f *Facts) { f.Disks[0].Room = NotKnown[Room](errTest) }, "unknown disk state: permission denied; sudo mailweir doctor"},
		{"disk", "not known here", func(f *Facts) { f.Disks[0].Room = Fact[Room]{} }, ""},
		{"descriptors", "enough", nil, "ok      descriptors: 65536 may be open, 20 are"},
		{"descriptors", "not told", daemon(func(d *Daemon) { d.Descriptors = 0 }), ""},
		{"descriptors", "fewer than smtpd", daemon(func(d *Daemon) { d.Descriptors = 399 }), "fault   descriptors: 399 may be open, and Postfix may run 200 smtpd; mkdir -p /etc/systemd/system/mailweir.service.d && printf '[Service]\\nLimitNOFILE=65536\\n' >/etc/systemd/system/mailweir.service.d/60-descriptors.conf && systemctl daemon-reload && systemctl restart mailweir.service"},
		{"descriptors", "fewer than sessions", daemon(func(d *Daemon) { d.Descriptors = 1024 }), "remark  descriptors: 1024 may be open, and --load-sessions is 1000; mkdir -p /etc/systemd/system/mailweir.service.d && printf '[Service]\\nLimitNOFILE=65536\\n' >/etc/systemd/system/mailweir.service.d/60-descriptors.conf && systemctl daemon-reload && systemctl restart mailweir.service"},
	}
}
