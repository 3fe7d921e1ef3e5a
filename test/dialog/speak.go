package dialog

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"mailweir/test/testbed"
)

// conversation is one SMTP connection of a dialog.
type conversation struct {
	run    *run
	client *testbed.Client
	// asked holds the commands whose replies have not been read; the greeting
	// answers the connection itself.
	asked []string
	// owed is a repeated command, sent one by one as its replies are read.
	owed Step
	sent int // how many of owed are sent
}

// queued finds the queue id in the replies of Postfix and Sendmail to the end
// of a message.
var queued = regexp.MustCompile(`(?: queued as |^250 2\.0\.0 )([0-9A-Za-z]+)(?: Message accepted|$)`)

// patience is how long a client waits for a reply: the end of a message may take 60 s.
const patience = 60*time.Second + testbed.Patience

// dialog opens a connection and goes through the steps. The caller closes it.
func (r *run) dialog(s *Section) (*testbed.Client, error) {
	service, from, err := s.service()
	if err != nil {
		return nil, err
	}
	address, err := r.mta.Service(service)
	if err != nil {
		return nil, err
	}
	if from == "outside" {
		if from, err = testbed.Outside(); err != nil {
			return nil, err
		}
	}
	client, err := testbed.Dial(address, from)
	if err != nil {
		return nil, err
	}
	client.Patience = patience
	c := &conversation{run: r, client: client, asked: []string{"(connection)"}}
	for _, step := range s.Steps {
		if err := c.step(step); err != nil {
			return client, fmt.Errorf("line %d: %w", step.Line, err)
		}
	}
	return client, nil
}

func (c *conversation) step(step Step) error {
	switch step.Kind {
	case Command:
		if step.Count > 1 {
			c.owed, c.sent = step, 0
			return nil
		}
		return c.command(step.Text)
	case Expect:
		for n := 1; n <= step.Count; n++ {
			if err := c.expect(step.text(n)); err != nil {
				return err
			}
		}
	case Content:
		for n := 1; n <= step.Count; n++ {
			if err := c.content(step.text(n)); err != nil {
				return err
			}
		}
	case File:
		return c.file(step.Text)
	case TLS:
		return c.startTLS(step.Text)
	case Manage:
		return c.run.command(command{words: strings.Fields(step.Text)})
	case Closed:
		reply, err := c.client.ReadReply()
		if !errors.Is(err, io.EOF) {
			return fmt.Errorf("the connection should be closed; got %q, %v", reply, err)
		}
	}
	return nil
}

func (c *conversation) command(line string) error {
	line = c.run.vars.Replace(line)
	c.asked = append(c.asked, line)
	return c.client.Send(line)
}

// content sends one line of the message; a leading dot is doubled (RFC 5321,
// section 4.5.2).
func (c *conversation) content(line string) error {
	if strings.HasPrefix(line, ".") {
		line = "." + line
	}
	return c.client.Send(line)
}

// file sends the lines of a "file" section as they stand in the dialog.
func (c *conversation) file(name string) error {
	for i := range c.run.script.Sections {
		s := &c.run.script.Sections[i]
		if s.Kind != "file" || s.Words[0] != name {
			continue
		}
		for _, line := range s.Body {
			if err := c.content(line.Text); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("no section \"file %s\"", name)
}

// expect reads one reply and compares it.
func (c *conversation) expect(want string) error {
	if c.sent < c.owed.Count {
		c.sent++
		if err := c.command(c.owed.text(c.sent)); err != nil {
			return err
		}
	}
	command := "(nothing)"
	if len(c.asked) > 0 {
		command, c.asked = c.asked[0], c.asked[1:]
	}
	reply, err := c.client.ReadReply()
	if err != nil {
		return fmt.Errorf("%s: %w; want %q", command, err, want)
	}
	want = c.run.vars.Replace(want)
	if c.run.mta.Name == "sendmail" {
		want = asSendmail(want, command)
	}
	got := strings.Join(reply, "\n")
	ids, ok := match(want, got)
	if !ok {
		return fmt.Errorf("%s\ngot  %q\nwant %q", command, got, want)
	}
	for name, id := range ids {
		c.run.ids[name] = id
	}
	if command == "." && reply.Code() == "250" {
		m := queued.FindStringSubmatch(got)
		if m == nil {
			return fmt.Errorf("no queue id in %q", got)
		}
		c.run.accepted = append(c.run.accepted, m[1])
	}
	return nil
}
