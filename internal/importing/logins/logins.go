// Package logins carries over smtpd_sender_login_maps with what asks them:
// reject_sender_login_mismatch, reject_authenticated_sender_login_mismatch and their like. mailweir
// refuses a sender that its map does not know, so that the maps go over all together or not at all.
//
// The rules are those of postconf(5) and smtpd_check.c: a map is asked for user+ext@domain,
// user@domain, for user+ext and user where the domain is the host's own, and for @domain.
package logins

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"mailweir/internal/importing"
	"mailweir/internal/mta/postfix"
	"mailweir/internal/oldmap"
	"mailweir/internal/table"
)

// Source is the source of sender login maps.
func Source() importing.Source {
	return importing.Source{Name: "logins", Title: "sender login maps of Postfix", Kind: "postfix", Read: read}
}

// parameter names the maps, and mapFlag those of mailweir.
const (
	parameter = "smtpd_sender_login_maps"
	mapFlag   = "sender-login-map"
)

const asBefore = "it does its work in Postfix as before"

type reader struct {
	ctx    context.Context
	in     *importing.Input
	result *importing.Result
	// service is one that asks the maps of those who have logged in; asks says that there is one.
	service *postfix.Service
	asks    bool
	maps    []string // the values of the parameter for all of these services
	words   []word   // what asks them
}

// word is a restriction that asks the maps of those who have logged in.
type word struct {
	postfix.Restriction
	at    importing.Place
	notes []string
}

func read(ctx context.Context, in *importing.Input) (*importing.Result, error) {
	r := &reader{ctx: ctx, in: in, result: &importing.Result{}}
	r.restrictions()
	values := r.values()
	switch {
	case len(values) == 0:
	case !r.asks:
		r.leave(values, "no restriction asks it of those who have logged in; "+asBefore)
	case len(r.maps) > 1:
		r.leave(values, "services have different maps, and mailweir's are for every service; "+asBefore)
	default:
		r.carry()
	}
	r.tellWords()
	return r.result, nil
}

// values are the places where the maps are named: main.cf, and services that override it.
func (r *reader) values() (services []*postfix.Service) {
	if strings.TrimSpace(r.in.Postfix.Set[parameter]) != "" {
		services = append(services, nil)
	}
	for _, s := range r.in.Postfix.SMTPServers() {
		if strings.TrimSpace(s.Overrides[parameter]) != "" {
			services = append(services, s)
		}
	}
	return services
}

// leave accounts for maps of which nothing is made.
func (r *reader) leave(services []*postfix.Service, why string) {
	for _, s := range services {
		for _, word := range postfix.SplitList(r.in.Postfix.Value(s, parameter)) {
			r.result.Left(r.in.At(s, parameter, word), word, "%s", why)
		}
	}
}

// restrictions looks for what asks the maps.
func (r *reader) restrictions() {
	var list string
	var service *postfix.Service
	permitted := ""
	for _, one := range r.in.Postfix.Restrictions() {
		if one.List != list || one.Service != service {
			list, service, permitted = one.List, one.Service, ""
		}
		switch name := strings.ToLower(one.Name); name {
		case "permit_sasl_authenticated", "permit":
			permitted = name
		case "permit_mynetworks":
			if permitted == "" {
				permitted = name
			}
		case "reject_sender_login_mismatch", "reject_authenticated_sender_login_mismatch", "reject_known_sender_login_mismatch",
			"reject_unauthenticated_sender_login_mismatch":
			r.restriction(one, name, permitted)
		}
	}
}

// restriction accounts for a word that asks the maps; permitted is what stands before it.
func (r *reader) restriction(one postfix.Restriction, name, permitted string) {
	at := r.in.At(one.Service, one.Parameter, one.Name)
	const lockout = "that nobody else uses senders of yours is the check lockout"
	switch {
	case one.Warn:
		r.result.Left(at, one.Text, "warn_if_reject stands before it: Postfix refuses nothing by it")
		return
	case name == "reject_unauthenticated_sender_login_mismatch":
		r.result.Left(at, one.Text, "mailweir asks the maps of those alone who have logged in; %s", lockout)
		return
	case permitted == "permit_sasl_authenticated" || permitted == "permit":
		r.result.Left(at, one.Text, "who has logged in never comes to it: %s stands before it in %s", permitted, one.List)
		return
	case name == "reject_known_sender_login_mismatch":
		r.result.Left(at, one.Text, "mailweir refuses senders, too, that the map does not know; %s", asBefore)
		return
	}
	r.asks = true
	for _, s := range r.askers(one) {
		if value := strings.TrimSpace(r.in.Postfix.Value(s, parameter)); value != "" && !slices.Contains(r.maps, value) {
			r.maps = append(r.maps, value)
			r.service = s
		}
	}
	var notes []string
	if name == "reject_sender_login_mismatch" {
		notes = append(notes, lockout)
	}
	if permitted == "permit_mynetworks" {
		notes = append(notes, "also for logins from mynetworks")
	}
	r.words = append(r.words, word{one, at, notes})
}

// tellWords accounts for the restrictions, once it is known what became of their maps.
func (r *reader) tellWords() {
	for _, w := range r.words {
		switch {
		case len(r.result.Flags) == 0:
			r.result.Left(w.at, w.Text, "its maps are not carried over; %s", asBefore)
		case len(w.notes) == 0:
			r.result.Carried(w.at, w.Text, "%s", mapFlag)
		default:
			r.result.Changed(w.at, w.Text, "%s: %s", mapFlag, strings.Join(w.notes, "; "))
		}
	}
}

// askers are the services whose list has a restriction.
func (r *reader) askers(one postfix.Restriction) (services []*postfix.Service) {
	if one.Service != nil {
		return []*postfix.Service{one.Service}
	}
	for _, s := range r.in.Postfix.SMTPServers() {
		if _, overrides := s.Overrides[one.List]; !overrides {
			services = append(services, s)
		}
	}
	return services
}

// carry takes the maps over, all of them or none.
func (r *reader) carry() {
	if len(r.maps) == 0 {
		return
	}
	var all []*carried
	why := ""
	for _, t := range postfix.ParseTables(r.maps[0]) {
		one := &carried{table: t, at: r.in.At(r.place(), parameter, t.Text)}
		all = append(all, one)
		if reason := r.open(one); reason != "" && why == "" {
			why = t.Text + ": " + reason
		}
	}
	if why != "" {
		for _, one := range all {
			r.result.Left(one.at, one.table.Text, "%s; without all maps mailweir would refuse who stands in the others, and so none is carried over", why)
		}
		return
	}
	for _, one := range all {
		r.write(one)
	}
}

// place is the service whose line names the maps, nil for main.cf.
func (r *reader) place() *postfix.Service {
	if r.service != nil {
		if _, own := r.service.Overrides[parameter]; own {
			return r.service
		}
	}
	return nil
}

// carried is a map on its way.
type carried struct {
	table postfix.Table
	at    importing.Place
	*oldmap.Map
	// rewritten says that lines are written in place of the map, which mailweir asks itself
	// otherwise; told is what becomes of the map's own lines then.
	rewritten bool
	lines     []string
	told      importing.Result
}

// options are those of the flag.
func options() table.ListOptions {
	return table.ListOptions{Use: table.Use{Asked: table.Addresses | table.AtDomains, Values: table.Any}, Subdomains: true}
}

// open reads a map and says why mailweir cannot have it.
func (r *reader) open(one *carried) (why string) {
	if one.table.Type == "" {
		return "it is no table"
	}
	one.Map = oldmap.Read(r.ctx, r.in, one.table)
	switch {
	case one.Unread != "":
		return one.Unread
	case one.Asked != "" || one.table.Type == "static":
		return ""
	case one.Kind == "cidr":
		return "it holds nets"
	}
	rewrite := false
	for i := range one.Entries {
		e := &one.Entries[i]
		switch {
		case e.Odd != "" && one.Kind != "texthash":
			return fmt.Sprintf("line %d: %s", e.At.Line, e.Odd)
		case e.Dead != "" || e.Block:
		case one.Kind != "texthash":
			if err := table.CheckLine(one.Kind, e.String(), options()); err != nil {
				return fmt.Sprintf("line %d: %v", e.At.Line, err)
			}
		case plain(e.Key) != "":
			rewrite = true
		}
	}
	if one.Kind != "texthash" {
		return r.patterns(one)
	}
	if rewrite || r.in.Root != "" || r.dead(one) {
		return r.rewrite(one)
	}
	return ""
}

// patterns takes a table of patterns over as it is. One of another host is written again: its file
// is not here.
func (r *reader) patterns(one *carried) (why string) {
	for i := range one.Entries {
		e := &one.Entries[i]
		if e.Dead != "" {
			return fmt.Sprintf("line %d: %s", e.At.Line, e.Dead)
		}
		if r.in.Root != "" {
			one.rewritten = true
			one.told.Carried(e.At, e.Raw, "%s", mapFlag)
			one.lines = append(one.lines, e.String())
		}
	}
	return ""
}

// dead reports whether a line would be an error for mailweir that Postfix only skips, or was read
// from a database whose text is not there.
func (r *reader) dead(one *carried) bool {
	return slices.ContainsFunc(one.Entries, func(e oldmap.Entry) bool {
		return e.At.File != "" && e.At.File != r.in.Old(one.table.Name) || e.Odd != "" || e.Dead != "" && e.Value == "" || table.CheckLine("texthash", e.String(), options()) != nil
	})
}

// plain is a key without a domain: Postfix finds it for the addresses of the host's own domains.
// For user@ it is "@": nobody is found by that.
func plain(key string) string {
	at := strings.LastIndexByte(key, '@')
	switch {
	case at < 0:
		return key
	case at == len(key)-1:
		return "@"
	}
	return ""
}

// rewrite writes the map again, each local part with the domains that it stands for.
func (r *reader) rewrite(one *carried) (why string) {
	one.rewritten = true
	domains, why := r.own()
	explicit := make(map[string]bool)
	for i := range one.Entries {
		explicit[strings.ToLower(one.Entries[i].Key)] = true
	}
	var behind []string
	for i := range one.Entries {
		e := &one.Entries[i]
		if e.At.File == "" {
			e.At = one.at
		}
		local := plain(e.Key)
		switch {
		case e.Dead != "":
			one.told.Left(e.At, e.Raw, "%s", e.Dead)
		case local == "@":
			one.told.Left(e.At, e.Raw, "Postfix does not look it up: %q is for no address here", e.Key)
		case local == "":
			if err := table.CheckLine("texthash", e.String(), options()); err != nil {
				one.told.Left(e.At, e.Raw, "nobody is found by it: %v", err)
				continue
			}
			one.told.Carried(e.At, e.Raw, "%s", mapFlag)
			one.lines = append(one.lines, e.Key+"\t"+e.Value)
		case why != "":
			return why
		default:
			lines := expand(e, domains, explicit, r.in.Postfix.Parameters["recipient_delimiter"])
			behind = append(behind, lines...)
			if len(lines) == 0 {
				one.told.Carried(e.At, e.Raw, "each of your own domains has an entry of its own for it")
				continue
			}
			one.told.Changed(e.At, e.Raw, "%s: is written with the domains of mydestination", mapFlag)
		}
	}
	// The first entry of a key counts.
	one.lines = append(one.lines, behind...)
	return ""
}

// expand writes a local part with each domain that has no entry of its own for it.
func expand(e *oldmap.Entry, domains []string, explicit map[string]bool, delimiters string) (lines []string) {
	for _, domain := range domains {
		address := strings.ToLower(e.Key) + "@" + domain
		base := address
		if i := strings.IndexAny(e.Key, delimiters); delimiters != "" && i > 0 {
			base = strings.ToLower(e.Key[:i]) + "@" + domain
		}
		if explicit[address] || explicit[base] {
			continue
		}
		if table.CheckLine("texthash", address+" x", options()) == nil {
			lines = append(lines, address+"\t"+e.Value)
		}
	}
	return lines
}

// own are the domains for which Postfix looks up local parts alone.
func (r *reader) own() (domains []string, why string) {
	for _, name := range []string{"mydestination", "myorigin"} {
		for _, t := range postfix.ParseTables(r.in.Postfix.Parameters[name]) {
			if t.Type != "" || strings.HasPrefix(t.Name, "/") {
				return nil, fmt.Sprintf("it has local parts alone, which stand for the domains of %s, and these stand in %s", name, t.Text)
			}
			domain := strings.ToLower(t.Name)
			if !slices.Contains(domains, domain) && !strings.HasPrefix(domain, ".") {
				domains = append(domains, domain)
			}
		}
	}
	return domains, ""
}

// write names a map, and accounts for its lines.
func (r *reader) write(one *carried) {
	r.result.Notes = append(r.result.Notes, one.Notes...)
	if one.rewritten {
		base := one.table.Name[strings.LastIndexByte(one.table.Name, '/')+1:]
		if one.table.Type == "inline" {
			base = "inline"
		}
		name := "logins-" + base
		r.result.Carried(one.at, one.table.Text, "line by line, below")
		r.result.Items = append(r.result.Items, one.told.Items...)
		r.result.Files = append(r.result.Files, importing.File{Name: name, Text: strings.Join(one.lines, "\n") + "\n"})
		r.result.Flag(mapFlag, one.Kind+":"+r.in.In(name), one.at)
		return
	}
	r.result.Carried(one.at, one.table.Text, "%s, asked where it stands", mapFlag)
	for i := range one.Entries {
		if e := &one.Entries[i]; e.At.File != "" {
			if e.Dead != "" {
				r.result.Left(e.At, e.Raw, "%s", e.Dead)
				continue
			}
			r.result.Carried(e.At, e.Raw, "%s", mapFlag)
		}
	}
	r.result.Flag(mapFlag, one.table.Type+":"+one.table.Name, one.at)
}
