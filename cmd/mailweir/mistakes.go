package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"mailweir/internal/config"
)

// mistakes collects all that is wrong with a configuration. Most of it shows only when a policy is
// built, and then one thing may hide the next: so what is known to be wrong is left out, and the
// rest is looked at again.
type mistakes struct {
	of    *settings
	given config.Given // what is not known to be wrong
	// left are flags of which something has been left out; partly says that they have values all
	// the same.
	left, partly map[string]bool
	told         map[string]bool
	list         []mistake
}

// mistake is one thing that is wrong.
type mistake struct {
	place config.Place // where it comes from
	text  string
}

// mostLooks bounds how often the rest is looked at: each time, all lists are read.
const mostLooks = 20

// mistakes are all that is wrong with a configuration, in the order in which it is read. first is
// what look has found already; look is asked about what is left then.
func (s *settings) mistakes(first error, look func(*settings) error) error {
	m := &mistakes{of: s, given: s.again().origin.Given, left: map[string]bool{}, partly: map[string]bool{}, told: map[string]bool{}}
	for _, w := range s.found.Wrong {
		m.tell(w.Place, w.Err.Error())
		if w.Flag != "" {
			m.left[w.Flag], m.partly[w.Flag] = true, len(m.given[w.Flag]) > 0
		}
	}
	more := m.note(first)
	for n := 0; n < mostLooks && (more || n == 0); n++ {
		more = m.note(look(resolveAll(config.Origin{Given: m.given})))
	}
	slices.SortStableFunc(m.list, func(a, b mistake) int { return s.found.Compare(a.place, b.place) })
	errs := make([]error, 0, len(m.list))
	for _, one := range m.list {
		errs = append(errs, errors.New(one.text))
	}
	return errors.Join(errs...)
}

// lookAt finds what is wrong with settings that are to be in force next.
func (d *daemon) lookAt(s *settings) error {
	process := s.daemon.validate()
	p, err := s.draft.Build(d.backends, d.runner.Policy())
	if err == nil {
		p.Close()
	}
	return errors.Join(process, err)
}

func (m *mistakes) tell(place config.Place, text string) {
	if !m.told[text] {
		m.told[text] = true
		m.list = append(m.list, mistake{place, text})
	}
}

// note keeps what is wrong, and leaves out what that comes from. It reports whether there is
// anything left to leave out.
func (m *mistakes) note(err error) (more bool) {
	all := leaves(err)
	for _, one := range all {
		if !m.follows(m.of.about(one)) {
			place, text := m.of.placed(one)
			m.tell(place, text)
		}
	}
	for _, one := range all { // what was found in one look does not follow from what that has shown
		if slices.ContainsFunc(m.of.about(one), func(flag string) bool { return m.leaveOut(flag, one.Error()) }) {
			more = true
		}
	}
	return more
}

// follows reports whether what is wrong may only be so because a flag has been left out.
func (m *mistakes) follows(about []string) bool {
	for i, flag := range about {
		if m.left[flag] && (i > 0 || !m.partly[flag]) {
			return true
		}
	}
	return false
}

// leaveOut takes the value that an error is about away, or all of the flag where that is not known.
func (m *mistakes) leaveOut(flag, text string) bool {
	values := m.given[flag]
	if len(values) == 0 {
		return false
	}
	m.left[flag] = true
	if n := valueIn(values, text); n >= 0 && len(values) > 1 {
		m.given[flag], m.partly[flag] = slices.Delete(slices.Clone(values), n, n+1), true
		return true
	}
	delete(m.given, flag)
	m.partly[flag] = false
	return true
}

// placed is an error in the words that it is printed with: behind the place that it comes from,
// where that is a file or a variable and none stands there already.
func (s *settings) placed(err error) (config.Place, string) {
	text := err.Error()
	about := s.about(err)
	if len(about) == 0 {
		return config.Place{}, text
	}
	place := s.placeOf(about[0], text)
	for _, flag := range about[1:] {
		if place.IsDefault() {
			place = s.placeOf(flag, text)
		}
	}
	if fileLine.MatchString(text) || strings.HasPrefix(text, place.String()+": ") || place.IsDefault() || place.IsCommandLine() {
		return place, text
	}
	return place, place.String() + ": " + text
}

// placedAll is an error, which may be several, with the places that they come from.
func (s *settings) placedAll(err error) error {
	var errs []error
	for _, one := range leaves(err) {
		_, text := s.placed(one)
		errs = append(errs, placedError{one, text})
	}
	return errors.Join(errs...)
}

// placedError is an error in other words.
type placedError struct {
	error
	text string
}

func (p placedError) Error() string { return p.text }
func (p placedError) Unwrap() error { return p.error }

// placeOf is where the value of a flag comes from that a text is about.
func (s *settings) placeOf(flag, text string) config.Place {
	sources := s.found.Sources(flag)
	if len(sources) == 0 {
		return config.Place{}
	}
	n := max(0, valueIn(flagValues(s.flags.Lookup(flag)), text))
	return sources[min(n, len(sources)-1)]
}

var (
	fileLine = regexp.MustCompile(`^\S+:\d+: `)
	flagName = regexp.MustCompile(`--([a-z0-9]+(?:-[a-z0-9]+)*)`)
)

// about are the flags that an error names, the one that it is about first. Errors name the flag;
// one of a file that has none is about the flag that names the file.
func (s *settings) about(err error) (flags []string) {
	text := err.Error()
	for _, match := range flagName.FindAllStringSubmatch(text, -1) {
		if s.flags.Lookup(match[1]) != nil && !slices.Contains(flags, match[1]) {
			flags = append(flags, match[1])
		}
	}
	if len(flags) > 0 {
		return flags
	}
	s.flags.VisitAll(func(f *pflag.Flag) {
		for _, value := range flagValues(f) {
			if f.Value.Type() == "FILE" && value != "" && strings.HasPrefix(text, value+":") {
				flags = append(flags, f.Name)
			}
		}
	})
	return flags
}

// valueIn is the value that stands in a text, or its part behind TYPE:, the longest before others;
// -1 where none does.
func valueIn(values []string, text string) int {
	found, longest := -1, 0
	for i, value := range values {
		_, source, _ := strings.Cut(value, ":")
		for _, part := range []string{value, source} {
			if len(part) > longest && strings.Contains(text, part) {
				found, longest = i, len(part)
			}
		}
	}
	return found
}

// leaves are the errors that have been joined to one.
func leaves(err error) []error {
	if err == nil {
		return nil
	}
	var joined interface{ Unwrap() []error }
	if joined, _ = err.(interface{ Unwrap() []error }); joined == nil || !isJoin(err, joined.Unwrap()) {
		return []error{err}
	}
	var all []error
	for _, one := range joined.Unwrap() {
		all = append(all, leaves(one)...)
	}
	return all
}

// isJoin tells errors.Join from an error that only wraps several.
func isJoin(err error, parts []error) bool {
	lines := make([]string, 0, len(parts))
	for _, one := range parts {
		lines = append(lines, fmt.Sprint(one))
	}
	return err.Error() == strings.Join(lines, "\n")
}
