package access

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"mailweir/internal/importing"
	"mailweir/internal/table"
)

// block writes the lists of those who are refused, map by map in Postfix's order.
func (r *reader) block(k *kind, uses []*use) {
	if k.block == "" || k.word == "logins" {
		r.logins(k, uses)
		return
	}
	if k.word == "clients" {
		// Those that are asked about our own networks, too, before the list that exempts these.
		uses = slices.Clone(uses)
		slices.SortStableFunc(uses, func(a, b *use) int { return cmp.Compare(rank(a.own), rank(b.own)) })
	}
	var seen []string
	blind := make(map[string]string)
	projections := make([]*projection, len(uses))
	for i, u := range uses {
		if u.Asked != "" || slices.Contains(seen, u.spec()) {
			continue // the second time it has nothing left to say
		}
		seen = append(seen, u.spec())
		projections[i] = r.refusals(k, u, blind)
	}
	own := false
	exempt := func(u *use) {
		if k.word == "clients" && u.own && !own {
			r.writeOwn(k)
			own = true
		}
	}
	for i, p := range projections {
		u := uses[i]
		if p == nil {
			if u.Asked != "" && u.does(k.block) {
				exempt(u)
				r.flagAsked(u, k.block)
			}
			continue
		}
		behind := r.behind(uses, projections, i)
		p.trim(func(l *line) bool {
			return l.act.ends && len(behind) > 0 ||
				l.act.verb == ok && slices.ContainsFunc(behind, func(j int) bool { return uses[j].List == u.List })
		})
		r.tell(k, u, p, behind, uses)
		if len(p.lines) == 0 {
			continue
		}
		exempt(u)
		r.write(k.word, k.block, u, p)
	}
}

// rank orders what is false before what is true.
func rank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// spec names the map.
func (u *use) spec() string { return u.table.Type + ":" + u.table.Name }

// behind are the uses behind one that refuse somebody.
func (r *reader) behind(uses []*use, projections []*projection, i int) (list []int) {
	for j := i + 1; j < len(uses); j++ {
		if p := projections[j]; p != nil && p.targets() || uses[j].Asked != "" && uses[j].does(uses[j].kind.block) {
			list = append(list, j)
		}
	}
	return list
}

func (r *reader) projection(u *use) *projection {
	kind := u.accessMap.Kind
	return &projection{
		kind: kind, parents: r.parents(), names: u.kind.word == "clients" && kind != "cidr",
		delimiters: r.in.Postfix.Parameters["recipient_delimiter"],
	}
}

// refusals are what of a map goes into a list of those who are refused. An entry that mailweir
// cannot have is left; where it might have let mail pass, or put it off, those behind it are left
// as well: in a table of patterns, and where it ends a list, in the maps behind. Blind has such an
// entry of each list.
func (r *reader) refusals(k *kind, u *use, blind map[string]string) *projection {
	p := r.projection(u)
	before := blind[u.List]
	if n := &u.nameless; n.why != "" {
		if r.nameless(u, action.refuses) || n.verb == ok || n.verb == later || n.ends {
			blind[u.List] = cmp.Or(blind[u.List], u.Text)
		}
	}
	if k.word == "clients" {
		before = cmp.Or(before, r.unread(u, k.blockUse))
	}
	for i := range u.Entries {
		e, a := &u.Entries[i], &u.acts[i]
		if a.skip {
			continue
		}
		l := &line{entry: e, act: a, target: a.refuses(), value: k.shield}
		if l.target {
			l.value = a.written(k)
		}
		err := p.usable(l, k.blockUse)
		switch {
		case err == nil && l.target && before != "":
			if a.verb == later {
				blind[u.List] = cmp.Or(blind[u.List], e.At.String())
			}
			*a = action{verb: other, why: before + " stands before it, may let such mail pass, and cannot be carried over"}
			r.fates.left(e, a.why)
			continue
		case err == nil:
			p.lines = append(p.lines, l)
			continue
		case l.target || a.why == "":
			r.fates.left(e, cannot(p.kind, err))
		}
		if p.kind != "texthash" && a.verb != reject {
			before = cmp.Or(before, e.At.String())
			if a.verb == ok || a.verb == later || a.ends {
				blind[u.List] = cmp.Or(blind[u.List], e.At.String())
			}
		}
		a.why = cmp.Or(a.why, "mailweir cannot have it")
	}
	p.close()
	return p
}

// unread is the first pattern for clients that cannot be carried over, and may let them pass or put
// them off: these are asked about a name before an address, so that it stands before all others.
func (r *reader) unread(u *use, options table.ListOptions) string {
	p := &projection{kind: u.accessMap.Kind}
	if p.kind != "regexp" && p.kind != "pcre" {
		return ""
	}
	for i := range u.Entries {
		e, a := &u.Entries[i], &u.acts[i]
		if !a.skip && p.usable(&line{entry: e, act: a, value: "OK"}, options) != nil && a.verb != reject {
			return e.At.String()
		}
	}
	return ""
}

// nameless leaves the entries by address behind one that answers for clients without a name, as far
// as they do what is asked for. It reports whether one of them puts mail off.
func (r *reader) nameless(u *use, does func(action) bool) (puts bool) {
	for i := range u.Entries {
		e, a := &u.Entries[i], &u.acts[i]
		if !a.skip && does(*a) && (u.accessMap.Kind != "texthash" || isNet(e.Key)) {
			puts = puts || a.verb == later
			*a = action{verb: other, why: u.nameless.why}
			r.fates.left(e, a.why)
		}
	}
	return puts
}

// tell says what becomes of the entries of a map.
func (r *reader) tell(k *kind, u *use, p *projection, behind []int, uses []*use) {
	in := make(map[*entry]*line)
	for _, l := range p.lines {
		in[l.entry] = l
	}
	for i := range u.Entries {
		e, a := &u.Entries[i], &u.acts[i]
		l := in[e]
		switch {
		case a.skip || a.why != "" && l == nil:
		case e.Block && l != nil:
			r.fates.carried(e, k.block)
		case e.Block:
			r.fates.carried(e, "nothing within it is written")
		case a.refuses() && l != nil:
			r.tellRefusal(k, u, e, a)
		case l != nil:
			r.tellException(k, u, e, a, behind, uses)
		case a.verb == dunno:
			r.fates.carried(e, "it exempts from nothing, and is not written")
		}
	}
}

// tellRefusal says of an entry that refuses what is otherwise than in Postfix.
func (r *reader) tellRefusal(k *kind, u *use, e *entry, a *action) {
	notes := []string{k.block}
	if a.note != "" {
		notes = append(notes, a.note)
	}
	if hasComment(a.text) {
		notes = append(notes, "what follows # is a comment in mailweir, and not sent")
	}
	if u.insiders && k.word != "clients" {
		notes = append(notes, "also from your own networks and users, whom Postfix does not ask here")
	}
	if u.kind.word == "clients" {
		notes = append(notes, r.alsoOwn(u, e.Key)...)
	}
	for _, before := range r.permitting(u) {
		notes = append(notes, "also what "+before+" permits")
	}
	if u.accessMap.Kind == "texthash" && !r.parents() && !strings.ContainsAny(e.Key, "@<[") && !strings.HasPrefix(e.Key, ".") && !isNet(e.Key) {
		notes = append(notes, "is written as "+exactDomain(&line{entry: e})+", since a domain alone stands for its sub-domains in mailweir")
	}
	if len(notes) == 1 {
		r.fates.carried(e, notes[0])
		return
	}
	r.fates.changed(e, strings.Join(notes, ", "))
}

// cannot says why a line cannot stand in a list of mailweir.
func cannot(kind string, err error) string {
	if kind == "texthash" && strings.Contains(err.Error(), "can never match") {
		return "it does nothing in Postfix, either: " + err.Error()
	}
	return "mailweir cannot have it: " + err.Error()
}

// hasComment reports whether a part of a text is a comment behind a value in mailweir's tables:
// what begins with a # behind white space, unless a digit follows that.
func hasComment(text string) bool {
	for i := range len(text) {
		if text[i] != '#' || i > 0 && text[i-1] != ' ' && text[i-1] != '\t' {
			continue
		}
		if i == 0 || i+1 == len(text) || text[i+1] < '0' || text[i+1] > '9' {
			return true
		}
	}
	return false
}

// permitting are maps of other subjects before one in its list that permit somebody.
func (r *reader) permitting(u *use) (names []string) {
	for _, text := range u.passed {
		for _, before := range r.uses {
			if before.List != u.List || before.Text != text || before.kind == u.kind || before.accessMap == nil {
				continue
			}
			// Of a map that is not read nobody knows whom it permits.
			if before.accessMap == nil || before.Asked != "" || before.Unread != "" || slices.ContainsFunc(before.acts, func(a action) bool { return a.verb == ok }) {
				names = append(names, text)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// tellException says of an entry that exempts from what it does so in mailweir.
func (r *reader) tellException(k *kind, u *use, e *entry, a *action, behind []int, uses []*use) {
	text := k.block + ", as an exception"
	var more []string
	for _, j := range behind {
		if uses[j].List != u.List || a.verb != ok {
			more = append(more, uses[j].spec())
		}
	}
	switch {
	case a.why != "" && len(more) > 0:
		r.fates.left(e, text+", also from "+strings.Join(more, ", "))
		return
	case a.why != "":
		return
	case len(more) > 0:
		r.fates.changed(e, text+", also from "+strings.Join(more, ", "))
		return
	}
	if a.note != "" && a.verb == dunno {
		r.fates.changed(e, text+": "+a.note)
		return
	}
	r.fates.carried(e, text)
}

// write writes a projection, and the lines that name it.
func (r *reader) write(what, flag string, u *use, p *projection) {
	name := r.fileName(what, u.table)
	from := fileOf(p.lines)
	for _, part := range p.parts() {
		var b strings.Builder
		fmt.Fprintf(&b, "# from %s\n", from[0].File)
		for _, l := range part.lines {
			if l.Block {
				fmt.Fprintln(&b, l.Key)
				continue
			}
			fmt.Fprintf(&b, "%s\t%s\n", part.key(l), l.value)
		}
		r.result.Files = append(r.result.Files, importing.File{Name: name + part.suffix, Text: b.String()})
		r.result.Flag(flag, part.kind+":"+r.in.In(name+part.suffix), from...)
	}
}

// fileOf is the file that lines come from, or the line of main.cf where they stand there.
func fileOf(lines []*line) []importing.Place {
	at := lines[0].At
	if len(lines) > 1 && lines[len(lines)-1].At != at {
		at.Line = 0
	}
	return []importing.Place{at}
}
