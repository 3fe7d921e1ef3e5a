package testbed

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// postgresUser runs the server, which refuses to run as root.
const postgresUser = "postgres"

// Postgres is one PostgreSQL that can be stopped and started again at the same address with the
// same data. Its user postgres comes in by the socket without a password, and by TCP with the
// password of whoever has one (SCRAM); Do makes other users.
type Postgres struct {
	Address   string // TCP, with TLS
	Socket    string // the directory of the socket, which is there under the default port
	Authority string // file with the certificate that has signed the server's, for 127.0.0.1
	*Process
	tb   TB
	args []string
}

// StartPostgres starts a PostgreSQL with an empty database "mail"; args are options of postgres,
// such as "-c", "max_connections=5".
func StartPostgres(tb TB, args ...string) *Postgres {
	tb.Helper()
	Require(tb, "postgres")
	dir := TempDir(tb)
	data := filepath.Join(dir, "data")
	copyOf(tb, "postgres", postgresProgram("postgres"), data, func(dir string) *exec.Cmd {
		return asPostgres(postgresProgram("initdb"), "-D", dir, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
	})
	writeFile(tb, filepath.Join(data, "pg_hba.conf"), []byte(postgresAccess), 0o644)
	ca := newAuthority(tb, dir)
	cert, key := ca.loopback(tb, dir)
	for _, name := range []string{dir, key} {
		if out, err := exec.Command("chown", postgresUser, name).CombinedOutput(); err != nil {
			tb.Fatalf("chown %s: %v\n%s", name, err, out)
		}
	}
	address := FreeAddress(tb)
	if err := os.Symlink(".s.PGSQL."+Port(address), filepath.Join(dir, ".s.PGSQL.5432")); err != nil {
		tb.Fatalf("postgres: %v", err)
	}
	p := &Postgres{Address: address, Socket: dir, Authority: ca.file, tb: tb}
	p.args = slices.Concat([]string{"-D", data, "-k", dir, "-p", Port(p.Address)}, settings(
		"listen_addresses=127.0.0.1", "fsync=off", "shared_buffers=8MB", "autovacuum=off",
		"ssl=on", "ssl_ca_file="+ca.file, "ssl_cert_file="+cert, "ssl_key_file="+key,
	), args)
	p.Start()
	if err := p.do("postgres", "CREATE DATABASE mail"); err != nil {
		tb.Fatalf("%v", err)
	}
	return p
}

// postgresAccess is the pg_hba.conf.
const postgresAccess = `local all postgres trust
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
`

func settings(list ...string) []string {
	var args []string
	for _, s := range list {
		args = append(args, "-c", s)
	}
	return args
}

func needPostgres() error {
	if postgresProgram("postgres") == "" {
		return errors.New("no /usr/lib/postgresql/*/bin/postgres")
	}
	return needCommands("psql", "setpriv")()
}

// postgresProgram finds one of the server's programs, which Debian keeps out of the PATH.
func postgresProgram(name string) string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name) // the pattern is a good one
	if len(found) == 0 {
		return ""
	}
	return found[len(found)-1]
}

func asPostgres(words ...string) *exec.Cmd {
	return exec.Command("setpriv", append([]string{"--reuid=" + postgresUser, "--regid=" + postgresUser, "--clear-groups"}, words...)...)
}

// Start starts the server after Stop or Kill.
func (p *Postgres) Start() {
	p.tb.Helper()
	cmd := asPostgres(append([]string{postgresProgram("postgres")}, p.args...)...)
	cmd.Dir = os.TempDir() // one that its user may enter
	p.Process = start(p.tb, cmd)
	p.outlast(p.tb)
	current := p.Process
	p.tb.Cleanup(func() { _ = current.Signal(syscall.SIGINT) }) // before it is stopped
	if err := untilOr(p.done, func() error { return p.do("postgres", "SELECT 1") }); err != nil {
		p.tb.Fatalf("postgres %s: %v\n%s", p.Address, err, p.Log)
	}
}

// Stop ends the server and its clients' connections ("fast shutdown"); without that signal it would
// wait until they leave.
func (p *Postgres) Stop() error {
	_ = p.Signal(syscall.SIGINT) // it may be gone
	return p.Process.Stop()
}

// Pause stops the server and the processes that serve its connections, which stay open.
func (p *Postgres) Pause() { p.pauseAll() }

// Resume lets it go on.
func (p *Postgres) Resume() { p.resumeAll() }

// Do carries out statements of SQL as the server's administrator, in the database "mail".
func (p *Postgres) Do(statements string) error { return p.do("mail", statements) }

func (p *Postgres) do(database, statements string) error {
	cmd := exec.Command("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", p.Socket, "-p", Port(p.Address), "-U", "postgres", "-d", database)
	cmd.Stdin = strings.NewReader(statements)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("psql: %w\n%s", err, out)
	}
	return nil
}
