package dnslists

import (
	"fmt"
	"slices"
	"strings"

	"mailweir/internal/importing"
	"mailweir/rbl"
)

// keys are customers' keys, which Postfix has in the names of zones.
type keys struct {
	in *importing.Input
	// hidden has, by the zone as Postfix has it, what is shown of it in replies.
	hidden map[string]string
	known  []*key
	// wrong are those of zones that cannot be asked.
	wrong []string
}

type key struct {
	name, value, file string
	at                []importing.Place
}

func newKeys(in *importing.Input) *keys { return &keys{in: in, hidden: map[string]string{}} }

// hide notes a zone that has a key in it, and what is shown in its place.
func (k *keys) hide(zone, shown string) {
	k.hidden[strings.ToLower(strings.TrimSuffix(zone, "."))] = strings.ToLower(strings.TrimSuffix(shown, "."))
}

// cut puts {NAME} in place of the key that a zone has in it; shown is the zone as it may be seen.
func (k *keys) cut(zone string, at importing.Place) (named, shown string) {
	value, rest, found := rbl.CutKey(zone)
	hidden := rbl.HideKey(zone)
	switch {
	case found:
	case hidden != zone: // of a list that is known, and wrong in another place
		value, _, _ = strings.Cut(zone, ".")
		k.wrong = append(k.wrong, value)
		return zone, hidden
	default:
		value, rest, found = k.secret(zone)
	}
	if !found {
		return zone, zone
	}
	named = "{" + k.name(value, rest, at) + "}." + rest
	return named, named
}

// secret is the key of a zone of a list that is not known: its first label, where no person would
// choose such a word, or where postscreen_dnsbl_reply_map hides the zone and what is behind the
// label lies in what is shown. Others have a line there to show nicer words.
func (k *keys) secret(zone string) (value, rest string, found bool) {
	zone = strings.ToLower(strings.TrimSuffix(zone, "."))
	shown, hidden := k.hidden[zone]
	value, rest, _ = strings.Cut(zone, ".")
	below := rest == shown || strings.HasSuffix(rest, "."+shown)
	return value, rest, strings.Contains(rest, ".") && value != "" && (hidden && below && strings.Contains(shown, ".") || looksSecret(value))
}

// looksSecret reports whether a label is long, and letters and digits: a number, or one in base 16
// or more. It has none of the hyphens that part words.
func looksSecret(label string) bool {
	return len(label) >= 16 && strings.ContainsAny(label, "0123456789") && strings.Trim(label, "0123456789abcdefghijklmnopqrstuvwxyz") == ""
}

// name is the one by which a key stands in zones.
func (k *keys) name(value, rest string, at importing.Place) string {
	for _, one := range k.known {
		if one.value == value {
			if !slices.Contains(one.at, at) {
				one.at = append(one.at, at)
			}
			return one.name
		}
	}
	base := "KEY"
	switch {
	case strings.HasSuffix(rest, ".dq.spamhaus.net"):
		base = "DQS"
	case strings.HasSuffix(rest, ".abusix.zone"):
		base = "ABUSIX"
	}
	name := base
	for n := 2; k.taken(name); n++ {
		name = fmt.Sprintf("%s%d", base, n)
	}
	k.known = append(k.known, &key{name: name, value: value, file: "dnslists-" + strings.ToLower(name) + ".key", at: []importing.Place{at}})
	return name
}

// taken reports whether a name is that of another key, of this run or of mailweir already.
func (k *keys) taken(name string) bool {
	return slices.ContainsFunc(k.known, func(one *key) bool { return one.name == name }) ||
		slices.ContainsFunc(k.in.Given("rbl-key"), func(spec string) bool { return strings.HasPrefix(spec, name+"=") })
}

// flags are the files of the keys, and the flags that name them.
func (k *keys) flags(r *importing.Result) {
	r.Secrets = append(r.Secrets, k.wrong...)
	for _, one := range k.known {
		r.Secrets = append(r.Secrets, one.value)
		r.Files = append(r.Files, importing.File{Name: one.file, Text: one.value + "\n", Bare: true, Secret: true})
		r.Flag("rbl-key", one.name+"="+k.in.In(one.file), one.at...)
	}
}
