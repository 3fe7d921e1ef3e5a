package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// DamagedError says that the file of rows holds what no mailweir has written there: the disk fails,
// or something else wrote to it.
type DamagedError struct {
	File  string
	Cause string // what was met, and where
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("%s is damaged: move it away, or restore a copy of its directory, and start mailweir again; without a copy what it remembered is lost (%s)",
		e.File, e.Cause)
}

// errRow is a row that this program has not written so.
var errRow = errors.New("a row is damaged")

// guarded calls use, which reads the file or writes it, and makes a [DamagedError] of what damage
// does there. bbolt panics over a page that is not what it should be; its memory is the file, so a
// page that the kernel cannot get is a fault. Every other panic is a defect of ours and goes on.
func guarded(file string, use func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		where := origin()
		if _, fault := p.(interface{ Addr() uintptr }); !fault && !strings.HasPrefix(where.Function, "go.etcd.io/bbolt") {
			panic(p)
		}
		err = &DamagedError{file, fmt.Sprintf("%v, in %s, %s:%d", p, where.Function, filepath.Base(where.File), where.Line)}
	}()
	return damageOf(file, use())
}

// origin returns the frame that panicked, for the deferred function that recovered.
func origin() runtime.Frame {
	callers := make([]uintptr, 32)
	frames := runtime.CallersFrames(callers[:runtime.Callers(3, callers)])
	for {
		frame, more := frames.Next()
		if !more || !strings.HasPrefix(frame.Function, "runtime.") {
			return frame
		}
	}
}

// damageOf makes a DamagedError of an error that means no less.
func damageOf(file string, err error) error {
	if isDamage(err) {
		return &DamagedError{file, err.Error()}
	}
	return err
}

func isDamage(err error) bool {
	if err == nil {
		return false
	}
	for _, damage := range []error{errRow, berrors.ErrInvalid, berrors.ErrChecksum, berrors.ErrVersionMismatch, berrors.ErrInvalidMapping} {
		if errors.Is(err, damage) {
			return true
		}
	}
	return false
}

// rowsFile is the bbolt file. Once damage was met nothing touches it any more: bbolt may have kept
// its locks, and what is read there may be anything.
type rowsFile struct {
	*bolt.DB
	name string
	file *os.File
}

// close closes the file. bbolt's own way waits for locks, so a damaged one is only given back to
// the kernel.
func (r *rowsFile) close(damaged bool) error {
	if damaged {
		return r.abandon()
	}
	return r.DB.Close()
}

// abandon gives up the file and its lock. The mapping stays, and with it the lock unless it is
// taken off.
func (r *rowsFile) abandon() error {
	return errors.Join(syscall.Flock(int(r.file.Fd()), syscall.LOCK_UN), r.file.Close())
}

// onRows calls use, which reads the file of rows or writes it. Damage takes the store unavailable
// until the next start.
func (f *File) onRows(use func() error) error {
	if err := f.lost(); err != nil {
		return err
	}
	err := guarded(f.db.name, use)
	if damage := (*DamagedError)(nil); errors.As(err, &damage) {
		f.damage.CompareAndSwap(nil, damage)
		err = f.lost()
		f.health.lose(err)
	}
	return err
}

// lost is the error of a store whose file is damaged.
func (f *File) lost() error {
	damage := f.damage.Load()
	if damage == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrDown, damage)
}

// view calls see with a transaction that reads.
func (f *File) view(see func(*bolt.Tx) error) error {
	return f.onRows(func() error { return f.db.View(see) })
}
