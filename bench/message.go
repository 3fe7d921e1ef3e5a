package main

import (
	"fmt"
	"strings"

	"mailweir/test/wire"
)

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
	terms     wire.Terms
	pending   []byte
	exchanges []exchange
}

func (p *plan) packet(command byte, data string) {
	p.pending = wire.AppendPacket(p.pending, command, data)
}

// command adds a command with its macros, as Postfix sends it under these terms.
func (p *plan) command(command byte, data string) {
	if !p.terms.Sends(command) {
		return
	}
	if macros := p.terms.Macros(command, macroValues); macros != "" {
		p.packet(wire.Macro, macros)
	}
	p.packet(command, data)
	if p.terms.Answered(command) {
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

// letter is a message of the load.
type letter = wire.Letter

// usualLetter has twenty header fields and a body of that many octets.
func usualLetter(bodySize int) letter { return letter{Fields: fields(), Body: bodyText(bodySize)} }

// session plans a whole SMTP connection of that person with these messages. Person 0 is at
// 192.0.2.1.
func session(t wire.Terms, letters []letter, person int) []exchange {
	p := &plan{terms: t}
	p.command(wire.Connect, "client.example.net\x004\xa1\x12"+clientOf(person)+"\x00")
	p.command(wire.Helo, "client.example.net\x00")
	for _, l := range letters {
		p.letter(l, person)
	}
	p.packet(wire.Quit, "")
	p.flush()
	return p.exchanges
}

// clientOf is the address of a person's client: each is in a net of its own.
func clientOf(person int) string {
	if person == 0 {
		return "192.0.2.1"
	}
	return fmt.Sprintf("20.%d.%d.1", person/256, person%256)
}

// senderOf is a person's address. It has no digits, which greylisting takes for what changes from
// mail to mail.
func senderOf(person int) string {
	if person == 0 {
		return "alice@example.net"
	}
	return "alice" + lettersOf(uint64(person)) + "@example.net"
}

func (p *plan) letter(l letter, person int) {
	p.command(wire.Mail, "<"+senderOf(person)+">\x00SIZE=9500\x00BODY=8BITMIME\x00")
	p.command(wire.Rcpt, "<bob@example.org>\x00")
	p.command(wire.Data, "")
	for _, field := range l.Fields {
		name, text, _ := strings.Cut(field, ":")
		p.command(wire.Header, p.terms.Field(name, text))
	}
	p.command(wire.EOH, "")
	for rest := l.Body; rest != ""; {
		piece := rest[:min(len(rest), 65535)]
		p.command(wire.Body, piece)
		rest = rest[len(piece):]
	}
	p.command(wire.BodyEOB, "")
	p.packet(wire.Abort, "") // Postfix sends one after every message
}

// fields are twenty header fields as one meets them.
func fields() []string {
	return []string{
		"Received: from mail.example.net (mail.example.net [192.0.2.1])\n\tby relay.example.net (Postfix) with ESMTPS id 4BpXyz1Qw3\n\tfor <bob@example.org>; Mon,  5 Jan 2026 10:00:00 +0000 (UTC)",
		"Received: from desk.example.net (unknown [198.51.100.7])\n\tby mail.example.net (Postfix) with ESMTPSA id 3ApXyz1Qw2;\n\tMon,  5 Jan 2026 09:59:59 +0000 (UTC)",
		"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.net; s=mail;\n\tt=1767607199; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\n\th=From:To:Subject:Date; b=" + strings.Repeat("Zm9vYmFy", 20),
		"From: Alice Example <alice@example.net>",
		"To: Bob Example <bob@example.org>",
		"Cc: Carol Example <carol@example.org>",
		"Subject: Minutes of the meeting on Monday and what follows from them",
		"Date: Mon, 5 Jan 2026 10:00:00 +0000",
		"Message-ID: <20260105100000.4BpXyz1Qw3@mail.example.net>",
		"MIME-Version: 1.0",
		"Content-Type: text/plain; charset=utf-8; format=flowed",
		"Content-Transfer-Encoding: 7bit",
		"Content-Language: en-GB",
		"User-Agent: Mozilla Thunderbird",
		"In-Reply-To: <20260104090000.2ApQyz7Rw1@example.org>",
		"References: <20260103080000.1ApQyz7Rw0@example.org>\n\t<20260104090000.2ApQyz7Rw1@example.org>",
		"Reply-To: Alice Example <alice@example.net>",
		"Organization: Example Limited",
		"X-Mailer: Example Mailer 1.0",
		"X-Spam-Status: No, score=-1.1 required=5.0",
	}
}

// bodyText is plain text in lines of 72 octets with CRLF.
func bodyText(size int) string {
	const line = "the quick brown fox jumps over the lazy dog and goes home before dark.\r\n"
	return strings.Repeat(line, size/len(line)+1)[:size]
}
