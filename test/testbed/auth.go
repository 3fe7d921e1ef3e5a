package testbed

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// SASLFlags are lines for the end of main.cf by which Postfix asks at a unix socket below its queue
// directory whose password is right, over TLS alone.
func SASLFlags(socket string) string {
	return "smtpd_sasl_type = dovecot\nsmtpd_sasl_path = " + socket + "\nsmtpd_sasl_auth_enable = yes\nsmtpd_tls_auth_only = yes\n" +
		"smtpd_sasl_security_options = noanonymous\n"
}

// Below returns a path below the queue directory of a Postfix.
func (m *MTA) Below(path string) string {
	return filepath.Join(filepath.Dir(filepath.Dir(m.Milter)), "queue", path)
}

// Auth is a running mailweir auth.
type Auth struct {
	*Mailweir
	Socket string
	held   *os.File // the socket that outlives it; nil where it listens itself
}

// StartAuth starts mailweir auth at a unix socket that Postfix may use. Flags of the harness (JSON
// log, no HTTP listener) come before those given.
func StartAuth(tb TB, binary, socket string, flags ...string) *Auth {
	tb.Helper()
	a := &Auth{Socket: socket}
	a.launch(tb, binary, append([]string{"--auth-listen=unix:" + socket, "--auth-listen-group=postfix"}, flags...))
	return a
}

// StartAuthOn does so with a socket that is handed over, as systemd does (sd_listen_fds(3)): it
// stays while the service restarts.
func StartAuthOn(tb TB, binary, socket string, listening *os.File, flags ...string) *Auth {
	tb.Helper()
	a := &Auth{Socket: socket, held: listening}
	a.launch(tb, binary, flags)
	return a
}

func (a *Auth) launch(tb TB, binary string, flags []string) {
	tb.Helper()
	args := append([]string{"auth", "--log-format=json", "--auth-http=off"}, flags...)
	cmd := exec.Command(binary, args...)
	if a.held != nil {
		// LISTEN_PID is the program's own: the shell becomes it.
		cmd = exec.Command("/bin/sh", append([]string{"-c", `LISTEN_PID=$$ exec "$0" "$@"`, binary}, args...)...)
		cmd.ExtraFiles = []*os.File{a.held}
	}
	cmd.Env = Environment()
	if a.held != nil {
		cmd.Env = append(cmd.Env, "LISTEN_FDS="+strconv.Itoa(len(cmd.ExtraFiles)))
	}
	a.Mailweir = &Mailweir{Process: start(tb, cmd)}
	if _, ok := a.Log.Wait(0, func(line string) bool {
		entry, ok := ParseEntry(line)
		return ok && entry["msg"] == "mailweir auth is ready"
	}); !ok {
		tb.Fatalf("mailweir auth: not ready\n%s", a.Log)
	}
}
