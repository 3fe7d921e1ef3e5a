package checks

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// whole is a rig of all checks. Greylisting, to which all senders here are new, is off.
func whole() rig { return rig{Registry(), []string{"--greylist=off"}} }
