package postfix

import (
	"slices"
	"strings"
)

// Restriction is a word of a restriction list of smtpd, with its argument (postconf(5)).
type Restriction struct {
	// Service is the one whose list it is; nil for the list of main.cf, as those services have it
	// that do not override it.
	Service *Service
	// List is the parameter: smtpd_client_restrictions, smtpd_recipient_restrictions …
	List string
	// Parameter is where the word itself stands: List, or a restriction class that the list names,
	// or a parameter that a $name of the list stands for.
	Parameter string
	// Name is that of the restriction, such as reject_rbl_client; check_client_access and the like
	// also where the list names a table alone. Argument is what follows it: zone, table or code.
	Name, Argument string
	// Text is Name and Argument as they stand; Words the same as words.
	Text  string
	Words []string
	// Warn says that warn_if_reject stands before it.
	Warn bool
	// Classes are the restriction classes through which the list comes to it, from without.
	Classes []string
}

// RestrictionLists are the parameters that hold restriction lists, in the order in which smtpd
// comes to them.
func RestrictionLists() []string {
	return []string{
		"smtpd_client_restrictions", "smtpd_helo_restrictions", "smtpd_sender_restrictions", "smtpd_relay_restrictions",
		"smtpd_recipient_restrictions", "smtpd_data_restrictions", "smtpd_end_of_data_restrictions", "smtpd_etrn_restrictions",
	}
}

// Restrictions are those of all lists and of the classes that the lists name: first as main.cf has
// them, then those that services of master.cf override. A class is followed where a list names it;
// those that only an access map names are in [Postfix.Class].
func (p *Postfix) Restrictions() (all []Restriction) {
	for _, list := range RestrictionLists() {
		all = append(all, p.restrictions(nil, list)...)
	}
	for _, s := range p.SMTPServers() {
		for _, list := range RestrictionLists() {
			if _, overrides := s.Overrides[list]; overrides {
				all = append(all, p.restrictions(s, list)...)
			}
		}
	}
	return all
}

// Class are the restrictions of a restriction class, as an access map may name it; list is the one
// that the map stands in. found is false where there is no such class.
func (p *Postfix) Class(s *Service, list, name string) (restrictions []Restriction, found bool) {
	if !p.isClass(s, name) {
		return nil, false
	}
	w := &walk{Postfix: p, service: s, list: list}
	w.class(name, false)
	return w.found, true
}

func (p *Postfix) isClass(s *Service, name string) bool {
	return slices.Contains(SplitList(p.Value(s, "smtpd_restriction_classes")), name)
}

func (p *Postfix) restrictions(s *Service, list string) []Restriction {
	w := &walk{Postfix: p, service: s, list: list}
	w.words(list, p.Value(s, list), false)
	return w.found
}

// mostRestrictions bounds what a list comes to: classes may name each other.
const mostRestrictions = 10_000

// walk is a way through a list.
type walk struct {
	*Postfix
	service *Service
	list    string
	classes []string
	found   []Restriction
}

// words goes through the value of a parameter. all says that warn_if_reject stands before the class
// whose value it is: then it is about each restriction in it.
func (w *walk) words(parameter, value string, all bool) {
	words := SplitList(value)
	warn := all
	for i := 0; i < len(words) && len(w.found) < mostRestrictions; i++ {
		word := words[i]
		if strings.HasPrefix(word, "{") && closing(word) == len(word)-1 {
			// { name argument } is the same as without braces.
			w.words(parameter, word[1:len(word)-1], warn)
			warn = all
			continue
		}
		if strings.EqualFold(word, "warn_if_reject") {
			warn = true
			continue
		}
		r := Restriction{Service: w.service, List: w.list, Parameter: parameter, Name: word, Text: word, Words: []string{word}, Warn: warn, Classes: slices.Clone(w.classes)}
		switch {
		case w.isClass(w.service, word):
			w.class(word, warn)
			warn = all
			continue
		case isTable(word):
			r.Name, r.Argument = w.defaultAccess(), word
		case takesArgument(word) && i+1 < len(words):
			i++
			r.Argument = words[i]
			r.Text, r.Words = word+" "+words[i], []string{word, words[i]}
		}
		w.found = append(w.found, r)
		warn = all
	}
}

func (w *walk) class(name string, warn bool) {
	if slices.Contains(w.classes, name) { // it names itself
		return
	}
	w.classes = append(w.classes, name)
	w.words(name, w.Value(w.service, name), warn)
	w.classes = w.classes[:len(w.classes)-1]
}

// isTable reports whether a word of a list is a table by itself.
func isTable(word string) bool {
	tables := ParseTables(word)
	return len(tables) == 1 && tables[0].Type != ""
}

// defaultAccess is what a table by itself stands for in a list.
func (w *walk) defaultAccess() string {
	switch w.list {
	case "smtpd_client_restrictions":
		return "check_client_access"
	case "smtpd_helo_restrictions":
		return "check_helo_access"
	case "smtpd_sender_restrictions":
		return "check_sender_access"
	case "smtpd_etrn_restrictions":
		return "check_etrn_access"
	}
	return "check_recipient_access"
}

// takesArgument reports whether the next word belongs to a restriction.
func takesArgument(word string) bool {
	word = strings.ToLower(word)
	switch word {
	case "check_policy_service", "sleep", "reject_rbl_client", "permit_dnswl_client":
		return true
	}
	return strings.HasPrefix(word, "check_") && strings.HasSuffix(word, "_access") ||
		strings.HasPrefix(word, "reject_rhsbl_") || strings.HasPrefix(word, "permit_rhswl_")
}
