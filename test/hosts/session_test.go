package hosts

import (
	"fmt"
	"strings"
	"testing"

	"mailweir/test/testbed"
)

// session is one SMTP connection to a host.
type session struct {
	host   *host
	client *testbed.Client
}

// connect begins a session from an address of 127.0.0.0/8.
func (h *host) connect(from string) (*session, error) { return h.open(h.mta.MX, from) }

// login begins a session of a user of ours.
func (h *host) login(name string) (*session, error) {
	s, err := h.open(h.mta.Submission, "")
	if err != nil {
		return nil, err
	}
	if _, err := s.want("XCLIENT ADDR=192.0.2.7 LOGIN="+name, "220"); err != nil {
		return nil, err
	}
	_, err = s.want("EHLO client.example", "250")
	return s, err
}

func (h *host) open(address, from string) (*session, error) {
	client, err := testbed.Dial(address, from)
	if err != nil {
		return nil, err
	}
	s := &session{h, client}
	if _, err := client.ReadReply(); err != nil { // Postfix greets before the milter speaks
		return nil, err
	}
	_, err = s.want("EHLO client.example", "250")
	return s, err
}

// want gives a command and wants a reply that begins so.
func (s *session) want(command, begin string) (string, error) {
	reply, err := s.client.Ask(command)
	text := strings.Join(reply, "\n")
	if err != nil {
		return text, fmt.Errorf("host %s: %s: %q, %w", s.host.name, command, text, err)
	}
	if !strings.HasPrefix(text, begin) {
		return text, fmt.Errorf("host %s: %s: %q, want %q", s.host.name, command, text, begin)
	}
	return text, nil
}

// say is want in a test that ends otherwise.
func (s *session) say(t *testing.T, command, begin string) string {
	t.Helper()
	text, err := s.want(command, begin)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// begin begins a transaction with one recipient who is answered so.
func (s *session) begin(t *testing.T, sender, recipient, answer string) string {
	t.Helper()
	s.say(t, "MAIL FROM:<"+sender+">", "250")
	return s.say(t, "RCPT TO:<"+recipient+">", answer)
}

// send ends a transaction with a message that is taken.
func (s *session) send(t *testing.T, sender string) {
	t.Helper()
	s.say(t, "DATA", "354")
	s.say(t, message(sender), "250")
}

// quit ends the session in order.
func (s *session) quit(t *testing.T) {
	t.Helper()
	s.say(t, "QUIT", "221")
	_ = s.client.Close()
}

// message is a message with its end.
func message(sender string) string {
	return "From: " + sender + "\r\nSubject: x\r\n\r\nhello\r\n."
}

// from is connect in a test.
func (h *host) from(t *testing.T, client string) *session {
	t.Helper()
	s, err := h.connect(client)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// as is login in a test.
func (h *host) as(t *testing.T, name string) *session {
	t.Helper()
	s, err := h.login(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// try is a session with one recipient, whose answer it returns; a recipient who is taken gets a
// message.
func (h *host) try(client, sender, recipient string) (string, error) {
	s, err := h.connect(client)
	if err != nil {
		return "", err
	}
	defer s.client.Close()
	return s.try(sender, recipient)
}

func (s *session) try(sender, recipient string) (answer string, err error) {
	if _, err := s.want("MAIL FROM:<"+sender+">", "250"); err != nil {
		return "", err
	}
	if answer, err = s.want("RCPT TO:<"+recipient+">", ""); err != nil {
		return "", err
	}
	if strings.HasPrefix(answer, "250") {
		if _, err := s.want("DATA", "354"); err != nil {
			return "", err
		}
		if _, err := s.want(message(sender), "250"); err != nil {
			return "", err
		}
	}
	_, err = s.want("QUIT", "221")
	return answer, err
}

// answers tries until the recipient is answered so, and returns that answer.
func (h *host) answers(t *testing.T, client, sender, recipient, want string) string {
	t.Helper()
	var answer string
	err := testbed.Until(func() (err error) {
		if answer, err = h.try(client, sender, recipient); err == nil && !strings.HasPrefix(answer, want) {
			err = fmt.Errorf("host %s: <%s> from %s to <%s>: %q, want %q", h.name, sender, client, recipient, answer, want)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// loginAnswers tries until a login's mail to the recipient is answered so, and returns that answer.
func (h *host) loginAnswers(t *testing.T, login, recipient, want string) string {
	t.Helper()
	var answer string
	err := testbed.Until(func() error {
		session, err := h.login(login)
		if err != nil {
			return err
		}
		defer session.client.Close()
		if _, err := session.want("MAIL FROM:<"+login+"@example.org>", "250"); err != nil {
			return err
		}
		if answer, err = session.want("RCPT TO:<"+recipient+">", want); err != nil {
			return err
		}
		_, err = session.want("QUIT", "221")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return answer
}
