package record

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/encodedword"
	"mailweir/internal/policy"
)

// Match reports whether an entry is one that the query wants, its page and limit aside. It decides
// what every store answers, and what a live tail shows. The query must be as [Query.Normal] has it.
//
// Actions restrict decisions and Fates messages; where only one of both is set, entries of the
// other kind are not wanted. A message matches by its own fate or by that of one of its recipients.
// Modes and Code are of decisions only.
func (q Query) Match(e Entry) bool {
	if !within(e.Time(), q.Since, q.Until) {
		return false
	}
	f := factsOf(e)
	return q.matchKind(f) && q.matchNames(f) && q.matchEnvelope(f) && q.matchOwn(f) &&
		oneOf(q.Checks, f.check) && !slices.Contains(q.NotChecks, f.check) &&
		(q.Text == "" || slices.ContainsFunc(e.texts(), func(s string) bool { return strings.Contains(Folded(s), q.Text) }))
}

func within(t, since, until time.Time) bool {
	return (since.IsZero() || !t.Before(since)) && (until.IsZero() || t.Before(until))
}

// facts are what decisions and messages have in common for a query.
type facts struct {
	event   *policy.Event
	message *policy.Transaction

	id, session, queue, messageID, host, login, check string
	number                                            int
	client                                            netip.Addr
	service                                           policy.Service
	sender                                            string // "<>" for the null sender, "" for none
	recipients                                        []string
	directions                                        []string
}

func factsOf(entry Entry) facts {
	if e := entry.Event; e != nil {
		return facts{
			event: e, id: e.ID, session: e.Session, queue: e.QueueID, messageID: e.MessageID, host: e.Host, login: e.Login,
			check: e.Check, number: e.Transaction, client: e.Client, service: e.Service,
			sender: senderOf(e.Sender, e.HasSender), recipients: e.Recipients, directions: []string{e.Direction},
		}
	}
	t := entry.Message
	f := facts{
		message: t, session: t.Session, queue: t.QueueID, messageID: t.MessageID, host: t.Host, login: t.Login,
		check: t.Check, number: t.Number, client: t.Client, service: t.Service, sender: senderOf(t.Sender, true),
	}
	for _, r := range t.Recipients {
		f.recipients, f.directions = append(f.recipients, r.Recipient), append(f.directions, r.Direction)
	}
	return f
}

func senderOf(sender string, has bool) string {
	if sender == "" && !has {
		return ""
	}
	if sender == "" {
		return "<>"
	}
	return Key(sender)
}

// Sender is the sender's key, "<>" for the null sender, "" where there was none.
func (e Entry) Sender() string { return factsOf(e).sender }

func (q Query) matchKind(f facts) bool {
	if q.Kind == Decisions && f.event == nil || q.Kind == Messages && f.message == nil {
		return false
	}
	if f.message != nil {
		return len(q.Modes) == 0 && q.Code == "" && (len(q.Actions) == 0 || len(q.Fates) > 0) && matchFate(q.Fates, f.message)
	}
	return oneOf(q.Modes, f.event.Mode) && MatchCode(q.Code, f.event.Line.Code()) &&
		(len(q.Fates) == 0 || len(q.Actions) > 0) && oneOf(q.Actions, f.event.Action)
}

func matchFate(wanted []policy.Fate, t *policy.Transaction) bool {
	return oneOf(wanted, t.Fate) ||
		slices.ContainsFunc(t.Recipients, func(r policy.RecipientOutcome) bool { return slices.Contains(wanted, r.Fate) })
}

// MatchCode reports whether a reply code is the one that is asked for, or of the class, such as
// 5xx.
func MatchCode(asked string, code int) bool {
	if class, ok := strings.CutSuffix(asked, "xx"); ok {
		return strconv.Itoa(code/100) == class
	}
	return asked == "" || asked == strconv.Itoa(code)
}

// matchNames is about what names one thing.
func (q Query) matchNames(f facts) bool {
	return (len(q.IDs) == 0 || slices.Contains(q.IDs, strings.ToLower(f.id))) &&
		(q.Session == "" || q.Session == f.session) && (q.Transaction == 0 || q.Transaction == f.number) &&
		(q.QueueID == "" || q.QueueID == f.queue) && (q.MessageID == "" || q.MessageID == TrimMessageID(f.messageID)) &&
		(q.Host == "" || q.Host == f.host)
}

// matchEnvelope is about who sent to whom.
func (q Query) matchEnvelope(f facts) bool {
	return (!q.Client.IsValid() || q.Client.Contains(f.client.Unmap().WithZone(""))) &&
		(q.Sender == "" || Same(q.Sender, f.sender)) &&
		(q.Login == "" || q.Login == strings.ToLower(f.login)) && (q.Service == "" || q.Service == f.service) &&
		(q.Direction == "" || slices.Contains(f.directions, q.Direction)) &&
		(q.Recipient == "" || slices.ContainsFunc(f.recipients, func(r string) bool { return Same(q.Recipient, Key(r)) }))
}

// matchOwn is about whom it concerns.
func (q Query) matchOwn(f facts) bool {
	own := func(r string) bool { return slices.Contains(q.Own, Key(r)) }
	domain := func(r string) bool { return slices.Contains(q.OwnDomains, address.Parse(r).Domain) }
	return q.Own == nil && q.OwnDomains == nil || slices.ContainsFunc(f.recipients, own) || slices.ContainsFunc(f.recipients, domain)
}

// texts are what a person reads of an entry, and searches by.
func (e Entry) texts() []string {
	var client netip.Addr
	var from, subject string
	var texts []string
	if v := e.Event; v != nil {
		client, from, subject = v.Client, v.From, v.Subject
		texts = append(texts, v.ID, v.Session, v.QueueID, v.MessageID, v.ClientName, v.Helo, v.Login, v.Sender, v.Cause, v.Err, v.Line.Enhanced(), v.Line.Text())
		texts = append(append(texts, v.Attachments...), v.Recipients...)
	} else {
		m := e.Message
		client, from, subject = m.Client, m.From, m.Subject
		texts = append(texts, m.Session, m.QueueID, m.MessageID, m.ClientName, m.Helo, m.Login, m.Sender)
		texts = append(texts, m.Attachments...)
		for _, r := range m.Recipients {
			texts = append(texts, r.Recipient)
		}
	}
	if client.IsValid() {
		texts = append(texts, client.String())
	}
	return append(texts, from, subject, encodedword.Decode(from), encodedword.Decode(subject))
}
