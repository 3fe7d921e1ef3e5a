// Package why tells a decision in words, and what reached or did not reach a recipient. A [Teller]
// returns data; the command prints it, and the console shows it.
package why

import (
	"net/netip"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/trace"
)

// Telling is a decision, told. Its texts may hold what untrusted clients chose: whoever shows them
// cleans them.
type Telling struct {
	Version int    `json:"version"`
	ID      string `json:"id"`
	// Summary says in one sentence what happened to whom.
	Summary string `json:"summary"`
	// Facts are who, when and what, in the order in which people read them.
	Facts []Fact `json:"facts"`
	Check Check  `json:"check"`
	Cause string `json:"cause,omitempty"`
	// Places are the lines of files that the cause names.
	Places []Place `json:"places,omitempty"`
	// Err is the error of a check that could not judge.
	Err string `json:"error,omitempty"`
	// Queries are what was asked and answered for the decision.
	Queries []trace.Query `json:"queries,omitempty"`
	// Reply is what the client read, or would have; nil where nothing was to be answered.
	Reply *Reply        `json:"reply,omitempty"`
	Edits []policy.Edit `json:"edits,omitempty"`
	// Sum is set where several decisions share the id.
	Sum *Sum `json:"sum,omitempty"`
	// Message is what became of the mail transaction, nil where the record does not have it.
	Message *policy.Transaction `json:"message,omitempty"`
	// Beside are the other decisions in the same transaction.
	Beside []*policy.Event `json:"beside,omitempty"`
	// Became is what became of the mail with all its attempts, "" where it has no recipient.
	Became string `json:"became,omitempty"`
	// Since is what happened afterwards between the same sender and recipient, the oldest first.
	Since []Later `json:"since,omitempty"`
	// Ways are what would let such mail pass: the first is the one to use. There is always one, and
	// be it to say that nothing does.
	Ways []Way `json:"ways"`
	// Measures are what else people may decide about such mail: mostly what keeps it away.
	Measures []Way `json:"measures,omitempty"`
	// OwnPermit: section 2.5 of the policies lets a recipient lift this by a permit of his own.
	OwnPermit bool `json:"own_permit,omitempty"`
	// ForSender is to be pasted into an answer to the sender; none where he read nothing.
	ForSender []string `json:"for_sender,omitempty"`
	// Again says that a refused message must be sent again, "" where nothing was refused.
	Again string `json:"again,omitempty"`
	// Event is the decision as it was recorded.
	Event *policy.Event `json:"event"`
}

// tellingVersion is the version of the JSON of a [Telling].
const tellingVersion = 1

// Fact is one line of who, when and what.
type Fact struct {
	Label string `json:"label"`
	Text  string `json:"text"`
}

// Check is the check that decided.
type Check struct {
	Name  string      `json:"name"`
	Title string      `json:"title,omitempty"`
	Mode  policy.Mode `json:"mode"`
	// Says is what the mode meant for this mail.
	Says       string       `json:"says"`
	Stage      policy.Stage `json:"stage"`
	AnsweredAt policy.Stage `json:"answered_at"`
}

// Place is a line of a file.
type Place struct {
	File string `json:"file"`
	Line int    `json:"line"`
}

// Reply is an answer with its declaration.
type Reply struct {
	ID  string `json:"id"`
	Row string `json:"row,omitempty"`
	// Line is the reply as sent.
	Line string `json:"line"`
	// Overridden: --replies has other words than the declaration.
	Overridden  bool   `json:"overridden,omitempty"`
	Description string `json:"description,omitempty"`
	Resolution  string `json:"resolution,omitempty"`
}

// Sum is what decisions that share an id have together.
type Sum struct {
	Times          int          `json:"times"`
	Alike          string       `json:"alike"`
	First          time.Time    `json:"first"`
	Last           time.Time    `json:"last"`
	Clients        []netip.Addr `json:"clients,omitempty"`
	ClientCount    int          `json:"client_count,omitempty"`
	Senders        []string     `json:"senders,omitempty"`
	SenderCount    int          `json:"sender_count,omitempty"`
	Recipients     []string     `json:"recipients,omitempty"`
	RecipientCount int          `json:"recipient_count,omitempty"`
}

// Later is something that happened afterwards.
type Later struct {
	Time time.Time `json:"time"`
	// What is an action or a fate: "refused", "accepted".
	What string `json:"what"`
	Text string `json:"text"`
	// ID is that of its event, QueueID of its message, where there is one.
	ID      string `json:"id,omitempty"`
	QueueID string `json:"queue_id,omitempty"`
}

// Way is something that would let such mail pass.
type Way struct {
	// Operation is GROUP/NAME, Words what its command is given: "greylist/pass",
	// "--from=a@example.net".
	Operation string   `json:"operation,omitempty"`
	Words     []string `json:"words,omitempty"`
	// Table is the flag of a list, without hyphens, Entry a line for it, Files what the flag names
	// now.
	Table string   `json:"table,omitempty"`
	Entry string   `json:"entry,omitempty"`
	Files []string `json:"files,omitempty"`
	// Setting is a flag that would have to be given in another way.
	Setting string `json:"setting,omitempty"`
	// Says is what it does, and for whom. Alone it says that nothing does.
	Says string `json:"says"`
	// Vouched: it counts only while SPF or DKIM vouches for the sender. Sure: it is known that it
	// does, or does not matter.
	Vouched bool `json:"vouched,omitempty"`
	Sure    bool `json:"sure"`
	// Command is what to type, "" where it is not one command.
	Command string `json:"command,omitempty"`
}
