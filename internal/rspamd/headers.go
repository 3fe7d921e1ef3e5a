package rspamd

import (
	"net/http"

	"mailweir/internal/spamscan"
)

const (
	// maxHeaders bounds what is told about a message: rspamd resets a connection that brings more
	// than 80,000 octets of headers.
	maxHeaders = 60_000
	// maxValue bounds one value; RFC 5321 section 4.5.3.1 has none longer than 512.
	maxValue = 2000
)

// headers are what rspamd is told about a message, and how many recipients there was no room for.
func headers(m *spamscan.Message) (h http.Header, left int) {
	h = http.Header{"Connection": {"close"}, "User-Agent": {"mailweir"}, "Content-Type": {"message/rfc822"}}
	used := 0
	set := func(name, value string) bool {
		value = spamscan.OneLine(value, maxValue)
		used += len(name) + len(value) + len(": \r\n")
		if value == "" || used > maxHeaders {
			return value == ""
		}
		h[name] = append(h[name], value)
		return true
	}
	if m.Client.IsValid() {
		set("IP", m.Client.String())
	}
	set("Helo", m.Helo)
	set("Hostname", m.ClientName)
	set("From", brackets(m.Sender))
	set("User", m.Login)
	set("Queue-Id", m.QueueID)
	set("MTA-Name", m.MTA)
	set("TLS-Version", m.TLSVersion)
	set("TLS-Cipher", m.TLSCipher)
	for _, to := range m.Recipients {
		if !set("Rcpt", brackets(to)) {
			left++
		}
	}
	return h, left
}

// brackets writes an address as SMTP does.
func brackets(address string) string { return "<" + address + ">" }
