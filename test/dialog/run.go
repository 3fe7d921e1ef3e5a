package dialog

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"mailweir/test/testbed"
)

// Runner runs dialogs. It may run several at once.
type Runner struct {
	// Record is a directory for mailweir's log of each dialog, "" for none.
	Record string
	// State is where checks remember in dialogs that do not say so: "memory", "file" or "redis",
	// "memory" if empty.
	State string
	// Unrecorded says that the program keeps no record, so that none is looked into.
	Unrecorded bool

	binary string
	pool   pool
}

// NewRunner returns a runner of dialogs with the mailweir program at binary. The
// MTAs that it starts live until the end of the test tb.
func NewRunner(tb testbed.TB, binary string) *Runner {
	return &Runner{binary: binary, pool: pool{parent: tb, idle: make(map[poolKey][]*testbed.MTA)}}
}

// run is the state of one dialog that is being run.
type run struct {
	script *Script
	state  string // where checks remember
	// unrecorded: no record is looked into.
	unrecorded bool
	mta        *testbed.MTA
	mailweir   *testbed.Mailweir
	binary     string
	dir        string            // holds the "file" sections
	resolver   string            // address of the name server, "" for none
	vars       *strings.Replacer // $DIR, $DNS, $MX and those of peers
	ids        map[string]string // event ids by placeholder
	accepted   []string          // queue ids of messages that the MTA took
	local      bool              // a message went in by local submission
	held       []*testbed.Client // connections of "held" sections
	peers      map[string]peer   // what the script needs, by name
	auth       *testbed.Auth     // with "needs: auth"
}

// Run runs one dialog. It stops at the first thing that is not as written, and
// reports it with file and line.
func (r *Runner) Run(tb testbed.TB, script *Script) {
	tb.Helper()
	for _, component := range append([]string{script.MTA}, script.Needs...) {
		testbed.Require(tb, component)
	}
	config := script.logins()
	for _, s := range script.Sections {
		if s.Kind == script.MTA {
			config.Extra += s.text()
		}
		// Local submission must reach the milter on Postfix as it does on Sendmail.
		config.NonSMTPD = config.NonSMTPD || s.Kind == "submit"
	}
	key := poolKey{mta: script.MTA, config: config}
	state := &run{
		script: script,
		mta:    r.pool.take(tb, key),
		binary: r.binary, unrecorded: r.Unrecorded,
		state: r.State,
		dir:   testbed.TempDir(tb),
		ids:   make(map[string]string),
	}
	err := state.run(tb)
	if r.Record != "" {
		state.record(tb, r.Record)
	}
	if err != nil {
		tb.Errorf("%v\n%s", err, state.evidence())
		return
	}
	if !state.local {
		// After local submission the MTA may hold mail that it tries again.
		r.pool.give(key, state.mta)
	}
}

// evidence is what helps to understand a dialog that failed.
func (r *run) evidence() string {
	text := "--- " + r.mta.Name + "\n" + tail(r.mta.LogText())
	if r.mailweir != nil {
		text += "--- mailweir\n" + tail(r.mailweir.Log.String())
	}
	if r.auth != nil {
		text += "--- mailweir auth\n" + tail(r.auth.Log.String())
	}
	return text
}

// tail returns the last lines of a log.
func tail(text string) string {
	const most = 25
	lines := strings.SplitAfter(text, "\n")
	if len(lines) > most {
		lines = append([]string{"…\n"}, lines[len(lines)-most:]...)
	}
	return strings.Join(lines, "")
}

func (r *run) run(tb testbed.TB) error {
	if err := r.prepare(tb); err != nil {
		return err
	}
	if err := r.sections(tb); err != nil {
		return err
	}
	if _, err := r.mta.Sink.WaitQueued(r.accepted); err != nil {
		return fmt.Errorf("%s: %w", r.script.File, err)
	}
	if r.mailweir == nil {
		return nil
	}
	// What mailweir keeps open for the next question is no leak.
	for _, p := range r.peers {
		_ = p.Stop() // its own clean-up tells how it ended
	}
	if r.auth != nil {
		_ = r.auth.Stop() // so does this one's
	}
	end := r.mailweir.Close
	if r.state == "redis" { // its connections stay open
		end = r.mailweir.End
	}
	if err := end(); err != nil {
		return fmt.Errorf("%s: %w", r.script.File, err)
	}
	if r.unrecorded {
		return r.unwanted()
	}
	if err := r.recorded(); err != nil {
		return fmt.Errorf("%s: %w", r.script.File, err)
	}
	return r.unwanted()
}

// sections does what the sections say, and then ends the connections that were held.
func (r *run) sections(tb testbed.TB) error {
	defer func() {
		for _, client := range r.held {
			_ = client.Close()
		}
	}()
	for i := range r.script.Sections {
		if err := r.section(tb, &r.script.Sections[i]); err != nil {
			return err
		}
	}
	return nil
}

// prepare starts the peers that the script needs, and the name servers that "zone" and "records"
// sections ask for.
func (r *run) prepare(tb testbed.TB) error {
	var dns testbed.DNSConfig
	for _, s := range r.script.Sections {
		switch s.Kind {
		case "zone":
			dns.Zones = append(dns.Zones, testbed.Zone{Name: s.Words[0], Type: s.Words[1], Data: s.text()})
		case "records":
			for _, line := range s.lines() {
				dns.Records = append(dns.Records, line.Text)
			}
		}
	}
	if len(dns.Zones)+len(dns.Records) > 0 {
		r.resolver = testbed.StartDNS(tb, dns).Address
	}
	r.vars = strings.NewReplacer(append(r.startPeers(tb), "$DIR", r.dir, "$DNS", r.resolver, "$MX", r.mta.MX)...)
	return nil
}

// section does what one section says.
func (r *run) section(tb testbed.TB, s *Section) error {
	var err error
	switch s.Kind {
	case "file":
		name := filepath.Join(r.dir, filepath.Base(s.Words[0]))
		err = os.WriteFile(name, []byte(r.vars.Replace(s.text())), 0o644)
	case "dialog":
		r.start(tb)
		var client *testbed.Client
		if client, err = r.dialog(s); client != nil {
			_ = client.Close()
		}
	case "held":
		r.start(tb)
		var client *testbed.Client
		if client, err = r.dialog(s); client != nil {
			r.held = append(r.held, client)
		}
	case "submit":
		r.start(tb)
		r.local = true
		_, err = r.mta.Submit(strings.Trim(s.Words[0], "<>"), r.vars.Replace(s.text()))
		// Sendmail's command tells by its exit status that the message was refused,
		// Postfix's does not wait for it. The sink tells what became of it.
		if refused := (*exec.ExitError)(nil); errors.As(err, &refused) {
			err = nil
		}
	case "auth-log":
		err = r.expectAuth(s)
	case "event":
		err = r.expectEvent(s)
	case "log":
		err = r.expectEntries(s)
	case "reload":
		err = r.reload(tb, s)
	case "command":
		err = r.commands(tb, s)
	case "quarantined":
		err = r.expectQuarantine()
	case "sink":
		err = r.expectArrivals(s)
	case "peer":
		err = r.peer(s)
	}
	if err != nil {
		return fmt.Errorf("%s:%d: %w", r.script.File, s.Line, err)
	}
	return nil
}

// start starts mailweir, once, with the flags of all "mailweir" sections; files
// written so far exist by then.
func (r *run) start(tb testbed.TB) {
	tb.Helper()
	if r.mailweir != nil {
		return
	}
	var flags []string
	for _, s := range r.script.Sections {
		if s.Kind != "mailweir" {
			continue
		}
		for _, line := range s.lines() {
			flags = append(flags, r.vars.Replace(line.Text))
		}
	}
	own := []string{r.mta.Services(), "--trusted-nets=" + testbed.Trusted + "/32", r.recordFlag()}
	if r.resolver != "" {
		own = append(own, "--dns="+r.resolver)
	}
	switch r.state {
	case "file":
		own = append(own, "--state=file:"+filepath.Join(r.dir, "state"))
	case "redis":
		own = append(own, "--state=redis://"+testbed.StartRedis(tb).Address)
	}
	if r.script.hasCommands() {
		own = append(own, r.controlSocket())
	}
	if includes(r.script.Needs, "auth") {
		own = append(own, r.authMilter())
	}
	for _, flag := range own {
		if !testbed.HasFlag(flags, flag) {
			flags = append(flags, flag)
		}
	}
	r.mailweir = testbed.StartMailweir(tb, testbed.MailweirConfig{
		Binary: r.binary, Socket: r.mta.Milter, Flags: flags, Dir: r.dir,
	})
	r.startAuth(tb)
}

// record writes mailweir's log into a directory, as NAME.MTA.log.
func (r *run) record(tb testbed.TB, dir string) {
	tb.Helper()
	if r.mailweir == nil {
		return
	}
	name := filepath.Join(dir, r.script.Name()+"."+r.script.MTA+".log")
	if err := os.WriteFile(name, []byte(r.mailweir.Log.String()), 0o644); err != nil {
		tb.Errorf("%v", err)
	}
}

// expected reads the fields of a section with the variables filled in.
func (r *run) expected(s *Section) (testbed.Entry, error) {
	fields, err := s.fields()
	if err != nil {
		return nil, err
	}
	want := make(testbed.Entry, len(fields))
	for name, value := range fields {
		want[name] = r.vars.Replace(value)
	}
	return want, nil
}

// expectEntries waits for the log lines of a "log" section.
func (r *run) expectEntries(s *Section) error {
	want, err := r.expected(s)
	if err != nil {
		return err
	}
	if r.mailweir == nil {
		return errors.New("no dialog has run before this section")
	}
	count, err := s.count()
	if err != nil {
		return err
	}
	return r.mailweir.WaitEntries(count, want)
}

// expectEvent waits for the log line of an "event" section.
func (r *run) expectEvent(s *Section) error {
	want, err := r.expected(s)
	if err != nil {
		return err
	}
	name := "ID"
	if len(s.Words) > 0 {
		name = s.Words[0]
	}
	id, known := r.ids[name]
	if !known {
		return fmt.Errorf("no reply had a [%s] before this section", name)
	}
	got, err := r.mailweir.WaitEvent(id)
	if err != nil {
		return err
	}
	if !got.Has(want) {
		return fmt.Errorf("event %s is\n%s\nwant\n%s", id, got, want)
	}
	return nil
}

// reload sends SIGHUP and waits for the log line that the section describes.
func (r *run) reload(tb testbed.TB, s *Section) error {
	want, err := r.expected(s)
	if err != nil {
		return err
	}
	r.start(tb)
	_, err = r.mailweir.Reload(want)
	return err
}

// expectArrivals waits until all accepted mail has arrived, compares it with the
// section, and forgets it.
func (r *run) expectArrivals(s *Section) error {
	want, err := s.arrivals()
	if err != nil {
		return err
	}
	if _, err := r.mta.Sink.WaitQueued(r.accepted); err != nil {
		return err
	}
	// Local submission tells no queue id; then the number has to do.
	got, late := r.mta.Sink.Wait(func(m []testbed.Message) bool { return !r.local || len(m) >= len(want) })
	r.accepted = nil
	r.mta.Sink.Clear()
	if err := compare(want, got); err != nil {
		return err
	}
	return late
}

// expectQuarantine waits until the message that was accepted last is held, and no longer expects it
// at the sink.
func (r *run) expectQuarantine() error {
	last := len(r.accepted) - 1
	if last < 0 {
		return errors.New("no message has been accepted before this section")
	}
	id := r.accepted[last]
	r.accepted = r.accepted[:last]
	if err := r.mta.WaitQuarantined(id); err != nil {
		return fmt.Errorf("message %s is not quarantined: %w", id, err)
	}
	return nil
}

// unwanted looks through the finished log for what "no-log" sections exclude.
func (r *run) unwanted() error {
	for i := range r.script.Sections {
		s := &r.script.Sections[i]
		if s.Kind != "no-log" {
			continue
		}
		bad, err := r.expected(s)
		if err != nil {
			return err
		}
		for _, entry := range r.mailweir.Entries() {
			if entry.Has(bad) {
				return fmt.Errorf("%s:%d: the log has\n%s", r.script.File, s.Line, entry)
			}
		}
	}
	return nil
}
