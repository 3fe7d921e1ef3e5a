package doctor

import (
	"strings"

	"mailweir/internal/mta/postfix"
)

// program is a program of Postfix for this instance.
func (p *Postfix) program(name string) string {
	if p.Config == "" || p.Config == "/etc/postfix" {
		return name
	}
	return name + " -c " + quoted(p.Config)
}

// reload is behind each change.
func (p *Postfix) reload() string { return " && " + p.program("postfix") + " reload" }

// set is the command by which a parameter gets another value for a service: in master.cf where that
// overrides it, or where others would get it as well; else in main.cf.
func (p *Postfix) set(s *postfix.Service, name, value string) string {
	if s != nil {
		if _, own := s.Overrides[name]; own {
			return p.setOwn(s, name, value)
		}
	}
	return p.program("postconf") + " -e " + quoted(name+"="+value) + p.reload()
}

// setOwn is the command by which a service alone gets another value. "postconf -P" takes none with
// blanks.
func (p *Postfix) setOwn(s *postfix.Service, name, value string) string {
	return p.program("postconf") + " -P " + quoted(s.Key()+"/"+name+"="+dense(value)) + p.reload()
}

// follow is the command by which a service has what main.cf says.
func (p *Postfix) follow(s *postfix.Service, name string) string {
	return p.program("postconf") + " -PX " + quoted(s.Key()+"/"+name) + p.reload()
}

// dense is a list without blanks.
func dense(value string) string {
	var words []string
	for _, word := range postfix.SplitList(value) {
		if inner, ok := strings.CutPrefix(word, "{"); ok {
			word = "{" + dense(strings.TrimSuffix(inner, "}")) + "}"
		}
		words = append(words, word)
	}
	return strings.Join(words, ",")
}

// raw is a value as it stands in master.cf or main.cf: what it names stays named.
func (p *Postfix) raw(s *postfix.Service, name string) string {
	if s != nil {
		if own, ok := s.Overrides[name]; ok {
			return own
		}
	}
	return p.Set[name]
}

// replaced is the list of a parameter in which one word is another, or goes where that is "". Where
// the word stands behind a $name, so does it: then the list is written out.
func (p *Postfix) replaced(s *postfix.Service, name, word, other string) string {
	value := p.raw(s, name)
	if !hasWord(value, word) {
		value = p.Value(s, name)
	}
	var words []string
	for _, w := range postfix.SplitList(value) {
		if w == word {
			w, word = other, "" // the first one
		}
		if w != "" {
			words = append(words, w)
		}
	}
	return strings.Join(words, ", ")
}

func hasWord(value, word string) bool {
	for _, w := range postfix.SplitList(value) {
		if w == word {
			return true
		}
	}
	return false
}

// withOption is the entry of a milter with another value of an option.
func withOption(m postfix.Milter, name, value string) string {
	parts := []string{m.Address}
	for _, o := range m.Options {
		if o.Name != name {
			parts = append(parts, option(o.Name, o.Value))
		}
	}
	return "{ " + strings.Join(append(parts, option(name, value)), ", ") + " }"
}

func option(name, value string) string {
	if strings.ContainsAny(value, " \t,") {
		return "{ " + name + " = " + value + " }"
	}
	return name + "=" + value
}

// setOption is the command by which mailweir's entry, or milter_NAME where the entry says nothing,
// gets another value.
func (a asking) setOption(name, value string) string {
	if _, own := a.entry.Option(name); !own {
		return a.set(a.service, "milter_"+name, value)
	}
	list := a.replaced(a.service, "smtpd_milters", a.entry.Text, withOption(a.entry, name, value))
	return a.set(a.service, "smtpd_milters", list)
}
