// Package wire is the MTA's side of the milter protocol, as Postfix speaks it to mailweir: for
// tools that send a filter more than any MTA would want to, or something else. Nothing in it knows
// mailweir.
package wire

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The protocol's commands (libmilter/mfdef.h).
const (
	Abort   = 'A'
	Body    = 'B'
	Connect = 'C'
	Macro   = 'D'
	BodyEOB = 'E'
	Helo    = 'H'
	Header  = 'L'
	Mail    = 'M'
	EOH     = 'N'
	OptNeg  = 'O'
	Quit    = 'Q'
	Rcpt    = 'R'
	Data    = 'T'
)

// Protocol flags of the negotiation: the filter does not want the command, or does not answer it
// (SMFIP_NO…, SMFIP_NR_…).
var (
	notSent = map[byte]uint32{
		Connect: 0x1, Helo: 0x2, Mail: 0x4, Rcpt: 0x8, Body: 0x10, Header: 0x20, EOH: 0x40, Data: 0x200,
	}
	notAnswered = map[byte]uint32{
		Header: 0x80, Connect: 0x1000, Helo: 0x2000, Mail: 0x4000, Rcpt: 0x8000, Data: 0x10000, EOH: 0x40000, Body: 0x80000,
	}
)

// leadingSpace is SMFIP_HDR_LEADSPC: what stands between the colon and the text of a header field
// is sent, too.
const leadingSpace = 0x100000

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

// macroStage is the stage whose macros Postfix sends before a command: those of the end of headers
// go with each header field, those of the end of the message with each piece of the body.
var macroStage = map[byte]int{
	Connect: stageConnect, Helo: stageHelo, Mail: stageMail, Rcpt: stageRcpt,
	Data: stageData, Header: stageEOH, EOH: stageEOH, Body: stageEOM, BodyEOB: stageEOM,
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

// Terms are what a filter answered to the offer.
type Terms struct {
	version  uint32
	protocol uint32
	macros   map[int]string // by stage
}

// ParseTerms reads the answer to the offer, without its first octet.
func ParseTerms(data []byte) (Terms, error) {
	if len(data) < 12 {
		return Terms{}, fmt.Errorf("answer to the offer of %d octets", len(data))
	}
	t := Terms{
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
			return Terms{}, fmt.Errorf("list of macros without an end: %q", data)
		}
		t.macros[int(binary.BigEndian.Uint32(data))] = names
		data = []byte(rest)
	}
	return t, nil
}

// Sends tells whether the MTA sends this command under these terms.
func (t Terms) Sends(command byte) bool {
	return t.protocol&notSent[command] == 0 && (command != Data || t.version >= 4)
}

// Answered tells whether the filter answers this command.
func (t Terms) Answered(command byte) bool { return t.protocol&notAnswered[command] == 0 }

// Field is the packet of a header field; text is all that stands behind its colon. Postfix and
// Sendmail drop the first blank of it unless the filter wants to see it.
func (t Terms) Field(name, text string) string {
	if t.protocol&leadingSpace == 0 {
		text = strings.TrimPrefix(text, " ")
	}
	return name + "\x00" + text + "\x00"
}

// Macros is the packet of macros that Postfix sends before a command, of those that have a value;
// "" if there is none.
func (t Terms) Macros(command byte, values map[string]string) string {
	var packet strings.Builder
	for _, name := range strings.Fields(t.macros[macroStage[command]]) {
		if value, known := values[name]; known {
			packet.WriteString(name + "\x00" + value + "\x00")
		}
	}
	if packet.Len() == 0 && command != Helo {
		return ""
	}
	return string(command) + packet.String()
}

// AppendPacket appends a packet to a buffer.
func AppendPacket(buffer []byte, command byte, data string) []byte {
	buffer = binary.BigEndian.AppendUint32(buffer, uint32(len(data)+1))
	return append(append(buffer, command), data...)
}

// ReadPacket reads one packet; its data is empty for nearly every answer.
func ReadPacket(in *bufio.Reader) (byte, []byte, error) {
	head, err := in.Peek(5)
	if err != nil {
		return 0, nil, err
	}
	length, code := binary.BigEndian.Uint32(head), head[4]
	if _, err := in.Discard(5); err != nil {
		return 0, nil, err
	}
	if length == 1 {
		return code, nil, nil
	}
	if length == 0 || length > 1<<20 {
		return 0, nil, errors.New("a packet of impossible length")
	}
	data := make([]byte, length-1)
	_, err = io.ReadFull(in, data)
	return code, data, err
}

// Negotiate makes Postfix's offer: version 6, every action, every protocol flag.
func Negotiate(conn io.Writer, in *bufio.Reader) (Terms, error) {
	offer := []byte{0, 0, 0, 13, OptNeg, 0, 0, 0, 6, 0, 0, 0x01, 0xff, 0x00, 0x1f, 0xff, 0xff}
	if _, err := conn.Write(offer); err != nil {
		return Terms{}, err
	}
	code, data, err := ReadPacket(in)
	if err != nil {
		return Terms{}, fmt.Errorf("no answer to the offer: %w", err)
	}
	if code != OptNeg {
		return Terms{}, fmt.Errorf("answer %q to the offer", code)
	}
	return ParseTerms(data)
}
