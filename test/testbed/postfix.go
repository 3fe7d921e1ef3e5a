package testbed

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// postfixDaemons is where Debian keeps Postfix's daemons.
const postfixDaemons = "/usr/lib/postfix/sbin"

func needPostfix() error {
	return needFiles(inMTARoot("/usr/sbin/postfix"), inMTARoot(postfixDaemons+"/master"))()
}

// StartPostfix starts a Postfix of its own below a temporary directory; nothing
// of the machine's own Postfix is touched or used but its programs. Clients on
// loopback may use XCLIENT to play any other.
func StartPostfix(tb TB, config MTAConfig) *MTA {
	tb.Helper()
	Require(tb, "postfix")
	config = config.withDefaults()
	dir := TempDir(tb)
	m := &MTA{
		Name:       "postfix",
		MX:         FreeAddress(tb),
		Submission: FreeAddress(tb),
		Reinject:   FreeAddress(tb),
		Sink:       StartSink(tb),
		Milter:     milterDir(tb, dir, "postfix"),
		authority:  newAuthority(tb, dir),
		mailLog:    filepath.Join(dir, "mail.log"),
		quarantine: filepath.Join(dir, "queue", "hold") + "/",
		submit:     []string{"/usr/sbin/sendmail", "-C", filepath.Join(dir, "etc")},
	}
	postfixDirectories(tb, dir)
	if config.Logins {
		StartDovecot(tb, filepath.Join(dir, "queue/private/auth"))
	}
	writeFile(tb, filepath.Join(dir, "etc/main.cf"), []byte(mainCF(tb, dir, m, config)), 0o644)
	writeFile(tb, filepath.Join(dir, "etc/master.cf"), []byte(masterCF(m)), 0o644)

	// Postfix reads a file that has just changed again and again for two seconds.
	past := time.Now().Add(-time.Minute)
	for _, name := range []string{"main.cf", "master.cf"} {
		if err := os.Chtimes(filepath.Join(dir, "etc", name), past, past); err != nil {
			tb.Fatalf("postfix: %v", err)
		}
	}

	m.etc = filepath.Join(dir, "etc")
	m.startMaster(tb)
	return m
}

// startMaster starts Postfix, for the first time or again.
func (m *MTA) startMaster(tb TB) {
	tb.Helper()
	// master -d stays in the foreground in the process group that it leads, and
	// takes its children with it when it ends.
	cmd := mtaCommand(postfixDaemons+"/master", "-c", m.etc, "-d")
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C"}
	m.Process = start(tb, cmd)
	m.Process.outlast(tb)
	m.AwaitGreeting(tb, m.MX, m.Submission, m.Reinject)
}

// postfixDirectories makes what "postfix start" would make below the queue
// directory, with its owners and modes.
func postfixDirectories(tb TB, dir string) {
	tb.Helper()
	made := []struct {
		name, owner, group string
		mode               os.FileMode
	}{
		{"etc", "", "", 0o755},
		{"data", "postfix", "", 0o700},
		{"queue", "", "", 0o755},
		{"queue/pid", "", "", 0o755},
		{"queue/maildrop", "postfix", "postdrop", 0o730 | os.ModeSticky},
		{"queue/public", "postfix", "postdrop", 0o710 | os.ModeSetgid},
	}
	for _, name := range strings.Fields("active bounce corrupt defer deferred flush hold incoming private saved trace") {
		made = append(made, struct {
			name, owner, group string
			mode               os.FileMode
		}{"queue/" + name, "postfix", "", 0o700})
	}
	for _, d := range made {
		name := filepath.Join(dir, d.name)
		err := os.Mkdir(name, 0o700)
		if err == nil {
			err = chown(name, d.owner, d.group)
		}
		if err == nil {
			err = os.Chmod(name, d.mode)
		}
		if err != nil {
			tb.Fatalf("postfix: %v", err)
		}
	}
}

// mainCF is the configuration: an MX for every domain that trusts Trusted only,
// without delays, and with the limits that contrib recommends.
func mainCF(tb TB, dir string, m *MTA, c MTAConfig) string {
	tb.Helper()
	cert, key := m.authority.server(tb, dir)
	var b strings.Builder
	set := func(name, value string) {
		if !setsParameter(c.Extra, name) {
			fmt.Fprintf(&b, "%s = %s\n", name, value)
		}
	}
	set("compatibility_level", "3.6")
	set("queue_directory", dir+"/queue")
	set("data_directory", dir+"/data")
	set("command_directory", "/usr/sbin")
	set("daemon_directory", postfixDaemons)
	set("maillog_file", m.mailLog)
	set("maillog_file_prefixes", dir)
	set("myhostname", "mx.test.example")
	set("inet_interfaces", "127.0.0.1")
	set("inet_protocols", "all") // for XCLIENT ADDR=IPV6:…
	set("mydestination", "")
	set("alias_maps", "")
	set("alias_database", "")
	set("relay_domains", "static:ALL")
	set("mynetworks", Trusted+"/32")
	set("smtpd_relay_restrictions", "permit_mynetworks, reject_unauth_destination")
	set("smtpd_authorized_xclient_hosts", "127.0.0.0/8")
	set("smtpd_peername_lookup", "no")
	set("disable_dns_lookups", "yes")
	if c.Discard {
		set("relay_transport", "discard")
	} else {
		set("relayhost", "[127.0.0.1]:"+Port(m.Sink.Address))
		set("relay_transport", "smtp")
	}
	set("smtp_tls_security_level", "none")
	set("smtp_destination_recipient_limit", "5000")
	set("smtpd_tls_security_level", "may")
	set("smtpd_tls_cert_file", cert)
	set("smtpd_tls_key_file", key)
	set("smtpd_tls_CAfile", m.authority.file)
	set("smtpd_recipient_limit", "5000")
	set("smtpd_recipient_overshoot_limit", "5000")
	set("smtpd_soft_error_limit", fmt.Sprint(c.ErrorLimit))
	set("smtpd_hard_error_limit", fmt.Sprint(c.ErrorLimit))
	set("smtpd_error_sleep_time", "0")
	set("smtpd_client_connection_count_limit", "0")
	set("message_size_limit", "0")
	set("in_flow_delay", "0")
	set("address_verify_map", "")
	if c.Logins {
		set("smtpd_sasl_type", "dovecot")
		set("smtpd_sasl_path", "private/auth")
		set("smtpd_sasl_auth_enable", "yes")
		set("smtpd_tls_auth_only", "yes")
	}
	if !c.NoMilter {
		milter := fmt.Sprintf("{ unix:%s, connect_timeout=5s, command_timeout=%s, content_timeout=%s, default_action=tempfail }",
			m.Milter, seconds(c.CommandTimeout), seconds(c.ContentTimeout))
		set("smtpd_milters", milter)
		if c.NonSMTPD {
			set("non_smtpd_milters", milter)
		}
	}
	if c.Extra != "" {
		b.WriteString(c.Extra + "\n")
	}
	return b.String()
}

// setsParameter tells whether the lines set that parameter. It must not be set twice: every daemon
// would warn of it when it starts, and postlogd, who logs to himself, would wait for ever once
// others had filled his socket.
func setsParameter(lines, name string) bool {
	for line := range strings.Lines(lines) {
		if key, _, found := strings.Cut(line, "="); found && strings.TrimRight(key, " ") == name {
			return true
		}
	}
	return false
}

// seconds prints a duration as Postfix and Sendmail read it.
func seconds(d time.Duration) string { return fmt.Sprintf("%ds", int(d.Seconds())) }

// masterCF lists the services. On a stock Postfix submission differs by its
// daemon name too; here only the ports differ.
func masterCF(m *MTA) string {
	return fmt.Sprintf(`%s inet n - n - 100 smtpd
%s inet n - n - 100 smtpd
%s inet n - n - 100 smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`, m.MX, m.Submission, m.Reinject)
}
