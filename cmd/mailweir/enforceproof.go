package main

import (
	"fmt"
	"strings"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/record/would"
)

// proofSpan is how far back it is looked whether a check is safe to enforce, shownSpan what is
// shown of each.
const (
	proofSpan = 7 * 24 * time.Hour
	shownSpan = 24 * time.Hour
)

// choose says which checks are to be enforced, and tells of each what is known. With --all, what is
// not safe is left out; a check that was named and is not safe is an error, unless --yes was given.
func (e *enforcing) choose(names []string) (chosen []*policy.Check, err error) {
	for _, name := range names {
		if err := e.known(name); err != nil {
			return nil, err
		}
	}
	candidates := names
	if e.all {
		for _, c := range e.checks() {
			if e.standing.Checks[c.Name].Mode != policy.Enforce {
				candidates = append(candidates, c.Name)
			}
		}
	}
	off, err := e.off(candidates)
	if err != nil {
		return nil, err
	}
	known := e.evidence(candidates)
	var unproved []string
	for _, c := range e.checks() {
		switch one := known[c.Name]; {
		case !contains(candidates, c.Name) || e.all && off[c.Name] != "":
		case off[c.Name] != "":
			return nil, fail(exUsage, "check %s has nothing to do: %s; configure it first", c.Name, off[c.Name])
		case c.Proof.Week && !e.yes && !one.safe():
			e.tell(c, one)
			unproved = append(unproved, c.Name)
		default:
			e.tell(c, one)
			chosen = append(chosen, c)
		}
	}
	switch {
	case len(unproved) > 0 && !e.all:
		return nil, fail(exUsage, "nothing was changed: %s should be watched for a week first (mailweir would); with --yes it is enforced all the same", strings.Join(unproved, ", "))
	case len(unproved) > 0:
		fmt.Fprintf(e.cmd.ErrOrStderr(), "note: not enforced yet, for want of a week's mail: %s (mailweir would; --yes)\n", strings.Join(unproved, " "))
	case len(chosen) == 0:
		fmt.Fprintln(e.out, "Everything that is configured is enforced already.")
	}
	return chosen, nil
}

func contains(list []string, name string) bool {
	for _, one := range list {
		if one == name {
			return true
		}
	}
	return false
}

// evidence is what the record shows of a check.
type evidence struct {
	day, week *would.Check // nil where the record has nothing
	record    bool         // there is a record
}

func (v evidence) safe() bool { return v.week != nil && v.week.Decision == would.SafeToEnforce }

// evidence asks the record. Where there is none, nothing is known.
func (e *enforcing) evidence(names []string) map[string]evidence {
	known := map[string]evidence{}
	reader, done, err := openRecord(e.cmd)
	if err != nil {
		return known
	}
	defer done()
	now := time.Now()
	for _, span := range []time.Duration{shownSpan, proofSpan} {
		report, err := would.Look(e.cmd.Context(), reader, would.Options{Since: now.Add(-span), Until: now, Checks: names})
		if err != nil {
			continue
		}
		for _, c := range report.Checks {
			one := known[c.Name]
			if one.record = true; span == shownSpan {
				one.day = c
			} else {
				one.week = c
			}
			known[c.Name] = one
		}
	}
	return known
}

// tell says in two lines when a check may be enforced, and what it would have done.
func (e *enforcing) tell(c *policy.Check, v evidence) {
	fmt.Fprintf(e.out, "%s: may be enforced %s\n", c.Name, c.Proof)
	switch {
	case e.standing.Checks[c.Name].Mode.Refuses() || !v.record || v.day == nil:
	case v.day.Total == 0:
		fmt.Fprintf(e.out, "  in the last 24 hours it would have refused nothing\n")
	default:
		week := ""
		if c.Proof.Week && v.week != nil {
			week = fmt.Sprintf("; over %.0f days: %s", v.week.Days, v.week.Decision)
		}
		fmt.Fprintf(e.out, "  in the last 24 hours it would have refused %d, of which %d are likely good%s (mailweir would --check=%s)\n", v.day.Total, v.day.Good.N, week, c.Name)
	}
}
