// Package content refuses, tags or quarantines messages by the definitions of --content-definition.
// The walk over the message is internal/examination's, the matching internal/content's; nothing is
// remembered beyond the message.
package content

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"mailweir/internal/blocklist"
	"mailweir/internal/content"
	"mailweir/internal/examination"
	"mailweir/internal/policy"
)

// Check refuses messages by what a person would read in them.
var Check = &policy.Check{
	Name:  "content",
	Title: "messages whose content is under a policy",
	Help: `Examines subject, text, HTML and attachments by the definitions of ` + "`--content-definition`" + `: words, phrases and patterns with
weights, which together must reach the definition's activation. docs/checks/content.md describes the files. Definitions apply side by side, and
the strictest action of those that fire counts: reject, defer, quarantine and tag, monitor. Tagging adds a field
` + "`X-Mailweir-Content`" + ` with the definition's name; quarantine has the MTA hold the message. Both change the message
for all of its recipients, and only in mode enforce.

` + "`--content-bypass`" + ` lists senders, recipients and clients whose mail is not refused for its content. A sender's entry counts
where SPF or DKIM vouches for him, for trusted clients, or as ` + "`OK unverified`" + `; that it has counted is an event ` + "`noted`" + `. What matched is
named by file and line, never by its text.`,
	Mode:      policy.Enforce,
	Proof:     policy.AfterAWeek("words that you have thought of as bad may stand in mail that is wanted"),
	OnError:   policy.Accept,
	Exempt:    policy.ExemptAlwaysAccept,
	Aggregate: policy.AggregateAny,
	Replies:   []*policy.Reply{reply},
	Setup: func(f *policy.Flags) policy.Build {
		files := f.Files("definition", "definition file")
		list := f.Tables("bypass", "senders, recipients and clients whose mail is not examined", blocklist.BypassUse())
		memory := f.Size("memory", content.DefaultBudget, "memory that all examinations at once may use")
		return func(env *policy.Env) (policy.Hooks, error) {
			if len(*files) == 0 {
				return policy.Hooks{Off: "no --content-definition"}, nil
			}
			rule := rule{cause: policy.NewSlot[string](env)}
			rule.exam = examination.For(env, func(m *policy.Message) (content.Needs, bool) {
				return content.Text, rule.bypass.Message(m) == ""
			})
			definitions, err := rule.exam.JudgeBy(*files, int64(*memory))
			if err != nil {
				return policy.Hooks{}, err
			}
			if err := showNames(definitions); err != nil {
				return policy.Hooks{}, err
			}
			if rule.bypass.List, err = list.Open(env); err != nil {
				return policy.Hooks{}, err
			}
			hooks := rule.hooks()
			hooks.Remarks = sameNames(definitions)
			return hooks, nil
		}
	},
}

// showNames refuses definitions whose names a message or the MTA's log could not show as they are.
func showNames(definitions []*content.Definition) error {
	for _, d := range definitions {
		if (d.Action == content.Tag || d.Action == content.Quarantine) && policy.Clean(d.Name) != d.Name {
			return fmt.Errorf("--content-definition: %+q: !action %s shows the file's name, so that may hold printable ASCII only, without brackets, and at most 200 of them: rename it",
				d.File, d.Action)
		}
	}
	return nil
}

// sameNames tells of definitions that a tag would not tell apart.
func sameNames(definitions []*content.Definition) (remarks []string) {
	files := make(map[string]string)
	for _, d := range definitions {
		if d.Action != content.Tag {
			continue
		}
		if first, known := files[d.Name]; known {
			remarks = append(remarks, fmt.Sprintf("content: %s and %s both tag messages as %q; rename one to tell them apart", first, d.File, d.Name))
			continue
		}
		files[d.Name] = d.File
	}
	return remarks
}

type rule struct {
	exam   *examination.Reader
	bypass blocklist.Bypass
	cause  policy.Slot[string] // of the message: all that fires, whoever gets it
}

func (c rule) hooks() policy.Hooks {
	return policy.Hooks{
		Header:  c.exam.Header,
		Body:    c.exam.Body,
		Headers: c.bypass.KeepHook(),
		Message: func(m *policy.Message) (policy.Verdict, error) {
			if by := c.bypass.Message(m); by != "" {
				return policy.Pass.Because("bypass: %s", by), nil
			}
			result, err := c.exam.Finish(m)
			if err != nil {
				return policy.Pass, err
			}
			*c.cause.Of(m) = c.fired(m, result)
			return policy.Pass.Because("%s", examination.LimitsReached(result, "")), nil
		},
		MessageFor: func(r *policy.Recipient) (policy.Verdict, error) {
			if by := cmp.Or(c.bypass.Message(r.Msg), c.bypass.Recipient(r)); by != "" {
				return policy.Pass.Because("bypass: %s", by), nil
			}
			result, err := c.exam.Finish(r.Msg)
			if err != nil {
				return policy.Pass, nil // as said by the hook before
			}
			return c.bypass.Unless(judge(r, result).Because("%s", *c.cause.Of(r.Msg)), r.Msg, r)
		},
		SettleMessage: c.exam.Settle,
	}
}

// tagField is what a definition with !action tag adds, with its name.
const tagField = "X-Mailweir-Content"

// judge applies the definitions that are meant for this recipient. The strictest action of those
// that fire counts.
func judge(r *policy.Recipient, result *content.Result) policy.Verdict {
	var edits []policy.Edit
	var held []string
	fires := make(map[content.Action]bool)
	for _, o := range result.Outcomes {
		d := o.Definition
		if !firesFor(r, o) {
			continue
		}
		fires[d.Action] = true
		switch d.Action {
		case content.Tag:
			edits = append(edits, policy.AddField(tagField, d.Name))
		case content.Quarantine:
			held = append(held, d.Name)
		}
	}
	if len(held) > 0 {
		edits = slices.Insert(edits, 0, policy.Quarantine("content: "+strings.Join(held, ", ")))
	}
	switch {
	case fires[content.Reject]:
		return policy.Object(reply)
	case fires[content.Defer]:
		return policy.Object(reply).Deferred()
	case len(edits) > 0:
		return policy.Edits(edits...)
	case fires[content.Monitor]:
		return policy.Object(reply).Monitored()
	}
	return policy.Pass
}

// firesFor reports whether a definition fires and is meant for this recipient.
func firesFor(r *policy.Recipient, o content.Outcome) bool {
	return o.Fired && o.Definition.Applies(r.Direction.String(), r.Msg.Sender.Key(), r.Address.Key())
}

// fired names every definition that fires for one of the recipients, and the limits that were
// reached. A message has one event, for the strictest action, and the others would leave no trace:
// the more so a definition that only monitors.
func (c rule) fired(m *policy.Message, result *content.Result) string {
	var list []string
	for _, o := range result.Outcomes {
		meant := func(r *policy.Recipient) bool { return firesFor(r, o) && c.bypass.Recipient(r) == "" }
		if m.AnyRecipient(meant) {
			list = append(list, firedBy(o))
		}
	}
	return strings.Join(list, "; ") + examination.LimitsReached(result, "; ")
}

// firedBy names the definition, its action, its score and the lines that hit; never the text.
func firedBy(o content.Outcome) string {
	var lines []string
	for _, h := range o.Hits {
		lines = append(lines, fmt.Sprintf("%s ×%d in %s", h.Entry.Position(), h.Count, h.Sections))
	}
	const most = 10
	if len(lines) > most {
		lines = append(lines[:most], fmt.Sprintf("and %d more", len(o.Hits)-most))
	}
	d := o.Definition
	return fmt.Sprintf("%s: score %d of %d, %s (%s)", d.File, o.Score, d.Activation, d.Action, strings.Join(lines, ", "))
}

var reply = &policy.Reply{
	ID: "content", Row: "P15", Offence: policy.OffenceBlocked, Code: 550, Enhanced: "5.7.1", Text: "Message bounced due to Content Examination Policy",
	Description: "Words or patterns in the message reached the score of a content definition. The event names the definition and the lines that matched.",
	Resolution:  "The sender rewords the message. The administrator adjusts the definition, or adds a bypass (--content-bypass).",
	Advice:      "Please word your message in another way, or ask the recipient how to send it.",
	Lifts: []policy.Lift{
		{Table: "content-bypass", Entry: "{sender} OK", Vouched: true, Says: "Mail from {sender} is no longer examined, while SPF or DKIM vouches for the sender."},
		{Table: "content-bypass", Entry: "{to} OK", Says: "Mail to {to} is no longer examined."},
	},
}
