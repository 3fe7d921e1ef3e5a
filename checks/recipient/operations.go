package recipient

import (
	"context"
	"fmt"
	"io"
	"strings"

	"mailweir/internal/address"
	"mailweir/internal/policy"
	"mailweir/internal/recipients"
	"mailweir/internal/table"
	"mailweir/internal/terminal"
	"mailweir/internal/trace"
)

// operations are what people can do with recipients.
func (o *options) operations(f *policy.Flags) {
	f.Operations("Look at who exists, and have it asked again",
		policy.NewList(policy.About{
			Name: "test", Args: "ADDRESS…", Daemon: true,
			Concerns: policy.Concerning(func(r testRequest) []string { return r.Addresses }),
			Title:    "Show what each source says about an address, as mail to it would be answered",
			Help: `Shows, for each address, whose question it is (--recipient-access, or which source), what was asked, what the answer was, and what is kept
of it: an answer that counts is not asked for again. Without a daemon, mailweir explain --to ADDRESS shows the same.`,
			Example: "  mailweir recipient test bob@example.org nobody@example.org",
		}, someAddresses, o.test, listing),
		policy.NewOperation(policy.About{
			Name: "forget", Args: "ADDRESS|DOMAIN", Effect: policy.Changes,
			Concerns: policy.Concerning(func(r forgetRequest) []string { return []string{r.Name} }),
			Title:    "Have servers asked again about an address with its extensions, or about a domain",
			Help: `Forgets what servers have said, on every host that shares the state: after a mailbox has been made, its mail would be refused for up to ten
minutes; after one has gone, mail would be accepted for up to an hour. Tables keep answers for --table-cache at most.`,
			Example: `  mailweir recipient forget bob@example.org
  mailweir recipient forget example.org`,
		}, oneTarget, forget, writeForgotten),
	)
}

// maxTested bounds the addresses of one command.
const maxTested = 100

type testRequest struct {
	Addresses []string `json:"addresses"`
}

func someAddresses(*policy.Flags) func([]string) (testRequest, error) {
	return func(args []string) (testRequest, error) {
		if len(args) == 0 || len(args) > maxTested {
			return testRequest{}, policy.Wrongf("give 1 to %d addresses", maxTested)
		}
		return testRequest{args}, nil
	}
}

// Tested is one question about an address; the last of an address is what mail to it would meet.
type Tested struct {
	Address  string `json:"address"`
	Source   string `json:"source"`
	Question string `json:"question,omitempty"`
	Answer   string `json:"answer"`
	// Kept is what is kept of the answer, "" where nothing is.
	Kept string `json:"kept,omitempty"`
}

func (o *options) test(ctx context.Context, c *policy.Call, r testRequest) (list []Tested, err error) {
	rule := o.current.Load()
	if rule == nil {
		return nil, policy.Wrongf("the check is off here, or has no --recipient-source; see mailweir check")
	}
	if len(r.Addresses) > maxTested {
		return nil, policy.Wrongf("give 1 to %d addresses", maxTested)
	}
	for _, text := range r.Addresses {
		to := address.Parse(text)
		if to.Local == "" || to.Domain == "" {
			return nil, policy.Wrongf("%q is no address", text)
		}
		list = append(list, rule.test(ctx, c, to)...)
	}
	return list, nil
}

// test asks every source, as explain does.
func (c *rule) test(ctx context.Context, call *policy.Call, to address.Address) (list []Tested) {
	result := func(answer string) []Tested {
		return append(list, Tested{Address: to.Key(), Source: "result", Answer: answer})
	}
	if local, err := c.settings.Local(ctx, to.Domain); err != nil || !local && (c.settings.LocalDomains != nil || !c.choice.names(to.Domain)) {
		if err != nil {
			return result("not known whether the domain is local: " + err.Error())
		}
		return result("not judged: the domain is not local")
	}
	if to.Local == postmaster {
		return result("not judged: postmaster always exists")
	}
	m, err := c.access.Address(ctx, to)
	if err != nil || m.Found() {
		list = append(list, Tested{Address: to.Key(), Source: "--recipient-access", Question: m.Key, Answer: answerOf(m, err)})
	}
	switch {
	case err != nil:
		return result("not known: " + err.Error())
	case m.Action.Verb == table.OK:
		return result("exists")
	case m.Action.Verb == table.Reject || m.Action.Verb == table.Defer:
		return result("is refused")
	}
	sources := c.choice.of(to, c.delimiter, c.settings.LocalDomains != nil)
	for _, s := range sources {
		list = append(list, c.testSource(ctx, call, s, to)...)
	}
	v, err := c.verdict(ctx, query{to: to}, sources, within)
	switch {
	case len(sources) == 0:
		return result("not judged: the domain has no source")
	case err != nil:
		return result("not known: " + err.Error())
	case v.Objects():
		return result("does not exist")
	}
	return result("exists")
}

func answerOf(m table.Match, err error) string {
	if err != nil {
		return "error: " + err.Error()
	}
	return m.Value + " (" + m.Where() + ")"
}

// testSource is what one source is asked, with its answers.
func (c *rule) testSource(ctx context.Context, call *policy.Call, s *source, to address.Address) (list []Tested) {
	row := Tested{Address: to.Key(), Source: s.spec}
	if why := s.suspended(to.Domain); why != "" {
		row.Answer = "not used: " + why
		return []Tested{row}
	}
	if s.server != nil {
		row.Kept = c.kept(ctx, call, s, to)
	}
	var asked trace.Trace
	exists, why, err := s.ask(trace.With(ctx, &asked), c.answers, to, c.delimiter, within)
	for _, q := range asked.Queries() {
		one := row
		one.Question, one.Answer = strings.TrimPrefix(q.Question, s.spec+" "), q.Answer
		list = append(list, one)
	}
	if len(list) > 0 {
		return list
	}
	switch {
	case err != nil:
		row.Answer = "error: " + err.Error()
	case exists:
		row.Answer = "exists: " + why
	default:
		row.Answer = "no such address"
	}
	return append(list, row)
}

// kept tells what the state has of a server's answer.
func (c *rule) kept(ctx context.Context, call *policy.Call, s *source, to address.Address) string {
	answer, found, err := c.answers.Kept(ctx, s.spec, to)
	switch now := call.Backends.Clock(); {
	case err != nil:
		return err.Error()
	case !found:
		return "nothing"
	case now.Before(answer.Until()):
		return "counts until " + terminal.Time(answer.Until())
	}
	return "too old to count"
}

func listing(list []Tested) policy.Listing {
	l := policy.Listing{Titles: []string{"ADDRESS", "SOURCE", "QUESTION", "ANSWER", "KEPT"}}
	for _, one := range list {
		l.Row(one.Address, one.Source, one.Question, one.Answer, one.Kept)
	}
	return l
}

// forgetRequest is an address or a domain.
type forgetRequest struct {
	Name string `json:"name"`
}

func oneTarget(*policy.Flags) func([]string) (forgetRequest, error) {
	return func(args []string) (forgetRequest, error) {
		if len(args) != 1 {
			return forgetRequest{}, policy.Wrongf("give one address or domain")
		}
		r := forgetRequest{args[0]}
		_, err := r.target()
		return r, err
	}
}

// target is the address, or one without a local part for a domain.
func (r forgetRequest) target() (address.Address, error) {
	t, err := parseTarget(r.Name)
	if err != nil || t == (target{}) {
		return address.Address{}, policy.Wrongf("%q is neither an address nor a domain", r.Name)
	}
	if t.domain != "" {
		return address.Address{Domain: t.domain}, nil
	}
	return address.Parse(t.address), nil
}

func forget(ctx context.Context, c *policy.Call, r forgetRequest) (int, error) {
	what, err := r.target()
	if err != nil {
		return 0, err
	}
	n, err := recipients.Forget(ctx, c.Backends.State, what, c.Delimiter, c.Backends.Clock())
	c.Altered(r.Name, fmt.Sprintf("%d answers", n), "")
	return n, err
}

func writeForgotten(out io.Writer, n int) error {
	_, err := fmt.Fprintf(out, "%d forgotten\n", n)
	return err
}
