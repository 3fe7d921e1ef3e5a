package milter

import (
	"testing"

	"go.uber.org/goleak"

	"mailweir/internal/runner"
)

// The policy's own session is what the wire is made for.
var _ Session = (*runner.Session)(nil)

// TestMain sees to it that no test leaves a goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
