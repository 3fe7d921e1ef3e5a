package impersonation

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"mailweir/internal/address"
	"mailweir/internal/table"
)

// person is one entry of --header-from-names.
type person struct {
	name  string // as the entry has it, in lower case and without quotes
	place string // of the entry
	may   []address.Address
}

// people are all of them.
type people struct {
	folder folder
	named  map[string][]*person
	all    person // what may use every name
}

// everybody is the key of the entry whose addresses may use every name.
const everybody = "*"

// readPeople takes the entries of a list. Those of one name add up.
func readPeople(list *table.List) (*people, error) {
	p := &people{folder: newFolder(), named: map[string][]*person{}}
	return p, list.Each(func(m table.Match) error {
		name, err := p.folder.name(m.Key)
		if err != nil {
			return err
		}
		may, err := addresses(m.Value)
		switch {
		case err != nil:
			return err
		case name == everybody:
			p.all.may = append(p.all.may, may...)
			return nil
		}
		one := &person{name: name, place: m.Where(), may: may}
		for _, key := range p.folder.kept(name) {
			if had := p.named[key]; !slices.Contains(had, one) {
				p.named[key] = append(had, one)
			}
		}
		return nil
	})
}

// name is the name of a key, which may stand in quotes.
func (f folder) name(key string) (string, error) {
	name := strings.Join(strings.Fields(strings.ReplaceAll(key, `"`, " ")), " ")
	if name == everybody {
		return name, nil
	}
	list := f.significant(words(asShown(name), false))
	switch {
	case strings.ContainsRune(name, '@'):
		return "", fmt.Errorf("%s is an address; the key is the name of a person, and addresses stand behind it", strconv.QuoteToASCII(key))
	case len(list) == 0:
		return "", fmt.Errorf("%s is no name", strconv.QuoteToASCII(key))
	case len(list) == 1 && !wholeInOneWord(list[0]):
		return "", fmt.Errorf("%s is one word, and many people are called so; write first and last name", strconv.QuoteToASCII(key))
	}
	return name, nil
}

// wholeInOneWord reports whether a name in one word has at least two characters of a script that
// parts no words.
func wholeInOneWord(word string) bool {
	n := 0
	for _, r := range word {
		if unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana) {
			n++
		}
	}
	return n > 1
}

var errWords = errors.New(`a name of several words stands in quotes, or with dots: "jane doe" or jane.doe`)

// addresses reads the value of an entry: addresses and domains, by commas or white space, or OK for
// none.
func addresses(value string) (list []address.Address, err error) {
	if strings.EqualFold(value, "OK") {
		return nil, nil
	}
	for item := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
		a := address.Address{Domain: address.NormalDomain(strings.TrimPrefix(item, "."))}
		if strings.ContainsRune(item, '@') {
			a = address.Parse(item)
		}
		quoted := strconv.QuoteToASCII(item)
		switch {
		case strings.ContainsAny(item, `*<>"/`):
			return nil, fmt.Errorf("%s is neither an address nor a domain; write jane@example.com or example.com, which has its sub-domains, too", quoted)
		case strings.HasPrefix(item, "@"):
			return nil, fmt.Errorf("%s is no address; a domain is written as %s", quoted, item[1:])
		case a.Domain == "" || strings.ContainsRune(item, '@') && a.Local == "":
			return nil, fmt.Errorf("%s is neither an address nor a domain", quoted)
		case !strings.ContainsRune(item, '.') && !strings.ContainsRune(item, '@'):
			return nil, fmt.Errorf("%s is neither an address nor a domain; %w", quoted, errWords)
		}
		list = append(list, a)
	}
	if len(list) == 0 {
		return nil, errors.New("there is neither an address nor a domain; write OK where there is none outside")
	}
	return list, nil
}

// validAddresses judges a value of the table.
func validAddresses(value string) error {
	_, err := addresses(value)
	return err
}

// find returns the entries whose name a text is, which is as shown.
func (p *people) find(text string) (found []*person) {
	for _, key := range p.folder.asked(text) {
		found = append(found, p.named[key]...)
	}
	return found
}

// key is the name as a key without quotes.
func (o *person) key() string { return strings.ReplaceAll(o.name, " ", ".") }

// uses reports whether an address may use the name.
func (o *person) uses(a address.Address, delimiters string) bool {
	base := a.Base(delimiters)
	for _, own := range o.may {
		switch {
		case own.Local != "" && own.Domain == a.Domain && (own.Local == a.Local || own.Local == base.Local):
			return true
		case own.Local == "" && (a.Domain == own.Domain || strings.HasSuffix(a.Domain, "."+own.Domain)):
			return true
		}
	}
	return false
}
