package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// HeldError says that another process has the directory open.
type HeldError struct {
	Dir   string
	PID   string // as that process wrote it
	Since string // RFC 3339
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("state: %s is held by process %s since %s: ask that one through its control socket, or stop it first", e.Dir, e.PID, e.Since)
}

// holder is the lock on a directory. The kernel gives it back however the process ends.
type holder struct {
	file  *os.File
	owner *owner // of what is made in the directory
}

func hold(dir string) (*holder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	if err := checkDir(dir); err != nil {
		return nil, err
	}
	whose, err := ownerOf(dir)
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	file, err := whose.open(filepath.Join(dir, "holder"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer file.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("state: lock %s: %w", file.Name(), err)
		}
		return nil, heldBy(dir, file)
	}
	// The real time: an administrator reads it.
	words := fmt.Sprintf("%d %s\n", os.Getpid(), time.Now().UTC().Format(time.RFC3339))
	err = file.Truncate(0)
	if err == nil {
		_, err = file.WriteAt([]byte(words), 0)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("state: %w", err), file.Close())
	}
	return &holder{file, whose}, nil
}

func heldBy(dir string, file *os.File) error {
	raw := make([]byte, 100)
	n, _ := file.Read(raw) // an unreadable name is an unknown one
	e := &HeldError{Dir: dir, PID: "unknown", Since: "unknown"}
	if words := strings.Fields(string(raw[:n])); len(words) == 2 {
		e.PID, e.Since = words[0], words[1]
	}
	return e
}

func (h *holder) release() error { return h.file.Close() }
