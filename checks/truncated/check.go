// Package truncated defers messages that lost a part of themselves on their way, and refuses those
// that keep coming so. The walk over the message is internal/examination's; the state counts how
// often a message has come.
package truncated

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/blocklist"
	"mailweir/internal/content"
	"mailweir/internal/examination"
	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// name is the check's, and that of its space in the state: truncated|DIGEST.
const name = "truncated"

// Check has messages sent again that lost a part of themselves on their way.
var Check = &policy.Check{
	Name:  name,
	Title: "messages that ended early",
	Help: `Finds messages that are not whole: a multipart without its closing boundary or without any part, an end inside a part's header,
base64 that ends inside a group of four, NUL octets, an attached message that is empty. The sender is asked to try again; when the
same message comes for the third time within a week, known by sender and Message-Id (else by its header section), the reply is permanent, so
that the sender learns of it. Some programs never write the closing boundary, so look at what monitor mode records before
enforcing this. ` + "`--truncated-bypass`" + ` lists senders, recipients and clients that are left alone; a sender's
entry counts where SPF or DKIM vouches for him, for trusted clients, or as ` + "`OK unverified`" + `.`,
	Mode:    policy.Monitor,
	Proof:   policy.AfterAWeek("some programs write broken messages that people want"),
	OnError: policy.Accept,
	Replies: []*policy.Reply{replyEarly, replyAgain},
	Setup: func(f *policy.Flags) policy.Build {
		list := f.Tables("bypass", "senders, recipients and clients whose messages may end early", blocklist.BypassUse())
		return func(env *policy.Env) (policy.Hooks, error) {
			bypass, err := list.Open(env)
			if err != nil {
				return policy.Hooks{}, err
			}
			rule := &rule{store: env.State, bypass: blocklist.Bypass{List: bypass}}
			rule.exam = examination.For(env, func(m *policy.Message) (content.Needs, bool) { return 0, rule.bypassed(m) == "" })
			rule.seen = policy.NewQuestion[string](env, env.State, bypass)
			return rule.hooks(), nil
		}
	},
}

const (
	tries = 3                  // the reply to this one is permanent
	keep  = 7 * 24 * time.Hour // longer than any MTA keeps trying
)

type rule struct {
	exam   *examination.Reader
	store  state.Store
	bypass blocklist.Bypass
	seen   policy.Question[string] // how often; its answer is the key of the message
}

func (t *rule) hooks() policy.Hooks {
	return policy.Hooks{
		Header:  t.exam.Header,
		Body:    t.exam.Body,
		Headers: t.bypass.KeepHook(),
		Message: t.message,
		SettleMessage: func(ctx context.Context, m *policy.Message, o policy.Outcome) {
			t.exam.Settle(ctx, m, o)
			t.settle(ctx, m, o)
		},
	}
}

// bypassed says which entry leaves the message alone, as far as that is known without waiting: one
// recipient in the list is enough, because all share its fate.
func (t *rule) bypassed(m *policy.Message) (by string) {
	if t.bypass.List == nil {
		return ""
	}
	by = t.bypass.Message(m)
	for r := range m.Recipients() {
		by = cmp.Or(by, t.bypass.Recipient(r))
	}
	return by
}

func (t *rule) message(m *policy.Message) (policy.Verdict, error) {
	if by := t.bypassed(m); by != "" {
		return policy.Pass.Because("bypass: %s", by), nil
	}
	result, err := t.exam.Finish(m)
	if err != nil || len(result.Symptoms) == 0 {
		return policy.Pass, err
	}
	key, signs := messageKey(m), symptoms(result)
	recipients := slices.Collect(m.Recipients())
	return t.seen.Later(m, func(ctx context.Context) (string, policy.Verdict, error) {
		before, err := t.before(ctx, key)
		if err != nil {
			return "", policy.Pass, err
		}
		reply := replyEarly
		if before+1 >= tries {
			reply = replyAgain
		}
		objection := policy.Object(reply).Because("%s; seen %d times before", signs, before)
		v, err := t.bypass.Spare(ctx, objection, m, recipients...)
		return key, v, err
	}), nil
}

// before is how often the message has been answered already.
func (t *rule) before(ctx context.Context, key string) (int, error) {
	results, err := t.store.Do(ctx, state.Get(key))
	if err != nil || !results[0].Found {
		return 0, err
	}
	return strconv.Atoi(string(results[0].Value))
}

// settle counts the message if that is what became of it.
func (t *rule) settle(ctx context.Context, m *policy.Message, o policy.Outcome) {
	key, ok := t.seen.Of(m)
	if !ok || o.Check != name && !slices.Contains(o.Would, name) {
		return
	}
	_, _ = t.store.Do(ctx, state.Add(key, 1, keep)) // if it fails, the next try counts
}

// messageKey knows the message again: by its sender, and its Message-Id or else its whole header
// section.
func messageKey(m *policy.Message) string {
	sum := sha256.New()
	_, _ = io.WriteString(sum, m.Sender.Key()+"\x00")
	if id := m.Values("Message-Id"); len(id) > 0 && strings.TrimSpace(id[0]) != "" {
		_, _ = io.WriteString(sum, strings.TrimSpace(id[0]))
	} else {
		for _, f := range m.Fields {
			_, _ = io.WriteString(sum, "\x00"+f.Name+"\x00"+f.Value)
		}
	}
	return state.Key(name, hex.EncodeToString(sum.Sum(nil)))
}

func symptoms(result *content.Result) string {
	var list []string
	for _, s := range result.Symptoms {
		list = append(list, string(s))
	}
	return strings.Join(list, ", ")
}

var replyEarly = &policy.Reply{
	ID: "truncated", Row: "T5", Code: 451, Enhanced: "4.6.0", Text: "Message ended early",
	Description: "The message is not whole: a closing boundary, the rest of an encoded part, or a declared part is missing, or it holds NUL octets. The event tells which.",
	Resolution:  "The sender's server tries again by itself. If that continues, the program that wrote the message is at fault; add the sender to --truncated-bypass if its mail is wanted as it is.",
	Advice:      "Your message did not arrive whole; your mail server tries again by itself.",
	Lifts: []policy.Lift{
		{Table: "truncated-bypass", Entry: "{sender} OK", Vouched: true, Says: "Messages from {sender} may end early, while SPF or DKIM vouches for the sender."},
		{Table: "truncated-bypass", Entry: "{client} OK", Says: "Messages from {client} may end early."},
	},
}

var replyAgain = &policy.Reply{
	ID: "truncated-again", Row: "T5", Code: 554, Enhanced: "5.6.0", Text: "Message ended early",
	Description: "The same message, known by sender and Message-Id, came a third time and was still not whole, so another try would not help.",
	Resolution:  "The sender writes the message again, or mends the program that wrote it. The administrator may add the sender to --truncated-bypass.",
	Advice:      "Your message did not arrive whole, three times; please write it again.",
	Lifts: []policy.Lift{
		{Table: "truncated-bypass", Entry: "{sender} OK", Vouched: true, Says: "Messages from {sender} may end early, while SPF or DKIM vouches for the sender."},
		{Table: "truncated-bypass", Entry: "{client} OK", Says: "Messages from {client} may end early."},
	},
}
