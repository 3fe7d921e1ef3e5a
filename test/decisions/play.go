package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"mailweir/test/testbed"
	"mailweir/test/wire"
)

// play sends all the mail through a policy, then some of it again, and returns what came of it, in
// order of the text.
func (s settings) play(h *testbed.Program, p policySet, state string, mails []mail) ([]string, error) {
	defer h.Close()
	dir := testbed.TempDir(h)
	flags, err := p.write(dir)
	if err != nil {
		return nil, err
	}
	definitions, err := filepath.Glob(filepath.Join(s.definitions, "*.def"))
	if err != nil || len(definitions) == 0 {
		return nil, fmt.Errorf("no definitions in %s, %v", s.definitions, err)
	}
	for _, d := range definitions {
		flags = append(flags, "--content-definition="+d)
	}
	place, err := stateFlag(h, dir, state)
	if err != nil {
		return nil, err
	}
	names := testbed.StartNameServer(h, testbed.NameServerConfig{Records: records})
	m := testbed.StartMailweir(h, testbed.MailweirConfig{Binary: s.bin, Flags: append(flags, place, "--dns="+names.Address)})
	t := &talk{socket: m.Socket}
	defer t.hangUp()
	for _, mail := range append(mails[:len(mails):len(mails)], again(mails)...) {
		next := time.After(time.Duration(len(mail.recipients)) * time.Second / time.Duration(s.rate))
		if err := t.mail(mail); err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", mail.name, err, m.Log)
		}
		<-next
	}
	t.hangUp()
	counts, err := counted(m)
	if err != nil {
		return nil, err
	}
	if err := m.End(); err != nil {
		return nil, err
	}
	return append(sorted(append(t.lines, eventLines(m.Entries(), dir)...)), counts...), nil
}

// again are messages that are tried once more, as those that were deferred would be.
func again(mails []mail) []mail {
	var list []mail
	for _, m := range mails[:min(clients, len(mails))] {
		if !m.joins {
			m.queueID = "R" + m.queueID[1:]
			list = append(list, m)
		}
	}
	return list
}

func stateFlag(h testbed.TB, dir, state string) (string, error) {
	switch state {
	case "memory":
		return "--state=memory:", nil
	case "file":
		return "--state=file:" + filepath.Join(dir, "state"), nil
	case "redis":
		return "--state=redis://" + testbed.StartRedis(h).Address, nil
	}
	return "", fmt.Errorf("no state %q (memory, file, redis)", state)
}

// counted are the lines of the counter of decisions, once what is decided after the answers has
// been counted, too.
func counted(m *testbed.Mailweir) (lines []string, err error) {
	for {
		page, err := m.Get("/metrics")
		if err != nil {
			return nil, err
		}
		before := lines
		lines = nil
		for line := range strings.Lines(string(page)) {
			if strings.HasPrefix(line, "mailweir_decisions_total{") {
				lines = append(lines, strings.TrimSuffix(line, "\n"))
			}
		}
		if slices.Equal(before, sorted(lines)) {
			return lines, nil
		}
		time.Sleep(300 * time.Millisecond)
	}
}

func sorted(lines []string) []string {
	sort.Strings(lines)
	return lines
}

// talk is the MTA's side: a connection that may serve several messages.
type talk struct {
	socket string
	client *wire.Client
	lines  []string // the answers that were not "go on"
}

func (t *talk) hangUp() {
	if t.client != nil {
		_ = t.client.Close()
		t.client = nil
	}
}

// do sends a command and notes what was not "go on".
func (t *talk) do(m mail, what string, command byte, data string) (refused bool, err error) {
	a, err := t.client.Do(command, data)
	if err != nil {
		return false, err
	}
	for _, edit := range a.Edits {
		t.lines = append(t.lines, canonical(m.queueID+" "+what+" edit "+strconv.Quote(edit)))
	}
	if a.Code != 'c' {
		t.lines = append(t.lines, canonical(fmt.Sprintf("%s %s answer %q", m.queueID, what, a)))
	}
	return a.Refuses(), nil
}

// mail plays one message as an MTA does.
func (t *talk) mail(m mail) error {
	if !m.joins || t.client == nil {
		t.hangUp()
		if gone, err := t.connect(m); gone || err != nil {
			return err
		}
	}
	refused, err := t.envelope(m)
	if err != nil {
		return err
	}
	if !refused {
		if err := t.content(m); err != nil {
			return err
		}
	}
	t.client.Abort()
	return nil
}

func (t *talk) connect(m mail) (gone bool, err error) {
	if t.client, err = wire.Dial(t.socket); err != nil {
		return false, err
	}
	t.client.Macros = map[string]string{
		"j": "mx.example.org", "{daemon_name}": "smtpd", "{daemon_port}": m.service, "v": "Postfix",
		"{client_addr}": m.client.String(), "{client_name}": m.clientName, "{client_ptr}": m.clientName, "{client_resolve}": "OK",
	}
	if m.tls {
		t.client.Macros["{tls_version}"], t.client.Macros["{cipher}"], t.client.Macros["{cipher_bits}"] = "TLSv1.3", "TLS_AES_256_GCM_SHA384", "256"
	}
	family, address := "4", m.client.String()
	if m.client.Is6() {
		family, address = "6", "IPv6:"+address
	}
	const port = "\xa1\x12"
	if refused, err := t.do(m, "connect", wire.Connect, m.clientName+"\x00"+family+port+address+"\x00"); refused || err != nil {
		return refused, err
	}
	return t.do(m, "helo", wire.Helo, m.clientName+"\x00")
}

// envelope sends sender and recipients; refused tells that there is nobody to send the message to.
func (t *talk) envelope(m mail) (refused bool, err error) {
	macros := t.client.Macros
	macros["i"], macros["{rcpt_mailer}"] = m.queueID, "smtp"
	delete(macros, "{auth_authen}")
	if m.login != "" {
		macros["{auth_authen}"], macros["{auth_type}"] = m.login, "PLAIN"
	}
	data := "<" + m.sender + ">\x00"
	if m.size > 0 {
		data += fmt.Sprintf("SIZE=%d\x00", m.size)
	}
	if refused, err := t.do(m, "mail", wire.Mail, data); refused || err != nil {
		return true, err
	}
	taken := 0
	for i, recipient := range m.recipients {
		refused, err := t.do(m, fmt.Sprintf("rcpt%d", i+1), wire.Rcpt, "<"+recipient+">\x00")
		if err != nil {
			return true, err
		}
		if !refused {
			taken++
		}
	}
	return taken == 0, nil
}

func (t *talk) content(m mail) error {
	if _, err := t.do(m, "data", wire.Data, ""); err != nil {
		return err
	}
	for _, field := range m.letter.Fields {
		name, text, _ := strings.Cut(field, ":")
		if _, err := t.do(m, "header", wire.Header, t.client.Terms.Field(name, text)); err != nil {
			return err
		}
	}
	if _, err := t.do(m, "eoh", wire.EOH, ""); err != nil {
		return err
	}
	for rest := m.letter.Body; rest != ""; {
		piece := rest[:min(len(rest), 65535)]
		rest = rest[len(piece):]
		if _, err := t.do(m, "body", wire.Body, piece); err != nil {
			return err
		}
	}
	_, err := t.do(m, "end", wire.BodyEOB, "")
	return err
}
