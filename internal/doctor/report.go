package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Examination looks at one thing.
type Examination struct {
	// ID names it in lines, in --skip and in the documentation.
	ID string
	// About is the section that it belongs to in the documentation.
	About string
	// Title says what is looked at, Meaning what a finding means, Remedy what to do about it: all
	// for the documentation.
	Title, Meaning, Remedy string
	// Examine judges. No finding says that there is nothing of the kind here.
	Examine func(*Facts) []Finding
}

// Examinations are all there are, in the order of the report: what keeps mail from coming at all is
// before what is seldom noticed.
func Examinations() []Examination {
	return slices.Concat(serviceExaminations(), postfixExaminations(), postfixLimitExaminations(), postfixPathExaminations(),
		postfixBesideExaminations(), sendmailExaminations(), outsideExaminations(), hostExaminations())
}

// Report is what was found.
type Report struct {
	Version  int       `json:"version"`
	Findings []Finding `json:"findings"`
}

// Examine judges the facts by every examination that is not skipped.
func Examine(f *Facts, skip []string) Report {
	r := Report{Version: 1, Findings: []Finding{}}
	for _, e := range Examinations() {
		if slices.Contains(skip, e.ID) {
			continue
		}
		r.Findings = append(r.Findings, together(e.ID, e.Examine(f))...)
	}
	return r
}

// together gives the findings of an examination their name. What holds for several services alike
// is one line.
func together(id string, found []Finding) (all []Finding) {
	for _, one := range found {
		one.Examination, one.Why = id, oneLine(one.Why)
		same := slices.IndexFunc(all, func(o Finding) bool {
			return o.Level == one.Level && o.Why == one.Why && o.Command == one.Command && o.Subject != "" && one.Subject != ""
		})
		if same < 0 {
			all = append(all, one)
			continue
		}
		all[same].Subject += ", " + one.Subject
	}
	return all
}

// Worst is the level that counts: what is unknown is no reason to act.
func (r Report) Worst() Level {
	worst := OK
	for _, f := range r.Findings {
		if f.Level != Unknown {
			worst = max(worst, f.Level)
		}
	}
	return worst
}

// Exit is the exit code: 0 where there is nothing to mend, 1 with remarks, 2 with faults.
func (r Report) Exit() int {
	switch r.Worst() {
	case Fault:
		return 2
	case Remark:
		return 1
	}
	return 0
}

// WriteText writes a line for each finding, and how many there are of each kind.
func (r Report) WriteText(out io.Writer) error {
	var count [Fault + 1]int
	for _, f := range r.Findings {
		count[f.Level]++
		if _, err := fmt.Fprintln(out, f); err != nil {
			return err
		}
	}
	var sums []string
	for _, level := range []Level{Fault, Remark, Unknown, OK} {
		if n := count[level]; n > 0 {
			sums = append(sums, fmt.Sprintf("%d %s%s", n, level, plural(level, n)))
		}
	}
	_, err := fmt.Fprintln(out, strings.Join(sums, ", "))
	return err
}

func plural(level Level, n int) string {
	if n != 1 && level > Unknown {
		return "s"
	}
	return ""
}

// WriteJSON writes the report for programs.
func (r Report) WriteJSON(out io.Writer) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
