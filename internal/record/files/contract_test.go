package files_test

import (
	"os"
	"testing"

	"mailweir/internal/record"
	"mailweir/internal/record/contract"
	"mailweir/internal/record/files"
)

func TestContract(t *testing.T) {
	contract.Run(t, func(t *testing.T, o contract.Options) record.Store {
		s, err := files.Open(t.Context(), inMemory(t), files.Options{Clock: o.Clock, For: o.For, Max: o.Max})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	})
}

// inMemory is a directory in memory, where there is one: the suite has hundreds of commits.
func inMemory(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "mailweir")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
