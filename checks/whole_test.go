package checks

import (
	"testing"

	"go.uber.org/goleak"

	"mailweir/internal/policytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// whole is a rig of all checks. Greylisting, to which all senders here are new, is off.
func whole() policytest.Rig {
	return policytest.Rig{Registry: Registry(), Flags: []string{"--greylist=off"}}
}
