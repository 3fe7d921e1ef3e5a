package milter

import (
	"testing"

	"go.uber.org/goleak"

	"mailweir/internal/policy"
)

// The policy's own session is what the wire is made for.
var _ Session = (*policy.Session)(nil)

// TestMain sees to it that no test leaves a goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
