package test

import (
	"flag"
	"os"
	"testing"
)

// TestMain has more tests run at once than there are processors: nearly all of their time they wait
// for MTAs, servers that are made to hang, and deadlines.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
