package spool

import (
	"os"

	"golang.org/x/sys/unix"
)

// open makes a file that never has a name, where the file system can: whoever may write to the
// directory, too, can neither open it nor keep it (open(2), O_TMPFILE).
func open(dir string) (*os.File, error) { return openEither(dir, openNameless) }

// openEither makes a file whose name is gone at once where it cannot be one without a name. File
// systems refuse those with many errors, and network ones are interrupted by the runtime's signals
// (EINTR): whatever the error is, that of the second way counts.
func openEither(dir string, nameless func(dir string) (int, error)) (*os.File, error) {
	if dir == "" {
		dir = os.TempDir()
	}
	if fd, err := nameless(dir); err == nil {
		return os.NewFile(uintptr(fd), dir+"/(a body)"), nil
	}
	return openNamed(dir)
}

func openNameless(dir string) (int, error) {
	return unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_EXCL|unix.O_CLOEXEC, 0o600)
}
