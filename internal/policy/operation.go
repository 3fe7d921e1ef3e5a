package policy

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Operation is something that a person does at run time with what a check knows or remembers: looks
// at it, enters something, takes it back. It is declared where the check is, by [Flags.Operations]
// and [NewOperation]; the commands, and whatever else people use, are made from the declaration.
// Request and answer are JSON between the two processes.
type Operation struct {
	About
	request func(*Flags) func(args []string) (any, error)
	run     func(context.Context, *Call, []byte) (any, error)
	show    func(io.Writer, []byte) error
	list    func([]byte) (Listing, error) // nil where the answer is no list
}

// About describes an operation to people.
type About struct {
	// Name is the verb: "add" of the group tempblock is the command "mailweir tempblock add".
	Name string
	// Title says in one line what it does; Help says more, and Example shows commands.
	Title, Help, Example string
	// Args names the arguments of the command besides flags, such as "ADDRESS".
	Args string
	// Effect is what it does to what is remembered.
	Effect Effect
	// Undo gives what takes it back: the verb of the same group and its words, of those that the
	// command was given. Nil where nothing does.
	Undo func(words []string) []string
	// ByFlags: without a daemon the check's own flags must be right, because they tell under which
	// keys things stand.
	ByFlags bool
	// Daemon: only the daemon can carry it out; the state alone does not do.
	Daemon bool
	// Within is how long it may take; 0 is a minute.
	Within time.Duration
	// May are the roles that may do it besides the admin. Without it the help desk and auditors may
	// where it only looks, and nobody else.
	May []Role
	// Concerns names the recipients whom a request is about, "" for all of them. It is asked where
	// somebody may decide for some only; without it such a person may not do it at all.
	Concerns func(request []byte) []string
	// Hidden: it is for another program, and no command is made of it. Quiet: it is asked so often
	// that the log has it at the level debug only.
	Hidden, Quiet bool
}

// Effect is what an operation does.
type Effect uint8

const (
	// Looks: nothing is changed.
	Looks Effect = iota
	// Changes: something is changed, and the person can say why (--note).
	Changes
	// Enters: something is entered for some time, and the person can say why and for how long
	// (--note, --for).
	Enters
)

// UndoneBy is an Undo by a verb that takes the same words.
func UndoneBy(verb string) func([]string) []string {
	return func(words []string) []string { return append([]string{verb}, words...) }
}

// Nothing is a request that asks for nothing in particular, or an answer that says no more than
// that it is done.
type Nothing struct{}

// NewOperation declares an operation by its parts. request registers the flags of the command and
// returns what makes the request of them and of the arguments; its error says how the command is
// used. run carries the operation out; an error by [Wrongf] says what the person did wrong. show
// prints the answer; without it nothing is printed.
func NewOperation[In, Out any](about About, request func(*Flags) func(args []string) (In, error),
	run func(context.Context, *Call, In) (Out, error), show func(io.Writer, Out) error,
) Operation {
	return Operation{
		About: about,
		request: func(f *Flags) func([]string) (any, error) {
			read := request(f)
			return func(args []string) (any, error) { return read(args) }
		},
		run: func(ctx context.Context, c *Call, data []byte) (any, error) {
			var in In
			if err := json.Unmarshal(data, &in); err != nil {
				return nil, Wrongf("malformed request: %v", err)
			}
			return run(ctx, c, in)
		},
		show: func(out io.Writer, data []byte) error {
			if show == nil {
				return nil
			}
			var answer Out
			if err := json.Unmarshal(data, &answer); err != nil {
				return fmt.Errorf("malformed answer: %w", err)
			}
			return show(out, answer)
		},
	}
}

// Request registers the flags of the operation's command, and returns what makes the request of
// them and of the arguments.
func (o Operation) Request(f *Flags) func(args []string) (any, error) { return o.request(f) }

// Run carries the operation out with a request in JSON. What it returns is to be made JSON.
func (o Operation) Run(ctx context.Context, c *Call, request []byte) (any, error) {
	return o.run(ctx, c, request)
}

// Show prints an answer in JSON.
func (o Operation) Show(out io.Writer, answer []byte) error { return o.show(out, answer) }

// Unasked is the request of an operation that takes neither flags nor arguments.
func Unasked(*Flags) func([]string) (Nothing, error) {
	return func(args []string) (Nothing, error) { return Nothing{}, NoArguments(args) }
}

// NoArguments refuses arguments.
func NoArguments(args []string) error {
	if len(args) > 0 {
		return Wrongf("unexpected argument %s", args[0])
	}
	return nil
}

// OperationGroup is what a check, or another part of the program, lets people do: "mailweir NAME
// VERB".
type OperationGroup struct {
	Name, Title string
	Operations  []Operation
}

// Call is one use of an operation: who wants it and why, and what it works with.
type Call struct {
	Backends *Backends
	// Delimiter separates an address from its extension (--recipient-delimiter).
	Delimiter string
	// By is who asks.
	By Person
	// Why is what he says about it; For is how long an entry is to last, 0 until it is taken back.
	Why string
	For time.Duration
	// Known is what is known around the state.
	Known Known

	changes []Alteration
	failed  string
}

// Person is who does something at run time.
type Person struct {
	// Name is the user's name, UID his number on this host, -1 where he has none.
	Name string `json:"by"`
	UID  int    `json:"uid"`
	// From is where he came from, such as the control socket.
	From string `json:"from"`
	// Role says what he may do, Remit whose mail is his business; nil is everybody's.
	Role  Role   `json:"role,omitempty"`
	Remit *Remit `json:"-"`
}

// Alteration is one thing that an operation has changed, for the audit: before and after in words,
// "" for not there.
type Alteration struct {
	What   string `json:"what"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// Altered notes for the audit what the operation has changed.
func (c *Call) Altered(what, before, after string) {
	c.changes = append(c.changes, Alteration{what, before, after})
}

// Alterations are what has been noted.
func (c *Call) Alterations() []Alteration { return c.changes }

// Fail notes for the audit why the operation has not done what it is for, where its answer says so
// and it returns no error.
func (c *Call) Fail(why string) { c.failed = why }

// Failed is why the operation has failed by its answer, "" if it has not.
func (c *Call) Failed() string { return c.failed }

// WrongError says what a person did wrong; nothing else is the matter.
type WrongError struct{ Text string }

func (e *WrongError) Error() string { return e.Text }

// Wrongf returns a [WrongError].
func Wrongf(format string, args ...any) error { return &WrongError{fmt.Sprintf(format, args...)} }
