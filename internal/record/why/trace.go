package why

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/attempts"
)

// Trace is every attempt to reach somebody, or of somebody to reach others.
type Trace struct {
	Version int       `json:"version"`
	To      string    `json:"to,omitempty"`
	From    string    `json:"from,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	Until   time.Time `json:"until,omitzero"`
	// Attempts are in the order of time, Mails what became of what they belong to.
	Attempts []Attempt `json:"attempts"`
	Mails    []Mail    `json:"mails"`
	// More: the record has so many entries about it that the later ones are left out.
	More bool `json:"more,omitempty"`
	// Unseen is what the record cannot tell; Look is the command that looks for it in the mail log.
	Unseen []string `json:"unseen"`
	Look   string   `json:"look"`
}

// Attempt is one try to bring a mail to one recipient.
type Attempt struct {
	Time time.Time `json:"time"`
	// Mail is the number of its mail in [Trace.Mails], from 1.
	Mail      int    `json:"mail"`
	Sender    string `json:"sender"`
	Recipient string `json:"recipient"`
	Client    string `json:"client,omitempty"`
	Host      string `json:"host,omitempty"`
	// Fate is what became of it, "" where that is not recorded.
	Fate string `json:"fate,omitempty"`
	// Text says so in words. After is how long after the attempt before.
	Text    string        `json:"text"`
	After   time.Duration `json:"after,omitempty"`
	ID      string        `json:"id,omitempty"`
	QueueID string        `json:"queue_id,omitempty"`
	// Would are monitored checks that objected.
	Would []string `json:"would,omitempty"`
}

// Mail is what became of one mail to one recipient.
type Mail struct {
	Sender    string          `json:"sender"`
	Recipient string          `json:"recipient"`
	MessageID string          `json:"message_id,omitempty"`
	Attempts  int             `json:"attempts"`
	Result    attempts.Result `json:"result"`
	Text      string          `json:"text"`
}

const (
	traceVersion = 1
	tracePage    = 1000
	// mostTraced bounds the entries that one trace looks at.
	mostTraced = 20_000
)

// Trace finds every attempt that the query is about: its sender, recipient and time count. log is
// the file of the mail log, "" if it is not known.
func (t *Teller) Trace(ctx context.Context, q record.Query, log string) (*Trace, error) {
	told := &Trace{Version: traceVersion, To: q.Recipient, From: q.Sender, Since: q.Since, Until: q.Until, Attempts: []Attempt{}, Mails: []Mail{}}
	q.Forward, q.Limit = true, tracePage
	var entries []record.Entry
	for {
		page, err := t.Reader.Search(ctx, q)
		if err != nil {
			return nil, err
		}
		entries = append(entries, page.Entries...)
		if !page.More || len(page.Entries) == 0 {
			break
		}
		if len(entries) >= mostTraced {
			told.More = true
			break
		}
		q.After = page.Entries[len(page.Entries)-1].Position
	}
	now := t.Clock()
	for _, to := range recipientsOf(entries, q) {
		for _, c := range attempts.Group(to, entries, now) {
			told.add(c)
		}
	}
	slices.SortStableFunc(told.Attempts, func(a, b Attempt) int { return a.Time.Compare(b.Time) })
	told.Unseen = unseen
	told.Look = told.look(log)
	return told, nil
}

// recipientsOf are the recipients that the query is about, each once.
func recipientsOf(entries []record.Entry, q record.Query) (list []string) {
	known := map[string]bool{}
	for _, e := range entries {
		for _, m := range attempts.Of(e) {
			to := address.Parse(m.Recipient)
			if key := to.Key(); !known[key] && (q.Recipient == "" || wanted(q.Recipient, to)) {
				known[key] = true
				list = append(list, key)
			}
		}
	}
	return list
}

// wanted reports whether a recipient is the one of a query, which may be a domain.
func wanted(asked string, to address.Address) bool {
	if domain, ok := strings.CutPrefix(asked, "@"); ok {
		return address.NormalDomain(domain) == to.Domain
	}
	return address.Parse(asked).Key() == to.Key()
}

func (t *Trace) add(c attempts.Chain) {
	t.Mails = append(t.Mails, Mail{Sender: c.Sender, Recipient: c.Recipient, MessageID: c.MessageID, Attempts: len(c.Attempts), Result: c.Result, Text: c.String()})
	var before time.Time
	for _, a := range c.Attempts {
		one := attemptOf(a)
		one.Mail, one.Recipient = len(t.Mails), c.Recipient
		if !before.IsZero() {
			one.After = a.Time.Sub(before)
		}
		before = a.Time
		t.Attempts = append(t.Attempts, one)
	}
}

func attemptOf(a attempts.Attempt) Attempt {
	one := Attempt{Time: a.Time, ID: a.Outcome.Event, Would: a.Outcome.Would}
	if m := a.Message; m != nil {
		one.Sender, one.Host, one.QueueID = m.Sender, m.Host, m.QueueID
		if m.Client.IsValid() {
			one.Client = clientText(m.Client, m.ClientName)
		}
	}
	var line string
	if e := a.Event; e != nil {
		one.Sender, one.Host, one.QueueID = cmp.Or(one.Sender, e.Sender), cmp.Or(one.Host, e.Host), cmp.Or(one.QueueID, e.QueueID)
		if one.Client == "" && e.Client.IsValid() {
			one.Client = clientText(e.Client, e.ClientName)
		}
		if e.ID == a.Outcome.Event {
			line = e.Line.String()
		}
	}
	if !a.Known {
		one.Text = "what became of it is not recorded"
		return one
	}
	one.Fate, one.Text = a.Outcome.Fate.String(), fateText(a.Outcome.Fate)
	if a.Outcome.Check != "" {
		one.Text += " by the check " + a.Outcome.Check
	}
	switch {
	case line != "":
		one.Text += ": " + line
	case a.Outcome.Fate == policy.RefusedByMTA:
		one.Text += ", which alone knows why"
	}
	if len(one.Would) > 0 {
		one.Text += "; " + strings.Join(one.Would, ", ") + " would have objected"
	}
	return one
}

// unseen is what no record of ours can tell.
var unseen = []string{
	"what never came to mailweir: clients that postscreen or the MTA turned away before RCPT",
	"what happened after acceptance: whether it was delivered, forwarded, bounced or sorted away",
}

// look is the command that looks for the rest in the mail log: by the queue ids of what was
// accepted, or else by the address.
func (t *Trace) look(log string) string {
	const most = 10
	var ids []string
	for _, a := range t.Attempts {
		if a.QueueID != "" && a.Fate == policy.Accepted.String() && !slices.Contains(ids, a.QueueID) {
			ids = append(ids, a.QueueID)
		}
	}
	if len(ids) > most {
		ids = ids[len(ids)-most:]
	}
	words := []string{"grep", "-iF", "-e", quote("<" + strings.TrimPrefix(cmp.Or(t.To, t.From), "<") + ">")}
	switch {
	case strings.HasPrefix(cmp.Or(t.To, t.From), "@"):
		words[3] = quote(cmp.Or(t.To, t.From) + ">")
	case cmp.Or(t.To, t.From) == "<>":
		words[3] = quote("from=<>")
	}
	if len(ids) > 0 {
		words = []string{"grep", "-F"}
		for _, id := range ids {
			words = append(words, "-e", quote(id))
		}
	}
	return strings.Join(append(words, cmp.Or(log, "/var/log/mail.log")), " ")
}
