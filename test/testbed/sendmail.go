package testbed

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// sendmailRoot is where test/install.sh unpacks Sendmail: its package and
// Postfix's exclude each other, their files do not.
const (
	sendmailRoot   = "/var/cache/mailweir-test/sendmail"
	sendmailBinary = sendmailRoot + "/usr/libexec/sendmail/sendmail"
	sendmailCF     = sendmailRoot + "/usr/share/sendmail/cf"
)

func needSendmail() error {
	return needFiles(inMTARoot("/usr/bin/m4"), inMTARoot(sendmailRoot+"/complete"))()
}

// sendmailEnv finds the one library that a system without Sendmail lacks.
func sendmailEnv() ([]string, error) {
	found, err := filepath.Glob(inMTARoot(sendmailRoot + "/usr/lib/*/libwrap.so.0"))
	if err != nil {
		return nil, err
	}
	env := []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C"}
	if len(found) > 0 {
		env = append(env, "LD_LIBRARY_PATH="+filepath.Join(sendmailRoot, "usr/lib", filepath.Base(filepath.Dir(found[0]))))
	}
	return env, nil
}

// StartSendmail starts a Sendmail of its own below a temporary directory. It has
// no XCLIENT: a test plays different clients by connecting from different
// addresses of 127.0.0.0/8.
func StartSendmail(tb TB, config MTAConfig) *MTA {
	tb.Helper()
	Require(tb, "sendmail")
	if config.Logins {
		tb.Fatalf("testbed: Sendmail asks Cyrus SASL about logins, which is not here; use Postfix")
	}
	config = config.withDefaults()
	dir := TempDir(tb)
	env, err := sendmailEnv()
	if err != nil {
		tb.Fatalf("sendmail: %v", err)
	}
	m := &MTA{
		Name:       "sendmail",
		MX:         FreeAddress(tb),
		Submission: FreeAddress(tb),
		Reinject:   FreeAddress(tb),
		Sink:       StartSink(tb),
		Milter:     milterDir(tb, dir, "mail"),
		authority:  newAuthority(tb, dir),
		mailLog:    filepath.Join(dir, "mail.log"),
		quarantine: filepath.Join(dir, "queue", "hf"),
	}
	sendmailDirectories(tb, dir)
	compileMC(tb, filepath.Join(dir, "daemon.cf"), daemonMC(tb, dir, m, config))
	compileMC(tb, filepath.Join(dir, "submit.cf"), submitMC(dir, m))

	// Sendmail waits a minute for a qualified name of its host, hence a host
	// name of its own. With -bD it stays in the foreground.
	inHost := append(append([]string{"env"}, env...), "unshare", "--uts", "sh", "-c", `hostname mx.test.example && exec "$0" "$@"`, sendmailBinary)
	m.submit = append(slices.Clone(inHost), "-C", filepath.Join(dir, "submit.cf"))
	inHost = append(inHost, "-C", filepath.Join(dir, "daemon.cf"), "-bD", "-X", m.mailLog)
	cmd := mtaCommand(inHost[0], inHost[1:]...)
	m.Process = start(tb, cmd)
	m.AwaitGreeting(tb, m.MX, m.Submission, m.Reinject)
	return m
}

func sendmailDirectories(tb TB, dir string) {
	tb.Helper()
	for _, name := range []string{"queue", "submit"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			tb.Fatalf("sendmail: %v", err)
		}
	}
	// The submission program insists on a user of its own.
	if err := chown(filepath.Join(dir, "submit"), "mail", "mail"); err != nil {
		tb.Fatalf("sendmail: %v", err)
	}
	// Names come from the hosts file alone: no test may ask the network.
	writeFile(tb, filepath.Join(dir, "switch"), []byte("passwd files\nhosts files\naliases files\n"), 0o644)
}

// compileMC turns an mc file into the cf file that Sendmail reads.
func compileMC(tb TB, name, mc string) {
	tb.Helper()
	cmd := mtaCommand("m4", "-")
	cmd.Stdin = strings.NewReader(mc)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	cf, err := cmd.Output()
	if err != nil {
		tb.Fatalf("m4 %s: %v\n%s", name, err, &complaints)
	}
	writeFile(tb, name, cf, 0o644)
}

// daemonMC is the configuration of the daemon: everything goes to the sink, and
// whether a client may relay is left to the milter.
func daemonMC(tb TB, dir string, m *MTA, c MTAConfig) string {
	tb.Helper()
	cert, key := m.authority.server(tb, dir)
	var b strings.Builder
	define := func(name, value string) { fmt.Fprintf(&b, "define(`%s', `%s')dnl\n", name, value) }
	commonMC(&b, dir, "queue")
	define("confDONT_BLAME_SENDMAIL", "GroupWritableDirPathSafe,TrustStickyBit")
	define("confRUN_AS_USER", "root")
	define("confSERVER_CERT", cert)
	define("confSERVER_KEY", key)
	// Without authorities of some kind Sendmail offers no STARTTLS at all.
	define("confCACERT", m.authority.file)
	define("confCACERT_PATH", dir)
	define("confMAX_RCPTS_PER_MESSAGE", "0")
	define("SMART_HOST", "relay:[127.0.0.1]")
	define("RELAY_MAILER_ARGS", "TCP $h "+Port(m.Sink.Address))
	define("SMTP_MAILER_MAXRCPTS", "5000") // a message arrives in one piece
	b.WriteString("FEATURE(`promiscuous_relay')dnl\nFEATURE(`accept_unresolvable_domains')dnl\n")
	b.WriteString("FEATURE(`accept_unqualified_senders')dnl\nFEATURE(`no_default_msa')dnl\n")
	for _, d := range []struct{ name, address string }{{"MX", m.MX}, {"MSA", m.Submission}, {"REINJECT", m.Reinject}} {
		fmt.Fprintf(&b, "DAEMON_OPTIONS(`Name=%s, Family=inet, Addr=127.0.0.1, Port=%s')dnl\n", d.name, Port(d.address))
	}
	if !c.NoMilter {
		fmt.Fprintf(&b, "INPUT_MAIL_FILTER(`mailweir', `S=unix:%s, F=T, T=C:10s;S:%s;R:%s;E:%s')dnl\n",
			m.Milter, seconds(c.CommandTimeout), seconds(c.CommandTimeout), seconds(c.ContentTimeout))
	}
	if c.Extra != "" {
		b.WriteString(c.Extra + "\n")
	}
	b.WriteString("MAILER(smtp)dnl\n")
	return b.String()
}

// submitMC is the configuration of "sendmail -t", which speaks SMTP to the
// daemon.
func submitMC(dir string, m *MTA) string {
	var b strings.Builder
	commonMC(&b, dir, "submit")
	fmt.Fprintf(&b, "define(`confRUN_AS_USER', `mail')dnl\n")
	fmt.Fprintf(&b, "define(`RELAY_MAILER_ARGS', `TCP $h %s')dnl\n", Port(m.MX))
	fmt.Fprintf(&b, "define(`MSP_QUEUE_DIR', `%s/submit')dnl\ndefine(`MSP_STATUS_FILE', `')dnl\n", dir)
	b.WriteString("FEATURE(`msp', `[127.0.0.1]')dnl\n")
	return b.String()
}

func commonMC(b *strings.Builder, dir, queue string) {
	fmt.Fprintf(b, "define(`_CF_DIR_', `%s/')dnl\ninclude(`%s/m4/cf.m4')dnl\nOSTYPE(`linux')dnl\n", sendmailCF, sendmailCF)
	define := func(name, value string) { fmt.Fprintf(b, "define(`%s', `%s')dnl\n", name, value) }
	define("confDOMAIN_NAME", "mx.test.example")
	define("confSERVICE_SWITCH_FILE", dir+"/switch")
	define("QUEUE_DIR", dir+"/"+queue)
	define("confPID_FILE", dir+"/"+queue+".pid")
	define("STATUS_FILE", "")
	define("ALIAS_FILE", "")
	define("HELP_FILE", "")
	define("confTO_IDENT", "0")
	define("confDELIVERY_MODE", "background")
	// A busy test machine must not make Sendmail refuse or queue.
	for _, name := range []string{"confQUEUE_LA", "confREFUSE_LA", "confDELAY_LA"} {
		define(name, "10000")
	}
	b.WriteString("FEATURE(`nocanonify')dnl\nundefine(`UUCP_RELAY')dnl\nundefine(`BITNET_RELAY')dnl\n")
}

// Sendmail says where the unpacked Sendmail is: its binary, the variables of the environment that
// it needs, and the directory of its m4 files.
func Sendmail(tb TB) (binary string, env []string, cf string) {
	tb.Helper()
	Require(tb, "sendmail")
	env, err := sendmailEnv()
	if err != nil {
		tb.Fatalf("sendmail: %v", err)
	}
	return sendmailBinary, env, sendmailCF
}
