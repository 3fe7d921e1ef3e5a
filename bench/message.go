package main

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// The milter protocol's commands (libmilter/mfdef.h).
const (
	cmdAbort   = 'A'
	cmdBody    = 'B'
	cmdConnect = 'C'
	cmdMacro   = 'D'
	cmdBodyEOB = 'E'
	cmdHelo    = 'H'
	cmdHeader  = 'L'
	cmdMail    = 'M'
	cmdEOH     = 'N'
	cmdOptNeg  = 'O'
	cmdQuit    = 'Q'
	cmdRcpt    = 'R'
	cmdData    = 'T'
)

// Protocol flags of the negotiation: the filter does not want the command, or
// does not answer it (SMFIP_NO…, SMFIP_NR_…).
var (
	notSent = map[byte]uint32{
		cmdConnect: 0x1, cmdHelo: 0x2, cmdMail: 0x4, cmdRcpt: 0x8, cmdBody: 0x10,
		cmdHeader: 0x20, cmdEOH: 0x40, cmdData: 0x200,
	}
	notAnswered = map[byte]uint32{
		cmdHeader: 0x80, cmdConnect: 0x1000, cmdHelo: 0x2000, cmdMail: 0x4000,
		cmdRcpt: 0x8000, cmdData: 0x10000, cmdEOH: 0x40000, cmdBody: 0x80000,
	}
)

// Stages for which a filter may ask for macros, in the protocol's numbering.
const (
	stageConnect = iota
	stageHelo
	stageMail
	stageRcpt
	stageData
	stageEOM
	stageEOH
)

// macroStage is the stage whose macros Postfix sends before a command: those of
// the end of headers go with each header field, those of the end of the message
// with each piece of the body.
var macroStage = map[byte]int{
	cmdConnect: stageConnect, cmdHelo: stageHelo, cmdMail: stageMail, cmdRcpt: stageRcpt,
	cmdData: stageData, cmdHeader: stageEOH, cmdEOH: stageEOH, cmdBody: stageEOM, cmdBodyEOB: stageEOM,
}

// defaultMacros are Postfix's (postconf -d).
var defaultMacros = map[int]string{
	stageConnect: "j {daemon_name} {daemon_addr} v _",
	stageHelo:    "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}",
	stageMail:    "i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}",
	stageRcpt:    "i {rcpt_addr} {rcpt_host} {rcpt_mailer}",
	stageData:    "i",
	stageEOH:     "i",
	stageEOM:     "i",
}

// macroValues are those that have a value for this message; Postfix leaves out
// the others.
var macroValues = map[string]string{
	"j": "mx.example.org", "{daemon_name}": "mx.example.org", "{daemon_addr}": "192.0.2.25", "{daemon_port}": "25",
	"v": "Postfix 3.7.11", "_": "client.example.net [192.0.2.1]", "i": "4BpXyz1Qw3z9rTk",
	"{client_addr}": "192.0.2.1", "{client_name}": "client.example.net", "{client_port}": "41234",
	"{client_ptr}": "client.example.net", "{client_resolve}": "OK",
	"{mail_addr}": "alice@example.net", "{mail_host}": "example.net", "{mail_mailer}": "smtp",
	"{rcpt_addr}": "bob@example.org", "{rcpt_host}": "example.org", "{rcpt_mailer}": "smtp",
}

// terms are what a filter answered to the offer.
type terms struct {
	version  uint32
	protocol uint32
	macros   map[int]string // by stage
}

// parseTerms reads the answer to the offer without its first octet.
func parseTerms(data []byte) (terms, error) {
	if len(data) < 12 {
		return terms{}, fmt.Errorf("answer to the offer of %d octets", len(data))
	}
	t := terms{
		version:  binary.BigEndian.Uint32(data),
		protocol: binary.BigEndian.Uint32(data[8:]),
		macros:   make(map[int]string),
	}
	for stage, names := range defaultMacros {
		t.macros[stage] = names
	}
	for data = data[12:]; len(data) > 4; {
		names, rest, found := strings.Cut(string(data[4:]), "\x00")
		if !found {
			return terms{}, fmt.Errorf("list of macros without an end: %q", data)
		}
		t.macros[int(binary.BigEndian.Uint32(data))] = names
		data = []byte(rest)
	}
	return t, nil
}

// exchange is what is written before the MTA waits, and for which commands it
// then waits.
type exchange struct {
	writes [][]byte
	waits  []byte
}

// streamBuffer is the size of Postfix's buffer for a stream: it writes when that
// is full, or before it waits.
const streamBuffer = 4096

// plan collects packets into exchanges.
type plan struct {
	terms     terms
	pending   []byte
	exchanges []exchange
}

func (p *plan) packet(command byte, data string) {
	p.pending = binary.BigEndian.AppendUint32(p.pending, uint32(len(data)+1))
	p.pending = append(append(p.pending, command), data...)
}

// command adds a command with its macros, as Postfix sends it under these terms.
func (p *plan) command(command byte, data string) {
	if p.terms.protocol&notSent[command] != 0 || command == cmdData && p.terms.version < 4 {
		return
	}
	var macros strings.Builder
	for _, name := range strings.Fields(p.terms.macros[macroStage[command]]) {
		if value, known := macroValues[name]; known {
			macros.WriteString(name + "\x00" + value + "\x00")
		}
	}
	if macros.Len() > 0 || command == cmdHelo {
		p.packet(cmdMacro, string(command)+macros.String())
	}
	p.packet(command, data)
	if p.terms.protocol&notAnswered[command] == 0 {
		p.flush(command)
	}
}

// flush ends an exchange: the MTA writes and, if wait is a command, waits.
func (p *plan) flush(wait ...byte) {
	var e exchange
	for len(p.pending) > streamBuffer {
		e.writes = append(e.writes, p.pending[:streamBuffer:streamBuffer])
		p.pending = p.pending[streamBuffer:]
	}
	if len(p.pending) > 0 {
		e.writes = append(e.writes, p.pending)
	}
	e.waits = wait
	p.pending = nil
	p.exchanges = append(p.exchanges, e)
}

// letter is a message's header fields, each as NAME NUL VALUE NUL, and its body.
type letter struct {
	fields []string
	body   string
}

// usualLetter has twenty header fields and a body of that many octets.
func usualLetter(bodySize int) letter { return letter{fields(), bodyText(bodySize)} }

// session plans a whole SMTP connection with these messages.
func session(t terms, letters []letter) []exchange {
	p := &plan{terms: t}
	p.command(cmdConnect, "client.example.net\x004\xa1\x12192.0.2.1\x00")
	p.command(cmdHelo, "client.example.net\x00")
	for _, l := range letters {
		p.letter(l)
	}
	p.packet(cmdQuit, "")
	p.flush()
	return p.exchanges
}

func (p *plan) letter(l letter) {
	p.command(cmdMail, "<alice@example.net>\x00SIZE=9500\x00BODY=8BITMIME\x00")
	p.command(cmdRcpt, "<bob@example.org>\x00")
	p.command(cmdData, "")
	for _, field := range l.fields {
		p.command(cmdHeader, field)
	}
	p.command(cmdEOH, "")
	for rest := l.body; rest != ""; {
		piece := rest[:min(len(rest), 65535)]
		p.command(cmdBody, piece)
		rest = rest[len(piece):]
	}
	p.command(cmdBodyEOB, "")
	p.packet(cmdAbort, "") // Postfix sends one after every message
}

// fields are twenty header fields as one meets them.
func fields() []string {
	list := []string{
		"Received\x00from mail.example.net (mail.example.net [192.0.2.1])\n\tby relay.example.net (Postfix) with ESMTPS id 4BpXyz1Qw3\n\tfor <bob@example.org>; Mon,  5 Jan 2026 10:00:00 +0000 (UTC)",
		"Received\x00from desk.example.net (unknown [198.51.100.7])\n\tby mail.example.net (Postfix) with ESMTPSA id 3ApXyz1Qw2;\n\tMon,  5 Jan 2026 09:59:59 +0000 (UTC)",
		"DKIM-Signature\x00v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.net; s=mail;\n\tt=1767607199; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\n\th=From:To:Subject:Date; b=" + strings.Repeat("Zm9vYmFy", 20),
		"From\x00Alice Example <alice@example.net>",
		"To\x00Bob Example <bob@example.org>",
		"Cc\x00Carol Example <carol@example.org>",
		"Subject\x00Minutes of the meeting on Monday and what follows from them",
		"Date\x00Mon, 5 Jan 2026 10:00:00 +0000",
		"Message-ID\x00<20260105100000.4BpXyz1Qw3@mail.example.net>",
		"MIME-Version\x001.0",
		"Content-Type\x00text/plain; charset=utf-8; format=flowed",
		"Content-Transfer-Encoding\x007bit",
		"Content-Language\x00en-GB",
		"User-Agent\x00Mozilla Thunderbird",
		"In-Reply-To\x00<20260104090000.2ApQyz7Rw1@example.org>",
		"References\x00<20260103080000.1ApQyz7Rw0@example.org>\n\t<20260104090000.2ApQyz7Rw1@example.org>",
		"Reply-To\x00Alice Example <alice@example.net>",
		"Organization\x00Example Limited",
		"X-Mailer\x00Example Mailer 1.0",
		"X-Spam-Status\x00No, score=-1.1 required=5.0",
	}
	for i := range list {
		list[i] += "\x00"
	}
	return list
}

// bodyText is plain text in lines of 72 octets with CRLF.
func bodyText(size int) string {
	const line = "the quick brown fox jumps over the lazy dog and goes home before dark.\r\n"
	return strings.Repeat(line, size/len(line)+1)[:size]
}
