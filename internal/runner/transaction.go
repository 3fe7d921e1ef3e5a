package runner

import (
	"slices"
	"strings"

	"mailweir/internal/address"
	"mailweir/internal/mailauth"
	"mailweir/internal/policy"
	"mailweir/internal/trace"
)

// newTransaction makes the record of a message that is over. Version, host and time of the end are
// the recorder's.
func newTransaction(m *message, o policy.Outcome) *policy.Transaction {
	c, h := m.Conn, keptOf(m.Fields)
	t := &policy.Transaction{
		Begun: m.Started.UTC(), Session: c.ID, Number: m.Number, Service: c.Service,
		Client: c.Client, ClientName: c.ConnectFacts.Name, Helo: m.Helo.Name, TLS: m.Helo.TLS, Login: m.Login,
		Sender: m.MailFacts.Sender, QueueID: m.QueueID, MessageID: h.messageID, From: h.from, Subject: h.subject,
		Fields: len(m.Fields), Octets: m.Octets, DeclaredSize: m.MailFacts.Size, Attachments: m.Attachments,
		Policy: m.conn.policy.digest, Outcome: o, Unexamined: m.Unexamined,
		Facts: policy.Facts{
			Local: c.Local, Port: c.Port, Unverified: c.Unverified, DaemonName: c.DaemonName, DaemonPort: c.DaemonPort,
			AuthType: m.AuthType, SMTPUTF8: m.SMTPUTF8, Hops: h.received, Froms: m.fromFields,
		},
	}
	if m.FieldsDropped {
		t.Fields++
	}
	t.SPF, t.DKIM, t.DMARC = m.authenticated()
	t.Queries, t.State, t.LeftOut = trace.Sum(&m.conn.asked, &m.asked)
	t.Recipients, t.RecipientCount = slices.Clip(m.left.list), m.left.count+len(m.recipients)
	for _, r := range m.recipients[:min(len(m.recipients), policy.MaxEventRecipients-len(t.Recipients))] {
		t.Recipients = append(t.Recipients, r.outcome(o))
	}
	return t
}

// kept is what the record has of a header section.
type kept struct {
	messageID, from, subject string
	received                 int // how many such fields there are
}

func keptOf(fields []policy.Field) (h kept) {
	for i := range fields {
		f := &fields[i]
		switch len(f.Name) {
		case len("From"):
			h.keep(&h.from, f, "From")
		case len("Subject"):
			h.keep(&h.subject, f, "Subject")
		case len("Received"):
			if strings.EqualFold(f.Name, "Received") {
				h.received++
			}
		case len("Message-Id"):
			h.keep(&h.messageID, f, "Message-Id")
		}
	}
	return h
}

// keep keeps the first field of that name.
func (*kept) keep(where *string, f *policy.Field, name string) {
	if *where == "" && strings.EqualFold(f.Name, name) {
		*where = strings.TrimSpace(f.Value[:min(len(f.Value), policy.MaxKeptField)])
	}
}

// authenticated is what has been found out by now of who vouches for the message: the result of
// SPF, the domains with a valid signature, and which of both is aligned with header From (RFC 7489
// section 3.1). Nobody is asked for it.
func (m *message) authenticated() (result mailauth.SPFResult, signers []string, aligned string) {
	result, known := m.spf.Known()
	signers, all := m.knownSigners()
	if !known && len(signers) == 0 {
		return result, signers, ""
	}
	from := m.fromDomain()
	if from == "" {
		return result, signers, ""
	}
	domain := m.Sender.Domain
	if m.Sender.IsNull() {
		domain = address.NormalDomain(m.Helo.Name)
	}
	var by []string
	if result == mailauth.SPFPass && mailauth.Aligned(domain, from) {
		by = append(by, "spf")
	}
	if alignedWith(from, signers) {
		by = append(by, "dkim")
	}
	switch {
	case len(by) > 0:
		return result, signers, strings.Join(by, ",")
	case known && all:
		return result, signers, "none"
	}
	return result, signers, ""
}

// fromDomain is the domain of header From, "" where it has not just one (RFC 7489 section 6.6.1).
func (m *message) fromDomain() (domain string) {
	if m.FromUnknown != nil {
		return ""
	}
	authors, more := m.FirstFrom()
	if more || m.fromFields != 1 || m.FieldsDropped {
		return ""
	}
	for _, a := range authors {
		if domain != "" && a.Domain != domain {
			return ""
		}
		domain = a.Domain
	}
	return domain
}
