package testbed

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Postgrey is one postgrey, which is asked by Postfix's policy protocol.
type Postgrey struct {
	Address string // where it listens, HOST:PORT
	Dir     string // its database
	*Process
	tb  TB
	cmd func() *exec.Cmd
}

// StartPostgrey starts a postgrey with an empty database and these options.
func StartPostgrey(tb TB, options ...string) *Postgrey {
	tb.Helper()
	Require(tb, "postgrey")
	p := &Postgrey{Address: FreeAddress(tb), Dir: filepath.Join(TempDir(tb), "postgrey"), tb: tb}
	if err := os.Mkdir(p.Dir, 0o700); err != nil {
		tb.Fatalf("postgrey: %v", err)
	}
	if err := chown(p.Dir, "postgrey", "postgrey"); err != nil {
		tb.Fatalf("postgrey: %v", err)
	}
	args := append([]string{"--inet=" + p.Address, "--dbdir=" + p.Dir}, options...)
	p.cmd = func() *exec.Cmd { return exec.Command("/usr/sbin/postgrey", args...) }
	p.Start()
	return p
}

// Start starts it after Stop or Kill.
func (p *Postgrey) Start() {
	p.tb.Helper()
	p.Process = start(p.tb, p.cmd()).nagged()
	if err := untilOr(p.done, func() error {
		_, err := p.Ask(PostgreyQuestion{Sender: "ready@testbed.example", Recipient: "ready@testbed.example"})
		return err
	}); err != nil {
		p.tb.Fatalf("postgrey %s: %v\n%s", p.Address, err, p.Log)
	}
}

// PostgreyQuestion is what Postfix tells of a recipient.
type PostgreyQuestion struct {
	Name, Client, Sender, Recipient string
	// Now is when that is, for postgrey; zero for now.
	Now time.Time
}

// Ask asks one question and returns the action.
func (p *Postgrey) Ask(q PostgreyQuestion) (action string, err error) {
	actions, err := p.AskAll([]PostgreyQuestion{q})
	if err != nil {
		return "", err
	}
	return actions[0], nil
}

// AskAll asks over one connection, and returns the actions.
func (p *Postgrey) AskAll(all []PostgreyQuestion) (actions []string, err error) {
	conn, err := net.DialTimeout("tcp", p.Address, Patience)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	for _, q := range all {
		_ = conn.SetDeadline(time.Now().Add(Patience))
		if _, err := conn.Write([]byte(q.text())); err != nil {
			return nil, err
		}
		line, err := answers.ReadString('\n')
		if err == nil {
			_, err = answers.ReadString('\n') // an empty line ends the answer
		}
		action, is := strings.CutPrefix(strings.TrimSpace(line), "action=")
		if err != nil || !is {
			return nil, fmt.Errorf("it answers %q, %v", line, err)
		}
		actions = append(actions, action)
	}
	return actions, nil
}

func (q PostgreyQuestion) text() string {
	text := fmt.Sprintf("request=smtpd_access_policy\nclient_name=%s\nclient_address=%s\nsender=%s\nrecipient=%s\netrn_domain=\n",
		or(q.Name, "unknown"), or(q.Client, "127.0.0.1"), q.Sender, q.Recipient)
	if !q.Now.IsZero() {
		// An attribute that postgrey has for its own tests.
		text += fmt.Sprintf("policy_test_time=%d\n", q.Now.Unix())
	}
	return text + "\n"
}

func or(text, without string) string {
	if text == "" {
		return without
	}
	return text
}
