package ldap

import (
	"strings"
	"testing"

	ldaplib "github.com/go-ldap/ldap/v3"

	"mailweir/internal/table/expand"
)

// TestManyGroups: a tree of groups, not deep, that would need more searches than there is time for.
func TestManyGroups(t *testing.T) {
	var set expand.Set
	result, err := set.Result("%s")
	if err != nil {
		t.Fatal(err)
	}
	r := rules{attributes: attributes{names: []string{"mail", "member"}, ordinary: 1}, result: result, recursionLimit: 1000}
	searches := 0
	a := answer{rules: &r, key: "k", search: func(base string, _ int, _ string, _ []string) ([]*ldaplib.Entry, error) {
		if searches++; len(base) == 5 {
			return nil, nil
		}
		members := make([]string, 20)
		for i := range members {
			members[i] = base + "x"
		}
		return []*ldaplib.Entry{ldaplib.NewEntry(base, map[string][]string{"member": members})}, nil
	}}
	entries, _ := a.search("", 0, "", nil)
	if err := a.take(entries, 1); err == nil || !answered(err) || !strings.Contains(err.Error(), "searches") {
		t.Errorf("after %d searches: %v", searches, err)
	}
	if searches != maxSearches+1 {
		t.Errorf("%d searches", searches)
	}
}

func TestSubtype(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"mail", "MAIL", 1},
		{"mail", "mail;lang-de", 1},
		{"mail;lang-de", "Mail", -1},
		{"mail;lang-de", "mail;lang-en", 0},
		{"mail", "maildrop", 0},
		{"maildrop", "mail", 0},
		{"mail", "", 0},
		{"", ";x", 1},
	} {
		if got := subtype(test.a, test.b); got != test.want {
			t.Errorf("%q, %q: %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
