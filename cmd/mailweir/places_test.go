package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Where everybody may write, as in /tmp, the socket is to go elsewhere: others need the directory
// as it is.
func TestSocketRemark(t *testing.T) {
	for _, mode := range []os.FileMode{0o777, 0o777 | os.ModeSticky} {
		dir := filepath.Join(t.TempDir(), "d")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		remark := socketRemark("unix:" + dir + "/x.sock")
		if strings.Contains(remark, "chmod") || !strings.Contains(remark, "directory of its own, such as /run/mailweir") {
			t.Errorf("%v: %s", mode, remark)
		}
	}
}
