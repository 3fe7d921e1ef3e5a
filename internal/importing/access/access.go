// Package access carries over the access maps of Postfix (access(5)): check_client_access,
// check_sender_access, check_recipient_access and check_sasl_access wherever smtpd's restrictions
// name one, restriction classes and -o of master.cf included, and postscreen_access_list.
//
// Each map is asked in Postfix at a place of a list, and what the place does is part of what an
// entry means: whether our own users come to it at all, and what an OK spares the mail that it
// permits. So a [use] is a map at its place, an [action] what an entry does there, and a
// [projection] what of the map goes into the list of a flag. The rule for all of it: mailweir must
// refuse nothing that Postfix took. What it would is left where it is, and the reason says so.
//
// The sources of the rules are access(5), postconf(5), RESTRICTION_CLASS_README and smtpd_check.c
// of Postfix 3.7; the tests ask postmap.
package access

import (
	"context"
	"fmt"
	"strings"

	"mailweir/internal/importing"
	"mailweir/internal/mta/postfix"
)

// Source is the source of access maps.
func Source() importing.Source {
	return importing.Source{Name: "access", Title: "access maps of Postfix", Kind: "postfix", Read: read}
}

// reader goes through the maps.
type reader struct {
	ctx     context.Context
	in      *importing.Input
	result  *importing.Result
	uses    []*use
	maps    map[string]*accessMap // by TYPE:NAME
	fates   fates
	locals  *locals
	names   map[string]bool // of files
	managed []managedLine
	// followed are the classes that became recipients' own lists.
	followed map[string]bool
	// nets are mynetworks, once they were asked for.
	nets *ownNets
	// asking are the lists that ask DNS lists or policy services.
	asking []string
}

func read(ctx context.Context, in *importing.Input) (*importing.Result, error) {
	r := &reader{
		ctx: ctx, in: in, result: &importing.Result{}, maps: make(map[string]*accessMap), names: make(map[string]bool), followed: make(map[string]bool),
		locals: &locals{ctx: ctx, in: in},
	}
	r.find()
	for _, u := range r.uses {
		r.judge(u)
	}
	for i := range kinds {
		r.lists(&kinds[i])
	}
	r.writeManaged()
	r.classes()
	r.fates.report(r.result)
	r.byInit()
	return r.result, nil
}

// lists writes the lists of one kind of subject.
func (r *reader) lists(k *kind) {
	var uses []*use
	for _, u := range r.uses {
		if u.kind == k && u.why == "" && u.accessMap != nil {
			uses = append(uses, u)
		}
	}
	r.block(k, uses)
	r.permit(k, uses, k.permit, func(u *use) bool { return u.spares.spam })
	r.permit(k, uses, k.relay, func(u *use) bool { return u.spares.relay })
	r.unspared(uses)
	r.doubles(uses)
}

// doubles are the maps of which Postfix needs nothing any more: those that permit nothing. A permit
// must stand in Postfix as long as what it spares stands there.
func (r *reader) doubles(uses []*use) {
	for _, u := range uses {
		if !r.whole(u) {
			continue
		}
		key := ""
		if u.Service != nil {
			if _, own := u.Service.Overrides[u.Parameter]; own {
				key = u.Service.Key()
			}
		}
		r.result.Doubles = append(r.result.Doubles, importing.Double{Service: key, Parameter: u.Parameter, Words: u.Words})
	}
}

// whole reports whether mailweir does all that a map does.
func (r *reader) whole(u *use) bool {
	if u.Asked != "" {
		return u.answer != nil && u.answer.refuses()
	}
	for i := range u.Entries {
		e := &u.Entries[i]
		if u.acts[i].verb == ok || !e.Block && r.fates.isLeft(e) {
			return false
		}
	}
	return len(u.Entries) > 0
}

// byInit says of parameters that mailweir init takes over that it does.
func (r *reader) byInit() {
	for _, one := range [...]struct{ parameter, flag string }{
		{"mydestination", "local-domains"},
		{"virtual_alias_domains", "local-domains"},
		{"virtual_mailbox_domains", "local-domains"},
		{"relay_domains", "local-domains"},
		{"mynetworks", "trusted-nets"},
		{"recipient_delimiter", "recipient-delimiter"},
		{"relay_recipient_maps", "recipient-source"},
		{"virtual_mailbox_maps", "recipient-source"},
		{"message_size_limit", "size-max"},
	} {
		if value, set := r.in.Postfix.Set[one.parameter]; set {
			at := r.in.At(nil, one.parameter, "")
			r.result.Carried(at, one.parameter+" = "+short(value), "by mailweir init, as %s", one.flag)
		}
	}
}

// short keeps a text to one line of a screen.
func short(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > 100 {
		return string(runes[:99]) + "…"
	}
	return text
}

// fileName makes a name of a file of ours from that of a map.
func (r *reader) fileName(what string, t postfix.Table) string {
	base := t.Name[strings.LastIndexByte(t.Name, '/')+1:]
	base = strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' {
			return c
		}
		return '-'
	}, base)
	base = strings.TrimPrefix(base, ".")
	if t.Type == "inline" || t.Type == "static" || base == "" || strings.HasPrefix(t.Name, "{") {
		base = t.Type
	}
	name := "access-" + what + "-" + base
	for n := 2; r.names[name]; n++ {
		name = fmt.Sprintf("access-%s-%s-%d", what, base, n)
	}
	r.names[name] = true
	return name
}
