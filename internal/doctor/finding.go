package doctor

import (
	"fmt"
	"strings"
)

// Level is how much a finding matters.
type Level uint8

const (
	// OK: it is as it should be.
	OK Level = iota
	// Unknown: it could not be looked at, most often for want of rights.
	Unknown
	// Remark: it works, and is likely not what the administrator expects.
	Remark
	// Fault: mail is lost, held up, or let through unseen; or will be.
	Fault
)

// levels are the first words of lines, in the order of the constants.
const levels = "ok unknown remark fault"

// String is the level as the first word of a line.
func (l Level) String() string { return strings.Fields(levels)[l] }

// MarshalText is for JSON.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Finding is what an examination says of one thing.
type Finding struct {
	Level Level `json:"level"`
	// Examination is the id of who says so, Subject the thing, such as a service; "" where there is
	// but one.
	Examination string `json:"what"`
	Subject     string `json:"subject,omitempty"`
	// Why says what was found, in one sentence.
	Why string `json:"why"`
	// Command mends it, or looks at it more closely; "" where no command does.
	Command string `json:"command,omitempty"`
}

// String is the line: LEVEL WHAT: WHY; COMMAND.
func (f Finding) String() string {
	what := f.Examination
	if f.Subject != "" {
		what += " " + f.Subject
	}
	line := fmt.Sprintf("%-7s %s: %s", f.Level, what, f.Why)
	if f.Command != "" {
		line += "; " + f.Command
	}
	return line
}

func ok(subject, format string, args ...any) Finding {
	return Finding{Level: OK, Subject: subject, Why: fmt.Sprintf(format, args...)}
}

func remark(subject, command, format string, args ...any) Finding {
	return Finding{Level: Remark, Subject: subject, Command: command, Why: fmt.Sprintf(format, args...)}
}

func fault(subject, command, format string, args ...any) Finding {
	return Finding{Level: Fault, Subject: subject, Command: command, Why: fmt.Sprintf(format, args...)}
}

// unknown is for what could not be read.
func unknown(subject, command string, err error) Finding {
	return Finding{Level: Unknown, Subject: subject, Command: command, Why: oneLine(err.Error())}
}

// oneLine keeps a text of others on one line.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// quoted is a word as a shell takes it whole.
func quoted(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_=/.:,+@%", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
