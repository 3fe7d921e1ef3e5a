package access

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"mailweir/internal/importing"
	"mailweir/internal/mta/postfix"
)

// use is a map at its place in a restriction list.
type use struct {
	postfix.Restriction
	at    importing.Place
	kind  *kind
	table postfix.Table
	// insiders says that before the map our own networks or users are permitted, so that it is
	// about outsiders alone.
	insiders bool
	// own says that permit_mynetworks stands before the map in its list; byDoor is a service that
	// takes mail from mynetworks without asking the map, "" for none.
	own    bool
	byDoor string
	// passed are maps of other subjects before it that may permit: those they permit never come to
	// this one.
	passed []string
	spares spares
	// why is why nothing of the map can be used, "" where that is seen line by line.
	why string

	*accessMap
	acts []action // of the entries
	// nameless is what an entry does for clients without a verified name, whom mailweir knows by
	// address alone; its why is "" where there is no such entry, or it refuses them permanently.
	nameless action
	// addresses says that the map is asked for whole addresses alone, as by postscreen.
	addresses bool
	// answer is what a table that is asked answers, nil where nobody knows beforehand.
	answer *action
}

// spares is what mail is spared that an OK permits: what follows in the list.
type spares struct {
	// relay: that only our own domains are relayed to.
	relay bool
	// spam: DNS lists and policy services such as greylisting.
	spam bool
}

// mapped are the restrictions that ask a map, with what for; why is given where mailweir has no
// list for that.
var mapped = [...]struct{ name, kind, why string }{
	{"check_client_access", "clients", ""},
	{"check_sender_access", "senders", ""},
	{"check_recipient_access", "recipients", ""},
	{"check_sasl_access", "logins", ""},
	{"check_helo_access", "", "mailweir has no list of HELO names, which anybody may choose; it does its work in Postfix as before"},
	{"check_reverse_client_hostname_access", "", "mailweir looks up names that are verified, not whatever the reverse zone says; it does its work in Postfix as before"},
	{"check_ccert_access", "", "mailweir has no list of certificates; it does its work in Postfix as before"},
	{"check_etrn_access", "", "a milter is not asked about ETRN; it does its work in Postfix as before"},
}

// server says for what servers mailweir has no lists: check_*_mx_access and the like.
const server = "mailweir has no list of the servers of a domain; it does its work in Postfix as before"

// isMapped tells what a restriction asks a map for.
func isMapped(name string) (k *kind, why string, found bool) {
	name = strings.ToLower(name)
	for _, m := range mapped {
		if m.name != name {
			continue
		}
		for i := range kinds {
			if kinds[i].word == m.kind {
				return &kinds[i], "", true
			}
		}
		return nil, m.why, true
	}
	if rest, check := strings.CutPrefix(name, "check_"); check {
		for _, end := range []string{"_ns_access", "_mx_access", "_a_access"} {
			if strings.HasSuffix(rest, end) {
				return nil, server, true
			}
		}
	}
	return nil, "", false
}

// find finds the maps, in the order in which Postfix comes to them.
func (r *reader) find() {
	all := r.in.Postfix.Restrictions()
	mx := mxServer(r.in.Postfix)
	r.postscreen()
	for _, list := range postfix.RestrictionLists() {
		chain := chainOf(all, mx, list)
		r.chain(mx, chain, r.doors(all, mx, list))
	}
	r.elsewhere(all, mx)
}

// chainOf is a list as the service for mail from outside has it.
func chainOf(all []postfix.Restriction, mx *postfix.Service, list string) (chain []postfix.Restriction) {
	overrides := false
	if mx != nil {
		_, overrides = mx.Overrides[list]
	}
	for _, one := range all {
		if one.List == list && (one.Service == mx && overrides || one.Service == nil && !overrides) {
			chain = append(chain, one)
		}
	}
	return chain
}

// doors are the same list as other services have it that take mail, such as from users.
func (r *reader) doors(all []postfix.Restriction, mx *postfix.Service, list string) (doors [][]postfix.Restriction) {
	for _, s := range r.in.Postfix.SMTPServers() {
		if _, overrides := s.Overrides[list]; s != mx && overrides && s.Type == "inet" && !onLoopback(s) {
			doors = append(doors, chainOf(all, s, list))
		}
	}
	return doors
}

// onLoopback reports whether a service listens to this host alone, as one that takes mail back from
// a filter.
func onLoopback(s *postfix.Service) bool {
	host, _, err := net.SplitHostPort(s.Name)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

// mxServer is the service that takes mail from outside: at port 25, or behind postscreen. nil means
// that main.cf alone counts.
func mxServer(p *postfix.Postfix) *postfix.Service {
	for _, s := range p.SMTPServers() {
		port := s.Port()
		if s.Type == "pass" || (port == "smtp" || port == "25") && !onLoopback(s) {
			return s
		}
	}
	return nil
}

// permitNets permits mynetworks.
const permitNets = "permit_mynetworks"

func permitsNets(one postfix.Restriction) bool { return strings.EqualFold(one.Name, permitNets) }

// insiders are restrictions that permit our own networks and users.
var insiders = [...]string{
	permitNets, "permit_sasl_authenticated", "permit_inet_interfaces", "permit_tls_clientcerts", "permit_tls_all_clientcerts",
}

// ends are restrictions behind which nothing is reached, or nothing for mail to our own domains.
var ends = [...]string{"permit", "reject", "defer", "permit_auth_destination"}

// chain goes through one list.
func (r *reader) chain(mx *postfix.Service, list []postfix.Restriction, doors [][]postfix.Restriction) {
	inside, own, end := false, false, ""
	var passed []string
	for i, one := range list {
		name := strings.ToLower(one.Name)
		switch {
		case slices.Contains(insiders[:], name):
			inside, own = true, own || name == permitNets
		case slices.Contains(ends[:], name):
			if end == "" && !one.Warn {
				end = one.Text
			}
		}
		if asksOutside(name) {
			r.asking = append(r.asking, one.List)
		}
		k, why, found := isMapped(name)
		if !found {
			r.word(one)
			continue
		}
		u := &use{Restriction: one, at: r.place(one), kind: k, why: why, insiders: inside, own: own, passed: slices.Clone(passed)}
		for _, other := range doors {
			// Users who come in there are not asked here, and mailweir's lists are for all doors.
			if !slices.ContainsFunc(other, func(o postfix.Restriction) bool { return o.Text == one.Text }) {
				u.insiders = true
				if !own && u.byDoor == "" && slices.ContainsFunc(other, permitsNets) {
					u.byDoor = other[0].Service.Key()
				}
			}
		}
		u.spares = spare(list[i+1:], r.relays(mx, one.List))
		switch {
		case why != "":
		case end != "":
			u.why = fmt.Sprintf("it is never reached: %s stands before it in %s", end, one.List)
		case one.List == "smtpd_etrn_restrictions":
			u.why = "a milter is not asked about ETRN"
		case k.word == "recipients" && (one.List == "smtpd_data_restrictions" || one.List == "smtpd_end_of_data_restrictions"):
			u.why = "in " + one.List + " Postfix knows the recipient of a message to one alone; mailweir judges each"
		}
		r.uses = append(r.uses, u)
		passed = append(passed, one.Text)
	}
}

// word accounts for a restriction that asks no map. What asks DNS lists and login maps is told by
// who carries these over.
func (r *reader) word(one postfix.Restriction) {
	name := strings.ToLower(one.Name)
	at := r.in.At(one.Service, one.Parameter, one.Name)
	switch {
	case at.Line == 0, isListed(name), strings.HasSuffix(name, "_sender_login_mismatch"), name == "reject_sender_login_mismatch":
	case name == permitNets:
		r.result.Carried(at, one.Text, "trusted-nets, by mailweir init")
	case name == "permit_sasl_authenticated":
		r.result.Carried(at, one.Text, "whoever has logged in is trusted in mailweir, too")
	case name == policyService:
		r.result.Left(r.place(one), one.Text, "mailweir asks no policy service; it does its work in Postfix as before")
	default:
		r.result.Left(at, one.Text, "it does its work in Postfix as before")
	}
}

// elsewhere accounts for maps of lists that services have that do not take mail from outside.
func (r *reader) elsewhere(all []postfix.Restriction, mx *postfix.Service) {
	for _, one := range all {
		_, why, found := isMapped(one.Name)
		counts := slices.ContainsFunc(r.uses, func(u *use) bool {
			return u.Service == one.Service && u.List == one.List && u.Text == one.Text
		})
		if !found && !r.inChain(one, mx) {
			r.word(one)
		}
		if !found || counts {
			continue
		}
		at := r.place(one)
		switch {
		case why != "":
		case one.Service == nil:
			why = "the service for mail from outside, " + mx.Key() + ", has a list of its own in place of this one"
		case slices.ContainsFunc(r.uses, func(u *use) bool { return u.Text == one.Text && u.why == "" }):
			r.result.Carried(at, one.Text, "mailweir's lists are for every service")
			continue
		default:
			why = "only the service " + one.Service.Key() + " asks it, and mailweir's lists are for every service; it does its work in Postfix as before"
		}
		r.result.Left(at, one.Text, "%s", why)
	}
}

// place is where a restriction stands: the line of its argument or, where that stands there more
// than once, of both together.
func (r *reader) place(one postfix.Restriction) importing.Place {
	begins := r.in.At(one.Service, one.Parameter, "")
	// Of a name in ${…} only the end stands there.
	end := one.Argument[strings.LastIndexByte(one.Argument, '/')+1:]
	for _, word := range []string{one.Text, one.Argument, "/" + end, one.Name} {
		if at := r.in.At(one.Service, one.Parameter, word); at != begins {
			return at
		}
	}
	return begins
}

// inChain reports whether a restriction is one of the service for mail from outside.
func (r *reader) inChain(one postfix.Restriction, mx *postfix.Service) bool {
	if mx == nil {
		return one.Service == nil
	}
	_, overrides := mx.Overrides[one.List]
	return one.Service == mx || one.Service == nil && !overrides
}

// relays reports whether an OK in a list lets mail past the question where it goes to.
func (r *reader) relays(mx *postfix.Service, list string) bool {
	switch list {
	case "smtpd_relay_restrictions":
		return true
	case "smtpd_recipient_restrictions":
		return strings.TrimSpace(r.in.Postfix.Value(mx, "smtpd_relay_restrictions")) == ""
	}
	return false
}

// spare finds what follows in a list that mailweir has checks for.
func spare(rest []postfix.Restriction, relays bool) (s spares) {
	for _, one := range rest {
		switch name := strings.ToLower(one.Name); {
		case name == "reject_unauth_destination" || name == "defer_unauth_destination":
			s.relay = relays
		case asksOutside(name):
			s.spam = true
		}
	}
	return s
}

// asksOutside reports whether a restriction asks DNS lists, or a service such as a greylist.
func asksOutside(name string) bool {
	return name == policyService || isListed(name)
}

const policyService = "check_policy_service"

// isListed knows the restrictions of DNS lists.
func isListed(name string) bool {
	for _, prefix := range []string{"reject_rbl", "reject_rhsbl", "reject_maps_rbl", "permit_dnswl", "permit_rhswl"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// postscreenList is the list of clients that postscreen lets in, or not, before all else.
const postscreenList = "postscreen_access_list"

// postscreen finds the maps of postscreen, which asks them for addresses.
func (r *reader) postscreen() {
	screens := r.in.Postfix.Postscreens()
	if len(screens) == 0 {
		return
	}
	s := screens[0]
	action := r.in.Postfix.Value(s, "postscreen_denylist_action")
	if action == "" || strings.HasPrefix(action, "$") {
		action = r.in.Postfix.Value(s, "postscreen_blacklist_action")
	}
	inside := false
	for _, word := range postfix.SplitList(r.in.Postfix.Value(s, postscreenList)) {
		tables := postfix.ParseTables(word)
		if tables[0].Type == "" {
			inside = inside || strings.EqualFold(word, permitNets)
			continue
		}
		u := &use{
			Restriction: postfix.Restriction{
				Service: s, List: postscreenList, Parameter: postscreenList, Name: "check_client_access",
				Argument: word, Text: word, Words: []string{word}, Warn: action == "ignore",
			},
			at: r.in.At(s, postscreenList, word), kind: &kinds[0], insiders: inside, own: inside, spares: spares{spam: true},
		}
		u.addresses = tables[0].Type != "cidr"
		r.uses = append(r.uses, u)
	}
}
