package content

import (
	"bytes"
	"errors"
	"io"
)

// errStopped ends the walk when its time is over or nobody wants it any more.
var errStopped = errors.New("content: examination stopped")

// feed is the message as the walk reads it.
type feed struct {
	x     *Examination
	chunk []byte // what has come and is not read
	kept  int    // octets of chunk that are a copy of ours
	ended bool
	yield func(struct{}) bool
}

func (f *feed) Read(p []byte) (int, error) {
	for len(f.chunk) == 0 {
		if f.ended {
			return 0, io.EOF
		}
		f.rest()
	}
	if f.x.halted() {
		return 0, errStopped
	}
	n := copy(p, f.chunk)
	f.chunk = f.chunk[n:]
	return n, nil
}

// rest gives the call back to whoever waits for it; the walk goes on here with the next call.
func (f *feed) rest() {
	if !f.yield(struct{}{}) {
		f.ended = true
	}
}

// add takes a chunk that is valid until the next call of keep.
func (f *feed) add(chunk []byte) {
	if len(f.chunk) > 0 {
		chunk = append(f.chunk, chunk...)
	}
	f.chunk = chunk
}

// keep copies what the walk has not read, because it had to rest before.
func (f *feed) keep() {
	budget := f.x.examiner.pool.budget
	budget.give(f.kept)
	f.kept = 0
	switch {
	case len(f.chunk) == 0:
	case f.x.closed:
		f.chunk = nil
	case !budget.take(len(f.chunk)):
		f.chunk = nil
		f.x.fail(ErrMemory)
	default:
		f.kept = len(f.chunk)
		f.chunk = bytes.Clone(f.chunk)
	}
}

// halted tells the walk to end: an error, Close, or the time limit. Whatever can take long asks it
// often, so that this is also the place where the walk rests when the answer to a chunk is due.
func (x *Examination) halted() bool {
	if x.err != nil || x.closed || x.late {
		return true
	}
	worked := x.examiner.now().Sub(x.began)
	switch limits := x.examiner.limits; {
	case x.spent+worked > limits.Time:
		x.late = true
		x.reach(LimitTime)
	case x.hurried && worked > limits.Chunk:
		x.feed.rest()
		return x.halted()
	}
	return x.late
}

func (x *Examination) enter() { x.began = x.examiner.now() }

func (x *Examination) leave() { x.spent += x.examiner.now().Sub(x.began) }

// fail ends the examination with an error.
func (x *Examination) fail(err error) {
	if x.err == nil {
		x.err = err
	}
}
