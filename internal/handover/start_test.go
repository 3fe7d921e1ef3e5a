package handover

import (
	"strings"
	"testing"
	"time"
)

// TestForkHangs: a program that does not know that it is to start itself again is not waited for
// without end, and does not stay.
func TestForkHangs(t *testing.T) {
	began := time.Now()
	err := forked("/bin/sleep", []string{"60"}, nil, []uintptr{0, 1, 2}, 50*time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "/bin/sleep does not start a successor within 50ms") {
		t.Errorf("%v", err)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
}
