package web

import (
	"context"
	"time"

	"mailweir/internal/explain"
)

// InForce tells what the daemon goes by. Its fields are not nil where there is a console.
type InForce struct {
	// Settings are the flags that are in force, passwords masked.
	Settings func() []Setting
	// Policy is how checks and lists stand.
	Policy func() Policy
	// Check reads every source of flags again and says what a reload would change, and what is
	// wrong.
	Check func(context.Context) Checked
	// Explain plays a case under the policy in force, and leaves nothing behind. Its error is about
	// what the visitor has written, or about what could not be built.
	Explain func(context.Context, *explain.Case, *explain.Message) (*explain.Transcript, error)
}

// Setting is the value of one flag, and where it comes from: a file with its line, a variable, the
// command line, or the default.
type Setting struct{ Flag, Value, From string }

// Policy is what mail is judged by.
type Policy struct {
	// Loaded is when it was.
	Loaded time.Time
	Checks []CheckState
	Files  []File
	// Digest names it in the record.
	Digest string
}

// CheckState is how one check stands. Off says why it does nothing, "" where it works.
type CheckState struct{ Name, Title, Mode, OnError, Off string }

// File is one file of lists, or other files that the policy needs.
type File struct {
	Name    string
	Changed time.Time
	Octets  int64
	// Err is why it cannot be read now.
	Err string
}

// Checked is what a reload would do.
type Checked struct {
	// Err is what is wrong, "" where it can be loaded.
	Err string
	// Report is what "mailweir check" prints.
	Report string
	// Changes are the flags that would have other values.
	Changes []SettingChange
	// Files are those of lists that have changed since the policy was loaded.
	Files []string
}

// SettingChange is a flag before and after. Restart says that it takes effect at the next start
// only.
type SettingChange struct {
	Flag, Before, After, From string
	Restart                   bool
}
