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
//   - A list that refuses reaches the threshold whatever postscreen's allow lists and those that
//     permit behind it say.
//   - A list that permits outweighs all that refuse behind it, and none before it.
//
// So it goes from the last to the first. What a sum cannot say is that a list permits against
// smtpd's lists and not against postscreen's, which were asked before.
func (g *reading) weigh() {
	against := 0 // what can count against a list that refuses
	refusing := false
	for _, l := range g.screened {
		against += max(0, -l.weight)
		refusing = refusing || l.weight > 0
	}
	behind := 0 // what all that refuse behind it come to
	for i := len(g.chain) - 1; i >= 0; i-- {
		l := g.chain[i]
		if !l.permits {
			l.weight = g.threshold + against
			behind += l.weight
			continue
		}
		l.weight = -behind
		against += behind
		if refusing {
			l.because = "it counts against postscreen's lists, too"
		}
		for _, later := range g.chain[i+1:] {
			if later.where != l.where && !later.permits {
				l.because = "it counts against the lists of " + later.where + ", too"
			}
		}
	}
}

// apart leaves lists that are only watched where the same zone has a say elsewhere: mailweir watches
// a zone, not one of its filters.
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

// once keeps the first of several equal lists of restrictions: that one decides.
func (g *reading) once(lists []*list) (kept []*list) {
	for _, l := range lists {
		i := slices.IndexFunc(kept, func(other *list) bool { return other.site() == l.site() && other.permits == l.permits })
		if i < 0 {
			kept = append(kept, l)
			continue
		}
		kept[i].at = append(kept[i].at, l.at...)
		if l.kind == rbl.Domains && kept[i].subject != l.subject {
			g.r.Changed(l.at[0], l.text, "%s", l.about(g.threshold))
			continue
		}
		g.r.Carried(l.at[0], l.text, "asked once for all restrictions")
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
