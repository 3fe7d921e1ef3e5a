package testbed

import (
	"os"
	"os/exec"
	"path/filepath"
)

// MTARoot names a directory with another system, whose Postfix and Sendmail are to be used instead
// of this machine's; test/next makes one. Its users have the same numbers as here.
const MTARoot = "MAILWEIR_MTA_ROOT"

// inMTARoot returns the path here of a file of the system that the MTAs come from.
func inMTARoot(path string) string { return filepath.Join("/", os.Getenv(MTARoot), path) }

// mtaCommand is a command of the system that the MTAs come from. That has this machine's network,
// and its /tmp and /run, in which the tests have their files.
func mtaCommand(name string, args ...string) *exec.Cmd {
	root := os.Getenv(MTARoot)
	if root == "" {
		return exec.Command(name, args...)
	}
	const enter = `for dir in tmp run proc dev; do mount --rbind /$dir "$0/$dir"; done; exec chroot "$0" "$@"`
	return exec.Command("unshare", append([]string{"--mount", "sh", "-ec", enter, root, name}, args...)...)
}
