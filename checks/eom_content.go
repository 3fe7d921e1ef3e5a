package checks

import (
	"fmt"
	"strings"

	"mailweir/internal/content"
	"mailweir/internal/policy"
	"mailweir/internal/table"
)

// Content refuses messages by what a person would read in them.
var Content = &policy.Check{
	Name:  "content",
	Title: "messages whose content is under a policy",
	Help: `Examines subject, text, HTML and attachments by the definitions of ` + "`--content-definition`" + `: words, phrases and patterns with
weights, which together must reach the definition's activation. content.md describes the files. Definitions apply side by side, and
the strictest action of those that fire counts: reject, defer, quarantine and tag, monitor. Tagging adds a field
` + "`X-Mailweir-Content`" + ` with the definition's name; quarantine has the MTA hold the message. Both change the message
for all of its recipients, and only in mode enforce.

` + "`--content-bypass`" + ` lists senders, recipients and clients whose mail is not examined. What matched is
named by file and line, never by its text.`,
	Mode:    policy.Enforce,
	OnError: policy.Accept,
	Bypass:  policy.BypassAlwaysAccept,
	Fold:    policy.FoldAny,
	Replies: []*policy.Reply{replyContent},
	Setup: func(f *policy.Flags) policy.Build {
		files := f.Files("definition", "definition file")
		list := f.Tables("bypass", "senders, recipients and clients whose mail is not examined")
		memory := f.Size("memory", content.DefaultBudget, "memory that all examinations at once may use")
		return func(env *policy.Env) (policy.Hooks, error) {
			if len(*files) == 0 {
				return policy.Hooks{Off: "no --content-definition"}, nil
			}
			definitions, err := content.Load(*files...)
			if err != nil {
				return policy.Hooks{}, err
			}
			rule := contentRule{examinations: examinationsOf(env)}
			if rule.bypass.list, err = env.List("bypass", *list, table.Permits); err != nil {
				return policy.Hooks{}, err
			}
			options := content.Options{Budget: content.NewBudget(int64(*memory)), Now: env.Clock}
			if rule.examinations.examiner, err = content.NewExaminer(definitions, options); err != nil {
				return policy.Hooks{}, err
			}
			return rule.hooks(), nil
		}
	},
}

type contentRule struct {
	examinations *examinations
	bypass       bypass
}

func (c contentRule) hooks() policy.Hooks {
	return policy.Hooks{
		Headers: func(m *policy.Message) (policy.Verdict, error) {
			if !c.bypass.message(m) {
				c.examinations.want(m, content.Text, "content")
			}
			return policy.Pass, nil
		},
		Body: func(m *policy.Message, chunk []byte) { c.examinations.body(m, chunk, "content") },
		Message: func(m *policy.Message) (policy.Verdict, error) {
			if c.bypass.message(m) {
				return policy.Pass, nil
			}
			result, err := c.examinations.finish(m)
			return policy.Pass.Because("%s", limitsReached(result, "")), err
		},
		MessageFor: func(r *policy.Recipient) (policy.Verdict, error) {
			if c.bypass.message(r.Msg) || c.bypass.recipient(r) {
				return policy.Pass, nil
			}
			result, err := c.examinations.finish(r.Msg)
			if err != nil {
				return policy.Pass, nil // as said by the hook before
			}
			return judgeContent(r, result), nil
		},
		SettleMessage: c.examinations.settle,
	}
}

// tagField is what a definition with !action tag adds, with its name.
const tagField = "X-Mailweir-Content"

// judgeContent applies the definitions that are meant for this recipient. The strictest action of those that fire counts.
func judgeContent(r *policy.Recipient, result *content.Result) policy.Verdict {
	var change policy.Change
	fired := make(map[content.Action]policy.Verdict)
	for _, o := range result.Outcomes {
		d := o.Definition
		if !o.Fired || !d.Applies(r.Direction.String(), r.Msg.Sender.Key(), r.Address.Key()) {
			continue
		}
		switch d.Action {
		case content.Tag:
			change.Fields = append(change.Fields, policy.Field{Name: tagField, Value: d.Name})
		case content.Quarantine:
			change.Quarantine = "content: " + d.Name
		}
		if _, known := fired[d.Action]; !known {
			fired[d.Action] = policy.Object(replyContent).Because("%s%s", firedBy(o), limitsReached(result, "; "))
		}
	}
	for _, action := range []content.Action{content.Reject, content.Defer, content.Quarantine, content.Tag} {
		v, ok := fired[action]
		switch {
		case !ok:
		case action == content.Reject:
			return v
		case action == content.Defer:
			return v.Deferred()
		default:
			return v.Changing(change)
		}
	}
	return fired[content.Monitor].Monitored()
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

var replyContent = &policy.Reply{
	ID: "content", Row: "P15", Code: 550, Enhanced: "5.7.1", Text: "Message bounced due to Content Examination Policy",
	Description: "Words or patterns in the message reached the score of a content definition. The event names the definition and the lines that matched.",
	Resolution:  "The sender rewords the message. The administrator adjusts the definition, or adds a bypass (--content-bypass).",
}
