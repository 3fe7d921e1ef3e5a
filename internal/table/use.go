package table

import (
	"errors"
	"strings"
)

// Asked is a set of what a list is asked for. It decides which keys can ever match.
type Asked uint8

const (
	// Clients are asked for by [List.Client]: address, nets of whole octets or groups, verified
	// name.
	Clients Asked = 1 << iota
	// Addresses are asked for by [List.Address].
	Addresses
	// Domains are asked for by [List.Domain].
	Domains
	// Recipients are asked for by [List.Recipient].
	Recipients
	// AtDomains are asked for by [List.Key], as Postfix writes the entry of a whole domain:
	// "@example.com".
	AtDomains
	// OwnKeys are asked for by [List.Key], folded; [Use.Own] knows them.
	OwnKeys
)

// Use is what a list is for. Whoever asks it declares that where the flag is.
type Use struct {
	// Asked is what the list is asked for; 0 allows every key.
	Asked Asked

	// Own judges a folded key of [OwnKeys]: the error says why it is never asked for, and what to
	// write. Nil allows all. Noun is what these keys are, for the help: "digest".
	Own  func(key string) error
	Noun string

	// Values are the right-hand sides that the list may have: [Actions], [Permits], [Any] or the
	// caller's own.
	Values Values

	// Bare is the right-hand side of a key that stands alone, as in list: tables and in "static:"
	// without a value: a block in a block list, OK in a permit. Where it is "", the values are
	// data, and a key alone is an error.
	Bare string

	// Opens says that an entry lets mail past something, so that one which lets past nearly all is
	// worth a remark: see [List.Wide].
	Opens bool
}

var askedNames = [...]string{"clients", "addresses", "domains", "recipients", "@domain"}

func (a Asked) names() (names []string) {
	for i, name := range askedNames {
		if a&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// String tells for the help what the keys are, and what a key alone means.
func (u Use) String() string {
	keys := u.Asked.names()
	if u.Noun != "" {
		keys = append(keys, u.Noun)
	}
	alone := "a key alone is an error"
	if u.Bare != "" {
		alone = "a key alone is " + u.Bare
	}
	return "by " + strings.Join(keys, ", ") + "; " + alone
}

// errBare is the error of a table of keys alone where values are data.
func (t *Table) errBare() error {
	if t.hash == nil {
		return t.fault(0, errors.New("here it is the value that counts: write static:VALUE"))
	}
	line := 0
	_ = t.hash.eachEntry(func(m Match) error { line = m.Line; return errNeedsValue })
	return t.fault(line, errNeedsValue)
}

var errNeedsValue = errors.New("list: has keys alone, and here it is the value that counts: use texthash:, with the value behind each key")
