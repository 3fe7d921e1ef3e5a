package dialog

import (
	"fmt"
	"sort"
	"strconv"
	"strings"

	"mailweir/test/testbed"
)

// arrival is a message that a "sink" section expects.
type arrival struct {
	line    int
	from    string
	to      []string // empty where only their number is given
	count   int      // of recipients
	with    []string // lines that the message must have
	without []string // lines that it must not have
}

// arrivals reads the body of a "sink" section: one line "sender -> recipients"
// or "sender -> N recipients" a message, followed by indented lines that the
// message must have, or must not have where they begin with "! ".
func (s *Section) arrivals() ([]arrival, error) {
	var list []arrival
	for _, line := range s.Body {
		text := strings.TrimSpace(line.Text)
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		if indented := strings.TrimPrefix(line.Text, "  "); indented != line.Text {
			if len(list) == 0 {
				return nil, fmt.Errorf("%d: this line belongs to no message", line.Number)
			}
			last := &list[len(list)-1]
			if unwanted, found := strings.CutPrefix(indented, "! "); found {
				last.without = append(last.without, unwanted)
			} else {
				last.with = append(last.with, indented)
			}
			continue
		}
		a, err := parseArrival(text)
		if err != nil {
			return nil, fmt.Errorf("%d: %w", line.Number, err)
		}
		a.line = line.Number
		list = append(list, a)
	}
	return list, nil
}

func parseArrival(text string) (arrival, error) {
	from, to, found := strings.Cut(text, "->")
	if !found {
		return arrival{}, fmt.Errorf("want \"sender -> recipient…\" or \"sender -> N recipients\", not %q", text)
	}
	a := arrival{from: strings.Trim(strings.TrimSpace(from), "<>")}
	words := strings.Fields(to)
	if len(words) == 2 && words[1] == "recipients" {
		count, err := strconv.Atoi(words[0])
		a.count = count
		return a, err
	}
	for _, word := range words {
		a.to = append(a.to, strings.Trim(word, "<>"))
	}
	sort.Strings(a.to)
	a.count = len(a.to)
	if a.count == 0 {
		return arrival{}, fmt.Errorf("a message has recipients")
	}
	return a, nil
}

// is tells whether a message is the one expected.
func (a arrival) is(m testbed.Message) bool {
	if m.From != a.from || len(m.To) != a.count {
		return false
	}
	if len(a.to) > 0 {
		to := append([]string(nil), m.To...)
		sort.Strings(to)
		if strings.Join(to, " ") != strings.Join(a.to, " ") {
			return false
		}
	}
	lines := "\n" + m.Data
	for _, line := range a.with {
		if !strings.Contains(lines, "\n"+line+"\n") {
			return false
		}
	}
	for _, line := range a.without {
		if strings.Contains(lines, "\n"+line+"\n") {
			return false
		}
	}
	return true
}

// compare pairs what was expected with what arrived and describes the rest.
func compare(want []arrival, got []testbed.Message) error {
	left := append([]testbed.Message(nil), got...)
	var missing []string
	for _, a := range want {
		found := -1
		for i, m := range left {
			if a.is(m) {
				found = i
				break
			}
		}
		if found < 0 {
			missing = append(missing, fmt.Sprintf("line %d: %s -> %d recipients did not arrive so", a.line, a.from, a.count))
			continue
		}
		left = append(left[:found], left[found+1:]...)
	}
	for _, m := range left {
		missing = append(missing, fmt.Sprintf("not expected: <%s> -> %d recipients %.5q\n%s", m.From, len(m.To), m.To, excerpt(m.Data)))
	}
	if missing == nil {
		return nil
	}
	return fmt.Errorf("at the sink:\n%s", strings.Join(missing, "\n"))
}

// excerpt keeps a failed test readable.
func excerpt(text string) string {
	if len(text) > 2000 {
		return text[:2000] + "…"
	}
	return text
}
