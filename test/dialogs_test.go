// Package test drives mailweir through the MTAs that will ask it.
package test

import (
	"testing"

	"mailweir/test/dialog"
	"mailweir/test/testbed"
)

// TestDialogs runs every file of dialogs, as TestDialogs/FILE/MTA.
func TestDialogs(t *testing.T) {
	scripts, err := dialog.LoadAll("dialogs")
	if err != nil {
		t.Fatal(err)
	}
	runner := dialog.NewRunner(t, testbed.BuildMailweir(t))
	for _, script := range scripts {
		t.Run(script.Name()+"/"+script.MTA, func(t *testing.T) {
			t.Parallel()
			runner.Run(t, script)
		})
	}
}
