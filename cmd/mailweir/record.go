package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"mailweir/internal/backend"
	"mailweir/internal/config"
	"mailweir/internal/events"
	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/files"
	"mailweir/internal/record/postgres"
	"mailweir/internal/record/would"
	"mailweir/internal/replay"
	"mailweir/internal/runner"
)

// autoRecord is the default of --record: beside a state in files, else none.
const autoRecord = "auto"

// noRecord is the value of --record that keeps none.
const noRecord = "off"

// recordFlags say what is kept of decisions and messages.
type recordFlags struct {
	where    *string
	life     *time.Duration
	most     *policy.Size
	subjects *bool
	accepted record.Accepted
}

func registerRecord(f *policy.Flags) *recordFlags {
	r := &recordFlags{}
	r.where = f.String("record", autoRecord, "auto|off|file:DIR|postgres://…",
		"where decisions, and what became of every message, are kept and can be searched: file:DIR for one host, postgres://USER@HOST/DB?passfile=FILE for several; auto is DIR/record where --state is file:DIR, else off")
	r.life = f.Duration("record-for", 30*24*time.Hour, "how long they are kept, 0 for ever")
	r.most = f.Size("record-max", 2<<30, "how much room they take at most, one UTC day a quarter of it; 0 is no bound")
	r.subjects = f.Bool("record-subjects", false, "whether the header fields From and Subject are kept")
	f.Value("record-accepted", &r.accepted, "which accepted messages are kept: all, those to local recipients from outside, or none")
	return r
}

// recordSpec resolves --record.
func recordSpec(f *daemonFlags) string {
	if *f.record.where != autoRecord {
		return *f.record.where
	}
	if dir, ok := strings.CutPrefix(stateSpec(*f.state), "file:"); ok && dir != "" {
		return "file:" + strings.TrimSuffix(dir, "/") + "/record"
	}
	return noRecord
}

// validate reports a --record that names no place, without opening one.
func (r *recordFlags) validate() error {
	switch kind, rest, _ := strings.Cut(*r.where, ":"); kind {
	case autoRecord, noRecord:
		if rest == "" && !strings.Contains(*r.where, ":") {
			return nil
		}
	case "file":
		if rest != "" {
			return nil
		}
		return errors.New("--record: file: wants a directory, such as file:/var/lib/mailweir/record")
	case "postgres", "postgresql":
		if err := postgres.Check(*r.where); err != nil {
			return fmt.Errorf("--record: %w", err)
		}
		return nil
	}
	return fmt.Errorf("--record: %q is none of auto, off, file:DIR and postgres://USER@HOST/DB", config.Masked(*r.where))
}

// opening is how a store of the record is opened.
type opening struct {
	flags    *recordFlags
	warn     func(string)
	observer *backend.Observer // of a database; nil for commands
	readOnly bool              // changes nothing
}

// store opens the store of a spec.
func (o opening) store(ctx context.Context, spec string) (record.Store, error) {
	life, most := *o.flags.life, int64(*o.flags.most)
	dir, ok := strings.CutPrefix(spec, "file:")
	if !ok {
		return postgres.Open(spec, postgres.Options{
			For: life, Max: most, Clock: time.Now, Host: hostName(), Warn: o.warn, Observer: o.observer, ReadOnly: o.readOnly,
		})
	}
	options := files.Options{For: life, Max: most, Clock: time.Now, Warn: o.warn}
	if o.readOnly {
		return files.OpenReadOnly(dir, options)
	}
	return files.Open(ctx, dir, options)
}

// recording is the record of a running daemon.
type recording struct {
	spec  string
	flags *recordFlags
	store record.Store
	sink  *record.Sink
	// weighed is what /metrics shows of would-be refusals.
	weighed *would.Collector
	// exchange is the store where only one process can hold it, reopen opens that again.
	exchange *record.Switch
	reopen   func() (record.Store, error)
	// ending ends when the daemon does, and with it all waiting for entries.
	ending context.Context
	end    context.CancelFunc
}

// openRecording begins to keep what --record wants to be kept; nil where that is nothing. Where
// only the default wants it, a place that cannot be used keeps nobody from starting. What the
// predecessor holds is opened later.
func openRecording(f *daemonFlags, before *predecessor, log *logrus.Logger, observer *backend.Observer) (*recording, error) {
	spec := recordSpec(f)
	if spec == noRecord {
		return nil, nil
	}
	warn := func(text string) { log.WithField("record", config.Masked(spec)).Warn(config.Masked(text)) }
	r := &recording{spec: spec, flags: f.record}
	r.reopen = func() (record.Store, error) {
		return opening{f.record, warn, observer, false}.store(context.Background(), spec)
	}
	if before.hasRecord(spec) {
		r.exchange = record.NewSwitch(nil)
		return r.begin(f, log, r.exchange), nil
	}
	store, err := r.reopen()
	if err != nil {
		if *f.record.where == autoRecord {
			log.WithError(recordError{err}).Error("decisions are not recorded; --record names another place, or off")
			return nil, nil
		}
		return nil, failedRecord(err)
	}
	if strings.HasPrefix(spec, "file:") {
		r.exchange = record.NewSwitch(store)
		store = r.exchange
	}
	return r.begin(f, log, store), nil
}

// begin takes what is to be recorded from now on.
func (r *recording) begin(f *daemonFlags, log *logrus.Logger, store record.Store) *recording {
	r.store = store
	r.sink = record.NewSink(store, record.SinkOptions{Log: log, Clock: time.Now, Subjects: *f.record.subjects, Accepted: f.record.accepted})
	r.weighed = would.NewCollector(store, time.Now)
	r.ending, r.end = context.WithCancel(context.Background())
	return r
}

// release lets go of the record, for the successor to take it; what comes is kept meanwhile.
func (r *recording) release() error {
	store, err := r.exchange.Take()
	if err != nil {
		return err
	}
	return store.Close()
}

// takeBack opens the record again, once the successor has let go of it.
func (r *recording) takeBack(log *logrus.Logger) {
	for began := time.Now(); ; time.Sleep(takeBackAgain) {
		store, err := r.reopen()
		if err == nil {
			r.exchange.Put(store)
			return
		}
		if time.Since(began) > takeBackWithin {
			log.WithError(recordError{err}).Error("the record cannot be opened again after an upgrade that failed; what is decided waits for a restart, or is lost")
			return
		}
	}
}

// failedRecord is the error of a record that could not be opened.
func failedRecord(err error) error {
	if errors.Is(err, record.ErrUnavailable) || errors.Is(err, files.ErrHeld) {
		return &exitError{exUnavailable, recordError{err}}
	}
	return &exitError{exConfig, recordError{err}}
}

// recordError is an error of a store, with the flag that names the store in front.
type recordError struct{ err error }

func (e recordError) Error() string {
	text := "--record: " + strings.TrimPrefix(config.Masked(e.err.Error()), "record: ")
	if errors.Is(e.err, fs.ErrPermission) {
		text += "; give the command as the user that mailweir runs as, or as root (sudo)"
	}
	return text
}

func (e recordError) Unwrap() error { return e.err }

// where names the record for people.
func (r *recording) where() string {
	if r == nil {
		return noRecord
	}
	return config.Masked(r.spec)
}

// loaded keeps in the audit that a policy comes into force, in the place of another one or, with
// nil, at the start.
func (r *recording) loaded(why string, p, before *runner.Policy) {
	if r == nil {
		return
	}
	r.sink.Change(record.Change{
		Host: hostName(), Time: time.Now().UTC(), Operation: record.PolicyLoad, Person: policy.Person{Name: "mailweir", UID: -1, From: why},
		Changes: replay.Alterations(p, before),
	})
}

// sinks are what the recorder tells.
func (r *recording) sinks() []events.Sink {
	if r == nil {
		return nil
	}
	return []events.Sink{r.sink}
}

// endFollowing has nobody wait for entries any more, so that the daemon need not wait for him.
func (r *recording) endFollowing() {
	if r != nil {
		r.end()
	}
}

// close writes what has been taken.
func (r *recording) close() error {
	if r == nil {
		return nil
	}
	r.weighed.Close()
	return r.sink.Close()
}
