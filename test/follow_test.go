package test

import (
	"bufio"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mailweir/test/testbed"
)

// events --follow tells what is decided behind a real Postfix, and goes on with the daemon that
// comes after a restart.
func TestFollow(t *testing.T) {
	t.Parallel()
	testbed.Require(t, "postfix")
	mta := testbed.StartMTA(t, "postfix", testbed.MTAConfig{})
	binary, dir := testbed.BuildMailweir(t), testbed.TempDir(t)
	flags := []string{"--control=unix:" + filepath.Join(dir, "control"), "--record=file:" + filepath.Join(dir, "record")}
	config := testbed.MailweirConfig{Binary: binary, Socket: mta.Milter, Flags: append([]string{mta.Services(), "--sender-block-list=inline:{example.net=REJECT}"}, flags...)}
	daemon := testbed.StartMailweir(t, config)
	first := refuse(t, mta)

	follow := exec.Command(binary, append([]string{"events", "--follow", "--since=1h", "--json"}, flags...)...)
	out, err := follow.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var notes testbed.Log
	follow.Stderr = &notes
	if err := follow.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = follow.Process.Kill()
		_ = follow.Wait() // it was killed
	}()
	lines := bufio.NewScanner(out)
	next := func() string {
		if !lines.Scan() {
			t.Fatalf("the tail has ended: %v\n%s", lines.Err(), notes.String())
		}
		var event struct{ ID string }
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		return event.ID
	}
	if got := next(); got != first {
		t.Errorf("the tail begins with %s, want %s", got, first)
	}
	if second := refuse(t, mta); second != next() {
		t.Errorf("the tail does not have %s", second)
	}

	if err := daemon.End(); err != nil {
		t.Fatal(err)
	}
	testbed.StartMailweir(t, config)
	if third := refuse(t, mta); third != next() {
		t.Errorf("after the restart the tail does not have %s", third)
	}
	if _, said := notes.Wait(0, func(line string) bool { return strings.Contains(line, "the daemon is back after") }); !said {
		t.Errorf("the tail says %q of the restart", notes.String())
	}
}

var inReply = regexp.MustCompile(`\[(mw-[0-9a-z]{8})\]`)

// refuse has a sender refused, and returns the id in the reply.
func refuse(t *testing.T, mta *testbed.MTA) string {
	t.Helper()
	client := mta.Talk(t, mta.MX)
	client.Say("EHLO client.example", "250")
	client.Say("MAIL FROM:<alice@example.net>", "250")
	reply, err := client.Ask("RCPT TO:<bob@example.org>")
	if err != nil {
		t.Fatal(err)
	}
	client.Say("QUIT", "221")
	m := inReply.FindStringSubmatch(strings.Join(reply, "\n"))
	if m == nil {
		t.Fatalf("no id stands in %q", reply)
	}
	return m[1]
}
