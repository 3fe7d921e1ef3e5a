package record

import (
	"cmp"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"mailweir/internal/address"
)

// Limits of how many entries a page has.
const (
	DefaultLimit = 50
	MaxLimit     = 10_000
)

// Normal returns the query with everything as it is kept: ids and logins in lower case, addresses
// as keys of package address, a client without the octets behind its net, a limit.
func (q Query) Normal() Query {
	q.IDs = mapped(q.IDs, strings.ToLower)
	q.MessageID = TrimMessageID(q.MessageID)
	q.Client = plainNet(q.Client)
	q.Sender, q.Recipient = Key(q.Sender), Key(q.Recipient)
	q.Login = strings.ToLower(q.Login)
	q.Code = strings.ToLower(q.Code)
	q.Text = withoutCode(Folded(q.Text))
	q.Own, q.OwnDomains = mapped(q.Own, Key), mapped(q.OwnDomains, address.NormalDomain)
	if q.Limit <= 0 {
		q.Limit = DefaultLimit
	}
	q.Limit = min(q.Limit, MaxLimit)
	return q
}

// plainNet is a net of IPv4 as such, also where it is written as one of IPv6.
func plainNet(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked()
}

// replyCode is what a reply begins with; where its text was copied as a whole, it goes.
var replyCode = regexp.MustCompile(`^[245][0-9][0-9][ -](?:[245]\.[0-9]{1,3}\.[0-9]{1,3} )?`)

func withoutCode(text string) string { return text[len(replyCode.FindString(text)):] }

// mapped keeps nil apart from empty.
func mapped(list []string, change func(string) string) []string {
	if list == nil {
		return nil
	}
	changed := make([]string, len(list))
	for i, s := range list {
		changed[i] = change(s)
	}
	return changed
}

// Key is an address as it is compared: the key of package address, "@" with a domain for all of it,
// "<>" for the null sender. "" stays.
func Key(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if strings.TrimSpace(s) == "" {
		return ""
	}
	if domain, ok := strings.CutPrefix(s, "@"); ok && !strings.ContainsAny(domain, "@:,") {
		return "@" + address.NormalDomain(domain)
	}
	return cmp.Or(address.Parse(s).Key(), "<>")
}

// TrimMessageID takes the angle brackets off a Message-Id, and blanks around it.
func TrimMessageID(s string) string {
	s = strings.TrimSpace(s)
	return strings.TrimSuffix(strings.TrimPrefix(s, "<"), ">")
}

// Folded is a text as it is searched: in lower case, valid UTF-8.
func Folded(s string) string { return strings.ToLower(strings.ToValidUTF8(s, "\uFFFD")) }

// Same reports whether an address is the one of a query, or of its domain.
func Same(asked, key string) bool {
	if asked == key {
		return true
	}
	return len(asked) > 1 && asked[0] == '@' && strings.HasSuffix(key, asked)
}

// oneOf reports whether a list that does not restrict, or has the value, lets it pass.
func oneOf[T comparable](list []T, value T) bool {
	return len(list) == 0 || slices.Contains(list, value)
}

// Normal returns the query with a limit.
func (q ChangeQuery) Normal() ChangeQuery {
	if q.Limit <= 0 {
		q.Limit = DefaultLimit
	}
	q.Limit = min(q.Limit, MaxLimit)
	q.Text = Folded(q.Text)
	return q
}

// Match reports whether a row of the audit is one that the query wants, its page and limit aside.
func (q ChangeQuery) Match(c Change) bool {
	if !within(c.Time, q.Since, q.Until) || q.By != "" && q.By != c.Name {
		return false
	}
	if q.Operation != "" && q.Operation != c.Operation && !strings.HasPrefix(c.Operation, q.Operation+"/") {
		return false
	}
	texts := []string{c.Operation, c.Name, c.From, c.Why, c.Err}
	for _, a := range c.Changes {
		texts = append(texts, a.What, a.Before, a.After)
	}
	return q.Text == "" || slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(Folded(s), q.Text) })
}
