package doctor

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"mailweir/internal/mta"
	"mailweir/internal/mta/postfix"
	"mailweir/internal/mta/sendmail"
)

// attached is the entry that init writes.
const attached = "{ unix:mailweir/mailweir.sock, connect_timeout=30s, command_timeout=20s, content_timeout=70s, default_action=tempfail }"

var now = time.Date(2026, 11, 29, 6, 0, 0, 0, time.UTC)

// healthy are the facts of a host on which nothing is wrong.
func healthy() *Facts {
	p := &postfix.Postfix{
		Config: "/etc/postfix",
		Parameters: map[string]string{
			"mail_version": "3.7.11", "queue_directory": "/var/spool/postfix", "smtpd_milters": attached, "config_directory": "/etc/postfix",
			"milter_protocol": "6", "milter_default_action": "tempfail", "milter_connect_timeout": "30s", "milter_command_timeout": "30s", "milter_content_timeout": "300s",
			"smtpd_soft_error_limit": "10", "smtpd_hard_error_limit": "20", "smtpd_recipient_limit": "1000", "message_size_limit": "10240000",
			"header_size_limit": "102400", "smtpd_delay_reject": "yes", "smtpd_forbid_bare_newline": "normalize", "default_process_limit": "100",
			"soft_bounce": "no", "milter_macro_daemon_name": "mx.example.org",
		},
		Set: map[string]string{"smtpd_milters": attached},
		Services: []*postfix.Service{
			{Name: "smtp", Type: "inet", Chroot: true, MaxProc: "-", Command: "smtpd", Overrides: map[string]string{"smtpd_soft_error_limit": "1100", "smtpd_hard_error_limit": "1100"}},
			{Name: "submission", Type: "inet", Chroot: true, MaxProc: "-", Command: "smtpd", Overrides: map[string]string{}},
			{Name: "cleanup", Type: "unix", Command: "cleanup"},
		},
	}
	return &Facts{
		Now: now, Again: "sudo mailweir doctor", Root: true,
		Config: Config{
			Listen: []string{"unix:/var/spool/postfix/mailweir/mailweir.sock"}, Refuses: true, RcptLimit: 100, RcptLimitRefuses: true, Sessions: 1000,
			Services: map[string]string{"25": mx, "465": submission, "587": submission, "10026": reinject}, State: "file:/var/lib/mailweir", Record: "file:/var/lib/mailweir/record",
		},
		Postfix: []*Postfix{{Postfix: p, User: "postfix", Tried: map[string]error{"/var/spool/postfix/mailweir/mailweir.sock": nil}}},
		Unit:    Known(Unit{Name: "mailweir.service", Active: "active", Sub: "running", Enabled: "enabled"}),
		Daemon: Known(Daemon{
			Version: "1.2", PID: 7, Started: now.Add(-time.Hour), Listen: []string{"unix:/var/spool/postfix/mailweir/mailweir.sock"},
			State: "file:/var/lib/mailweir", Record: "file:/var/lib/mailweir/record", Descriptors: 65536, Open: 20, Newest: now.Add(-time.Second),
		}),
		Clock:    Known(Clock{Synchronised: true}),
		Disks:    []Disk{{What: "state", Dir: "/var/lib/mailweir", Room: Known(Room{Free: 10 << 30, Size: 40 << 30, FreeInodes: 1e6, Inodes: 2e6})}},
		Backends: Known([]Asked{{Name: "ldap:/etc/users.cf", Found: "3 entries"}}),
		Clients:  Known(Clients{Messages: 100, Counts: map[netip.Addr]int{netip.MustParseAddr("192.0.2.1"): 50, netip.MustParseAddr("192.0.2.2"): 50}}),
		Scanners: []Scanned{{Name: "clamd:unix:/c", Sample: "EICAR", Said: "Eicar-Signature", Objects: true}},
		Lists:    []Asked{{Name: "zen.example"}}, Servers: []string{"127.0.0.1:53"},
	}
}

// set gives main.cf another value.
func set(name, value string) func(*Facts) {
	return func(f *Facts) {
		f.Postfix[0].Parameters[name], f.Postfix[0].Set[name] = value, value
	}
}

// own gives a service a value of its own.
func own(service, name, value string) func(*Facts) {
	return func(f *Facts) { f.Postfix[0].Service(service).Overrides[name] = value }
}

// more adds a service.
func more(s *postfix.Service) func(*Facts) {
	return func(f *Facts) {
		if s.Overrides == nil {
			s.Overrides = map[string]string{}
		}
		f.Postfix[0].Services = append(f.Postfix[0].Services, s)
	}
}

func all(changes ...func(*Facts)) func(*Facts) {
	return func(f *Facts) {
		for _, change := range changes {
			change(f)
		}
	}
}

// tried is what came of connecting to the socket.
func tried(err error) func(*Facts) {
	return func(f *Facts) { f.Postfix[0].Tried["/var/spool/postfix/mailweir/mailweir.sock"] = err }
}

// withSendmail adds a Sendmail with that filter.
func withSendmail(line string, change func(*Sendmail)) func(*Facts) {
	return func(f *Facts) {
		cf := sendmail.ParseCF("O InputMailFilters=mailweir\nX" + line + "\nO DaemonPortOptions=Name=MTA\n")
		s := &Sendmail{CF: cf, Path: "/etc/mail/sendmail.cf", Made: now, MC: "/etc/mail/sendmail.mc", Changed: now, Compiled: Known(sendmail.Compiled{Version: "8.17", With: []string{"MILTER"}}), Tried: map[string]error{}, Open: map[string]string{}}
		for _, x := range cf.Filters {
			s.Tried[x.Socket] = nil
		}
		if change != nil {
			change(s)
		}
		f.Sendmail = s
	}
}

const goodFilter = "mailweir, S=unix:/run/mailweir/mailweir.sock, F=T, T=C:30s;S:10s;R:20s;E:2m"

func clients(messages int, counts map[string]int) func(*Facts) {
	return func(f *Facts) {
		c := Clients{Messages: messages, Counts: map[netip.Addr]int{}}
		for a, n := range counts {
			c.Counts[netip.MustParseAddr(a)] = n
		}
		f.Clients = Known(c)
	}
}

func daemon(change func(*Daemon)) func(*Facts) {
	return func(f *Facts) { change(f.Daemon.Value) }
}

func room(r Room) func(*Facts) { return func(f *Facts) { f.Disks[0].Room = Known(r) } }

var errTest = errors.New("permission denied")

// cases are each an examination and what it says, line by line.
func cases() []examinationCase {
	return []examinationCase{
		{"late", "in time", nil, ""},
		{"late", "two parts hang", func(f *Facts) { f.Late = []string{"scanners", "backends"} }, "unknown late backends, scanners: not finished within 30 seconds; sudo mailweir doctor"},
		{"configuration", "valid", nil, "ok      configuration: valid"},
		{"configuration", "wrong and open", func(f *Facts) {
			f.Config.Wrong, f.Config.Warnings = []string{"/etc/m.conf:3: there is no flag\n--x"}, []string{"0.0.0.0/0 is trusted"}
		}, `
fault   configuration: /etc/m.conf:3: there is no flag --x; mailweir check
remark  configuration: 0.0.0.0/0 is trusted; mailweir check`},
		{"configuration", "closed", func(f *Facts) { f.Config = Config{Closed: errTest} }, "unknown configuration: permission denied; sudo mailweir doctor"},
		{"files", "not tried", func(f *Facts) { f.Root = false }, "unknown files: only root can try files as the service's user; sudo mailweir doctor"},
		{"service", "not attached yet", all(set("smtpd_milters", ""), func(f *Facts) { f.Unit.Value.Active, f.Unit.Value.Sub = "inactive", "dead" }), "fault   service: mailweir.service is inactive (dead); mailweir init"},
		{"service", "was stopped", func(f *Facts) { f.Unit.Value.Active, f.Unit.Value.Sub = "inactive", "dead" }, "fault   service: mailweir.service is inactive (dead); systemctl start mailweir.service"},
		{"files", "readable", nil, "ok      files: the service reads all that it needs"},
		{"files", "not readable", func(f *Facts) {
			f.Config.Unreadable, f.Config.Places = []string{"user mailweir cannot read /x"}, []string{"everybody may write"}
		}, `
fault   files: user mailweir cannot read /x
remark  files: everybody may write`},
		{"service", "runs", nil, "ok      service: mailweir.service is active"},
		{"service", "reloads", func(f *Facts) { f.Unit.Value.Active = "reloading" }, "ok      service: mailweir.service is reloading"},
		{"service", "is static", func(f *Facts) { f.Unit.Value.Enabled = "static" }, "ok      service: mailweir.service is active"},
		{"service", "has failed", func(f *Facts) { f.Unit.Value.Active, f.Unit.Value.Sub = "failed", "failed" }, "fault   service: mailweir.service is failed (failed); systemctl start mailweir.service"},
		{"service", "does not start again", func(f *Facts) { f.Unit.Value.Enabled = "disabled" }, "remark  service: mailweir.service runs, and does not start with the host (disabled); systemctl enable mailweir.service"},
		{"service", "no systemd", func(f *Facts) { f.Unit = Fact[Unit]{} }, ""},
		{"service", "not told", func(f *Facts) { f.Unit = NotKnown[Unit](errTest) }, "unknown service: permission denied; sudo mailweir doctor"},
		{"daemon", "answers", nil, "ok      daemon: version 1.2, process 7, since 2026-11-29 05:00:00Z"},
		{"daemon", "no socket", func(f *Facts) { f.Daemon = Fact[Daemon]{} }, "unknown daemon: no --control socket is configured, so the running mailweir cannot be asked"},
		{"daemon", "not ours", func(f *Facts) { f.Daemon = NotKnown[Daemon](errTest) }, "unknown daemon: permission denied; sudo mailweir doctor"},
		{"daemon", "does not run", all(func(f *Facts) { f.Unit = Fact[Unit]{} }, func(f *Facts) { f.Daemon = NotKnown[Daemon](ErrNotRunning) }), "fault   daemon: nobody answers; mailweir serve"},
		{"daemon", "runs and does not answer", func(f *Facts) { f.Daemon = NotKnown[Daemon](ErrNotRunning) }, "fault   daemon: nobody answers; systemctl restart mailweir.service"},
		{"daemon", "is stopped", all(func(f *Facts) { f.Unit.Value.Active = "inactive" }, func(f *Facts) { f.Daemon = NotKnown[Daemon](ErrNotRunning) }), ""},
		{"version", "as on disk", nil, "ok      version: 1.2, as on disk"},
		{"version", "replaced", daemon(func(d *Daemon) { d.Replaced = true }), "remark  version: version 1.2 runs, and the program on disk is another one; mailweir upgrade"},
		{"version", "not known", func(f *Facts) { f.Daemon = Fact[Daemon]{} }, ""},
		{"monitored", "none", nil, "ok      monitored: none"},
		{"monitored", "one", daemon(func(d *Daemon) { d.Monitored = "rbl until 2026-11-28 03:10:00" }), "remark  monitored: rbl until 2026-11-28 03:10:00: monitored by hand, so nothing is refused; mailweir monitor list"},
		{"monitored", "not known", func(f *Facts) { f.Daemon = Fact[Daemon]{} }, ""},
		{"loaded", "as on disk", nil, "ok      loaded: as on disk"},
		{"loaded", "not known", func(f *Facts) { f.Daemon = Fact[Daemon]{} }, ""},
		{"loaded", "changed", daemon(func(d *Daemon) { d.Changed, d.Restart = []string{"size-max", "hops"}, []string{"listen"} }), `
remark  loaded: changed on disk and not loaded: --hops --size-max; mailweir reload
remark  loaded: changed on disk, and in use from the next start on: --listen; systemctl restart mailweir.service`},
		{"loaded", "wrong now", daemon(func(d *Daemon) { d.Wrong, d.ReloadFailed = "m.conf:1: x", "m.conf:1: x" }), "fault   loaded: the configuration on disk cannot be loaded: m.conf:1: x; mailweir check"},
		{"loaded", "a list was wrong", daemon(func(d *Daemon) { d.ReloadFailed = "list:1: x" }), "fault   loaded: the last reload failed, and all stayed as it was: list:1: x; mailweir check"},
		{"state", "on disk", nil, "ok      state: file:/var/lib/mailweir"},
		{"state", "lost", daemon(func(d *Daemon) { d.State, d.StateLost = "redis://r", "connection refused" }), "fault   state: the state redis://r is unavailable: connection refused"},
		{"state", "in memory", daemon(func(d *Daemon) { d.State = "memory:" }), "remark  state: kept in memory: what is remembered ends with the process; name --state=file:DIR"},
		{"state", "configured in memory", func(f *Facts) { f.Daemon, f.Config.State = Fact[Daemon]{}, "memory:" }, "remark  state: kept in memory: what is remembered ends with the process; name --state=file:DIR"},
		{"state", "not known", func(f *Facts) { f.Daemon, f.Config.State = Fact[Daemon]{}, "" }, ""},
		{"record", "on disk", nil, "ok      record: file:/var/lib/mailweir/record"},
		{"record", "lost", daemon(func(d *Daemon) { d.RecordLost = "disk full" }), "fault   record: the record file:/var/lib/mailweir/record is unavailable: disk full"},
		{"record", "drops", daemon(func(d *Daemon) { d.Dropped = 3 }), "fault   record: the record file:/var/lib/mailweir/record has lost 3 entries since the start"},
		{"record", "off", daemon(func(d *Daemon) { d.Record = "off" }), "remark  record: decisions are not recorded: nobody finds out later why mail was refused; name --record=file:DIR"},
		{"record", "configured off", func(f *Facts) { f.Daemon, f.Config.Record = Fact[Daemon]{}, "off" }, "remark  record: decisions are not recorded: nobody finds out later why mail was refused; name --record=file:DIR"},
		{"record", "not known", func(f *Facts) { f.Daemon, f.Config.Record = Fact[Daemon]{}, "" }, ""},

		{"postfix", "is there", nil, "ok      postfix: version 3.7.11, /etc/postfix"},
		{"postfix", "cannot be read", func(f *Facts) { f.Postfix, f.NoPostfix = nil, errTest }, "unknown postfix: permission denied; sudo mailweir doctor"},
		{"postfix", "may not be read", func(f *Facts) {
			f.Postfix, f.NoPostfix = nil, &mta.ProgramError{Argv: []string{"postconf"}, Said: "fatal: open main.cf: Permission denied", Err: &exec.ExitError{ProcessState: &os.ProcessState{}}}
		}, "unknown postfix: postconf: exit status 0: fatal: open main.cf: Permission denied; sudo mailweir doctor"},
		{"postfix", "is broken", func(f *Facts) {
			f.Postfix, f.NoPostfix = nil, &mta.ProgramError{Argv: []string{"postconf"}, Said: "fatal: bad field count", Err: &exec.ExitError{ProcessState: &os.ProcessState{}}}
		}, "fault   postfix: Postfix does not take its own configuration: postconf: exit status 0: fatal: bad field count; postconf -n"},
		{"postfix", "none", func(f *Facts) { f.Postfix = nil }, ""},
		{"postfix", "warns", func(f *Facts) {
			f.Postfix[0].Warnings = []string{"postconf: warning: /etc/postfix/main.cf: unused parameter: smtpd_milter=x", "odd"}
		}, `
remark  postfix: /etc/postfix/main.cf: unused parameter: smtpd_milter=x; postconf -n
remark  postfix: odd; postconf -n`},
		{"attached", "asks", nil, "ok      attached: asked by smtp/inet, submission/inet"},
		{"attached", "none", func(f *Facts) { f.Postfix = nil }, ""},
		{"attached", "does not ask", set("smtpd_milters", "inet:127.0.0.1:11332"), "fault   attached: no service of Postfix asks mailweir; mailweir init"},
		{"attached", "at another address", all(set("smtpd_milters", "inet:localhost:8424"), daemon(func(d *Daemon) { d.Listen = []string{"inet:0.0.0.0:8424"} })), "ok      attached: asked by smtp/inet, submission/inet"},
		{"attached", "by /var/run", all(set("smtpd_milters", "unix:/var/run/mw/s"), func(f *Facts) {
			f.Postfix[0].Service("smtp/inet").Chroot = false
			f.Daemon, f.Config.Listen = Fact[Daemon]{}, []string{"unix:/run/mw/s"}
		}), "ok      attached: asked by smtp/inet, submission/inet"},
		{"milter-list", "right", nil, ""},
		{"milter-list", "a brace is open", set("smtpd_milters", "{ unix:mailweir/mailweir.sock"), "fault   milter-list smtp/inet, submission/inet: \"{ unix:mailweir/mailweir.sock\": the braces do not match: smtpd ends at its start, and no mail comes in; postconf smtpd_milters"},
		{"milter-list", "no address", set("smtpd_milters", "localhost:8424"), "fault   milter-list smtp/inet, submission/inet: \"localhost:8424\" is neither unix:PATH nor inet:HOST:PORT: smtpd ends at its start, and no mail comes in; postconf smtpd_milters"},
		{"milter-list", "an option that is none", set("smtpd_milters", "{ unix:mailweir/mailweir.sock, timeout=5s }"), "fault   milter-list smtp/inet, submission/inet: \"{ unix:mailweir/mailweir.sock, timeout=5s }\": there is no option \"timeout\": smtpd ends at its start, and no mail comes in; postconf smtpd_milters"},
		{"milter-list", "an option of a version to come", all(set("smtpd_milters", "{ unix:mailweir/mailweir.sock, timeout=5s }"), set("mail_version", "3.11.0")), ""},
		{"service-milters", "as main.cf", nil, ""},
		{"service-milters", "empty", own("submission/inet", "smtpd_milters", ""), "remark  service-milters submission/inet: -o smtpd_milters= is empty: mail that comes in here is not looked at; postconf -PX submission/inet/smtpd_milters && postfix reload"},
		{"service-milters", "others", own("submission/inet", "smtpd_milters", "inet:127.0.0.1:11332"), "fault   service-milters submission/inet: -o smtpd_milters= lacks mailweir: mail that comes in here is not looked at; " +
			"postconf -P 'submission/inet/smtpd_milters={unix:mailweir/mailweir.sock,connect_timeout=30s,command_timeout=20s,content_timeout=70s,default_action=tempfail},inet:127.0.0.1:11332' && postfix reload"},
		{
			"service-milters", "by name", all(set("mw", attached), set("smtpd_milters", "$mw"), func(f *Facts) { f.Postfix[0].Parameters["smtpd_milters"] = attached }, own("submission/inet", "mw", "inet:h:1")),
			"fault   service-milters submission/inet: mail that comes in here is not looked at: a parameter that smtpd_milters names is overridden; " +
				"postconf -P 'submission/inet/smtpd_milters={unix:mailweir/mailweir.sock,connect_timeout=30s,command_timeout=20s,content_timeout=70s,default_action=tempfail},inet:h:1' && postfix reload",
		},
		{"service-milters", "meant so", all(own("submission/inet", "smtpd_milters", ""), own("submission/inet", "receive_override_options", "no_milters")), ""},
		{"service-milters", "inside", more(&postfix.Service{Name: "127.0.0.1:10025", Type: "inet", Command: "smtpd", Overrides: map[string]string{"smtpd_milters": ""}}), ""},
		{"service-milters", "not attached at all", all(set("smtpd_milters", ""), own("submission/inet", "smtpd_milters", "")), ""},
		{"socket", "answers", nil, "ok      socket smtp/inet, submission/inet: mailweir answers postfix at /var/spool/postfix/mailweir/mailweir.sock"},
		{"socket", "only root", func(f *Facts) { clear(f.Postfix[0].Tried) }, "unknown socket smtp/inet, submission/inet: only root can connect as postfix; sudo mailweir doctor"},
		{"socket", "chroot", tried(fs.ErrNotExist), "fault   socket smtp/inet, submission/inet: smtpd does not reach mailweir at /var/spool/postfix/mailweir/mailweir.sock: there is none; it is chrooted and sees nothing outside of /var/spool/postfix; mailweir init"},
		{"socket", "none", all(tried(fs.ErrNotExist), func(f *Facts) {
			f.Postfix[0].Service("smtp/inet").Chroot, f.Postfix[0].Service("submission/inet").Chroot = false, false
		}), "fault   socket smtp/inet, submission/inet: smtpd does not reach mailweir at /var/spool/postfix/mailweir/mailweir.sock: there is no such socket; systemctl restart mailweir.service"},
		{"socket", "rights", tried(fs.ErrPermission), "fault   socket smtp/inet, submission/inet: smtpd does not reach mailweir at /var/spool/postfix/mailweir/mailweir.sock: the user postfix may not; the socket needs its group, and the directories above must let it pass; mailweir init"},
		{"socket", "refused", tried(syscall.ECONNREFUSED), "fault   socket smtp/inet, submission/inet: smtpd does not reach mailweir at /var/spool/postfix/mailweir/mailweir.sock: nobody listens there; systemctl restart mailweir.service"},
		{"socket", "silent", tried(errors.New("no answer")), "fault   socket smtp/inet, submission/inet: smtpd does not reach mailweir at /var/spool/postfix/mailweir/mailweir.sock: no answer; systemctl restart mailweir.service"},
		{"default-action", "tempfail", nil, "ok      default-action smtp/inet, submission/inet: tempfail: senders try again"},
		{"default-action", "of main.cf", all(set("smtpd_milters", "unix:mailweir/mailweir.sock"), set("milter_default_action", "accept")), "remark  default-action smtp/inet, submission/inet: accept: while mailweir does not answer, all mail is let in unseen; postconf -e milter_default_action=tempfail && postfix reload"},
		{"default-action", "accept while monitoring", all(set("smtpd_milters", "{ unix:mailweir/mailweir.sock, default_action=accept }"), func(f *Facts) { f.Config.Refuses = false }), "ok      default-action smtp/inet, submission/inet: accept, while nothing is refused"},
		{"default-action", "reject", set("smtpd_milters", "{ unix:mailweir/mailweir.sock, default_action=reject }, inet:h:1"), "fault   default-action smtp/inet, submission/inet: reject: while mailweir does not answer, good mail is refused permanently; postconf -e 'smtpd_milters={ unix:mailweir/mailweir.sock, default_action=tempfail }, inet:h:1' && postfix reload"},
		{"default-action", "quarantine", own("submission/inet", "smtpd_milters", "{ unix:mailweir/mailweir.sock, default_action=quarantine }"), `
ok      default-action smtp/inet: tempfail: senders try again
remark  default-action submission/inet: quarantine: while mailweir does not answer, all mail is accepted and held in the queue until somebody releases it; postconf -P 'submission/inet/smtpd_milters={unix:mailweir/mailweir.sock,default_action=tempfail}' && postfix reload`},
		{"default-action", "shutdown", set("smtpd_milters", "{ unix:mailweir/mailweir.sock, default_action=shutdown }"), "remark  default-action smtp/inet, submission/inet: shutdown: while mailweir does not answer, clients are hung up on; postconf -e 'smtpd_milters={ unix:mailweir/mailweir.sock, default_action=tempfail }' && postfix reload"},
		{"default-action", "a word", set("smtpd_milters", "{ unix:mailweir/mailweir.sock, default_action=Maybe }"), "fault   default-action smtp/inet, submission/inet: \"maybe\" is nothing that Postfix knows; postconf -e 'smtpd_milters={ unix:mailweir/mailweir.sock, default_action=tempfail }' && postfix reload"},
		{"protocol", "6", nil, "ok      protocol smtp/inet, submission/inet: version 6"},
		{"protocol", "2", set("milter_protocol", "2"), "fault   protocol smtp/inet, submission/inet: milter_protocol is 2: Postfix does not tell what it refuses by itself; postconf -e milter_protocol=6 && postfix reload"},
		{"timeouts", "long", nil, "ok      timeouts smtp/inet, submission/inet: Postfix waits longer than mailweir takes"},
		{"timeouts", "short", set("smtpd_milters", "{ unix:mailweir/mailweir.sock, connect_timeout=5s, command_timeout=8s, content_timeout=1m }"), `
fault   timeouts smtp/inet, submission/inet: command_timeout is 8s, and mailweir may take 8s for an answer; postconf -e 'smtpd_milters={ unix:mailweir/mailweir.sock, connect_timeout=5s, content_timeout=1m, command_timeout=20s }' && postfix reload
fault   timeouts smtp/inet, submission/inet: content_timeout is 1m, and mailweir may take 1m0s at the end of a message; postconf -e 'smtpd_milters={ unix:mailweir/mailweir.sock, connect_timeout=5s, command_timeout=8s, content_timeout=70s }' && postfix reload
remark  timeouts smtp/inet, submission/inet: connect_timeout is 5s, less than 30s, and a start of mailweir may take longer; postconf -e 'smtpd_milters={ unix:mailweir/mailweir.sock, command_timeout=8s, content_timeout=1m, connect_timeout=30s }' && postfix reload`},
		{"timeouts", "close", all(set("smtpd_milters", "unix:mailweir/mailweir.sock"), set("milter_command_timeout", "19s"), set("milter_content_timeout", "69s")), `
remark  timeouts smtp/inet, submission/inet: command_timeout is 19s, less than 20s, and mailweir may take 8s for an answer; postconf -e milter_command_timeout=20s && postfix reload
remark  timeouts smtp/inet, submission/inet: content_timeout is 69s, less than 70s, and mailweir may take 1m0s at the end of a message; postconf -e milter_content_timeout=70s && postfix reload`},
	}
}

type examinationCase struct {
	examination, name string
	change            func(*Facts)
	want              string
}

func TestExaminations(t *testing.T) {
	run(t, append(append(cases(), moreCases()...), outsideCases()...))
}

func run(t *testing.T, cases []examinationCase) {
	t.Helper()
	judged := map[string]map[Level]bool{}
	for _, test := range cases {
		t.Run(test.examination+": "+test.name, func(t *testing.T) {
			f := healthy()
			if test.change != nil {
				test.change(f)
			}
			var lines []string
			for _, found := range Examine(f, nil).Findings {
				if found.Examination == test.examination {
					lines = append(lines, found.String())
				}
			}
			if got, want := strings.Join(lines, "\n"), strings.TrimPrefix(test.want, "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
		if judged[test.examination] == nil {
			judged[test.examination] = map[Level]bool{}
		}
		for _, level := range []Level{OK, Unknown, Remark, Fault} {
			if strings.Contains("\n"+test.want, "\n"+level.String()+" ") {
				judged[test.examination][level] = true
			}
		}
		if test.want == "" {
			judged[test.examination][OK] = true
		}
	}
	for _, e := range Examinations() {
		if levels := judged[e.ID]; !levels[OK] || !levels[Remark] && !levels[Fault] && e.ID != "late" {
			if e.ID != "bare-newline" {
				t.Errorf("%s has no case in which all is well, or none in which something is not", e.ID)
			}
		}
	}
}
