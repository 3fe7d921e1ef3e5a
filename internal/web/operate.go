package web

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"mailweir/internal/admin"
	"mailweir/internal/policy"
	"mailweir/internal/record/why"
)

// act is one use of an operation, in the words of its command.
type act struct {
	operation string // GROUP/NAME
	words     []string
}

// operation looks an operation up by its path.
func (p *Pages) operation(path string) (policy.Operation, bool) {
	for _, g := range slices.Concat(p.Admin.Offer().Groups, p.Admin.Own) {
		for _, op := range g.Operations {
			if admin.Path(g, op) == path {
				return op, true
			}
		}
	}
	return policy.Operation{}, false
}

// request makes the request of an operation of the words of its command.
func request(op policy.Operation, words []string) (any, error) {
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	set.Usage = func() {}
	read := op.Request(policy.NewFlags(set, ""))
	if err := set.Parse(words); err != nil {
		return nil, policy.Wrongf("%v", err)
	}
	return read(set.Args())
}

// mayAct reports whether the visitor may do that.
func (p *Pages) mayAct(v policy.Person, a act) bool {
	op, ok := p.operation(a.operation)
	if !ok {
		return false
	}
	in, err := request(op, a.words)
	return err == nil && p.may(v, a.operation, in)
}

// perform does it as the visitor, and returns what the command would print.
func (p *Pages) perform(ctx context.Context, v policy.Person, a act, note string, life time.Duration) (string, error) {
	op, ok := p.operation(a.operation)
	if !ok {
		return "", &admin.UnknownError{Operation: a.operation}
	}
	in, err := request(op, a.words)
	if err != nil {
		return "", err
	}
	answer, err := p.do(ctx, v, a.operation, in, note, life)
	if err != nil {
		return "", err
	}
	return printed(op, answer), nil
}

// printed is what the command would print of an answer.
func printed(op policy.Operation, answer json.RawMessage) string {
	var out strings.Builder
	if op.Show(&out, answer) != nil {
		return ""
	}
	return strings.TrimSpace(out.String())
}

// command is what does the same in a shell.
func command(a act, note string, life time.Duration) string {
	words := slices.Concat([]string{"mailweir"}, strings.Split(a.operation, "/"), a.words)
	if life > 0 {
		words = append(words, "--for="+policy.FormatDuration(life))
	}
	if note != "" {
		words = append(words, "--note="+note)
	}
	return why.Shell(words...)
}

// undo is the command that takes it back, "" where there is none.
func (p *Pages) undo(a act) string {
	op, _ := p.operation(a.operation)
	if op.Undo == nil {
		return ""
	}
	group, _, _ := strings.Cut(a.operation, "/")
	words := op.Undo(a.words)
	return command(act{group + "/" + words[0], words[1:]}, "", 0)
}
