package rspamd

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"mailweir/internal/importing"
)

// rule is a multimap with what both directories say of it.
type rule struct {
	name string
	*node
	parts []rulePart
}

// rulePart is where a part of a rule stands.
type rulePart struct {
	file *source
	node *node
}

// multimaps accounts for the rules of multimap.conf: local.d first, of which override.d can change
// single settings.
func (r *reading) multimaps(ctx context.Context) {
	var rules []*rule
	for _, f := range r.files {
		if f.name != "multimap.conf" {
			continue
		}
		for _, n := range f.root.fields {
			switch {
			case n.include:
				r.account(f, n, r.Left, "what is included is not read")
			case n.fields == nil:
				r.account(f, n, r.Left, "it is about the module of rspamd")
			default:
				rules = addRule(rules, f, n)
			}
		}
	}
	for _, one := range rules {
		r.rule(one)
	}
	r.elsewhere(ctx, rules)
}

func addRule(rules []*rule, f *source, n *node) []*rule {
	i := slices.IndexFunc(rules, func(one *rule) bool { return one.name == n.key })
	if i < 0 {
		return append(rules, &rule{n.key, &node{key: n.key, fields: n.fields}, []rulePart{{f, n}}})
	}
	rules[i].fields = append(slices.Clone(rules[i].fields), n.fields...)
	rules[i].parts = append(rules[i].parts, rulePart{f, n})
	return rules
}

// effect is what a rule does by itself.
type effect uint8

const (
	scores  effect = iota // it adds to the score
	refuses               // it has the message refused
	permits               // it lets the message pass
	other
)

// outweighs is from where a negative score lets pass whatever else is found: no message has so
// much.
const outweighs = -100

func (one *rule) effect() effect {
	switch strings.ReplaceAll(strings.ToLower(one.word("action")), " ", "_") {
	case "reject":
		return refuses
	case "accept", "no_action":
		return permits
	case "":
	default:
		return other
	}
	if score, err := strconv.ParseFloat(one.word("score"), 64); err == nil && score <= outweighs {
		return permits
	}
	return scores
}

// rule accounts for one rule, and for its map where mailweir takes it over.
func (r *reading) rule(one *rule) {
	to, why := r.target(one)
	if why != "" {
		one.account(r, r.Left, "%s", why)
		r.leaveMap(one, why)
		return
	}
	entries, why := r.entries(one.get("map"), to.nets)
	if why != "" {
		one.account(r, r.Left, "%s", why)
		return
	}
	give := r.Carried
	if to.changed {
		give = r.Changed
	}
	one.account(r, give, "%s", to.reason)
	glob, patterns := one.is("glob"), one.is("regexp")
	for _, e := range entries {
		if e.at.File == "" { // it stands in the settings
			e.at = importing.Place{File: one.parts[0].file.path, Line: one.get("map").line}
		}
		e.glob, e.pattern = e.glob || glob, e.pattern || patterns
		to.take(r, e)
	}
}

// leaveMap leaves the lines of the map of a rule, for the same reason. A map that cannot be read
// has none, and one that stands in the settings has those of the rule.
func (r *reading) leaveMap(one *rule, why string) {
	n := one.get("map")
	if n == nil || strings.EqualFold(one.word("type"), "dnsbl") { // its map is a zone
		return
	}
	entries, unread := r.entries(n, false)
	if unread != "" {
		return
	}
	for _, e := range entries {
		if e.at.File != "" {
			r.Left(e.at, e.text, "multimap %s: %s", one.name, why)
		}
	}
}

// account gives every line of a rule the same fate.
func (one *rule) account(r *reading, give fate, reason string, args ...any) {
	for _, part := range one.parts {
		r.account(part.file, part.node, give, reason, args...)
	}
}

// target is what mailweir has for a rule.
type target struct {
	// nets says that its map is one of addresses.
	nets    bool
	changed bool
	reason  string
	take    func(*reading, mapEntry)
}

const stays = "rspamd goes on doing it"

// target finds it, or says why there is none.
func (r *reading) target(one *rule) (to target, why string) {
	effect := one.effect()
	switch {
	case one.get("enabled") != nil && !one.is("enabled"):
		return to, "it is switched off"
	case one.get("map") == nil:
		return to, "it has no map, so rspamd does not use it either"
	case effect == scores:
		return to, "it adds to a score, which mailweir does not have for lists; " + stays
	case effect == other:
		return to, "its action is neither reject nor accept; " + stays
	case one.get("require_symbols") != nil:
		return to, "it goes by what else rspamd has found; " + stays
	}
	switch kind := strings.ToLower(one.word("type")); {
	case kind == "ip":
		return clientTarget(one, effect), ""
	case kind == "hostname":
		return hostTarget(one, effect)
	case kind == "from":
		return senderTarget(one, effect)
	case kind == "header" && strings.EqualFold(one.word("header"), "from"):
		return authorTarget(one, effect)
	case kind == "rcpt" && effect == refuses:
		return recipientTarget(one)
	case kind == "filename" && effect == refuses:
		return fileTarget(one)
	case kind == "rcpt":
		return to, "mailweir has no list of recipients whose mail all passes (--monitor-for is for single checks); " + stays
	case kind == "dnsbl":
		return to, "give it as --rbl-zone=" + one.word("map") + "; " + stays
	case kind == "header":
		return to, "a content definition can have it (docs/checks/content.md); " + stays
	default:
		return to, "mailweir has no list of this kind (" + kind + "); " + stays
	}
}

// elsewhere tells of rules that rspamd itself has and that do not stand in the files read: included
// ones, and those of templates.
func (r *reading) elsewhere(ctx context.Context, rules []*rule) {
	if r.dir != usualDir {
		return
	}
	out, err := r.Run(ctx, "", "rspamadm", "configdump", "-j", "multimap")
	if err != nil {
		return // the files are what there is
	}
	_, text, _ := strings.Cut(out.Stdout, "{") // warnings may stand in front of it
	var all map[string]json.RawMessage
	if json.Unmarshal([]byte("{"+text), &all) != nil {
		return
	}
	names := make([]string, 0, len(all))
	for name, raw := range all {
		var one struct{ Type, Action string }
		if json.Unmarshal(raw, &one) == nil && one.Type != "" && one.Action != "" && !slices.ContainsFunc(rules, func(own *rule) bool { return own.name == name }) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		r.Left(importing.Place{File: r.dir}, name, "rspamd has this multimap (rspamadm configdump), and it stands in neither local.d nor override.d; %s", stays)
	}
}
