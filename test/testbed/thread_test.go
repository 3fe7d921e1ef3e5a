package testbed

import (
	"os/exec"
	"testing"

	"mailweir/internal/mta"
)

// TestThreads: a process lives on when the thread ends that happened to run the test.
func TestThreads(t *testing.T) {
	nobody, err := mta.LookupAccount("nobody")
	if err != nil {
		Missing(t, err.Error())
	}
	for range 20 {
		p := start(t, exec.Command("sleep", "100"))
		for range 30 {
			if err := mta.As(nobody, func() error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case <-p.done:
			t.Fatalf("the process is gone: %v", p.err)
		default:
		}
	}
}
