package policy

import (
	"net/netip"
	"time"

	"mailweir/internal/trace"
)

// Event is the record of one decision that was not "go on", or in monitor mode would not have been.
type Event struct {
	// ID names the event everywhere: in the reply, the log and every later question.
	ID   string
	Time time.Time

	Check string
	Mode  Mode
	// Stage is where the check decided, AnsweredAt where the client read it.
	Stage, AnsweredAt Stage
	Action            Action
	// Reply and Row name the declaration; Line is what the client read, or would have.
	Reply, Row string
	Line       Line
	// Change is what was done to a message that went on.
	Change Change
	// Cause is for the administrator: which entry, list or figure.
	Cause string
	// Err is why the check could not tell, "" when it could.
	Err string
	// Stack is where mailweir itself failed, for a fault that was a panic.
	Stack string

	Session    string
	Client     netip.Addr
	ClientName string
	Helo       string
	Service    Service
	Login      string
	// Sender is as the MTA wrote it; HasSender tells the null sender from none.
	Sender    string
	HasSender bool
	// Recipients are those concerned, the first few of them; Count is how many there are.
	Recipients []string
	Count      int
	Direction  string
	QueueID    string
	// Trace is what was asked of the world outside for this decision, and what it answered.
	Trace []trace.Query
}

// Action is what an event did.
type Action uint8

const (
	ActionRefused    Action = iota // a permanent reply
	ActionDeferred                 // a temporary reply
	ActionRemoved                  // a recipient was taken off
	ActionChanged                  // the message went on, changed
	ActionWould                    // monitored: nothing was done
	ActionError                    // could not tell, and the mail went on
	ActionNotRetried               // deferred mail did not come back
	ActionIncomplete               // the client gave up, or its message was kept from us
	ActionUnexamined               // a limit kept a part of the message from being examined
)

var actionNames = [...]string{"refused", "deferred", "removed", "changed", "would refuse", "could not tell", "not retried", "incomplete", "unexamined"}

// String returns the action as it is written in logs and metrics.
func (a Action) String() string { return actionNames[a] }

// Observer sees every decision and every outcome. It is the one place that writes log, metrics and, later, a
// record. Its methods are called from any goroutine and must not wait.
type Observer interface {
	// Identify returns the id for an event before its reply is built. Events that are alike share one when there
	// are too many of them.
	Identify(*Event) string
	// Record takes the finished event.
	Record(*Event)
	// Settled takes the outcome of a message, accepted ones too.
	Settled(*Message, Outcome)
	// Defect takes a panic in a Settle hook.
	Defect(error)
	// Opened and Closed count connections.
	Opened(*Connection)
	Closed(*Connection)
	// Took is told how long mailweir worked and waited for an answer.
	Took(Stage, time.Duration)
}
