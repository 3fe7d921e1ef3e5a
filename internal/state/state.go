// Package state is what checks remember between messages: marks, counters and leases under keys
// with a lifetime.
//
// A store does steps. Each step is atomic, so several processes share one store without locks of
// their own, and [Store.Do] does any number of them in one round trip. What is written has one of
// two durabilities: counted, which a crash may take back up to a second of, and entered (by a
// person), which is on disk before it is acknowledged and is never evicted.
//
// [Open] opens a store by its name: memory: for trials, file:DIR for one host, redis://… for
// several.
package state

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mailweir/internal/backend"
)

// Store keeps values under keys. Its methods may be called from any goroutine. A store that is
// unavailable returns an error that is [ErrDown] within the context of the call, and at once while
// that is known: it is never a verdict on anyone.
type Store interface {
	// Do does the steps in one round trip and returns a result for each, which has an error of its
	// own; the error that Do returns is the first of those, for whoever needs them all. Every step
	// is atomic, steps on one key happen in order, and the whole is not atomic: what is wrong with
	// one step, or with the server that has its key, leaves the others alone.
	Do(ctx context.Context, steps ...Step) ([]Result, error)

	// Get returns the value under key, false when there is none. A counter reads as its number in
	// decimal.
	Get(ctx context.Context, key string) ([]byte, bool, error)
	// Acquire takes one of limit places under key, false when all are taken. Places and other
	// entries do not share their keys. The places of a process that dies are free again at once
	// (one host) or within [LeaseTime] (several). While a shared store is unavailable, the places
	// that this process holds are counted instead, without an error.
	Acquire(ctx context.Context, key string, limit int) (Lease, bool, error)

	// List returns up to limit entries whose keys begin with prefix and come after the key after,
	// in the order of keys. A prefix names at least a space and its separator; [Prefix] makes one.
	// To read on, pass the last key as after.
	List(ctx context.Context, prefix, after string, limit int) ([]Entry, error)
	// Ending returns up to limit living entries of the space that end before that time, soonest
	// first. Whoever must see what ended gives it a longer life than it means and visits it in the
	// rest; [Delete] tells the one host that was first.
	Ending(ctx context.Context, space string, before time.Time, limit int) ([]Entry, error)
	// Watch calls changed with each key under prefix that an entered step changed: here, before
	// that step returns; on another host, within a second or two. It calls changed("") when changes
	// may have been missed: list again. An entry that ends by itself is not reported. changed must
	// not wait; calls come one at a time for what other hosts do.
	Watch(prefix string, changed func(key string)) (stop func())

	// Waits reports whether what is asked here waits for a network or another process. Where it
	// does not, Do, Get and Acquire return at once as long as no step is [Step.Entered], so that
	// there is no need for a goroutine to ask in.
	Waits() bool
	// Stats counts what the store holds.
	Stats(ctx context.Context) (Stats, error)
	// Close writes what is pending and ends the use of the store.
	Close() error
}

// Lease is one place that is held.
type Lease interface {
	// Release gives the place back. It never waits, and releasing twice is harmless.
	Release()
}

// LeaseTime is how long the places of a process that died stay taken in a shared store.
const LeaseTime = 30 * time.Second

// Entry is one row of a store.
type Entry struct {
	Key   string
	Value []byte
	// Until is when it ends; zero is never.
	Until time.Time
	// Entered says that a person made it.
	Entered bool
}

// Stats is what a store holds.
type Stats struct {
	// Spaces are in the order of their names.
	Spaces []SpaceStats
	// Bytes is the size of the file, or the memory of the server; 0 when unknown.
	Bytes int64
	// Pending is the number of rows that a crash would lose now.
	Pending int
	// Leases is the number of places that this process holds.
	Leases int
	// Unwritten says that the disk is full or fails, so that Pending grows.
	Unwritten bool
	// Notes are sentences about what an administrator should know, such as a server that syncs
	// nothing.
	Notes []string
}

// SpaceStats is one space of a store.
type SpaceStats struct {
	Space string
	// Rows may include some that have ended and are not swept yet.
	Rows int64
	// Evicted counts the rows that had to go before their end because the space was full.
	Evicted int64
}

// Schema is the version of what this program writes. A store with a newer one is refused.
const Schema = 1

var (
	// ErrDown is the error of a store that is unavailable: nothing is known, nothing was done for
	// certain.
	ErrDown = fmt.Errorf("state is %w", backend.ErrUnavailable)
	// ErrUnwritten is the error of a store whose disk is full or fails. It goes on in memory, and
	// writes when the disk works again.
	ErrUnwritten = errors.New("state cannot be written to disk")
	// ErrUnsynced is the error of an entered step that was done, while the server did not confirm
	// that it would survive.
	ErrUnsynced = errors.New("entered, but the server did not confirm that it is safe; enter it again")
	// ErrClosed is the error of a store after Close.
	ErrClosed = errors.New("state is closed")
	// ErrRefused is the error of a server that answers and does not let us in, or has not what the
	// store's name says.
	ErrRefused = errors.New("the server refuses")
	// ErrNewer is the error of a store that a newer program has written.
	ErrNewer = errors.New("state was written by a newer mailweir")
)
