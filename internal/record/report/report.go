package report

import (
	"context"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/record"
)

// Version is the version of the JSON of a [Report].
const Version = 1

// Options say what is added up.
type Options struct {
	// Since and Until bound the time; zero is no bound.
	Since, Until time.Time
	// Top is how many rows a list has at most, 20 by default.
	Top int
}

// Report is what a span of time has had.
type Report struct {
	Version int `json:"version"`
	// Since and Until are as asked, Oldest is the time back to which the record goes.
	Since  time.Time `json:"since,omitzero"`
	Until  time.Time `json:"until,omitzero"`
	Oldest time.Time `json:"oldest,omitzero"`
	Total  Tally     `json:"total"`
	// Days are those of UTC, the first of them first; nothing is left out.
	Days []Day `json:"days"`

	Checks           List `json:"checks"`
	Codes            List `json:"codes"`
	Clients          List `json:"clients"` // /24 or /64
	SenderDomains    List `json:"sender_domains"`
	RecipientDomains List `json:"recipient_domains"`
	// Logins are those who log in; Senders are the envelope senders of mail that goes out, or stays
	// inside.
	Logins  List `json:"logins"`
	Senders List `json:"senders"`
	// Notes say what the report cannot know.
	Notes []string `json:"notes,omitempty"`
}

// Tally is what is counted: messages that were accepted, and decisions by what they did. Decisions
// that were told of as one are counted each.
type Tally struct {
	Accepted int `json:"accepted"`
	Refused  int `json:"refused"`
	Deferred int `json:"deferred"`
	// Would are those of monitor mode: the mail went on.
	Would int `json:"would_refuse"`
	// Other are decisions that refused nothing: a check error, a recipient who was removed, an
	// edit.
	Other int `json:"other"`
}

func (t Tally) total() int { return t.Accepted + t.Refused + t.Deferred + t.Would + t.Other }

func (t *Tally) add(n Tally) {
	t.Accepted += n.Accepted
	t.Refused += n.Refused
	t.Deferred += n.Deferred
	t.Would += n.Would
	t.Other += n.Other
}

// Day is one UTC day.
type Day struct {
	Date string `json:"date"`
	Tally
	// Checks are the decisions of each check.
	Checks map[string]Tally `json:"checks,omitempty"`
}

// List has the names of one kind that had the most.
type List struct {
	Rows []Row `json:"rows"`
	// Names is how many were counted; More is how many are not in Rows. Full says that there were
	// so many that only the most frequent ones could be counted.
	Names int  `json:"names"`
	More  int  `json:"more,omitempty"`
	Full  bool `json:"full,omitempty"`
}

// Row is what one name had.
type Row struct {
	Name string `json:"name"`
	Tally
	// Lacks is how many more it may have had at most, before there was room to count it.
	Lacks int `json:"lacks,omitempty"`
}

// Look goes through the record.
func Look(ctx context.Context, r record.Reader, o Options) (*Report, error) {
	if o.Top <= 0 {
		o.Top = defaultTop
	}
	x, err := r.Extent(ctx)
	if err != nil {
		return nil, err
	}
	g := newGatherer(capacity)
	for e, err := range record.All(ctx, r, record.Query{Since: o.Since, Until: o.Until, Forward: true}) {
		if err != nil {
			return nil, err
		}
		g.entry(e)
	}
	report := g.report(o)
	report.Oldest = x.Oldest
	report.note(o, x)
	return report, nil
}

const defaultTop = 20

// note says what the report cannot know.
func (r *Report) note(o Options, x record.Extent) {
	if !o.Since.IsZero() && (x.Oldest.IsZero() || x.Oldest.Sub(o.Since) > 24*time.Hour) {
		if x.Oldest.IsZero() {
			r.Notes = append(r.Notes, "the record is empty")
		} else {
			r.Notes = append(r.Notes, "the record goes back to "+x.Oldest.UTC().Format(time.DateTime)+"Z only")
		}
	}
	for i := len(x.Days) - 1; i >= 0; i-- {
		d := x.Days[i]
		over := d.Date.AddDate(0, 0, 1)
		if d.LeftOut > 0 && (o.Since.IsZero() || over.After(o.Since)) && (o.Until.IsZero() || d.Date.Before(o.Until)) {
			r.Notes = append(r.Notes, "on "+d.Date.Format(time.DateOnly)+" the record was full, and left out "+number(int(d.LeftOut))+" accepted messages, decisions or their queries")
		}
	}
}

// countOf is what an event counts as.
func countOf(e *policy.Event) (t Tally, times int) {
	times = 1
	if e.Dedup != nil {
		times = e.Dedup.Times
	}
	switch e.Action {
	case policy.ActionRefused:
		t.Refused = times
	case policy.ActionDeferred:
		t.Deferred = times
	case policy.ActionWould:
		t.Would = times
	default:
		t.Other = times
	}
	return t, times
}
