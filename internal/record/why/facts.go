package why

import (
	"cmp"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"mailweir/internal/address"
	"mailweir/internal/policy"
	"mailweir/internal/terminal"
)

// summary says what happened, in one sentence.
func summary(e *policy.Event) string {
	text := "At " + terminal.Time(e.Time) + " the check " + e.Check + " " + actionText(e.Action) + " " + mailText(e)
	if e.Dedup != nil {
		text += fmt.Sprintf(" (×%d until %s)", e.Dedup.Times, terminal.Time(e.Dedup.Last))
	}
	return text + "."
}

// actionText is what a check did, before what it did it to.
func actionText(a policy.Action) string {
	switch a {
	case policy.ActionRefused:
		return "refused"
	case policy.ActionDeferred:
		return "deferred"
	case policy.ActionRemoved:
		return "took a recipient off"
	case policy.ActionChanged:
		return "changed"
	case policy.ActionWould:
		return "would have refused, and did not,"
	case policy.ActionError:
		return "could not judge, and let on,"
	case policy.ActionNotRetried:
		return "saw no retry of"
	case policy.ActionIncomplete:
		return "noted an incomplete transaction:"
	case policy.ActionUnexamined:
		return "could not examine all of"
	case policy.ActionWouldChange:
		return "would have changed, and did not,"
	case policy.ActionNotDone:
		return "could not change"
	}
	return "noted something about"
}

// fateText is what became of a recipient or a message. The MTA has the last word, so nothing is
// called delivered.
func fateText(f policy.Fate) string {
	switch f {
	case policy.Accepted:
		return "accepted"
	case policy.Refused:
		return "refused"
	case policy.Deferred:
		return "deferred"
	case policy.RefusedByMTA:
		return "refused by the MTA itself"
	case policy.Removed:
		return "taken off the message"
	case policy.Abandoned:
		return "given up by the client"
	case policy.Lost:
		return "ended with the connection"
	}
	return f.String()
}

// mailText is whose mail it was: "mail from <a> to <b>, brought by 192.0.2.1".
func mailText(e *policy.Event) string {
	text := "mail"
	if !e.HasSender && len(e.Recipients) == 0 {
		text = "a connection"
		if e.Stage == policy.StageAuth {
			text = "a login"
		}
	}
	if e.HasSender {
		text += " from " + angled(e.Sender)
	}
	switch {
	case e.Count > 1 && len(e.Recipients) > 0:
		text += fmt.Sprintf(" to %s and %d more", angled(e.Recipients[0]), e.Count-1)
	case len(e.Recipients) > 0:
		text += " to " + angled(e.Recipients[0])
	}
	return text + ", brought by " + clientText(e.Client, e.ClientName)
}

func angled(a string) string {
	if strings.HasPrefix(a, "<") {
		return a
	}
	return "<" + a + ">"
}

func clientText(a netip.Addr, name string) string {
	switch {
	case !a.IsValid():
		return "an unknown client"
	case name != "":
		return a.String() + " (" + name + ")"
	}
	return a.String()
}

// facts are who, when and what.
func facts(e *policy.Event, m *policy.Transaction) (list []Fact) {
	add := func(label, text string) {
		if text != "" {
			list = append(list, Fact{label, text})
		}
	}
	if m == nil {
		m = &policy.Transaction{}
	}
	add("time", terminal.Time(e.Time))
	add("client", clientText(e.Client, e.ClientName))
	add("helo", e.Helo)
	add("login", e.Login)
	if e.HasSender {
		add("sender", angled(e.Sender))
	}
	add("recipients", recipientsText(e))
	add("header From", cmp.Or(e.From, m.From))
	add("subject", cmp.Or(e.Subject, m.Subject))
	add("Message-Id", cmp.Or(e.MessageID, m.MessageID))
	if n := max(e.Octets, m.Octets); n > 0 {
		add("octets", strconv.FormatInt(n, 10))
	}
	attachments := e.Attachments
	if len(attachments) == 0 {
		attachments = m.Attachments
	}
	add("attachments", strings.Join(attachments, ", "))
	add("SPF", string(cmp.Or(e.SPF, m.SPF)))
	dkim := e.DKIM
	if len(dkim) == 0 {
		dkim = m.DKIM
	}
	add("DKIM", strings.Join(dkim, ", "))
	add("DMARC alignment", cmp.Or(e.DMARC, m.DMARC))
	add("TLS", tlsText(e.TLS))
	add("service", strings.TrimSpace(string(e.Service)+" "+e.Direction))
	add("queue id", cmp.Or(e.QueueID, m.QueueID))
	if e.Session != "" {
		add("session", strings.TrimSuffix(fmt.Sprintf("%s, transaction %d", e.Session, e.Transaction), ", transaction 0"))
	}
	add("host", e.Host)
	add("policy", e.Policy)
	if e.Took > 0 {
		add("took", e.Took.String())
	}
	return list
}

// recipientsText names the first few recipients.
func recipientsText(e *policy.Event) string {
	const shown = 10
	var names []string
	for _, r := range e.Recipients[:min(len(e.Recipients), shown)] {
		names = append(names, angled(r))
	}
	text := strings.Join(names, " ")
	if more := max(e.Count, len(e.Recipients)) - len(names); more > 0 && text != "" {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func tlsText(t policy.TLS) string {
	if t.Version == "" {
		return ""
	}
	return strings.TrimSpace(t.Version + " " + t.Cipher)
}

// toSender is what to paste into an answer to the sender, and what is to be done with mail that was
// refused.
func toSender(e *policy.Event, r *policy.Reply) (sentences []string, again string) {
	if r == nil {
		return nil, ""
	}
	switch e.Action {
	case policy.ActionRefused, policy.ActionDeferred:
	case policy.ActionRemoved:
		return nil, "The mail did not reach this recipient, and its sender was not told: it must be sent again."
	default:
		return nil, ""
	}
	whom := ""
	if len(e.Recipients) > 0 {
		whom = " to " + address.Parse(e.Recipients[0]).Key()
	}
	values := placeholders(e)
	advice := r.FillAdvice(values)
	first := fmt.Sprintf("Your message%s of %s was not accepted: our mail server answered %q.", whom, e.Time.UTC().Format("2 January 2006 15:04 UTC"), e.Line)
	if e.Line.Code()/100 == 4 {
		return []string{first, cmp.Or(advice, "Your mail server tries again by itself, so you need not do anything.")},
			"The mail was deferred, not refused: the sender's server tries again by itself. If it has given up, the mail must be sent again."
	}
	return []string{first, cmp.Or(advice, "Please send it again once that has been changed.")},
		"The refused mail is not here: whatever is changed now, it must be sent again."
}
