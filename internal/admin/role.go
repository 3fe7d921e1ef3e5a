package admin

import (
	"errors"
	"fmt"
	"slices"

	"mailweir/internal/address"
	"mailweir/internal/policy"
)

// ByRole decides by the person's role, and by what the operation declares. An admin may do
// everything, an auditor only look. Who helps, or decides for himself, does so for whole addresses;
// and whoever has a remit, within it.
func ByRole(by policy.Person, op policy.Operation, request []byte, delimiter string) error {
	if by.Role != policy.RoleAdmin && !slices.Contains(mayDo(op), by.Role) {
		return fmt.Errorf("the role %s may not do that", orNone(string(by.Role)))
	}
	if by.Role == policy.RoleAdmin && by.Remit == nil {
		return nil
	}
	if op.Concerns == nil {
		if by.Remit == nil {
			return nil
		}
		return errors.New("that concerns everybody's mail, and you may decide for some recipients only")
	}
	if by.Remit == nil && op.Effect == policy.Looks {
		return nil
	}
	concerned := op.Concerns(request)
	if len(concerned) == 0 {
		concerned = []string{""}
	}
	for _, recipient := range concerned {
		if to := address.Parse(recipient); to.Local == "" || to.Domain == "" {
			return fmt.Errorf("the role %s may do that for one recipient, not for all", by.Role)
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
