package why

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mailweir/internal/address"
	"mailweir/internal/policy"
	"mailweir/internal/terminal"
)

// ways are what would let such mail pass, the one to use first.
func (t *Teller) ways(e *policy.Event, c *policy.Check, r *policy.Reply) []Way {
	if r == nil {
		return []Way{{Says: "Nothing was refused, so nothing need be lifted.", Sure: true}}
	}
	ways := t.filled(e, t.lifts(e, c, r))
	if len(ways) == 0 {
		return []Way{{Says: "Nothing that is known to mailweir lets it pass.", Sure: true}}
	}
	slices.SortStableFunc(ways, func(a, b Way) int { return cmp.Compare(rank(a), rank(b)) })
	return ways
}

// measures are what people may do about such mail, whatever has decided.
func (t *Teller) measures(e *policy.Event) []Way {
	var lifts []policy.Lift
	for _, c := range t.Registry.Checks {
		for _, l := range c.Measures {
			if l.Cause == nil || c.Name == e.Check {
				lifts = append(lifts, l)
			}
		}
	}
	lifts = append(lifts, permitSender())
	if e.Mode.Refuses() && e.Action.Answers() {
		lifts = append(lifts, policy.Lift{Operation: "monitor/start", Words: []string{"{check}"}, Says: "Has check {check} refuse nothing, for all mail: it only records what it would have said. Give a time."})
	}
	return t.filled(e, lifts)
}

// filled are the lifts for which the event has all that they need, and that would count.
func (t *Teller) filled(e *policy.Event, lifts []policy.Lift) (ways []Way) {
	values, vouched := placeholders(e), vouchedFor(e)
	for _, l := range lifts {
		filled, whole := l.Fill(values, e.Cause)
		if !whole || filled.Vouched && vouched == no || !fitsTable(filled) {
			continue
		}
		w := Way{
			Operation: filled.Operation, Words: positional(l.Words, filled.Words), Table: filled.Table, Entry: filled.Entry, Setting: filled.Setting,
			Says: filled.Says, Vouched: filled.Vouched, Sure: !filled.Vouched || vouched == yes,
		}
		if w.Table != "" && t.Tables != nil {
			w.Files = slices.DeleteFunc(slices.Clone(t.Tables(w.Table)), inPlace)
		}
		if key, place, ok := blockedBy(e.Cause); ok && w.Entry != "" && strings.Contains(l.Says, "{place}") {
			if len(w.Files) == 0 { // the flags of the daemon are not known here, but this is its list
				w.Files = []string{place.File}
			}
			if key == strings.Fields(w.Entry)[0] {
				w.Entry, w.Says = "", "Take the line "+place.String()+" out, which is about "+key+" itself, then mailweir reload."
			}
		}
		w.Command = w.command()
		ways = append(ways, w)
	}
	return ways
}

// inPlace reports whether a table stands in the flag itself.
func inPlace(spec string) bool {
	return strings.HasPrefix(spec, "inline:") || strings.HasPrefix(spec, "static:")
}

var matches = regexp.MustCompile(`^"([^"\\]+)" matches (/[^\s:"']+):(\d+)$`)

// blockedBy is the entry of a list that a cause names, with its key.
func blockedBy(cause string) (key string, place Place, ok bool) {
	m := matches.FindStringSubmatch(cause)
	if m == nil {
		return "", Place{}, false
	}
	line, err := strconv.Atoi(m[3])
	return m[1], Place{m[2], line}, err == nil
}

// positional has no value taken for a flag: an address may begin with a hyphen.
func positional(declared, filled []string) []string {
	for i, word := range filled {
		if strings.HasPrefix(declared[i], "{") && strings.HasPrefix(word, "-") {
			return slices.Insert(slices.Clone(filled), i, "--")
		}
	}
	return filled
}

// rank puts first what is sure to help.
func rank(w Way) int {
	if w.Sure {
		return 0
	}
	return 1
}

// lifts are those that the reply declares, and the permits that the check lets pass. A check that
// could not judge has no objection that these would lift.
func (t *Teller) lifts(e *policy.Event, c *policy.Check, r *policy.Reply) []policy.Lift {
	if c == nil {
		return r.Lifts
	}
	lifts := slices.Clone(r.Lifts)
	if e.Err != "" {
		lifts = nil
		if c.OnError != policy.Fails {
			lifts = append(lifts, policy.Lift{Setting: "{check}-on-error=accept", Says: "Mend what the error names. Until then this setting lets mail pass that {check} cannot judge, for everybody."})
		}
	}
	return append(lifts, t.permits(c)...)
}

func permitSender() policy.Lift {
	return policy.Lift{Operation: "permit/add", Words: []string{"{sender}"}, Vouched: true, Says: "Permits {sender} for every recipient, while SPF or DKIM vouches for the sender."}
}

func permitClient() policy.Lift {
	return policy.Lift{Operation: "permit/add", Words: []string{"{client}"}, Says: "Permits all mail from {client}, for every recipient."}
}

// permits are the entries that the check's declaration says it lets pass.
func (t *Teller) permits(c *policy.Check) (lifts []policy.Lift) {
	has := func(e policy.Exemption) bool { return c.Exempt&e != 0 }
	if has(policy.ExemptRecipientPermit) {
		for _, other := range t.Registry.Checks {
			if other.Permits != nil {
				lifts = append(lifts, *other.Permits)
			}
		}
	}
	if has(policy.ExemptPermitSender) {
		lifts = append(lifts, permitSender())
	}
	if has(policy.ExemptPermitClient) {
		lifts = append(lifts, permitClient())
	}
	if has(policy.ExemptHeaderFrom) {
		lifts = append(lifts, policy.Lift{Operation: "permit/add", Words: []string{"{from}"}, Vouched: true, Says: "Permits {from} in header From, for every recipient, while SPF or DKIM vouches for it."})
	}
	return lifts
}

type answer uint8

const (
	unknown answer = iota
	no
	yes
)

// vouchedFor says whether anything vouched for the sender, as far as it was found out.
func vouchedFor(e *policy.Event) answer {
	switch {
	case e.SPF == "pass", strings.Contains(e.DMARC, "dkim"), strings.Contains(e.DMARC, "spf"):
		return yes
	case e.SPF == "", e.SPF == "temperror":
		return unknown
	}
	return no
}

// placeholders are what an event knows of those of a [policy.Lift].
func placeholders(e *policy.Event) map[string]string {
	sender := address.Parse(e.Sender)
	values := map[string]string{"check": e.Check, "login": e.Login, "place": "the entry that the cause names"}
	if e.Client.IsValid() {
		values["client"] = e.Client.String()
	}
	if e.HasSender {
		values["envelope"] = "<>"
	}
	if e.Sender != "" && !sender.IsNull() {
		values["envelope"] = sender.Key()
		if isMailbox(sender) {
			values["sender"], values["sender_domain"] = sender.Key(), sender.Domain
		}
	}
	if len(e.Recipients) > 0 {
		to := address.Parse(e.Recipients[0])
		values["to"], values["to_domain"] = to.Key(), to.Domain
	}
	if from := fromAddress(e.From); from != "" {
		values["from"] = from
	}
	if places := placesIn(e.Cause); len(places) > 0 {
		values["place"] = places[0].String()
	}
	for name, value := range values { // nobody should copy what is not what it looks like
		if terminal.Text(value) != value {
			delete(values, name)
		}
	}
	return values
}

// isMailbox reports whether an address is one: as an entry, that of MAIL FROM:<example.com> would
// be about everybody there.
func isMailbox(a address.Address) bool { return a.Local != "" && a.Domain != "" }

// String is FILE:LINE.
func (p Place) String() string { return p.File + ":" + strconv.Itoa(p.Line) }

// fitsTable reports whether an entry can stand in a file: a key with a blank in it cannot.
func fitsTable(l policy.Lift) bool {
	key, _, _ := strings.Cut(l.Entry, " OK")
	return l.Table == "" || !strings.ContainsAny(l.Entry, "\r\n\x00#\"\\") && !strings.ContainsAny(key, "\t")
}

// command is what a shell is to be given, "" where that is not one command.
func (w Way) command() string {
	switch {
	case w.Operation != "":
		return Shell(slices.Concat([]string{"mailweir"}, strings.Split(w.Operation, "/"), w.Words)...)
	case w.Table != "" && w.Entry != "" && len(w.Files) == 1:
		if path, entry, ok := lineFor(w.Files[0], w.Entry); ok {
			return "echo " + quote(entry) + " >>" + quote(path) + " && mailweir reload"
		}
	}
	return ""
}

// lineFor is the file behind a table whose lines may stand in any order, and the entry as it has
// them.
func lineFor(spec, entry string) (path, line string, ok bool) {
	kind, path, typed := strings.Cut(spec, ":")
	if !typed {
		kind, path = "texthash", spec
	}
	if kind == "list" {
		entry = strings.Fields(entry)[0]
	}
	return path, entry, slices.Contains([]string{"texthash", "hash", "lmdb", "list"}, kind) && strings.HasPrefix(path, "/")
}

// quote makes a word one that a shell takes as it is.
func quote(word string) string {
	plain := func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("@%+=:,./-_", r))
	}
	if word != "" && !strings.ContainsFunc(word, plain) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
