package testbed

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Eicar is the file by which scanners are tested; every one finds it.
const Eicar = `X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`

// Clamd is a clamd with a signature for [Eicar], Eicar.Test.UNOFFICIAL, which can be stopped and
// started again at the same addresses.
type Clamd struct {
	// Socket and TCP are its addresses as --virus-scanner has them.
	Socket, TCP string
	*Process
	tb   TB
	conf string
}

// StartClamd starts a clamd; settings are lines for its configuration.
func StartClamd(tb TB, settings ...string) *Clamd {
	tb.Helper()
	Require(tb, "clamd")
	dir := TempDir(tb)
	address := FreeAddress(tb)
	c := &Clamd{Socket: "clamd:unix:" + filepath.Join(dir, "s"), TCP: "clamd:tcp:" + address, tb: tb, conf: filepath.Join(dir, "conf")}
	base := []string{
		"Foreground yes", "LocalSocket " + filepath.Join(dir, "s"), "TCPAddr 127.0.0.1", "TCPSocket " + Port(address),
		"DatabaseDirectory " + dir, "TemporaryDirectory " + dir, "StreamMaxLength 25M", "MaxFileSize 25M", "MaxScanSize 100M",
	}
	base = slices.DeleteFunc(base, func(line string) bool { // of two lines for one setting the first would count
		name, _, _ := strings.Cut(line, " ")
		return slices.ContainsFunc(settings, func(own string) bool { return strings.HasPrefix(own, name+" ") })
	})
	writeFile(tb, filepath.Join(dir, "local.ndb"), []byte(fmt.Sprintf("Eicar.Test:0:*:%x\n", Eicar)), 0o644)
	writeFile(tb, c.conf, []byte(strings.Join(append(base, settings...), "\n")+"\n"), 0o644)
	c.Start()
	return c
}

// Start starts it after Stop or Kill.
func (c *Clamd) Start() {
	c.tb.Helper()
	c.Process = start(c.tb, exec.Command("clamd", "-c", c.conf))
	if err := untilOr(c.done, func() error { return c.wants("PING", "PONG") }); err != nil {
		c.tb.Fatalf("clamd %s: %v\n%s", c.Socket, err, c.Log)
	}
}

// Do gives it a command, such as RELOAD.
func (c *Clamd) Do(command string) error {
	answer, err := c.Ask(strings.TrimSpace(command))
	if err == nil && strings.HasSuffix(answer, "UNKNOWN COMMAND") {
		err = errors.New(answer)
	}
	return err
}

// Ask gives it a command and returns its answer.
func (c *Clamd) Ask(command string) (string, error) {
	conn, err := net.DialTimeout("unix", strings.TrimPrefix(c.Socket, "clamd:unix:"), Patience)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(Patience)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, "z"+command+"\x00"); err != nil {
		return "", err
	}
	answer, err := bufio.NewReader(conn).ReadString(0)
	return strings.TrimSuffix(answer, "\x00"), err
}

func (c *Clamd) wants(command, want string) error {
	answer, err := c.Ask(command)
	if err == nil && answer != want {
		err = errors.New(answer)
	}
	return err
}
