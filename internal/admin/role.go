package admin

import (
	"errors"
	"fmt"
	"slices"

	"mailweir/internal/address"
	"mailweir/internal/policy"
)

// ByRole decides by the person's role and remit, and by what the operation declares: its roles, and
// the recipients whom the request is about.
func ByRole(by policy.Person, op policy.Operation, request []byte, delimiter string) error {
	switch {
	case by.Role != policy.RoleAdmin && !slices.Contains(mayDo(op), by.Role):
		return fmt.Errorf("the role %s may not do that", orNone(string(by.Role)))
	case by.Role != policy.RoleAdmin && op.Concerns != nil && slices.Contains(op.Concerns(request), policy.Everybody):
		return fmt.Errorf("that is for all recipients, and the role %s decides for one at a time", by.Role)
	case by.Remit == nil:
		return nil
	case op.Concerns == nil:
		return errors.New("that concerns everybody's mail, and you may decide for some recipients only")
	}
	concerned := op.Concerns(request)
	if len(concerned) == 0 {
		concerned = []string{""}
	}
	for _, recipient := range concerned {
		if to := address.Parse(recipient); to.Local == "" || to.Domain == "" {
			return errors.New("name the recipient: you may decide for some recipients only")
		}
		if !by.Sees(recipient, delimiter) {
			return fmt.Errorf("%s is not one of the recipients for whom you may decide", policy.Clean(recipient))
		}
	}
	return nil
}

// mayDo are the roles that may do something besides the admin.
func mayDo(op policy.Operation) []policy.Role {
	if op.May == nil && op.Effect == policy.Looks && !op.Hidden {
		return []policy.Role{policy.RoleHelpdesk, policy.RoleAuditor}
	}
	return op.May
}

// Allowed reports whether a person may do that: for the buttons of a page. What is not offered
// nobody may.
func (s *Service) Allowed(by policy.Person, r Request) bool {
	offer := s.Offer()
	op, ok := find(slices.Concat(offer.Groups, s.Own), r.Operation)
	return ok && (s.May == nil || s.May(by, op, r.Body, offer.Delimiter) == nil)
}
