package policy

import (
	"net/netip"
	"strings"
)

// ConnectFacts is what the MTA tells about a client when it connects.
type ConnectFacts struct {
	// Client is the address; the zero value means unknown. IPv4-mapped IPv6 becomes IPv4.
	Client netip.Addr
	// Port is the client's port, 0 when unknown or when there is no network client.
	Port uint16
	// Name is the client's verified host name; "" or "unknown" when there is none.
	Name string
	// Unverified is the name that the reverse zone gives, whether or not it leads back.
	Unverified string
	// DaemonName and DaemonPort tell the door ({daemon_name}, {daemon_port}).
	DaemonName, DaemonPort string
	// MTA is what the MTA calls itself ({j}); "" where it does not tell.
	MTA string
	// NoNetwork says that the message is submitted without a network client.
	NoNetwork bool
	// Denied are the edits that the MTA has not granted to us.
	Denied EditKinds
}

// TLS is what the MTA tells about the encryption of a connection. The zero value is a connection in
// clear.
type TLS struct {
	Version     string `json:"version,omitempty"` // "TLSv1.3"
	Cipher      string `json:"cipher,omitempty"`
	Bits        int    `json:"bits,omitempty"`
	CertSubject string `json:"cert_subject,omitempty"` // subject of a verified client certificate
	CertIssuer  string `json:"cert_issuer,omitempty"`
}

// HeloFacts is what HELO or EHLO brings.
type HeloFacts struct {
	Name string
	TLS  TLS
}

// MailFacts is what MAIL brings.
type MailFacts struct {
	// Sender is the reverse-path without angle brackets, as the MTA wrote it; "" is the null
	// sender.
	Sender string
	// Size is the SIZE= argument in octets (RFC 1870), 0 when absent, -1 when unreadable.
	Size int64
	// SMTPUTF8 says that the argument of RFC 6531 is there.
	SMTPUTF8 bool
	// Login is the user that authenticated ({auth_authen}); "" without one.
	Login string
	// AuthType is the mechanism ({auth_type}).
	AuthType string
	// QueueID is the MTA's, where it exists at MAIL already (Sendmail).
	QueueID string
}

// RcptFacts is what RCPT brings.
type RcptFacts struct {
	// Recipient is the forward-path without angle brackets, as the MTA wrote it.
	Recipient string
	// Spelling is the forward-path exactly as on the wire; removal needs it.
	Spelling string
	// QueueID is the MTA's, where it exists already.
	QueueID string
	// Refusal is the enhanced code (RFC 3463) with which the MTA itself has refused the recipient,
	// such as 5.1.1; "" when it has not, or gives none.
	Refusal string
}

// Field is one header field as the MTA hands it over: folded lines are joined by LF.
type Field struct {
	Name string `json:"name"`
	// Value is the text after the colon, without the one blank that usually stands there.
	Value string `json:"value"`
	// Unspaced says that no blank stood there. What stood before the colon no MTA tells.
	Unspaced bool `json:"-"`
}

// Text is what stands after the colon, to the octet.
func (f Field) Text() string {
	if f.Unspaced {
		return f.Value
	}
	return " " + f.Value
}

// Octets is the length of the field in the message, with its line end.
func (f Field) Octets() int {
	n := len(f.Name) + len(": ") + len(f.Value) + len("\r\n")
	if f.Unspaced {
		n--
	}
	return n
}

// Froms are the texts of the field that say whom a message is from: its value, if that is its name.
// For some programs a carriage return alone ends a line, so within any field another may begin;
// then each reading counts.
func (f Field) Froms() (texts []string) {
	if isFrom(f.Name) {
		texts = append(texts, f.Value)
	}
	if strings.IndexByte(f.Value, '\r') < 0 {
		return texts
	}
	name := f.Name
	for i, line := range splitAtCR(f.Value) {
		if i > 0 {
			name, line, _ = strings.Cut(line, ":")
		}
		if isFrom(name) && line != f.Value {
			texts = append(texts, line)
		}
	}
	return texts
}

// isFrom reports whether a field of that name says so; a blank may stand before the colon.
func isFrom(name string) bool { return strings.EqualFold(strings.TrimRight(name, " \t"), "From") }

// splitAtCR splits a value where a carriage return stands alone, unless a folded line follows.
func splitAtCR(value string) (lines []string) {
	begin := 0
	for i := range len(value) - 1 {
		if value[i] == '\r' && strings.IndexByte("\n\t ", value[i+1]) < 0 {
			lines = append(lines, value[begin:i])
			begin = i + 1
		}
	}
	return append(lines, value[begin:])
}

// Answer is what a session owes the MTA at a stage. The zero value lets the mail go on.
type Answer struct {
	// Line is the refusal; the zero Line is none.
	Line Line
	// Edits are what to do to a message that is not refused, in this order. Only at the end of the
	// message.
	Edits []Edit
}

// Refuses reports whether the answer is a refusal.
func (a Answer) Refuses() bool { return a.Line.code != 0 }
