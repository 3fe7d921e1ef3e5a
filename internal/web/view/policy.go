package view

import "time"

// PolicyPage is what mail is judged by.
type PolicyPage struct {
	Loaded time.Time
	Digest string
	Checks []CheckState
	Files  []PolicyFile
	// Admin offers to have it loaded again.
	Admin    bool
	Checked  *PolicyChecked
	Reloaded *PolicyReloaded
}

// CheckState is how one check stands. Off says why it does nothing, "" where it works.
type CheckState struct{ Name, Title, Mode, OnError, Off string }

// tone is the colour of a mode.
func (c CheckState) tone() Tone {
	switch {
	case c.Off != "":
		return Plain
	case c.Mode == "monitor":
		return Would
	case c.Mode == "defer":
		return Warn
	}
	return Good
}

// PolicyFile is one file that the policy needs.
type PolicyFile struct {
	Name    string
	Changed time.Time
	Size    string
	Trouble string
}

// PolicyChecked is what a reload would do.
type PolicyChecked struct {
	Trouble, Report string
	Changes         []SettingChange
	Files           []string
}

// SettingChange is a flag before and after, one value a line.
type SettingChange struct {
	Flag          string
	Before, After []string
	From          string
	Restart       bool
}

// PolicyReloaded is what came of a reload.
type PolicyReloaded struct{ Trouble, Says, Command string }

// SettingsPage is the flags.
type SettingsPage struct {
	Settings []SettingRow
	Holding  string
	// All shows those that have their default, too; else LeftOut says how many they are.
	All     bool
	LeftOut int
}

// SettingRow is one value of a flag, and where it comes from.
type SettingRow struct{ Flag, Value, From string }
