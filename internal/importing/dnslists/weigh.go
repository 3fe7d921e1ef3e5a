package dnslists

import (
	"slices"
	"strings"

	"mailweir/rbl"
)

// mostSum bounds the weights of mailweir's lists (package rbl).
const mostSum = 1_000_000

// weigh gives the lists of smtpd's restrictions their weights, so that the sum of all lists decides
// as Postfix does, which asks them one after the other:
//
//   - A list that refuses reaches the threshold whatever is said by postscreen's allow lists, by
//     lists that permit behind it, and by those of other restriction lists.
//   - A list that permits outweighs all that refuse behind it in its restriction list, and nothing
//     else.
//
// So each restriction list is weighed from its end, those that permit something first. What a sum
// cannot say is that a list permits against smtpd's lists and not against postscreen's, which were
// asked before; nor that two restriction lists permit, each for itself.
func (g *reading) weigh() {
	against := 0 // what can count against a list that refuses
	refusing := false
	for _, l := range g.screened {
		against += max(0, -l.weight)
		refusing = refusing || l.weight > 0
	}
	var permitting, others []string
	for _, where := range g.wheres() {
		if g.permitsSomething(where) {
			permitting = append(permitting, where)
		} else {
			others = append(others, where)
		}
	}
	slices.Reverse(permitting)
	var weighed string
	for _, where := range slices.Concat(permitting, others) {
		permitted := g.weighOne(where, &against)
		for _, l := range permitted {
			if refusing {
				l.add("it counts against postscreen's lists, too")
			}
			if weighed != "" {
				l.add("it counts against the lists of " + weighed + ", too")
			}
		}
		if len(permitted) > 0 {
			weighed = where
		}
	}
	g.chain = g.merged()
}

// permitsSomething reports whether a restriction list has a list that refuses behind one that
// permits.
func (g *reading) permitsSomething(where string) bool {
	permits := false
	for _, l := range g.chain {
		switch {
		case l.where != where:
		case l.permits:
			permits = true
		case permits:
			return true
		}
	}
	return false
}

// wheres are the restriction lists in which lists stand, in their order.
func (g *reading) wheres() (all []string) {
	for _, l := range g.chain {
		if !slices.Contains(all, l.where) {
			all = append(all, l.where)
		}
	}
	return all
}

// weighOne weighs the lists of a restriction list, and returns those that permit something.
func (g *reading) weighOne(where string, against *int) (permitted []*list) {
	behind := 0 // what all that refuse behind it come to
	for i := len(g.chain) - 1; i >= 0; i-- {
		l := g.chain[i]
		switch {
		case l.where != where:
		case !l.permits:
			l.weight = g.threshold + *against
			behind += l.weight
		default:
			l.weight = -behind
			*against += behind
			if behind > 0 {
				permitted = append(permitted, l)
			}
		}
	}
	return permitted
}

// merged are the lists of all restriction lists with one for each that stands in several: it
// refuses as strongly as the strongest of them, and permits as much as all together.
func (g *reading) merged() (kept []*list) {
	for _, l := range g.chain {
		i := slices.IndexFunc(kept, func(other *list) bool { return other.same(l) })
		if i < 0 || l.permits && (l.weight == 0 || kept[i].weight == 0) {
			kept = append(kept, l)
			continue
		}
		first := kept[i]
		first.at = append(first.at, l.at...)
		if l.permits {
			first.weight += l.weight
		} else {
			first.weight = max(first.weight, l.weight)
		}
		g.r.Carried(l.at[0], l.text, "%s", askedOnce)
	}
	return kept
}

const askedOnce = "asked once for all restrictions"

// same reports whether two lists are one, asked twice.
func (l *list) same(other *list) bool { return l.site() == other.site() && l.permits == other.permits }

// add gives a reason why its effect is not quite the same.
func (l *list) add(because string) {
	if l.because != "" {
		because = l.because + "; " + because
	}
	l.because = because
}

// apart leaves lists that are only watched where the same zone has a say elsewhere: mailweir
// watches a zone, not one of its filters.
func (g *reading) apart() {
	for _, lists := range []*[]*list{&g.screened, &g.chain, &g.names} {
		*lists = slices.DeleteFunc(*lists, func(l *list) bool {
			if !l.watched || !g.hasSay(l) {
				return false
			}
			g.leave(l, "it is only watched here, and the zone has a say elsewhere")
			return true
		})
	}
}

// hasSay reports whether the zone of a list is asked elsewhere, and not only watched.
func (g *reading) hasSay(l *list) bool {
	return slices.ContainsFunc(slices.Concat(g.screened, g.chain, g.names), func(other *list) bool {
		return other.kind == l.kind && other.zone == l.zone && !other.watched
	})
}

// once keeps the first of several equal lists of the same restriction list: that one decides.
func (g *reading) once(lists []*list) (kept []*list) {
	for _, l := range lists {
		i := slices.IndexFunc(kept, func(other *list) bool {
			return other.same(l) && (other.where == l.where || l.kind == rbl.Domains)
		})
		switch {
		case i < 0:
			kept = append(kept, l)
			continue
		case l.subject != kept[i].subject:
			g.r.Changed(l.at[0], l.text, "%s", l.about(l.weight))
		default:
			g.r.Carried(l.at[0], l.text, "%s", askedOnce)
		}
		kept[i].at = append(kept[i].at, l.at...)
	}
	return kept
}

// accounted says what becomes of each list, and keeps those that are asked.
func (g *reading) accounted(lists []*list) []*list {
	return slices.DeleteFunc(lists, func(l *list) bool {
		switch {
		case l.permits && l.weight == 0:
			g.leave(l, "no list is asked behind it; what else it permits is Postfix's")
			return true
		case l.weight < -mostSum || l.weight > mostSum:
			g.leave(l, "its weight would be out of bounds")
			return true
		}
		g.account(l)
		return false
	})
}

// account says what becomes of a list that mailweir asks.
func (g *reading) account(l *list) {
	says := []string{l.flag() + " = " + l.entry()}
	fate := g.r.Carried
	if l.subject != "" {
		says, fate = []string{l.about(l.weight)}, g.r.Changed
	}
	if l.because != "" {
		says, fate = append(says, l.because), g.r.Changed
	}
	if not := l.read.Uncounted(); len(not) > 0 {
		says, fate = append(says, "without a filter these answers of the list do not count: "+strings.Join(not, ", ")), g.r.Changed
	}
	if l.watched {
		says = append(says, "only watched, as here (rbl-monitor-zone)")
	}
	fate(l.at[0], l.text, "%s", strings.Join(says, "; "))
}

func (g *reading) leave(l *list, why string) { g.r.Left(l.at[0], l.text, "%s", why) }
