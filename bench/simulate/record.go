package main

import "time"

// record is the queue of a host for the database: bounded, written by one goroutine each second or
// as soon as there is a commit's worth.
type record struct {
	host    *host
	waiting int // entries
	writing bool
	due     bool // a commit is due within a second
	dropped int
}

// add queues entries, or drops them for lack of room.
func (r *record) add(entries int) {
	if r.waiting+entries > recordQueue {
		r.dropped += entries
		return
	}
	r.waiting += entries
	r.schedule()
}

// schedule sees to it that what waits is written.
func (r *record) schedule() {
	switch {
	case r.writing || r.waiting == 0:
	case r.waiting >= recordBatch:
		r.commit()
	case !r.due:
		r.due = true
		r.host.clock.after(recordEvery, func() {
			if r.due = false; !r.writing && r.waiting > 0 {
				r.commit()
			}
		})
	}
}

func (r *record) commit() {
	batch := min(r.waiting, recordBatch)
	takes := recordCommit + time.Duration(batch)*recordEntry
	r.writing = true
	r.host.site.database.serve(takes, func() {
		r.waiting -= batch
		r.writing = false
		r.schedule()
	})
}
