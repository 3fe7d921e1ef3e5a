// Package test drives mailweir through the MTAs that will ask it.
package test

import (
	"os"
	"testing"

	"mailweir/test/dialog"
	"mailweir/test/testbed"
)

// TestDialogs runs every file of dialogs, as TestDialogs/FILE/MTA. MAILWEIR_BINARY names a program
// to run them with instead of the one of this tree, MAILWEIR_STATE where it remembers (memory, file
// or redis), MAILWEIR_RECORD a directory for its logs.
func TestDialogs(t *testing.T) {
	scripts, err := dialog.LoadAll("dialogs")
	if err != nil {
		t.Fatal(err)
	}
	binary := os.Getenv("MAILWEIR_BINARY")
	if binary == "" {
		binary = testbed.BuildMailweir(t)
	}
	runner := dialog.NewRunner(t, binary)
	runner.Record, runner.State = os.Getenv("MAILWEIR_RECORD"), os.Getenv("MAILWEIR_STATE")
	for _, script := range scripts {
		t.Run(script.Name()+"/"+script.MTA, func(t *testing.T) {
			t.Parallel()
			runner.Run(t, script)
		})
	}
}
