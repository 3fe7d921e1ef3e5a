package access

import (
	"fmt"
	"slices"
	"strings"

	"mailweir/internal/mta/postfix"
)

// verb is what an entry does with mail, as far as its own list goes.
type verb uint8

const (
	// other is an action that only Postfix has, or one that is not known: as far as refusals go,
	// the search in this map ends.
	other verb = iota
	// ok permits: the rest of the list is spared.
	ok
	// dunno ends the search in this map.
	dunno
	// reject and later refuse.
	reject
	later
	// outsiders refuses all but our own networks and users.
	outsiders
	// senders asks other maps about the sender, for such a recipient.
	senders
)

// action is a right-hand side that has been read.
type action struct {
	verb verb
	// code, enhanced and text are of the reply; code is 0 where the entry names none.
	code           int
	enhanced, text string
	// note says what is not as it stands there, "" where all is.
	note string
	// why says why nothing is made of it.
	why string
	// ends says that all lists end with it: what is discarded is asked about no more.
	ends bool
	// spares says that the list ends with it for these subjects, one way or another: what follows
	// never comes to them.
	spares bool
	// skip says that the entry has no place in such a list: nothing asks for its key.
	skip bool
	// nets says that a refusal of outsiders spares mynetworks.
	nets bool
	// maps are those of the verb senders.
	maps []postfix.Restriction
}

// refuses reports whether mailweir may have to refuse.
func (a action) refuses() bool { return a.verb == reject || a.verb == later }

// postfixOnly are actions that act on mail in Postfix itself.
var postfixOnly = [...]string{"HOLD", "DISCARD", "FILTER", "REDIRECT", "BCC", "PREPEND", "DEFER_IF_REJECT", "HANGUP", "DELAY"}

// actionOf reads a right-hand side as check_table_result in smtpd_check.c does.
func (r *reader) actionOf(u *use, value string) action {
	word, text := cutWord(value)
	upper := strings.ToUpper(word)
	switch {
	case upper == "DUNNO":
		return action{verb: dunno}
	case upper == "REJECT":
		return r.rejection(u, text)
	case upper == "DEFER":
		return refusal(later, text)
	case upper == "DEFER_IF_PERMIT":
		a := refusal(later, text)
		a.note = "is written as DEFER"
		return a
	case upper == "INFO" || upper == "WARN":
		return action{verb: other, why: upper + " only logs; it does its work in Postfix as before"}
	case slices.Contains(postfixOnly[:], upper):
		return action{verb: other, ends: upper == "DISCARD", why: "a milter cannot " + upper + "; it does its work in Postfix as before"}
	case strings.Trim(value, "0123456789") == "":
		return permitted(upper, "digits alone are OK in Postfix")
	case upper == "OK" || upper == "RELAY":
		note := ""
		if text != "" {
			note = "Postfix ignores what follows " + upper
		}
		return permitted(upper, note)
	case len(word) == 3 && (word[0] == '4' || word[0] == '5') && strings.Trim(word, "0123456789") == "":
		v := reject
		if word[0] == '4' {
			v = later
		}
		a := refusal(v, text)
		a.code = int(word[0]-'0')*100 + int(word[1]-'0')*10 + int(word[2]-'0')
		if word[1] > '5' {
			a.code = int(word[0]-'0')*100 + 50
			a.note = fmt.Sprintf("%s is no reply code of SMTP and is written as %d", word, a.code)
		}
		return a
	case strings.Contains(value, ":"):
		return action{verb: other, why: "Postfix answers 451 to it: a map names no other map, but a restriction class"}
	}
	return r.restrictions(u, value)
}

func permitted(word, note string) action {
	a := action{verb: ok, note: note}
	if word == "RELAY" && note == "" {
		a.note = "is written as OK"
	}
	return a
}

// rejection is a REJECT, which access_map_reject_code may make a temporary one.
func (r *reader) rejection(u *use, text string) action {
	code := r.in.Postfix.Value(u.Service, "access_map_reject_code")
	if !strings.HasPrefix(code, "4") {
		return refusal(reject, text)
	}
	a := refusal(later, text)
	a.note = "access_map_reject_code = " + code + " makes it temporary"
	return a
}

// refusal reads the text behind a refusal, with its enhanced code.
func refusal(v verb, text string) action {
	a := action{verb: v, text: text}
	if first, rest := cutWord(text); isEnhanced(first) {
		a.enhanced, a.text = first, rest
	}
	class := byte('5')
	if a.verb == later {
		class = '4'
	}
	if a.enhanced != "" && a.enhanced[0] != class {
		a.enhanced = string(class) + a.enhanced[1:]
		a.note = "is written with the enhanced code " + a.enhanced
	}
	return a
}

// restrictions reads a right-hand side of restrictions and classes of them.
func (r *reader) restrictions(u *use, value string) action {
	var list []postfix.Restriction
	words := postfix.SplitList(value)
	for i := 0; i < len(words); i++ {
		word := words[i]
		if class, found := r.in.Postfix.Class(u.Service, u.List, word); found {
			list = append(list, class...)
			continue
		}
		if !isRestriction(word) {
			return action{verb: other, why: fmt.Sprintf("%q is neither an action nor a restriction class, and Postfix answers 451 to it", word)}
		}
		one := postfix.Restriction{Service: u.Service, List: u.List, Name: word, Text: word}
		if takesZone(word) && i+1 < len(words) {
			i++
			one.Argument, one.Text = words[i], word+" "+words[i]
		}
		list = append(list, one)
	}
	inside := 0
	for inside < len(list) && slices.Contains(insiders[:], strings.ToLower(list[inside].Name)) {
		inside++
	}
	rest := list[inside:]
	if len(rest) == 0 {
		return action{verb: dunno, note: "outsiders are judged by what follows"}
	}
	switch first := strings.ToLower(rest[0].Name); {
	case rest[0].Warn:
	case first == "permit":
		return action{verb: ok}
	case (first == "reject" || first == "defer") && inside > 0:
		return action{verb: outsiders, nets: slices.ContainsFunc(list[:inside], permitsNets)}
	case first == "reject":
		return action{verb: reject, note: "is written as REJECT"}
	case first == "defer":
		return action{verb: later, note: "is written as DEFER"}
	case first == "check_sender_access" && u.kind.word == "recipients":
		if maps, all := senderMaps(rest); all {
			return action{verb: senders, maps: maps}
		}
	}
	var texts []string
	for _, one := range list {
		texts = append(texts, one.Text)
	}
	return action{verb: other, spares: endsList(list), why: fmt.Sprintf("for these %s alone it asks %s, and mailweir has no checks for some alone; it does its work in Postfix as before",
		u.kind.word, short(strings.Join(texts, ", ")))}
}

// endsList reports whether a class lets nothing come to what follows it.
func endsList(class []postfix.Restriction) bool {
	return slices.ContainsFunc(class, func(one postfix.Restriction) bool {
		return !one.Warn && slices.Contains(ends[:], strings.ToLower(one.Name))
	})
}

// senderMaps are the maps of a class that does nothing but to ask them about the sender.
func senderMaps(list []postfix.Restriction) (maps []postfix.Restriction, all bool) {
	for _, one := range list {
		if one.Warn || !strings.EqualFold(one.Name, "check_sender_access") {
			return nil, false
		}
		maps = append(maps, one)
	}
	return maps, true
}

// takesZone reports whether the next word belongs to a restriction. What has a colon cannot stand
// in a map.
func takesZone(word string) bool {
	word = strings.ToLower(word)
	for _, prefix := range []string{"reject_rbl", "reject_rhsbl_", "permit_dnswl_", "permit_rhswl_", "sleep"} {
		if strings.HasPrefix(word, prefix) {
			return true
		}
	}
	return false
}

// isRestriction reports whether a word looks like a restriction of Postfix.
func isRestriction(word string) bool {
	word = strings.ToLower(word)
	for _, prefix := range []string{"permit", "reject", "defer", "check_", "warn_if_reject", "sleep"} {
		if strings.HasPrefix(word, prefix) {
			return true
		}
	}
	return false
}

func cutWord(text string) (word, rest string) {
	i := strings.IndexAny(text, " \t")
	if i < 0 {
		return text, ""
	}
	return text[:i], strings.TrimLeft(text[i:], " \t\r\n\v\f")
}

// isEnhanced knows class.subject.detail (RFC 3463), as dsn_valid of Postfix does.
func isEnhanced(word string) bool {
	parts := strings.Split(word, ".")
	if len(parts) != 3 || len(parts[0]) != 1 || strings.IndexByte("245", parts[0][0]) < 0 {
		return false
	}
	for _, p := range parts[1:] {
		if p == "" || len(p) > 3 || strings.Trim(p, "0123456789") != "" {
			return false
		}
	}
	return true
}

// written is a refusal as a list of a kind has it.
func (a *action) written(k *kind) string {
	text := a.text
	if a.enhanced != "" {
		text = strings.TrimSpace(a.enhanced + " " + text)
	}
	switch {
	case a.code != 0:
		return strings.TrimSpace(fmt.Sprintf("%d %s", a.code, text))
	case a.verb == later:
		return strings.TrimSpace("DEFER " + text)
	case k.word == "clients":
		// The list's own reply is temporary unless --client-block-code says otherwise.
		if a.enhanced == "" {
			text = strings.TrimSpace("5.7.1 " + text)
		}
		return "554 " + text
	}
	return strings.TrimSpace("REJECT " + text)
}
