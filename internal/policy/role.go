package policy

import (
	"encoding/json"
	"slices"
	"strings"

	"mailweir/internal/address"
)

// Role is what a person may do at run time. The zero value may do nothing.
type Role string

const (
	// RoleAdmin sees and does everything.
	RoleAdmin Role = "admin"
	// RoleHelpdesk sees everything, and helps one recipient or one client at a time.
	RoleHelpdesk Role = "helpdesk"
	// RoleAuditor sees everything and changes nothing.
	RoleAuditor Role = "auditor"
	// RoleUser sees what concerns his own addresses, and decides for them.
	RoleUser Role = "user"
)

// ParseRole reads the name of a role.
func ParseRole(name string) (Role, error) {
	switch r := Role(strings.ToLower(strings.TrimSpace(name))); r {
	case RoleAdmin, RoleHelpdesk, RoleAuditor, RoleUser:
		return r, nil
	}
	return "", Wrongf("%q is no role: admin, helpdesk, auditor or user", Clean(name))
}

// Remit is whose mail a person may see and decide about: that of these recipients, and of everybody
// in these domains.
type Remit struct {
	// Addresses are keys of addresses, Domains are normal ([address.NormalDomain]).
	Addresses, Domains []string
}

// NewRemit makes a remit of addresses and domains as somebody wrote them.
func NewRemit(addresses, domains []string) *Remit {
	s := &Remit{}
	for _, a := range addresses {
		s.Addresses = append(s.Addresses, address.Parse(a).Key())
	}
	for _, d := range domains {
		s.Domains = append(s.Domains, address.NormalDomain(strings.TrimPrefix(d, "@")))
	}
	return s
}

// has reports whether a recipient is in the remit; an extension does not make him another.
func (s *Remit) has(recipient, delimiter string) bool {
	to := address.Parse(recipient)
	if to.Local == "" || to.Domain == "" {
		return false
	}
	return slices.Contains(s.Domains, to.Domain) || slices.Contains(s.Addresses, to.Key()) ||
		slices.Contains(s.Addresses, to.Base(delimiter).Key())
}

// Sees reports whether mail to a recipient is within what the person may see. delimiter is
// --recipient-delimiter.
func (p Person) Sees(recipient, delimiter string) bool {
	return p.Remit == nil || p.Remit.has(recipient, delimiter)
}

// Everybody stands for all recipients where an operation is about one.
const Everybody = "*"

// Concerning makes what [About.Concerns] wants of a function of the typed request. What cannot be
// read concerns everybody.
func Concerning[In any](recipients func(In) []string) func(request []byte) []string {
	return func(request []byte) []string {
		var in In
		if json.Unmarshal(request, &in) != nil {
			return []string{""}
		}
		return recipients(in)
	}
}
