package policy

import (
	"context"
	"fmt"
	"slices"
)

// Check declares one policy. Everything in it is data, but for Setup.
type Check struct {
	// Name is used everywhere: flag, log field, metric label, documentation.
	Name string
	// Title says in one line what the check does.
	Title string
	// Help is the operators' text: paragraphs of Markdown.
	Help string
	// Page names the operators' page about it, docs/checks/PAGE.md, where that is not the check's
	// own name: several checks that people think of as one have one page.
	Page string
	// Mode is the default of --NAME.
	Mode Mode
	// Proof says what is to be known before it is enforced.
	Proof Proof
	// OnError is the default of --NAME-on-error. Fails means that there is no such flag.
	OnError OnError
	// AnswerAt is the earliest stage at which an objection is answered: StageHelo, StageMail or
	// StageRcpt. What is decided later is answered at the end of the message. The zero value means
	// StageRcpt.
	AnswerAt Stage
	// Exempt lists what the check does not apply to.
	Exempt Exemption
	// Aggregate says how the verdicts of HeadersFor and MessageFor add up.
	Aggregate Aggregate
	// Replies are the check's declared replies.
	Replies []*Reply
	// Permits, if not nil, is how somebody enters what the check's Grant hook then finds: a
	// recipient's own permit.
	Permits *Lift
	// Measures are what people may decide about mail, whatever check has decided: to block its
	// sender, to switch its login off. One with a Cause is for decisions of this check.
	Measures []Lift
	// Unavailable is what the check answers before DATA when it has failed and its on-error is
	// defer; nil is what most checks answer then, [Registry.Unavailable].
	Unavailable *Reply
	// Setup registers flags and operations, and nothing else. It returns nil when the check needs
	// no building.
	Setup func(*Flags) Build
}

// Build makes the hooks of a check once a policy, after every flag is known. It opens tables and
// reports configuration errors with file and line.
type Build func(*Env) (Hooks, error)

// Hooks are a check's functions. A nil hook is not called and costs nothing. None of them waits:
// see [Question.Later].
type Hooks struct {
	// Off tells the administrator why the check has nothing to do, such as "no --rbl-zone". Set
	// when every function is nil; see Empty.
	Off string

	Connect func(*Connection) (Verdict, error)
	Helo    func(*Connection) (Verdict, error)
	Mail    func(*Message) (Verdict, error)
	Rcpt    func(*Recipient) (Verdict, error)
	// Header sees each header field as it arrives; Body each chunk, which is only valid during the
	// call.
	Header func(*Message, Field)
	Body   func(*Message, []byte)
	// Headers and Message judge the whole message, HeadersFor and MessageFor each remaining
	// recipient.
	Headers    func(*Message) (Verdict, error)
	HeadersFor func(*Recipient) (Verdict, error)
	Message    func(*Message) (Verdict, error)
	MessageFor func(*Recipient) (Verdict, error)

	// Login judges an attempt to log in before its password is looked at, and SettleLogin learns
	// what came of it.
	Login       func(*Login) (Verdict, error)
	SettleLogin func(context.Context, *Login, LoginOutcome)

	// Admit waits, at the end of a message, for a place for what is examined then, and returns how
	// to give it back; nil when there is none to be had. It has a deadline of its own.
	Admit func(context.Context) (leave func())

	// Grant yields what permits this recipient's mail, asked only when there is an objection that
	// it could bypass. An error means that there may be a permit: if something vouches for the
	// sender, the objection is answered temporarily.
	Grant func(context.Context, *Recipient) ([]Grant, error)
	// GrantAtOnce says that Grant never waits, so that it is asked where its answer is needed.
	GrantAtOnce bool

	// Settle hooks learn, after the answer has been given and off its way, once for each recipient
	// and message. A recipient who is refused is settled at once: he stands still, and so does what
	// MAIL has brought of his message, but no more of it. The others are settled with their
	// message, which then stands still as a whole. The context ends some seconds later; when it was
	// judged, the outcome says.
	SettleRecipient func(context.Context, *Recipient, Outcome)
	SettleMessage   func(context.Context, *Message, Outcome)

	// Remarks are sentences about what the administrator may not expect of the flags, for mailweir
	// check.
	Remarks []string
	// Warnings are such sentences about what stands wide open: the log has them, too, when the
	// policy comes into use.
	Warnings []string

	// Inspections ask what the check depends on whether it works; see [Inspection].
	Inspections []Inspection

	// Ready waits until the check can judge as well as it will, such as for the first test of a DNS
	// list. It is asked before a policy comes into use; the context ends soon.
	Ready func(context.Context)

	// Tick does what is due without any mail, every half minute or so while the policy is in use,
	// and tells what it found: the event's time, check, mode and id are filled in.
	Tick func(ctx context.Context, tell func(*Event))

	// Close releases what the hooks hold when the policy is no longer used by any session.
	Close func()
}

// Unseen are the hooks of a check that judges what the record does not keep: nothing is known of
// what it would say.
func Unseen() Hooks {
	return Hooks{Message: func(*Message) (Verdict, error) { return Pass, ErrNoBody }}
}

// Empty reports whether the hooks have nothing to do. Close is no work of its own: it ends what
// others have begun.
func (h *Hooks) Empty() bool {
	return h.Connect == nil && h.Helo == nil && h.Mail == nil && h.Rcpt == nil && h.Header == nil && h.Body == nil &&
		h.Headers == nil && h.HeadersFor == nil && h.Message == nil && h.MessageFor == nil && h.Grant == nil && h.Admit == nil && h.Login == nil && h.SettleLogin == nil &&
		h.SettleRecipient == nil && h.SettleMessage == nil && h.Ready == nil && h.Tick == nil
}

// Exemption is a set of what lets mail past a check: facts about client, sender and recipient, and
// permits.
type Exemption uint16

const (
	// ExemptTrusted: clients in --trusted-nets, logins and local submission.
	ExemptTrusted Exemption = 1 << iota
	// ExemptLogin: clients that authenticated.
	ExemptLogin
	// ExemptRelay: clients in --inbound-relays, whose address says nothing about the sender.
	ExemptRelay
	// ExemptPermitClient: the administrator's permit by client (--permit-clients).
	ExemptPermitClient
	// ExemptPermitSender: the administrator's permit by vouched sender (--permit-senders).
	ExemptPermitSender
	// ExemptUnvouched: the administrator's permit by sender that nothing vouches for, while SPF is
	// none or neutral.
	ExemptUnvouched
	// ExemptHeaderFrom: the administrator's permit by header From.
	ExemptHeaderFrom
	// ExemptRecipientPermit: the recipient's own permit, vouched.
	ExemptRecipientPermit
	// ExemptAutoAllow: an address that this user has written to, vouched.
	ExemptAutoAllow
	// ExemptAlwaysAccept: the only recipient is one of --always-accept.
	ExemptAlwaysAccept
)

// Names lists the members of the set in words.
func (e Exemption) Names() []string {
	words := []string{
		"trusted clients", "logins", "inbound relays", "--permit-clients", "--permit-senders (vouched)",
		"--permit-senders (not vouched)", "--permit-senders (header From)", "the recipient's own permit (vouched)", "auto-allow (vouched)",
		"--always-accept",
	}
	var names []string
	for i, word := range words {
		if e&(1<<i) != 0 {
			names = append(names, word)
		}
	}
	return names
}

// Aggregate says how the verdicts for single recipients add up once the message can only be refused
// as a whole.
type Aggregate uint8

const (
	// AggregateAny refuses the message when it objects for any remaining recipient.
	AggregateAny Aggregate = iota
	// AggregateAll refuses the message only when it objects for every remaining recipient.
	AggregateAll
	// AggregateRemove takes the recipients off the message, and refuses it when none remains.
	AggregateRemove
)

// Registry is the closed list of checks, and the order in which their objections are answered.
type Registry struct {
	Checks []*Check
	// Order lists, for each stage that has an order, the checks whose objections are resolved
	// there. A check that decides at more than one stage is named at each.
	Order map[Stage][]*Check
	// Fault declares the reply to faults of mailweir itself.
	Fault *Check
	// Unavailable answers, before DATA, for a check whose on-error is defer; Unprocessed answers
	// after it.
	Unavailable, Unprocessed *Reply
}

// Validate reports declarations that contradict each other. A test calls it, so a build never fails
// on one.
func (r *Registry) Validate() error {
	names, replies := map[string]bool{}, map[string]bool{}
	for _, c := range r.Checks {
		if names[c.Name] {
			return fmt.Errorf("check %s is declared twice", c.Name)
		}
		names[c.Name] = true
		for _, reply := range c.Replies {
			if replies[reply.ID] {
				return fmt.Errorf("reply %s is declared twice", reply.ID)
			}
			replies[reply.ID] = true
			if err := reply.Validate(); err != nil {
				return fmt.Errorf("check %s: %w", c.Name, err)
			}
		}
		if c.Unavailable != nil && !slices.Contains(c.Replies, c.Unavailable) {
			return fmt.Errorf("check %s: what it answers when it has failed is not one of its replies", c.Name)
		}
		if c != r.Fault && r.positions(c) == 0 {
			return fmt.Errorf("check %s stands in no stage of the order", c.Name)
		}
	}
	if r.Fault == nil || !slices.Contains(r.Checks, r.Fault) || len(r.Fault.Replies) == 0 || r.Fault.OnError == Fails {
		return fmt.Errorf("the check for faults must be one of the checks, with a reply and an on-error")
	}
	for stage, list := range r.Order {
		for _, c := range list {
			if !slices.Contains(r.Checks, c) {
				return fmt.Errorf("%s stands in the order of stage %s, but is none of the checks", c.Name, stage)
			}
		}
	}
	for _, reply := range []*Reply{r.Unavailable, r.Unprocessed} {
		if reply == nil || !replies[reply.ID] {
			return fmt.Errorf("the replies for check errors must belong to a check")
		}
	}
	return nil
}

func (r *Registry) positions(c *Check) int {
	n := 0
	for _, list := range r.Order {
		if slices.Contains(list, c) {
			n++
		}
	}
	return n
}

// Replies returns every declared reply with its check, in the order of declaration.
func (r *Registry) Replies(yield func(*Check, *Reply) bool) {
	for _, c := range r.Checks {
		for _, reply := range c.Replies {
			if !yield(c, reply) {
				return
			}
		}
	}
}
