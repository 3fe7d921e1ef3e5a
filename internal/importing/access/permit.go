package access

import (
	"fmt"
	"slices"
	"strings"

	"mailweir/internal/table"
)

// permit writes the lists of those whom an OK of a map spares what follows.
func (r *reader) permit(k *kind, uses []*use, flag string, spares func(*use) bool) {
	if flag == "" {
		return
	}
	var seen []string
	for _, u := range uses {
		if !spares(u) || slices.Contains(seen, u.spec()) {
			continue
		}
		seen = append(seen, u.spec())
		if u.Asked != "" {
			if u.does(flag) {
				r.flagAsked(u, flag)
			}
			continue
		}
		if n := &u.nameless; n.why != "" && n.verb != later && n.verb != ok {
			r.nameless(u, func(a action) bool { return a.verb == ok })
		}
		p := r.permits(k, u, flag)
		p.trim(func(*line) bool { return false })
		if !p.targets() {
			continue
		}
		for _, l := range p.lines {
			if l.target {
				r.tellPermit(k, u, l, flag)
			}
		}
		what := "permit-"
		if flag == k.relay {
			what = "relay-"
		}
		r.write(what+k.word, flag, u, p)
	}
}

// permits are what of a map goes into a list of permits: what does not permit exempts from wider
// permits.
func (r *reader) permits(k *kind, u *use, flag string) *projection {
	p := r.projection(u)
	value, options := k.permitValue, k.permitUse
	if flag == k.relay {
		value, options.Values = "OK", table.Any
	}
	if at := r.unread(u, options); at != "" && k.word == "clients" {
		r.cut(u, -1, at)
		return p
	}
	for i := range u.Entries {
		e, a := &u.Entries[i], &u.acts[i]
		if a.skip {
			continue
		}
		l := &line{entry: e, act: a, target: a.verb == ok || a.spares && flag == k.permit && k.word == "recipients", value: "DUNNO"}
		if l.target {
			l.value = value
		}
		switch err := p.usable(l, options); {
		case err == nil:
			p.lines = append(p.lines, l)
		case l.target:
			r.fates.left(e, cannot(p.kind, err))
		case p.kind != "texthash" && !a.refuses():
			r.cut(u, i, e.At.String())
			p.close()
			return p
		}
	}
	p.close()
	return p
}

// cut leaves what stands behind a pattern that cannot be carried over: it may take from a permit
// what would be permitted then.
func (r *reader) cut(u *use, i int, by string) {
	for j := i + 1; j < len(u.Entries); j++ {
		if u.acts[j].verb == ok && !u.acts[j].skip {
			r.fates.left(&u.Entries[j], by+" stands before it, and cannot be carried over")
		}
	}
}

// tellPermit says of an OK what it does in mailweir.
func (r *reader) tellPermit(k *kind, u *use, l *line, flag string) {
	text := flag
	changed := false
	if flag == k.permit {
		text = k.permitReason
		changed = k.word != "clients"
	} else if k.word == "senders" {
		text, changed = flag+", and counts only while SPF vouches for the sender", true
	}
	if note := l.act.note; note != "" {
		text, changed = text+", "+note, true
	}
	if l.act.spares {
		text = text + ", since what follows in " + u.List + " never comes to it"
	}
	if others := r.alsoSpared(u); flag == k.permit && others != "" {
		text, changed = text+", and spares what "+others+" asks, too", true
	}
	if changed {
		r.fates.changed(l.entry, text)
		return
	}
	r.fates.carried(l.entry, text)
}

// alsoSpared are lists beside that of a map that ask what a permit of mailweir spares: there an OK
// of the map spares nothing.
func (r *reader) alsoSpared(u *use) string {
	var lists []string
	for _, one := range r.asking {
		if one != u.List && !slices.Contains(lists, one) {
			lists = append(lists, one)
		}
	}
	return strings.Join(lists, ", ")
}

// unspared accounts for each OK that no list took.
func (r *reader) unspared(uses []*use) {
	for _, u := range uses {
		for i := range u.acts {
			e, a := &u.Entries[i], &u.acts[i]
			if a.verb == ok && !a.skip && !r.fates.knows(e) {
				r.fates.left(e, fmt.Sprintf("an OK here spares mail nothing that mailweir checks: nothing of the kind follows in %s", u.List))
			}
		}
	}
}
