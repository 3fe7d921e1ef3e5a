package importing

import (
	"slices"
	"strings"

	"mailweir/internal/mta/postfix"
)

// command is one by which a person takes out of Postfix what mailweir does instead.
type command struct {
	Argv []string `json:"argv,omitempty"`
	// ByHand says what to edit where there is no such command.
	ByHand string `json:"by_hand,omitempty"`
}

func (c command) String() string {
	if c.ByHand != "" {
		return "# " + c.ByHand
	}
	words := slices.Clone(c.Argv)
	for i, w := range words {
		if strings.ContainsAny(w, " \t\"$&|;<>()*?[]{}#~'\\`!") {
			words[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

// commands takes the settings that are double out of Postfix: a command for each parameter, and
// words where the command would have a secret in it.
func commands(from *postfix.Postfix, doubles []Double, hidden *masks) (all []command) {
	type key struct{ service, parameter string }
	var order []key
	words, instead := map[key][][]string{}, map[key]string{}
	for _, d := range doubles {
		k := key{d.Service, d.Parameter}
		if !slices.Contains(order, k) {
			order = append(order, k)
		}
		words[k], instead[k] = append(words[k], d.Words), d.Instead
	}
	for _, k := range order {
		value, set := from.Set[k.parameter]
		if s := from.Service(k.service); k.service != "" && s != nil {
			value, set = s.Overrides[k.parameter]
		}
		if !set {
			continue
		}
		var removed [][]string
		for _, w := range words[k] {
			if len(w) == 0 {
				value, removed = instead[k], append(removed, w)
				continue
			}
			var found bool
			if value, found = without(value, w); found {
				removed = append(removed, w)
			}
		}
		switch {
		case len(removed) == 0:
		case hidden.has(value):
			all = append(all, withoutSecrets(k.service, k.parameter, hidden.words(removed)))
		default:
			all = append(all, postconf(from, k.service, k.parameter, value))
		}
	}
	return all
}

// withoutSecrets says what to do where the value of a parameter has a secret in it.
func withoutSecrets(service, parameter, words string) command {
	if service == "" {
		return command{ByHand: "in main.cf, take " + words + " out of " + parameter + ": what stays there has a password or key in it, and is not shown"}
	}
	return command{ByHand: "in master.cf, take " + words + " out of -o " + parameter + " of " + service + ": what stays there has a password or key in it, and is not shown"}
}

// postconf is the command that sets a parameter. One that has nothing left is set to nothing: its
// default may be another parameter. For a service, words are parted by commas: postconf -P takes no
// blanks.
func postconf(from *postfix.Postfix, service, parameter, value string) command {
	argv := []string{"postconf"}
	if from.Config != "/etc/postfix" {
		argv = append(argv, "-c", from.Config)
	}
	if service == "" {
		return command{Argv: append(argv, "-e", strings.TrimSpace(parameter+" = "+value))}
	}
	value = strings.Join(postfix.SplitList(value), ",")
	if strings.ContainsAny(value, " \t\r\n") {
		return command{ByHand: "in master.cf, set -o { " + parameter + " = " + value + " } of " + service}
	}
	return command{Argv: append(argv, "-P", service+"/"+parameter+"="+value)}
}

// without takes words that stand one behind the other out of a list, as it stands: with what parts
// them from what follows, and with warn_if_reject in front of them.
func without(value string, words []string) (rest string, found bool) {
	all := postfix.SplitList(value)
	at := make([]int, len(all))
	end := 0
	for i, w := range all {
		at[i] = end + strings.Index(value[end:], w)
		end = at[i] + len(w)
	}
	for i := range all {
		n := len(words)
		if braced(all[i], words) {
			n = 1
		} else if i+n > len(all) || !slices.Equal(all[i:i+n], words) {
			continue
		}
		start := i
		if start > 0 && strings.EqualFold(all[start-1], "warn_if_reject") {
			start--
		}
		if i+n == len(all) {
			return strings.TrimRight(value[:at[start]], ", \t\r\n"), true
		}
		return value[:at[start]] + value[at[i+n]:], true
	}
	return value, false
}

// braced reports whether a word of a list is "{ words }".
func braced(word string, words []string) bool {
	return strings.HasPrefix(word, "{") && strings.HasSuffix(word, "}") && slices.Equal(postfix.SplitList(word[1:len(word)-1]), words)
}
