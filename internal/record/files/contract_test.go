package files_test

import (
	"testing"

	"mailweir/internal/record"
	"mailweir/internal/record/contract"
	"mailweir/internal/record/files"
)

func TestContract(t *testing.T) {
	contract.Run(t, func(t *testing.T, o contract.Options) record.Store {
		s, err := files.Open(t.Context(), t.TempDir(), files.Options{Clock: o.Clock, For: o.For, Max: o.Max})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	})
}
