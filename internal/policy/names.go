package policy

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Named values are written in JSON by the names that they have in logs and metrics.

// MarshalText writes the name of the mode.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads the name of a mode.
func (m *Mode) UnmarshalText(text []byte) error { return readName(m, modeNames[:], text) }

// MarshalText writes the name of the stage.
func (s Stage) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the name of a stage.
func (s *Stage) UnmarshalText(text []byte) error { return readName(s, stageNames[:], text) }

// MarshalText writes the name of the action.
func (a Action) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads the name of an action.
func (a *Action) UnmarshalText(text []byte) error { return readName(a, actionNames[:], text) }

// MarshalText writes the name of the fate.
func (f Fate) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads the name of a fate.
func (f *Fate) UnmarshalText(text []byte) error { return readName(f, fateNames[:], text) }

// MarshalText returns the kind as it is written.
func (k EditKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the name of a kind of edit.
func (k *EditKind) UnmarshalText(text []byte) error { return readName(k, editNames[:], text) }

func readName[T ~uint8](value *T, names []string, text []byte) error {
	i := slices.Index(names, string(text))
	if i < 0 {
		return fmt.Errorf("%q is none of %q", text, names)
	}
	*value = T(i)
	return nil
}

type lineData struct {
	Code     int    `json:"code"`
	Enhanced string `json:"enhanced"`
	Text     string `json:"text"`
}

// MarshalJSON writes the parts of the line.
func (l Line) MarshalJSON() ([]byte, error) {
	return json.Marshal(lineData{l.code, l.enhanced, l.text})
}

// UnmarshalJSON reads the parts of a line that has been recorded.
func (l *Line) UnmarshalJSON(data []byte) error {
	var d lineData
	err := json.Unmarshal(data, &d)
	*l = Line{d.Code, d.Enhanced, d.Text}
	return err
}
