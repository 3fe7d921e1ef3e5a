package rbl

import (
	"fmt"
	"strings"

	"mailweir/rbl"
)

// describe says what led to an objection: the lists that hit, or for explain what each list said.
func (b *rule) describe(r *rbl.Result, results []*rbl.Result) string {
	if b.explaining {
		return describeAll(results)
	}
	return describeHits(r)
}

// public is a zone as clients read it: without the placeholder of a key, which tells them nothing.
func public(zone string) string {
	if name, rest, ok := strings.Cut(zone, "}."); ok && strings.HasPrefix(name, "{") {
		return rest
	}
	return zone
}

// describeHits says which lists hit, for the log: the other answers stand beside it, question by
// question.
func describeHits(r *rbl.Result) string {
	var hits []string
	for i := range r.Lists {
		if r.Lists[i].State == rbl.Hit {
			hits = append(hits, describeHit(&r.Lists[i]))
		}
	}
	return fmt.Sprintf("%s: score %d (%s)", r.Subject, r.Score, strings.Join(hits, ", "))
}

// describeAll says what every list made of every subject, for explain.
func describeAll(results []*rbl.Result) string {
	var subjects []string
	for _, r := range results {
		var lists []string
		for i := range r.Lists {
			lists = append(lists, describeList(&r.Lists[i]))
		}
		subjects = append(subjects, fmt.Sprintf("%s: score %d (%s)", r.Subject, r.Score, strings.Join(lists, ", ")))
	}
	return strings.Join(subjects, "; ")
}

// describeHit names a list with its weight and the codes that it answered.
func describeHit(l *rbl.ListResult) string {
	text := fmt.Sprintf("%s %+d", l.Zone, l.Score)
	for _, c := range l.Codes {
		text += " " + c.Addr.String()
	}
	if l.Monitored {
		text += " monitored"
	}
	return text
}

// describeList names a list with its state and the reason for it.
func describeList(l *rbl.ListResult) string {
	switch l.State {
	case rbl.Hit:
		return describeHit(l)
	case rbl.Errored:
		return fmt.Sprintf("%s error: %v", l.Zone, l.Err)
	case rbl.Suspended:
		return fmt.Sprintf("%s suspended: %s", l.Zone, l.Why)
	}
	return l.Zone + " " + l.State.String()
}
