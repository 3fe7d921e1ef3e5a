package spamd

import (
	"strings"
	"time"

	"mailweir/internal/spamscan"
)

// envelope is what stands in front of the message: spamd's protocol has no envelope, and its rules
// read the client from the topmost Received and the sender from an X-Envelope-From above that.
func envelope(m *spamscan.Message, now time.Time) string {
	front := "X-Envelope-From: <" + spamscan.OneLine(m.Sender, 500) + ">\r\n"
	if !m.Client.IsValid() {
		return front
	}
	name, with := word(m.ClientName), "ESMTP"
	if name == "" {
		name = "unknown"
	}
	if m.TLSVersion != "" {
		with += "S"
	}
	if m.Login != "" {
		with += "A" // such a client is trusted, as by Postfix's smtpd_sasl_authenticated_header
	}
	address := m.Client.String()
	if m.Client.Is6() {
		address = "IPv6:" + address
	}
	id := word(m.QueueID)
	if id == "" {
		id = "none"
	}
	return front + "Received: from " + orUnknown(word(m.Helo)) + " (" + name + " [" + address + "])\r\n\tby " + orUnknown(word(m.MTA)) +
		" with " + with + " id " + id + ";\r\n\t" + now.Format(time.RFC1123Z) + "\r\n"
}

func orUnknown(name string) string {
	if name == "" {
		return "unknown"
	}
	return name
}

// word leaves of a name what cannot end its place in the field: whoever chooses a HELO must not
// write the rest of it as well.
func word(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune(".-_:[]", r):
			return r
		}
		return '?'
	}, spamscan.OneLine(s, 255))
}
