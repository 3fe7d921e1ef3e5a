package door

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"mailweir/internal/policy"
)

// Lookup finds the value of a key, such as in a table.
type Lookup func(ctx context.Context, key string) (value string, found bool, err error)

// Roles say what those may do whom no file of ours lists: by --console-roles their role (ROLE or
// ROLE:DOMAIN,…), by --console-addresses whose mail is theirs.
type Roles struct {
	Role      Lookup
	Addresses Lookup // nil without
}

var errNoRole = errors.New("no role")

// give returns the person with role and remit. A value that cannot be read is no role: nothing is
// given by mistake.
func (t *Roles) give(ctx context.Context, key string, who policy.Person) (policy.Person, error) {
	value, found, err := t.Role(ctx, key)
	if err != nil {
		return who, err
	}
	if !found {
		return who, errNoRole
	}
	granted, err := readGrant(who.Name, value)
	if err != nil {
		return who, fmt.Errorf("--console-roles: the value for %s: %w", policy.Clean(key), err)
	}
	who.Role, who.Remit = granted.Role, granted.Remit
	if who.Role != policy.RoleUser || t.Addresses == nil {
		return who, nil
	}
	value, found, err = t.Addresses(ctx, strings.TrimPrefix(key, "uid:"))
	if err != nil || !found {
		return who, err
	}
	addresses, domains, err := readList(value)
	if err != nil {
		return who, fmt.Errorf("--console-addresses: the value for %s: %w", policy.Clean(key), err)
	}
	who.Remit = policy.NewRemit(addresses, domains)
	return who, nil
}

// CheckRole reports what is wrong with a value of --console-roles, CheckAddresses with one of
// --console-addresses. What a pattern fills in ($1) is seen when it is looked up.
func CheckRole(value string) error {
	if strings.Contains(value, "$") {
		return nil
	}
	_, err := readGrant("", value)
	return err
}

// CheckAddresses is described at [CheckRole].
func CheckAddresses(value string) error {
	_, _, err := readList(value)
	return err
}

// stampOf changes with what a person may do.
func stampOf(who policy.Person) string {
	text := string(who.Role)
	if who.Remit != nil {
		text += fmt.Sprintf("%q%q", who.Remit.Addresses, who.Remit.Domains)
	}
	sum := sha256.Sum256([]byte(text))
	return string(sum[:])
}
