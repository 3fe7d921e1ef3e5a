package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"mailweir/test/testbed"
)

// tell sends the letters and prints what comes of each.
func (d *demo) tell(ctx context.Context) error {
	queued := 0
	for i, l := range letters() {
		if ctx.Err() != nil {
			return nil
		}
		fmt.Printf("\n=== %d. %s ===\n\n", i+1, l.title)
		replies, err := d.send(l)
		if err != nil {
			return fmt.Errorf("%s: %w", l.title, err)
		}
		if err := l.judge(replies); err != nil {
			return fmt.Errorf("%w\nmailweir's log:\n%s", err, d.mailweir.Log)
		}
		if strings.HasPrefix(replies[len(replies)-1], "250 ") {
			queued++
		}
		if err := d.logLine(replies); err != nil {
			return err
		}
		if err := d.explainLetter(i+1, l); err != nil {
			return fmt.Errorf("%s: %w", l.title, err)
		}
	}
	return d.delivered(queued)
}

// judge makes sure that the demo shows what its title says.
func (l letter) judge(replies []string) error {
	for _, r := range replies {
		if strings.HasPrefix(r, l.want) {
			return nil
		}
	}
	return fmt.Errorf("%s: no reply begins with %q: %q", l.title, l.want, replies)
}

// send has the dialog with Postfix and prints it. It returns the replies from
// MAIL on.
func (d *demo) send(l letter) ([]string, error) {
	c, err := testbed.Dial(d.mta.MX, "")
	if err != nil {
		return nil, err
	}
	defer c.Close()
	t := &talk{client: c}
	// Postfix begins anew after XCLIENT, with another greeting.
	for _, command := range []string{"", "EHLO demo.example", "XCLIENT ADDR=" + l.client, "EHLO client.example"} {
		t.say(command)
	}
	fmt.Printf("  client [%s]\n", l.client)
	t.printing = true
	t.say("MAIL FROM:<" + l.from + ">")
	taken := 0
	for _, to := range l.to {
		if strings.HasPrefix(t.say("RCPT TO:<"+to+">"), "250") {
			taken++
		}
	}
	if taken > 0 {
		t.say("DATA")
		t.content(l.message)
	}
	replies := t.replies
	t.printing = false
	t.say("QUIT")
	return replies, t.err
}

// talk is one side of a dialog. After an error it says nothing any more.
type talk struct {
	client   *testbed.Client
	printing bool
	replies  []string // those that were printed
	err      error
}

// say sends a command, "" for none, and returns the reply.
func (t *talk) say(command string) string {
	if command != "" {
		t.line(command)
		if t.printing {
			fmt.Println("  C:", command)
		}
	}
	return t.reply()
}

func (t *talk) line(text string) {
	if t.err == nil {
		t.err = t.client.Send(text)
	}
}

func (t *talk) reply() string {
	if t.err != nil {
		return ""
	}
	var reply testbed.Reply
	if reply, t.err = t.client.ReadReply(); t.err != nil {
		return ""
	}
	last := reply[len(reply)-1]
	if t.printing {
		fmt.Println("  S:", strings.Join(reply, "\n  S: "))
		t.replies = append(t.replies, last)
	}
	return last
}

// content sends a message. Of many trace fields it prints two.
func (t *talk) content(message string) {
	trace := 0
	for line := range strings.Lines(message) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "Received:") {
			trace++
		}
		switch {
		case trace < 3 || !strings.HasPrefix(line, "Received:"):
			fmt.Println("  C:", line)
		case trace == 3:
			fmt.Printf("  C: (%d more of these)\n", strings.Count(message, "Received:")-2)
		}
		if strings.HasPrefix(line, ".") {
			line = "." + line
		}
		t.line(line)
	}
	t.say(".")
}

var eventID = regexp.MustCompile(`\[(mw-\w+)\]$`)

// logLine prints what mailweir logged about the first refusal.
func (d *demo) logLine(replies []string) error {
	for _, reply := range replies {
		id := eventID.FindStringSubmatch(reply)
		if id == nil {
			continue
		}
		line, ok := d.mailweir.Log.Wait(0, func(line string) bool { return strings.Contains(line, id[1]) })
		if !ok {
			return fmt.Errorf("the log has no event %s", id[1])
		}
		fmt.Println("\n  log:", line)
		return nil
	}
	return nil
}

// explainLetter asks mailweir explain about the same letter and prints what it
// says, without the checks that have nothing to say.
func (d *demo) explainLetter(number int, l letter) error {
	name := filepath.Join(d.dir, fmt.Sprintf("%d.eml", number))
	if err := os.WriteFile(name, []byte(l.message), 0o644); err != nil {
		return err
	}
	args := append([]string(nil), d.explain...)
	args = append(args, "--client="+l.client, "--helo=client.example", "--from="+l.from)
	for _, to := range l.to {
		args = append(args, "--to="+to)
	}
	args = append(args, name)
	out, err := exec.Command(d.program, args...).Output()
	if err != nil {
		return fmt.Errorf("mailweir explain: %w", err)
	}
	fmt.Printf("\n  $ mailweir %s\n", strings.Join(args, " "))
	found := l.check == ""
	for _, line := range telling(string(out)) {
		found = found || strings.Fields(line)[0] == l.check
		fmt.Print("    ", line)
	}
	if !found {
		return fmt.Errorf("mailweir explain does not name the check %s", l.check)
	}
	return nil
}

// telling are the lines of an explanation without those of checks that have
// nothing to say, or are off.
func telling(explanation string) []string {
	explanation, _, _ = strings.Cut(explanation, "Off:\n")
	var lines []string
	silent := false
	for line := range strings.Lines(explanation) {
		// What a check has asked stands below it, further to the right.
		if asked := strings.HasPrefix(line, "     "); !asked {
			silent = strings.Contains(line, "nothing against it")
		}
		if !silent {
			lines = append(lines, line)
		}
	}
	return lines
}

// delivered prints what the next hop has received.
func (d *demo) delivered(n int) error {
	messages, err := d.mta.Sink.Wait(func(m []testbed.Message) bool { return len(m) >= n })
	if err != nil {
		return err
	}
	fmt.Printf("\n=== Delivered: %d messages ===\n\n", len(messages))
	for _, m := range messages {
		_, subject, _ := strings.Cut(m.Data, "\nSubject: ")
		subject, _, _ = strings.Cut(subject, "\n")
		fmt.Printf("  %s -> %s: %s\n", m.From, strings.Join(m.To, " "), subject)
	}
	return nil
}
