package dnslists

import (
	"slices"
	"strings"

	"mailweir/internal/importing"
	"mailweir/internal/mta/postfix"
	"mailweir/rbl"
)

// readRestrictions reads the lists of all restriction lists, and of classes.
func (g *reading) readRestrictions() {
	all := g.in.Postfix.Restrictions()
	passes := map[string]string{}
	for _, r := range all {
		if p := g.permits(r); p != "" && passes[whereOf(r)] == "" {
			passes[whereOf(r)] = p
		}
		g.restriction(r, passes[whereOf(r)])
	}
	g.otherClasses(all)
}

// submission are services whose clients log in.
var submission = [...]string{"submission", "submissions", "smtps", "587", "465"}

// restriction reads one word of a restriction list, if it is about DNS lists.
// passes names what lets some mail pass before it, "" for nothing.
func (g *reading) restriction(r postfix.Restriction, passes string) {
	name := strings.ToLower(r.Name)
	if !asksLists(name) {
		return
	}
	why := g.unused(r)
	if passes != "" {
		passes = "mail that " + passes + " before it lets pass is asked about, too"
	}
	if name == "reject_maps_rbl" {
		for _, zone := range postfix.SplitList(g.in.Postfix.Value(r.Service, "maps_rbl_domains")) {
			g.list(r, "reject_rbl_client", zone, g.in.At(r.Service, "maps_rbl_domains", zone), why, passes)
		}
		return
	}
	g.list(r, name, r.Argument, g.in.At(r.Service, r.Parameter, r.Words...), why, passes)
}

// asksLists reports whether a restriction is about DNS lists.
func asksLists(name string) bool {
	switch name {
	case "reject_rbl_client", "permit_dnswl_client", "reject_maps_rbl":
		return true
	}
	return strings.HasPrefix(name, "reject_rhsbl_") || strings.HasPrefix(name, "permit_rhswl_")
}

// unused says why a restriction has no effect, or none that mailweir could have.
func (g *reading) unused(r postfix.Restriction) string {
	servers := g.in.Postfix.SMTPServers()
	switch {
	case r.Service != nil && slices.Contains(submission[:], r.Service.Port()):
		return "clients of " + r.Service.Name + " log in, and about those mailweir asks no list"
	case r.Service == nil && len(servers) > 0 && !slices.ContainsFunc(servers, func(s *postfix.Service) bool {
		_, own := s.Overrides[r.List]
		return !own
	}):
		return "it is not in use: each smtpd of master.cf has a " + r.List + " of its own"
	case strings.EqualFold(r.Name, "reject_rhsbl_recipient"):
		return "mailweir asks no list about recipients"
	case strings.HasPrefix(strings.ToLower(r.Name), "permit_rhswl_"):
		return "no list of names permits mail in mailweir; name who is to pass in permit-senders or permit-clients"
	case r.Argument == "" && !strings.EqualFold(r.Name, "reject_maps_rbl"):
		return "it names no list"
	}
	return ""
}

// list reads the list of a restriction, and notes that Postfix need not ask it any more.
func (g *reading) list(r postfix.Restriction, name, site string, at importing.Place, why, passes string) {
	l := g.parse(site, at)
	l.because = passes
	l.text, l.where, l.watched = strings.TrimSpace(r.Name+" "+l.text), whereOf(r), r.Warn
	if r.Warn {
		l.text = "warn_if_reject " + l.text
	}
	if why != "" {
		g.leave(l, why)
		return
	}
	var double bool
	switch name {
	case "permit_dnswl_client":
		// What it permits is also what stands behind it in Postfix: the line stays there.
		l.permits, l.weight = true, -1
		g.add(&g.chain, l)
	case "reject_rbl_client":
		double = g.add(&g.chain, l)
	default:
		if l.kind, l.weight, l.subject = rbl.Domains, g.threshold, subject(name); l.subject == "" {
			g.leave(l, "no such restriction is known")
			return
		}
		double = g.add(&g.names, l)
	}
	if double {
		g.r.Doubles = append(g.r.Doubles, importing.Double{Service: overriding(r.Service, r.Parameter), Parameter: r.Parameter, Words: r.Words})
	}
}

// parse reads ZONE[=FILTER].
func (g *reading) parse(site string, at importing.Place) *list {
	zone, filter, filtered := strings.Cut(site, "=")
	named, shown := g.keys.cut(zone, at)
	if filtered {
		shown += "=" + filter
	}
	return &list{kind: rbl.Addresses, zone: named, filter: filter, weight: 1, text: shown, at: []importing.Place{at}}
}

func whereOf(r postfix.Restriction) string {
	if r.Service != nil {
		return r.Service.Key() + " " + r.List
	}
	return r.List
}

// subject is what a restriction on names is about.
func subject(name string) string {
	switch name {
	case "reject_rhsbl_sender":
		return "the sender"
	case "reject_rhsbl_helo":
		return "the HELO name"
	case "reject_rhsbl_client":
		return "the client's name"
	case "reject_rhsbl_reverse_client":
		return "the client's unverified name"
	}
	return ""
}

// otherClasses accounts for lists in classes that only an access map can name: those are for the
// mail that the map says.
func (g *reading) otherClasses(all []postfix.Restriction) {
	var named []string
	for _, r := range all {
		named = append(named, r.Classes...)
	}
	for _, class := range postfix.SplitList(g.in.Postfix.Parameters["smtpd_restriction_classes"]) {
		if slices.Contains(named, class) {
			continue
		}
		restrictions, _ := g.in.Postfix.Class(nil, "smtpd_recipient_restrictions", class)
		for _, r := range restrictions {
			// What stands in a class that this one names is accounted for there.
			if r.Parameter == class && asksLists(strings.ToLower(r.Name)) {
				at := g.in.At(nil, r.Parameter, r.Words...)
				g.r.Left(at, r.Name+" "+g.parse(r.Argument, at).text,
					"it is asked only about mail for which an access map names %s, and mailweir asks a list about all mail: name it in rbl-zone if it may be for all", class)
			}
		}
	}
}
