package recipient

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/policy"
	"mailweir/internal/recipients"
	"mailweir/internal/table"
	"mailweir/internal/trace"
)

// sendOnly is the source that knows nobody.
const sendOnly = "send-only"

// source says which addresses exist: a table, a server, or nobody.
type source struct {
	spec   string // as configured
	list   *table.List
	server policy.Mailboxes
	base   bool // the server knows no extensions
}

// openSource opens what stands on the right of --recipient-source.
func openSource(env *policy.Env, spec string) (*source, error) {
	if spec == sendOnly {
		return &source{spec: spec}, nil
	}
	kind, rest, _ := strings.Cut(spec, ":")
	server, err := env.OpenMailboxes(kind, rest)
	switch {
	case err != nil:
		return nil, fmt.Errorf("--recipient-source: %s: %w", spec, err)
	case server != nil:
		return &source{spec: spec, server: server, base: kind == "dovecot"}, nil
	}
	// Whatever stands on the right, they exist.
	use := table.Use{Asked: table.Recipients, Values: table.Values{Name: "recipients", Check: validValue}, Bare: "OK"}
	list, err := env.OpenTables("recipient-source", use, spec)
	if err != nil {
		return nil, err
	}
	if list.Empty() {
		return nil, fmt.Errorf("--recipient-source: %s: there is no recipient in it, so all mail would be refused; if that is meant, write %s", spec, sendOnly)
	}
	return &source{spec: spec, list: list}, nil
}

// validValue refuses what looks like an action of access(5): in a list of recipients it would mean
// that the address exists.
func validValue(value string) error {
	word, text, _ := strings.Cut(value, " ")
	action := strings.ToUpper(word)
	code := len(word) == 3 && (word[0] == '4' || word[0] == '5') && strings.Trim(word, "0123456789") == "" && text != ""
	if !code && action != "REJECT" && action != "DUNNO" && !strings.HasPrefix(action, "DEFER") {
		return nil
	}
	return fmt.Errorf("%q is an action; whatever stands here means that the recipient exists. Put the entry into --recipient-access", value)
}

// waits reports whether asking may take waiting for.
func (s *source) waits() bool { return s.server != nil || s.list.Waits() }

// suspended says why the source is used for nothing for a domain at present.
func (s *source) suspended(domain string) string {
	if s.server == nil {
		return ""
	}
	return s.server.Suspended(domain)
}

// unused says why the source is used for nothing for a domain, and notes it.
func (s *source) unused(ctx context.Context, domain string) string {
	why := s.suspended(domain)
	if why != "" {
		trace.Add(ctx, s.spec, "used for nothing: "+why)
	}
	return why
}

// suspensions are the domains for which the source is used for nothing, and why.
func (s *source) suspensions() map[string]string {
	if s.server == nil {
		return nil
	}
	return s.server.Suspensions()
}

// ours reports whether it is the source itself that asks.
func (s *source) ours(q query) bool {
	return s.server != nil && q.client.Addr() != (netip.Addr{}) && s.server.Ours(q.client, q.helo)
}

// known says whether the address exists, if that takes no waiting.
func (s *source) known(answers *recipients.Answers, to address.Address, delimiter string) (exists, known bool) {
	switch {
	case s.server != nil:
		return s.knownToServer(answers, to, delimiter)
	case s.list.Waits():
		return false, false
	}
	m, _ := s.list.Recipient(context.Background(), to)
	return m.Found(), true
}

// knownToServer is what askServer would find, as far as it is remembered.
func (s *source) knownToServer(answers *recipients.Answers, to address.Address, delimiter string) (exists, known bool) {
	answer, known := answers.Known(s.spec, to.Key())
	if base := to.Base(delimiter); s.base && known && !answer.Exists && base.Local != to.Local {
		answer, known = answers.Known(s.spec, base.Key())
	}
	return answer.Exists, known
}

// no is why the source says no, as far as that is at hand.
func (s *source) no(answers *recipients.Answers, to address.Address) string {
	switch {
	case s.server == nil && s.list == nil:
		return sendOnly
	case s.server == nil:
		return "not in " + s.spec
	}
	if answer, ok := answers.Known(s.spec, to.Key()); ok {
		return s.spec + ": " + answer.String()
	}
	return s.spec + ": no such address"
}

// ask says whether the address exists, and why, for the administrator.
func (s *source) ask(ctx context.Context, answers *recipients.Answers, to address.Address, delimiter string, share time.Duration) (bool, string, error) {
	if s.waits() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, share)
		defer cancel()
	}
	switch {
	case s.server != nil:
		return s.askServer(ctx, answers, to, delimiter)
	case s.list == nil:
		return false, s.no(answers, to), nil
	}
	m, err := s.list.Recipient(ctx, to)
	switch {
	case err != nil:
		return false, "", err
	case m.Found():
		return true, m.Where(), nil
	}
	return false, s.no(answers, to), nil
}

// askServer asks for the address as it is and, where the server knows no extensions, without.
func (s *source) askServer(ctx context.Context, answers *recipients.Answers, to address.Address, delimiter string) (bool, string, error) {
	answer, err := answers.Ask(ctx, s.spec, s.server, to)
	if base := to.Base(delimiter); s.base && err == nil && !answer.Exists && base.Local != to.Local {
		base.Original = base.Key()
		answer, err = answers.Ask(ctx, s.spec, s.server, base)
	}
	if err != nil {
		return false, "", err
	}
	return answer.Exists, s.spec + ": " + answer.String(), nil
}
