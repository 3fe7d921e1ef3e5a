package auth

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"mailweir/internal/policy"
)

// session is the stream of one smtpd.
type session struct {
	server *Server
	conn   net.Conn
	number uint64
	name   string // in the log
	busy   bool   // guarded by the server's lock

	in        *lines
	exchanges Exchanges
	now       exchange
}

// exchange is one attempt to log in.
type exchange struct {
	request
	seen glance
	// asked says that the milter has been asked.
	asked bool
}

func newSession(s *Server, conn net.Conn, number uint64) *session {
	return &session{server: s, conn: conn, number: number, name: policy.NewID(), in: newLines(conn)}
}

// answerTime is how long an answer may take: Postfix waits 10 s.
const answerTime = 9 * time.Second

func (c *session) serve() {
	c.server.o.Counts.streams.Inc()
	defer c.server.o.Counts.streams.Dec()
	defer func() {
		if recover() != nil {
			c.server.o.Defect(debug.Stack())
		}
		c.now.seen.wipe()
		c.in.wipe()
		if c.exchanges != nil {
			c.exchanges.Close()
		}
		_ = c.conn.Close()
	}()
	for {
		line, err := c.in.next()
		if err != nil || !c.server.use(c) {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), answerTime)
		goesOn := c.line(ctx, line)
		cancel()
		if !c.server.rest(c) || !goesOn {
			return
		}
	}
}

// greeting is our side of the handshake. The cookie is for clients that ask a Dovecot for the user
// later; there is nothing to ask here.
func (c *session) greeting() []byte {
	var cookie [16]byte
	_, _ = rand.Read(cookie[:]) // it never fails
	var b bytes.Buffer
	b.WriteString("VERSION\t1\t2\n")
	for _, m := range c.server.o.Judge.Mechanisms() {
		b.WriteString(strings.Join(append([]string{"MECH", m.Name}, m.Flags...), "\t") + "\n")
	}
	fmt.Fprintf(&b, "SPID\t%d\nCUID\t%d\nCOOKIE\t%s\nDONE\n", os.Getpid(), c.number, hex.EncodeToString(cookie[:]))
	return b.Bytes()
}

// line acts on a line of smtpd, and reports false when the stream is to end. Lines of later
// versions mean nothing.
func (c *session) line(ctx context.Context, line []byte) bool {
	command, rest, _ := bytes.Cut(line, []byte("\t"))
	switch string(command) {
	case "VERSION":
		major, _, _ := bytes.Cut(rest, []byte("\t"))
		return string(major) == "1"
	case "AUTH":
		r, err := parseRequest(rest)
		return err == nil && c.start(ctx, r)
	case "CONT":
		id, response, _ := bytes.Cut(rest, []byte("\t"))
		return string(id) == c.now.id && c.now.id != "" && c.goOn(ctx, response)
	}
	return true
}

// start begins an exchange. One that is under way has been left by the client, which smtpd does not
// tell.
func (c *session) start(ctx context.Context, r request) bool {
	c.now.seen.wipe()
	c.now = exchange{request: r, seen: glance{mechanism: r.mechanism}}
	offered := func(m Mechanism) bool { return m.Name == r.mechanism }
	if !slices.ContainsFunc(c.server.o.Judge.Mechanisms(), offered) {
		c.now.mechanism = notOffered
		return c.unavailable("the client wants a mechanism that is not offered, or no longer", nil)
	}
	if r.hasResponse {
		c.now.seen.see(r.response)
	}
	if c.blocked(ctx) {
		return false
	}
	if c.exchanges == nil {
		c.exchanges = c.server.o.Judge.Begin()
	}
	return c.answer(ctx)(c.exchanges.Start(ctx, &c.now.request, &c.now.seen))
}

// notOffered stands for all mechanisms that are not: they are the client's words.
const notOffered = "other"

// goOn takes a further response.
func (c *session) goOn(ctx context.Context, response []byte) bool {
	c.now.seen.see(response)
	if c.blocked(ctx) {
		return false
	}
	return c.answer(ctx)(c.exchanges.Continue(ctx, response, &c.now.seen))
}

// blocked asks the milter, before a password is looked at and once it is known whose it is, where
// that is to be seen. It reports true when the stream is to end: there is no other way to 454.
func (c *session) blocked(ctx context.Context) bool {
	if c.now.asked || c.server.o.Milter == nil || !c.now.client.IsValid() {
		return false
	}
	if c.now.seen.worthWaiting() {
		return false
	}
	c.now.asked = true
	is, cause, err := c.server.o.Milter.Ask(ctx, c.login())
	if err != nil || !is {
		return false // the milter being away blocks nobody
	}
	if !c.server.o.Mode.Refuses() {
		c.record(c.server.o.Unavailable, policy.ActionWould, cause, nil)
		return false
	}
	c.count("blocked")
	c.record(c.server.o.Unavailable, policy.ActionDeferred, cause, nil)
	return true
}

// login is what is known of the attempt.
func (c *session) login() policy.Login {
	return policy.Login{Client: c.now.client, Name: c.now.seen.name()}
}

// answer says what came of a response, and reports false when the stream is to end.
func (c *session) answer(ctx context.Context) func(answer, error) bool {
	return func(a answer, err error) bool {
		switch {
		case err != nil:
			return c.unavailable("", err)
		case a.kind == challenged:
			return c.say("CONT", a.challenge)
		case a.kind == right:
			c.succeeded(ctx, a.user)
			return c.say("OK", "user="+a.user)
		}
		c.failed(ctx, a.cause)
		fields := []string{"reason=" + c.server.o.Reason}
		if name := c.now.seen.name(); name != "" {
			fields = append([]string{"user=" + name}, fields...)
		}
		return c.say("FAIL", fields...)
	}
}

// succeeded tells of a login. One that the mechanism does not show is known by Dovecot's name.
func (c *session) succeeded(ctx context.Context, user string) {
	c.count("succeeded")
	l := c.login()
	if l.Name == "" {
		l.Name = user
	}
	c.tell(ctx, l, policy.LoginOutcome{Succeeded: true})
}

// failed tells of a wrong password and records it.
func (c *session) failed(ctx context.Context, cause string) {
	c.count("failed")
	seen := &c.now.seen
	again := seen.done && c.server.again.seen(c.now.client, strings.ToLower(seen.login), seen.password)
	if again {
		cause += ", the same as before"
	}
	c.tell(ctx, c.login(), policy.LoginOutcome{Again: again})
	c.record(c.server.o.Wrong, policy.ActionRefused, cause, nil)
}

// tellsWithin is how long telling the milter may take, when the time for an answer is over: it
// answers from memory.
const tellsWithin = 500 * time.Millisecond

// tell says what came of an attempt, also where the answer took all its time: under load all do,
// and nobody who guesses would be counted.
func (c *session) tell(ctx context.Context, l policy.Login, o policy.LoginOutcome) {
	if c.server.o.Milter == nil || !l.Client.IsValid() {
		return
	}
	until := time.Now().Add(tellsWithin)
	if deadline, ok := ctx.Deadline(); ok && deadline.After(until) {
		until = deadline
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), until)
	defer cancel()
	c.server.o.Milter.Tell(ctx, l, o)
}

// unavailable records why nobody has looked at the password, and ends the stream.
func (c *session) unavailable(cause string, err error) bool {
	c.count("unavailable")
	c.record(c.server.o.Unavailable, policy.ActionDeferred, cause, err)
	return false
}

func (c *session) count(result string) {
	c.server.o.Counts.logins.WithLabelValues(c.now.mechanism, result).Inc()
}

// record makes the event. Of what the client said only the login is in it, and only if it can be
// one: with a NUL in it, say, it holds the password as well.
func (c *session) record(reply *policy.Reply, action policy.Action, cause string, err error) {
	o := &c.server.o
	e := &policy.Event{
		Time: o.Clock(), Check: o.Check, Mode: policy.Enforce, Stage: policy.StageAuth, AnsweredAt: policy.StageAuth, Action: action,
		Reply: reply.ID, Row: reply.Row, Line: policy.Object(reply).Line(reply, policy.Enforce), Cause: "mechanism " + c.now.mechanism,
		Session: c.name, Client: c.now.client, Service: policy.Submission, Login: c.now.seen.name(),
	}
	if cause != "" {
		e.Cause += ": " + cause
	}
	if action == policy.ActionWould {
		e.Mode = policy.Monitor
	}
	if action == policy.ActionRefused {
		e.Offence = reply.Offence
	}
	if err != nil {
		e.Err = err.Error()
	}
	e.ID = o.Recorder.Identify(e)
	o.Recorder.Record(e)
}

// say writes an answer to the exchange under way.
func (c *session) say(kind string, fields ...string) bool {
	if kind != "CONT" {
		c.now.seen.wipe()
		defer func() { c.now.id = "" }()
	}
	return c.write([]byte(strings.Join(append([]string{kind, c.now.id}, fields...), "\t") + "\n"))
}

func (c *session) write(text []byte) bool {
	_ = c.conn.SetWriteDeadline(time.Now().Add(answerTime)) // a stream that is closed says so
	_, err := c.conn.Write(text)
	return err == nil
}
