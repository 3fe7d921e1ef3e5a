package admin

import (
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"mailweir/internal/policy"
)

// Record is one use of an operation, for the audit: who did what, from where, when, why and until
// when, and what it changed.
type Record struct {
	Version   int       `json:"version"`
	Time      time.Time `json:"time"`
	Operation string    `json:"operation"`
	policy.Person
	Why string `json:"why,omitempty"`
	// Until is when an entry ends; the zero time is until it is taken back.
	Until time.Time `json:"until,omitzero"`
	// Changes is what has been changed; an operation that only looks has none.
	Changes []policy.Alteration `json:"changes,omitempty"`
	// Err is why it was not done, or has failed.
	Err string `json:"error,omitempty"`

	quiet, looked bool
}

// Kept reports whether the record should have it: it has changed something, or was to. What only
// looks, and what comes time and again, stands in the log alone.
func (r Record) Kept() bool { return !r.quiet && !r.looked }

// recordVersion is the version of the JSON of a [Record].
const recordVersion = 1

func (s *Service) audit(op policy.Operation, c *policy.Call, r Request, err error) {
	if s.Audit == nil {
		return
	}
	now := s.Backends.Clock().UTC()
	record := Record{
		Version: recordVersion, Time: now, Operation: r.Operation, Person: c.By, Why: c.Why, Changes: c.Alterations(), quiet: op.Quiet, looked: op.Effect == policy.Looks,
	}
	if op.Effect == policy.Enters && c.For > 0 {
		record.Until = now.Add(c.For)
	}
	if record.Err = c.Failed(); err != nil {
		record.Err = err.Error()
	}
	s.Audit(record)
}

// Attempt is a record of a login, or of one that failed; often says that it may come time and
// again.
func Attempt(by policy.Person, operation, failed string, at time.Time, often bool) Record {
	return Record{Version: recordVersion, Time: at.UTC(), Operation: operation, Person: by, Err: failed, quiet: often}
}

// LogAudit returns an audit that writes a line of the log for each use, a warning where it failed.
// What a program asks for on its own, time and again, is for the level debug.
func LogAudit(log *logrus.Logger) func(Record) {
	return func(r Record) {
		fields := logrus.Fields{"command": r.Operation, "by": r.Name, "from": r.From}
		if r.UID >= 0 {
			fields["uid"] = r.UID
		}
		for name, value := range map[string]string{"role": roleOf(r.Person), "note": r.Why, "error": r.Err, "changed": changed(r.Changes)} {
			if value != "" {
				fields[name] = value
			}
		}
		if !r.Until.IsZero() {
			fields["until"] = r.Until.Format(time.RFC3339)
		}
		level := logrus.InfoLevel
		switch {
		case r.quiet:
			level = logrus.DebugLevel
		case r.Err != "":
			level = logrus.WarnLevel
		}
		log.WithFields(fields).Log(level, "run-time command")
	}
}

// roleOf is the role of who comes by the console. On the control socket everybody is an admin, and
// nothing is said of it.
func roleOf(by policy.Person) string {
	if by.From == fromSocket {
		return ""
	}
	return string(by.Role)
}

func changed(list []policy.Alteration) string {
	var texts []string
	for _, a := range list {
		texts = append(texts, a.What+": "+orNone(a.Before)+" → "+orNone(a.After))
	}
	return strings.Join(texts, "; ")
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
