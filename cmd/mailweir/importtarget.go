package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/spf13/pflag"

	"mailweir/internal/config"
	"mailweir/internal/importing"
)

// importTarget is the configuration that is to have what is imported.
type importTarget struct {
	s   *settings
	dir string
	// fragment is the path of the file of flags; of is the configuration without it.
	fragment string
	of       *settings
	// checks has for each flag of a check that refuses mail its name; on are the checks that
	// somebody has given something to do before.
	checks map[string]string
	on     map[string]bool
	// watched are those that have something to do without the file, and that it has on monitor.
	watched []string
}

func newImportTarget(s *settings) (*importTarget, error) {
	dir := absoluteDir(s.found.Dir)
	t := &importTarget{
		s: s, dir: filepath.Join(filepath.Dir(dir), importDir), fragment: filepath.Join(s.found.Dir, importFragment),
		checks: map[string]string{}, on: map[string]bool{},
	}
	t.of = t.with("")
	for _, w := range t.of.found.Wrong {
		if errors.Is(w.Err, fs.ErrPermission) {
			return nil, &exitError{exNoPerm, w.Err}
		}
	}
	if len(t.of.found.Wrong) > 0 {
		return nil, &importing.ConfigError{Err: t.of.mistakes(nil, lookAtAll)}
	}
	c, err := newChecked(t.of)
	if err != nil {
		return nil, &importing.ConfigError{Err: t.of.mistakes(err, lookAtAll)}
	}
	defer c.close()
	for _, state := range c.policy.Checks() {
		for _, flag := range t.of.draft.FlagsOf(state.Check.Name) {
			if len(state.Check.Replies) > 0 {
				t.checks[flag] = state.Check.Name
			}
			if state.Off == "" && !t.of.found.Sources(flag)[0].IsDefault() {
				t.on[state.Check.Name] = true
			}
		}
		if state.Off == "" && t.monitored(state.Check.Name) {
			t.watched = append(t.watched, state.Check.Name)
		}
	}
	return t, nil
}

// with is the configuration with another text of the file.
func (t *importTarget) with(text string) *settings {
	from := t.s.origin
	from.Texts = map[string]string{t.fragment: text}
	return resolveAll(from)
}

func (t *importTarget) target() *importing.Target {
	return &importing.Target{Dir: t.dir, Fragment: t.fragment, Flag: t.flag, Check: t.check, Mode: t.mode, Watched: t.watched}
}

// check reports what would be wrong with the configuration.
func (t *importTarget) check(text string) error {
	s := t.with(text)
	s.findCredentials()
	if len(s.found.Wrong) > 0 {
		return s.mistakes(nil, lookAtAll)
	}
	if err := lookAtAll(s); err != nil {
		return s.mistakes(err, lookAtAll)
	}
	return nil
}

func (t *importTarget) flag(name string) *importing.FlagFacts {
	f := t.of.flags.Lookup(name)
	if f == nil {
		return nil
	}
	_, repeatable := f.Value.(pflag.SliceValue)
	facts := &importing.FlagFacts{Repeatable: repeatable, Check: t.checks[name]}
	for _, s := range t.of.found.Settings(name) {
		if s.Wins {
			facts.Elsewhere = append(facts.Elsewhere, importing.Standing{Value: s.Value, At: s.String()})
		}
	}
	return facts
}

// given are the values of a flag that stand elsewhere.
func (t *importTarget) given(flag string) (values []string) {
	if facts := t.flag(flag); facts != nil {
		for _, s := range facts.Elsewhere {
			values = append(values, s.Value)
		}
	}
	return values
}

// monitored reports whether the file of an earlier run has a check on monitor.
func (t *importTarget) monitored(check string) bool {
	return slices.ContainsFunc(t.s.found.Settings(check), func(s config.Setting) bool {
		return s.Name == t.fragment && s.Value == monitor
	})
}

const monitor = "monitor"

// mode is monitor for a check that would refuse mail at once: that had nothing to do before, and
// for which no file that is read before says anything, nor --default-mode. What an earlier run had
// on monitor stays so: who wants it to refuse says so in a later file, as "mailweir enforce" does.
func (t *importTarget) mode(check string) string {
	if t.monitored(check) {
		return monitor
	}
	if t.on[check] || !t.of.found.Sources("default-mode")[0].IsDefault() {
		return ""
	}
	above := t.of.found.Above(check, t.fragment)
	for _, s := range t.of.found.Settings(check) {
		if !slices.Contains(above, s.Place) {
			return ""
		}
	}
	return monitor
}

// remarks say which of some checks refuse mail already, with the text that the file is to have, so
// that what is imported does so as soon as it is loaded.
func (t *importTarget) remarks(checks []string, text string) (remarks []string) {
	now := t.with(text).standing()
	for _, name := range checks {
		if one := now.Checks[name]; one.Mode.Refuses() {
			remarks = append(remarks, fmt.Sprintf("%s refuses already (%s), so what is imported for it refuses from the next reload on; to watch it first: mailweir monitor %[1]s", name, placeText(one.At)))
		}
	}
	return remarks
}
