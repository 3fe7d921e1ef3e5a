package testbed

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// MariaDB is one MariaDB that can be stopped and started again at the same address with the same
// data. Its root comes in by the socket without a password; Do makes other users.
type MariaDB struct {
	Address   string // TCP, with TLS
	Socket    string
	Authority string // file with the certificate that has signed the server's, for 127.0.0.1
	*Process
	tb   TB
	args []string
}

// StartMariaDB starts a MariaDB with an empty database "mail"; args are options of mariadbd.
func StartMariaDB(tb TB, args ...string) *MariaDB {
	tb.Helper()
	Require(tb, "mariadb")
	dir := TempDir(tb)
	data := filepath.Join(dir, "data")
	copyOf(tb, "mariadb", "mariadbd", data, func(dir string) *exec.Cmd {
		return exec.Command("mariadb-install-db", "--no-defaults", "--user=root", "--datadir="+dir, "--skip-test-db", "--skip-name-resolve",
			"--auth-root-authentication-method=normal", "--innodb-log-file-size=4M")
	})
	ca := newAuthority(tb, dir)
	cert, key := ca.loopback(tb, dir)
	m := &MariaDB{Address: FreeAddress(tb), Socket: filepath.Join(dir, "s"), Authority: ca.file, tb: tb}
	m.args = append([]string{
		"--no-defaults", "--user=root", "--datadir=" + data, "--socket=" + m.Socket, "--pid-file=" + filepath.Join(dir, "pid"),
		"--bind-address=127.0.0.1", "--port=" + Port(m.Address), "--skip-name-resolve", "--skip-log-bin",
		"--innodb-log-file-size=4M", "--innodb-buffer-pool-size=8M", "--innodb-flush-log-at-trx-commit=0", "--performance-schema=off",
		"--ssl-ca=" + ca.file, "--ssl-cert=" + cert, "--ssl-key=" + key,
	}, args...)
	m.Start()
	return m
}

// Start starts the server after Stop or Kill.
func (m *MariaDB) Start() {
	m.tb.Helper()
	m.Process = start(m.tb, exec.Command("mariadbd", m.args...))
	if err := untilOr(m.done, func() error { return m.Do("DO 0") }); err != nil {
		m.tb.Fatalf("mariadbd %s: %v\n%s", m.Address, err, m.Log)
	}
}

// Do carries out statements of SQL, as root, in the database "mail".
func (m *MariaDB) Do(statements string) error {
	cmd := exec.Command("mariadb", "--no-defaults", "--socket="+m.Socket, "--user=root", "--default-character-set=utf8mb4", "--batch")
	cmd.Stdin = strings.NewReader("CREATE DATABASE IF NOT EXISTS mail CHARACTER SET utf8mb4; USE mail;\n" + statements)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mariadb: %w\n%s", err, out)
	}
	return nil
}
