package dialog

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// StepKind is what one step of a dialog does.
type StepKind int

// The steps of a dialog.
const (
	Command StepKind = iota // C: send a line
	Expect                  // S: read a reply and compare
	Content                 // | send a line of the message, dots doubled
	File                    // |@ send the lines of a "file" section
	TLS                     // TLS: perform the handshake
	Closed                  // S: closed: the server must have closed the connection
	Manage                  // M: a run-time command of mailweir, while the connection is open
)

// Step is one line of a dialog.
type Step struct {
	Kind  StepKind
	Line  int
	Count int // how many times; %d in Text is the number, from 1
	Text  string
}

// text returns the step's text of one repetition.
func (s Step) text(n int) string {
	if s.Count == 1 {
		return s.Text
	}
	return strings.ReplaceAll(s.Text, "%d", strconv.Itoa(n))
}

// maxCount bounds repetitions, against a slip of the pen.
const maxCount = 1_000_000

var (
	speaker  = regexp.MustCompile(`^([CS])(?:\*(\d+))?:(?: (.*))?$`)
	repeated = regexp.MustCompile(`^\*(\d+) (.*)$`)
)

// parseSteps reads the lines of a dialog.
func parseSteps(body []Line) ([]Step, error) {
	var steps []Step
	for _, line := range body {
		if trimmed := strings.TrimSpace(line.Text); trimmed == "" || strings.HasPrefix(trimmed, "#") {
			continue
		}
		step, err := parseStep(line.Text)
		if err != nil {
			return nil, fmt.Errorf("%d: %w", line.Number, err)
		}
		step.Line = line.Number
		if step.Count < 1 || step.Count > maxCount {
			return nil, fmt.Errorf("%d: a count is 1 to %d", line.Number, maxCount)
		}
		if last := len(steps) - 1; last >= 0 && continues(steps[last], step) {
			steps[last].Text += "\n" + step.Text
			continue
		}
		steps = append(steps, step)
	}
	return steps, countReplies(steps)
}

// continues tells whether an expected line belongs to a multi-line reply that
// the one before has begun ("250-first").
func continues(before, step Step) bool {
	if before.Kind != Expect || step.Kind != Expect {
		return false
	}
	last := before.Text[strings.LastIndexByte(before.Text, '\n')+1:]
	return len(last) > 3 && last[3] == '-'
}

func parseStep(line string) (Step, error) {
	if text, found := strings.CutPrefix(line, "|"); found {
		return parseContent(text)
	}
	if text, found := strings.CutPrefix(line, "TLS:"); found {
		step := Step{Kind: TLS, Count: 1, Text: strings.TrimSpace(text)}
		_, err := parseHandshake(step.Text)
		return step, err
	}
	if text, found := strings.CutPrefix(line, "M: "); found {
		return Step{Kind: Manage, Count: 1, Text: text}, nil
	}
	m := speaker.FindStringSubmatch(line)
	if m == nil {
		return Step{}, fmt.Errorf("want \"C: …\", \"S: …\", \"M: …\", \"|…\" or \"TLS:\", not %q", line)
	}
	step := Step{Kind: Command, Count: 1, Text: m[3]}
	if m[1] == "S" {
		step.Kind = Expect
	}
	if m[2] != "" {
		count, err := strconv.Atoi(m[2])
		if err != nil {
			return Step{}, err
		}
		step.Count = count
	}
	if step.Kind == Expect && step.Text == "closed" {
		step.Kind = Closed
	}
	return step, nil
}

// parseContent reads what follows the bar: text, "*N text", "@file" or a Go
// string after "$" for octets that a text file can't hold.
func parseContent(text string) (Step, error) {
	if name, found := strings.CutPrefix(text, "@"); found {
		return Step{Kind: File, Count: 1, Text: strings.TrimSpace(name)}, nil
	}
	step := Step{Kind: Content, Count: 1, Text: text}
	if m := repeated.FindStringSubmatch(text); m != nil {
		count, err := strconv.Atoi(m[1])
		if err != nil {
			return Step{}, err
		}
		step.Count, step.Text = count, m[2]
	}
	if quoted, found := strings.CutPrefix(step.Text, "$"); found && strings.HasPrefix(quoted, `"`) {
		octets, err := strconv.Unquote(quoted)
		if err != nil {
			return Step{}, fmt.Errorf("%s is no Go string", quoted)
		}
		step.Text = octets
	}
	return step, nil
}

// countReplies checks that a repeated command is followed by as many replies:
// they are read one after each command.
func countReplies(steps []Step) error {
	for i, step := range steps {
		if step.Kind != Command || step.Count == 1 {
			continue
		}
		replies := 0
		for _, next := range steps[i+1:] {
			if next.Kind != Expect || replies >= step.Count {
				break
			}
			replies += next.Count
		}
		if replies != step.Count {
			return fmt.Errorf("%d: C*%d is followed by S lines for %d replies", step.Line, step.Count, replies)
		}
	}
	return nil
}
