package main

import (
	"context"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/sirupsen/logrus"
)

// outliveWithin is how long messages in progress may take after --drain, once another process
// serves: nobody waits for this one to end.
const outliveWithin = 15 * time.Minute

// outlive lets the connections of this process come to their end, while its successor serves. One
// that is idle may begin messages for as long as --drain; then it is closed. A signal leaves what
// is in progress as long as a drain does, and without the successor there is nothing left to wait
// for: systemd starts the service again. That is an error, for systemd may not have followed to a
// process that ended at once, and starts again (Restart=on-failure) only what fails.
func (d *daemon) outlive(parent context.Context, signals <-chan os.Signal) (err error) {
	connections, drain := d.server.Connections(), *d.settings.daemon.drain
	ctx, cancel := context.WithTimeout(context.WithoutCancel(parent), drain+outliveWithin)
	defer cancel()
	d.sockets.leave()
	var ending sync.WaitGroup
	defer ending.Wait()
	ending.Go(d.stop)
	ended := make(chan struct{})
	ending.Go(func() {
		defer close(ended)
		d.server.IdleGrace = drain
		if err := d.server.Shutdown(ctx); err != nil {
			d.log.WithError(err).Warn("the connections of the old process have not all come to their end")
		}
		d.predecessor.awaitEnd(ctx)
	})
	soon := func() { time.AfterFunc(drain, cancel) }
	gone, stopped := d.successor.peer.Done(), false
	for {
		select {
		case <-ended:
			d.log.WithFields(logrus.Fields{"connections": connections, "successor": d.successor.pid}).Info("the connections of the old process have ended, and so does it")
			return err
		case <-gone:
			d.log.WithField("successor", d.successor.pid).Error("the new process has ended; this one ends, too, to be started again")
			if !stopped { // else it was to end, too
				err = fail(exSoftware, "the new process has ended")
			}
			cancel()
			gone = nil
		case sig := <-signals:
			if sig != syscall.SIGHUP {
				stopped = true
				soon()
			}
		case <-parent.Done():
			soon()
			parent = context.Background()
		}
	}
}
