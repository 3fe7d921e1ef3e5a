package would

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/policy"
	"mailweir/internal/record"
)

// Options say what is looked at.
type Options struct {
	// Since and Until bound the would-be refusals. Until is now.
	Since, Until time.Time
	// Checks are those that are asked about; none is all.
	Checks []string
}

// changesAtOnce is how many rows of the audit are read at once.
const changesAtOnce = 1000

// Look reads the record and tells what would have been refused. It reads it once, in the order of
// time, and keeps a bounded number of octets of each decision.
func Look(ctx context.Context, r record.Reader, o Options) (*Report, error) {
	extent, err := r.Extent(ctx)
	if err != nil {
		return nil, err
	}
	e := newEvidence()
	for _, name := range o.Checks {
		e.check(name)
	}
	if err := e.read(ctx, r, o, extent.Oldest); err != nil {
		return nil, err
	}
	report := &Report{Version: Version, Since: o.Since.UTC(), Until: o.Until.UTC()}
	best := e.weigh(o.Until)
	earlier, err := lookingBefore(ctx, r, o.Since)
	if err != nil {
		return nil, err
	}
	empty, err := emptyDays(ctx, r, o)
	if err != nil {
		return nil, err
	}
	d := e.doubts(extent, o)
	if empty > 0 && len(e.findings) > 0 {
		d = append(d, fmt.Sprintf("the record has nothing of %s in between, so what the check was doing then does not show", count(empty, "day")))
	}
	for name, c := range e.checks {
		c.span(o, extent.Newest, earlier[name])
		c.decide(d, e.outbound > 0)
		if c.Examples, err = e.examples(ctx, r, best[name]); err != nil {
			return nil, err
		}
		report.Checks = append(report.Checks, c)
	}
	slices.SortFunc(report.Checks, func(a, b *Check) int { return strings.Compare(a.Name, b.Name) })
	report.Notes = e.notes(extent, o, d)
	return report, nil
}

// read takes what people permitted, the decisions, whom users wrote to before, and the messages.
func (e *evidence) read(ctx context.Context, r record.Reader, o Options, oldest time.Time) error {
	if err := e.readPermits(ctx, r, o.Until); err != nil {
		return err
	}
	decisions := record.Query{
		Kind: record.Decisions, Actions: []policy.Action{policy.ActionWould, policy.ActionWouldChange}, Checks: o.Checks,
		Since: o.Since, Until: o.Until,
	}
	if err := each(ctx, r, decisions, e.add); err != nil {
		return err
	}
	if len(e.findings) == 0 {
		return nil
	}
	before := record.Query{Kind: record.Messages, Direction: policy.Outbound.String(), Since: oldest, Until: o.Since}
	if oldest.Before(o.Since) {
		if err := each(ctx, r, before, func(entry record.Entry) { e.learn(entry.Message) }); err != nil {
			return err
		}
	}
	messages := record.Query{Kind: record.Messages, Since: o.Since, Until: o.Until}
	return each(ctx, r, messages, func(entry record.Entry) { e.take(e.letter(entry)) })
}

// each reads every entry in the order of time.
func each(ctx context.Context, r record.Reader, q record.Query, take func(record.Entry)) error {
	q.Forward = true
	for entry, err := range record.All(ctx, r, q) {
		if err != nil {
			return err
		}
		take(entry)
	}
	return nil
}

// permitted is how an entry of people begins that lets a sender's mail pass. The last word of what
// it is about is the address or the domain.
const permitted = "permit"

// readPermits takes from the audit which senders people have permitted, before the mail or after
// it.
func (e *evidence) readPermits(ctx context.Context, r record.Reader, until time.Time) error {
	q := record.ChangeQuery{Until: until, Limit: changesAtOnce}
	for {
		changes, err := r.Changes(ctx, q)
		if err != nil {
			return err
		}
		for _, c := range changes {
			q.Before = c.Position
			for _, a := range c.Changes {
				if words := strings.Fields(a.What); c.Err == "" && len(words) > 0 && strings.HasPrefix(a.After, permitted) {
					e.permits[e.keys.subject(words[len(words)-1])] = struct{}{}
				}
			}
		}
		if len(changes) < changesAtOnce || len(e.permits) >= mostKeys {
			return nil
		}
	}
}

// subject is what a permit is about: an address, or a domain.
func (k keys) subject(word string) key {
	if strings.Contains(word, "@") {
		return k.of("subject", plain(address.Parse(word)).Key())
	}
	return k.of("subject", address.NormalDomain(word))
}

// lookingBefore are the checks that would have refused something on the day before.
func lookingBefore(ctx context.Context, r record.Reader, since time.Time) (map[string]bool, error) {
	counts, err := r.Counts(ctx, since.Add(-24*time.Hour), since, time.Hour)
	was := map[string]bool{}
	for _, c := range counts {
		if c.Kind == record.Decisions && (c.Action == policy.ActionWould || c.Action == policy.ActionWouldChange) {
			was[c.Check] = true
		}
	}
	return was, err
}

// emptyDays is how many whole UTC days have no entry although there are some before and after them:
// there was no record then, or no mail.
func emptyDays(ctx context.Context, r record.Reader, o Options) (empty int, err error) {
	counts, err := r.Counts(ctx, o.Since.Add(-24*time.Hour), o.Until, 24*time.Hour)
	var days []time.Time
	for _, c := range counts {
		if c.N > 0 {
			days = append(days, c.Time)
		}
	}
	slices.SortFunc(days, time.Time.Compare)
	for i := 1; i < len(days); i++ {
		if gap := int(days[i].Sub(days[i-1]) / (24 * time.Hour)); gap > 1 {
			empty += gap - 1
		}
	}
	return empty, err
}

// span finds out in which time the check is known to have been looking: from its first would-be
// refusal, or from the beginning where it had been looking before; until now, or until the record
// ends.
func (c *Check) span(o Options, newest time.Time, before bool) {
	c.Ended = o.Until.UTC()
	if o.Until.Sub(newest) > 24*time.Hour {
		c.Ended = newest.UTC()
	}
	switch {
	case before:
		c.Begun = o.Since
	case c.Begun.IsZero():
		c.Begun = c.Ended
	}
	c.Begun = c.Begun.UTC()
}

// doubts are what keeps any check from being called safe.
func (e *evidence) doubts(extent record.Extent, o Options) (d doubts) {
	var left int64
	for _, day := range extent.Days {
		if day.Date.Before(o.Until) && day.Date.AddDate(0, 0, 1).After(o.Since) {
			left += day.LeftOut
		}
	}
	if left > 0 {
		d = append(d, fmt.Sprintf("the record left out a part of %s for want of room (--record-max), so what was good does not show", count(int(left), "entry")))
	}
	if e.accepted == 0 && len(e.findings) > 0 {
		d = append(d, "the record has no accepted message (--record-accepted), so what was good does not show")
	}
	if e.full {
		d = append(d, "there is too much to weigh at once: give a shorter --since, or one --check")
	}
	return d
}

// notes are what a reader should know about what is missing.
func (e *evidence) notes(extent record.Extent, o Options, d doubts) []string {
	notes := slices.Clone(d)
	if extent.Oldest.After(o.Since) {
		notes = append(notes, "the record goes back to "+extent.Oldest.UTC().Format("2006-01-02 15:04:05 UTC")+" only")
	}
	if e.outbound == 0 && len(e.findings) > 0 {
		notes = append(notes, "the record has no mail of users to others, so whom they write to is not known")
	}
	return notes
}
