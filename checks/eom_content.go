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
weights, which together must reach the definition's activation. content.md describes the files. Definitions apply side by side;
` + "`--content-bypass`" + ` lists senders, recipients and clients whose mail is not examined. What matched is
named by file and line, never by its text.`,
	Mode:    policy.Enforce,
	OnError: policy.Accept,
	Bypass:  policy.BypassAlwaysAccept,
	Fold:    policy.FoldAny,
	Replies: []*policy.Reply{replyContent},
	Setup: func(f *policy.Flags) policy.Build {
		files := f.Files("definition", "definition file")
		bypass := f.Tables("bypass", "senders, recipients and clients whose mail is not examined")
		memory := f.Size("memory", content.DefaultBudget, "memory that all examinations at once may use")
		return func(env *policy.Env) (policy.Hooks, error) {
			if len(*files) == 0 {
				return policy.Hooks{Off: "no --content-definition"}, nil
			}
			definitions, err := content.Load(*files...)
			if err != nil {
				return policy.Hooks{}, err
			}
			if err := possible(definitions); err != nil {
				return policy.Hooks{}, err
			}
			list, err := env.List("bypass", *bypass, table.Permits)
			if err != nil {
				return policy.Hooks{}, err
			}
			examiner, err := content.NewExaminer(definitions, content.Options{Budget: content.NewBudget(int64(*memory)), Now: env.Clock})
			if err != nil {
				return policy.Hooks{}, err
			}
			rule := contentRule{examiner: examiner, bypass: list, slot: policy.NewSlot[contentState](env)}
			return rule.hooks(), nil
		}
	},
}

// possible reports actions that only other users of definitions know.
func possible(definitions []*content.Definition) error {
	for _, d := range definitions {
		if d.Action != content.Reject && d.Action != content.Defer && d.Action != content.Monitor {
			return fmt.Errorf("%s: !action %s: mailweir can reject, defer or monitor", d.File, d.Action)
		}
	}
	return nil
}

// contentState is the examination of one message, and what it found.
type contentState struct {
	examination *content.Examination
	result      *content.Result
}

type contentRule struct {
	examiner *content.Examiner
	bypass   *table.List
	slot     policy.Slot[contentState]
}

func (c contentRule) hooks() policy.Hooks {
	return policy.Hooks{
		Headers: func(m *policy.Message) (policy.Verdict, error) {
			c.begin(m)
			return policy.Pass, nil
		},
		Body: func(m *policy.Message, chunk []byte) {
			if x := c.slot.Of(m).examination; x != nil {
				x.Body(chunk)
			}
		},
		Message: func(m *policy.Message) (policy.Verdict, error) {
			state := c.slot.Of(m)
			if state.examination == nil {
				return policy.Pass, nil
			}
			defer c.end(m)
			var err error
			state.result, err = state.examination.Finish()
			return policy.Pass.Because("%s", limitsReached(state.result)), err
		},
		MessageFor: func(r *policy.Recipient) (policy.Verdict, error) { return c.judge(r), nil },
		SettleMessage: func(m *policy.Message, _ policy.Outcome) {
			c.end(m) // the message may have ended without its end
		},
	}
}

// begin starts the examination with the header section, unless nobody wants it.
func (c contentRule) begin(m *policy.Message) {
	if c.bypassed(m) {
		return
	}
	x := c.examiner.Begin()
	for _, f := range m.Fields {
		x.Header(f.Name, f.Value)
	}
	c.slot.Of(m).examination = x
}

func (c contentRule) end(m *policy.Message) {
	state := c.slot.Of(m)
	if state.examination != nil {
		state.examination.Close()
		state.examination = nil
	}
}

// bypassed reports whether the client or the sender is in the bypass list.
func (c contentRule) bypassed(m *policy.Message) bool {
	if permitted(c.bypass.Address(m.Sender)) {
		return true
	}
	return m.Conn.Client.IsValid() && permitted(c.bypass.Client(m.Conn.Client, m.Conn.ConnectFacts.Name))
}

// permitted reports whether an entry of a permit list permits: DUNNO does not.
func permitted(m table.Match, found bool) bool { return found && m.Action.Verb == table.OK }

// judge applies the definitions that are meant for this recipient. The strictest action of those that fire counts.
func (c contentRule) judge(r *policy.Recipient) policy.Verdict {
	result := c.slot.Of(r.Msg).result
	if result == nil || permitted(c.bypass.Address(r.Address)) {
		return policy.Pass
	}
	fired := make(map[content.Action]policy.Verdict)
	for _, o := range result.Outcomes {
		d := o.Definition
		if _, known := fired[d.Action]; known || !o.Fired || !d.Applies(r.Direction.String(), r.Msg.Sender.Key(), r.Address.Key()) {
			continue
		}
		fired[d.Action] = policy.Object(replyContent).Because("%s%s", firedBy(o), limitsReached(result))
	}
	if v, ok := fired[content.Reject]; ok {
		return v
	}
	if v, ok := fired[content.Defer]; ok {
		return v.Deferred()
	}
	return fired[content.Monitor].Monitored()
}

// limitsReached tells where the examination did not go, "" if it went everywhere.
func limitsReached(result *content.Result) string {
	if result == nil || len(result.Limits) == 0 {
		return ""
	}
	return fmt.Sprintf(" limits reached: %v", result.Limits)
}

// firedBy names the definition, its score and the lines that hit; never the text.
func firedBy(o content.Outcome) string {
	var lines []string
	for _, h := range o.Hits {
		lines = append(lines, fmt.Sprintf("%s ×%d in %s", h.Entry.Position(), h.Count, h.Sections))
	}
	const most = 10
	if len(lines) > most {
		lines = append(lines[:most], fmt.Sprintf("and %d more", len(o.Hits)-most))
	}
	return fmt.Sprintf("%s: score %d of %d (%s)", o.Definition.File, o.Score, o.Definition.Activation, strings.Join(lines, ", "))
}

var replyContent = &policy.Reply{
	ID: "content", Row: "P15", Code: 550, Enhanced: "5.7.1", Text: "Message bounced due to Content Examination Policy",
	Description: "Words or patterns in the message reached the score of a content definition. The event names the definition and the lines that matched.",
	Resolution:  "The sender rewords the message. The administrator adjusts the definition, or adds a bypass (--content-bypass).",
}
