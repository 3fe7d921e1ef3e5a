// Package dialog reads and runs the dialog files of test/dialogs: what is said
// to a real MTA with mailweir attached, which replies must come back, which
// events must be logged and what must arrive at the next hop. test/README.md
// describes the format.
package dialog

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// MTANames are the MTAs that a dialog runs on unless its "mta:" line says less.
var MTANames = []string{"postfix", "sendmail"}

// Script is one dialog file, confined to one MTA.
type Script struct {
	File     string
	MTA      string
	MTAs     []string // all those that the file runs on
	Needs    []string // components of testbed.Require besides the MTA
	Sections []Section
}

// Section is what stands between two "-- kind words --" lines.
type Section struct {
	Kind  string // "mailweir", "dialog", …
	Words []string
	Line  int // of the marker
	Body  []Line
	Steps []Step // of a dialog
}

// Line is one line of a section.
type Line struct {
	Number int
	Text   string
}

// kinds lists the sections that exist, with the number of words that may follow.
var kinds = map[string]struct{ min, max int }{
	"mailweir": {0, 0},
	"auth":     {0, 0},
	"auth-log": {0, 0},
	"postfix":  {0, 0},
	"sendmail": {0, 0},
	"file":     {1, 1}, // name
	"zone":     {2, 2}, // name, rbldnsd's data set type
	"records":  {0, 0},
	"dialog":   {0, 3}, // [service] [from ADDRESS]
	"held":     {0, 3}, // the same
	"submit":   {1, 1}, // envelope sender
	"event":    {0, 1}, // [placeholder]
	"log":      {0, 1}, // [how many lines]
	"no-log":   {0, 0},
	"sink":     {0, 0},
	"reload":   {0, 0},
	"command":  {0, 0},
	"peer":     {2, 2}, // name, action

	"quarantined": {0, 0},
}

// LoadAll reads every dialog of a directory once for each MTA that it runs on.
func LoadAll(dir string) ([]*Script, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no dialogs (*.txt)", dir)
	}
	var scripts []*Script
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for _, mta := range MTANames {
			script, err := Parse(file, string(text), mta)
			if err != nil {
				return nil, err
			}
			if includes(script.MTAs, mta) {
				scripts = append(scripts, script)
			}
		}
	}
	return scripts, nil
}

// Name is the name of the file without directory and suffix.
func (s *Script) Name() string {
	return strings.TrimSuffix(filepath.Base(s.File), filepath.Ext(s.File))
}

// Parse reads the text of a dialog file as it stands for one MTA: lines that
// begin with "(other) " are left out. Errors name file and line.
func Parse(file, text, mta string) (*Script, error) {
	s := &Script{File: file, MTA: mta, MTAs: MTANames}
	for i, raw := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		number := i + 1
		line, here := confine(raw, mta)
		if !here {
			continue
		}
		marker, isMarker := strings.CutPrefix(line, "-- ")
		if isMarker && strings.HasSuffix(marker, " --") {
			section, err := parseMarker(strings.TrimSuffix(marker, " --"), number)
			if err != nil {
				return nil, fmt.Errorf("%s:%d: %w", file, number, err)
			}
			s.Sections = append(s.Sections, section)
			continue
		}
		if len(s.Sections) == 0 {
			if err := s.parseHeader(line); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", file, number, err)
			}
			continue
		}
		last := &s.Sections[len(s.Sections)-1]
		last.Body = append(last.Body, Line{Number: number, Text: line})
	}
	return s, s.check()
}

// confine strips a leading "(mta) " and tells whether the line holds for mta.
func confine(line, mta string) (string, bool) {
	for _, name := range MTANames {
		if rest, found := strings.CutPrefix(line, "("+name+") "); found {
			return rest, name == mta
		}
	}
	return line, true
}

// parseMarker reads what stands between the dashes.
func parseMarker(text string, number int) (Section, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return Section{}, fmt.Errorf("a section needs a name")
	}
	kind, words := words[0], words[1:]
	limits, known := kinds[kind]
	if !known {
		return Section{}, fmt.Errorf("no section is named %q", kind)
	}
	if len(words) < limits.min || len(words) > limits.max {
		return Section{}, fmt.Errorf("section %q takes %d to %d words, not %d", kind, limits.min, limits.max, len(words))
	}
	return Section{Kind: kind, Words: words, Line: number}, nil
}

// parseHeader reads a line before the first section: prose, or one of "mta:"
// and "needs:".
func (s *Script) parseHeader(line string) error {
	if value, found := strings.CutPrefix(line, "mta:"); found {
		s.MTAs = strings.Fields(value)
		for _, name := range s.MTAs {
			if !includes(MTANames, name) {
				return fmt.Errorf("no MTA is named %q", name)
			}
		}
	}
	if value, found := strings.CutPrefix(line, "needs:"); found {
		s.Needs = append(s.Needs, strings.Fields(value)...)
	}
	return nil
}

// check parses the sections' bodies, so that mistakes show before anything runs.
func (s *Script) check() error {
	if (includes(s.Needs, "dovecot") || includes(s.Needs, "auth")) && s.MTA == "sendmail" && includes(s.MTAs, "sendmail") {
		return fmt.Errorf("%s: Sendmail asks no Dovecot about logins: write \"mta: postfix\"", s.File)
	}
	for i := range s.Sections {
		section := &s.Sections[i]
		var err error
		switch section.Kind {
		case "dialog", "held":
			if _, _, err = section.service(); err != nil {
				return fmt.Errorf("%s:%d: %w", s.File, section.Line, err)
			}
			if section.Steps, err = parseSteps(section.Body); err == nil {
				err = s.checkXCLIENT(section.Steps)
			}
		case "event", "no-log", "reload", "auth-log":
			_, err = section.fields()
		case "log":
			if _, err = section.count(); err != nil {
				return fmt.Errorf("%s:%d: %w", s.File, section.Line, err)
			}
			_, err = section.fields()
		case "sink":
			_, err = section.arrivals()
		case "command":
			_, err = section.commands()
		case "peer":
			err = s.checkPeer(section)
		}
		if err != nil {
			return fmt.Errorf("%s:%w", s.File, err)
		}
	}
	return nil
}

// checkXCLIENT refuses what only Postfix understands in a dialog for Sendmail.
func (s *Script) checkXCLIENT(steps []Step) error {
	for _, step := range steps {
		if step.Kind == Command && strings.HasPrefix(step.Text, "XCLIENT ") && s.MTA == "sendmail" && includes(s.MTAs, "sendmail") {
			return fmt.Errorf("%d: Sendmail has no XCLIENT: write \"mta: postfix\", or (postfix) before the line", step.Line)
		}
	}
	return nil
}

// count returns how many lines a log section waits for.
func (s *Section) count() (int, error) {
	if len(s.Words) == 0 {
		return 1, nil
	}
	n, err := strconv.Atoi(s.Words[0])
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q is no number of lines", s.Words[0])
	}
	return n, nil
}

// service returns the service and the client address of a dialog's marker:
// "dialog", "dialog submission", "dialog from 127.0.0.9", "dialog mx from …".
func (s *Section) service() (name, from string, err error) {
	name = "mx"
	words := s.Words
	if len(words) == 1 || len(words) == 3 {
		name, words = words[0], words[1:]
	}
	if len(words) == 2 {
		if words[0] != "from" {
			return "", "", fmt.Errorf("a dialog is written: dialog [service] [from ADDRESS]")
		}
		from = words[1]
	}
	if !includes([]string{"mx", "submission", "reinject"}, name) {
		return "", "", fmt.Errorf("no service is named %q (mx, submission, reinject)", name)
	}
	return name, from, nil
}

// lines returns the body without empty lines and comments.
func (s *Section) lines() []Line {
	var lines []Line
	for _, line := range s.Body {
		text := strings.TrimSpace(line.Text)
		if text != "" && !strings.HasPrefix(text, "#") {
			lines = append(lines, Line{Number: line.Number, Text: text})
		}
	}
	return lines
}

// text returns the body as it stands.
func (s *Section) text() string {
	var b strings.Builder
	for _, line := range s.Body {
		b.WriteString(line.Text + "\n")
	}
	return b.String()
}

// field matches name=value and name="value with spaces".
var field = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_.]*)=("(?:[^"\\]|\\.)*"|[^\s"]\S*|)(?:\s+|$)`)

// fields reads the name=value pairs of a body. Values may still hold variables.
func (s *Section) fields() (map[string]string, error) {
	fields := make(map[string]string)
	for _, line := range s.lines() {
		for rest := line.Text; rest != ""; {
			m := field.FindStringSubmatch(rest)
			if m == nil {
				return nil, fmt.Errorf("%d: want name=value or name=\"value\", not %q", line.Number, rest)
			}
			if _, twice := fields[m[1]]; twice {
				return nil, fmt.Errorf("%d: %s stands twice; each log line has a section of its own", line.Number, m[1])
			}
			value := m[2]
			if strings.HasPrefix(value, `"`) {
				value = unquote(value)
			}
			fields[m[1]] = value
			rest = rest[len(m[0]):]
		}
	}
	return fields, nil
}

// unquote removes the quotes and backslashes of a quoted value.
func unquote(s string) string {
	return regexp.MustCompile(`\\(.)`).ReplaceAllString(s[1:len(s)-1], "$1")
}

func includes(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}
