package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"mailweir/internal/handover"
	"mailweir/internal/state"
	"mailweir/internal/systemd"
)

// predecessor is the old process as the new one sees it; nil where there is none.
type predecessor struct {
	between
	offer     handover.Offer
	listeners []net.Listener
	over      atomic.Bool // this process serves
}

// meetWithin bounds each question to the old process that it can answer at once.
const meetWithin = time.Minute

// meetPredecessor begins the conversation with the process that has started this one as its
// successor; nil where there is none.
func meetPredecessor() (*predecessor, error) {
	in, err := handover.Inherit()
	if in == nil || err != nil {
		return nil, err
	}
	p := &predecessor{listeners: in.Listeners}
	p.peer = handover.NewPeer(in.Conn, p.handlers(map[string]handover.Handler{}))
	if err := p.ask(handover.MethodOffer, struct{}{}, &p.offer); err != nil {
		p.peer.Close()
		return nil, errors.Join(err, closeListeners(in.Listeners))
	}
	if len(p.offer.Sockets) != len(in.Listeners) {
		p.peer.Close()
		return nil, errors.Join(fmt.Errorf("handover: %d sockets are offered, and %d came", len(p.offer.Sockets), len(in.Listeners)), closeListeners(in.Listeners))
	}
	return p, nil
}

func closeListeners(listeners []net.Listener) (err error) {
	for _, l := range listeners {
		err = errors.Join(err, l.Close())
	}
	return err
}

func (p *predecessor) ask(method string, in, out any) error {
	ctx, cancel := context.WithTimeout(context.Background(), meetWithin)
	defer cancel()
	return p.peer.Call(ctx, method, in, out)
}

// sockets are those that the old process listens on.
func (p *predecessor) sockets() *sockets {
	s := &sockets{inherited: map[string]net.Listener{}, gate: make(chan struct{})}
	for i, one := range p.offer.Sockets {
		if one.Name != "" {
			s.handed = append(s.handed, systemd.Socket{Name: one.Name, Listener: p.listeners[i]})
		} else {
			s.inherited[one.Address] = p.listeners[i]
		}
	}
	return s
}

// hasState reports whether the old process holds the state of that name, hasRecord the record.
func (p *predecessor) hasState(spec string) bool { return p != nil && spec == p.offer.State }

func (p *predecessor) hasRecord(spec string) bool { return p != nil && spec == p.offer.Record }

// fail tells the old process why there will be no successor.
func (p *predecessor) fail(err error) {
	if p == nil || err == nil || p.over.Load() {
		return
	}
	exit := asExit(err)
	_ = p.ask(handover.MethodFailed, handover.Failed{Error: exit.Error(), Code: exit.code}, nil) // it sees that we end
}

// succeed takes everything over from the old process.
func (d *daemon) succeed() error {
	p := d.predecessor
	spec, record := stateSpec(*d.settings.daemon.state), ""
	if d.record != nil {
		record = d.record.spec
	}
	loaded := handover.Loaded{Version: version, PID: os.Getpid(), State: d.state != nil && p.hasState(spec), Record: record != "" && p.hasRecord(record)}
	if err := p.ask(handover.MethodLoaded, loaded, nil); err != nil {
		return err
	}
	if loaded.Record {
		store, err := d.record.reopen()
		if err != nil {
			return failedRecord(err)
		}
		d.record.exchange.Put(store)
	}
	var held []string
	take := func() (taken handover.Taken, err error) {
		err = p.ask(handover.MethodTake, struct{}{}, &taken)
		for _, key := range taken.Held {
			held = append(held, string(key))
		}
		return taken, err
	}
	var err error
	if loaded.State {
		err = d.state.Exchange(func(was state.Store, _ []string) (state.Store, error) {
			taken, err := take()
			if err != nil {
				return was, err
			}
			store, err := openState(*d.settings.daemon.state, d.log, time.Now)
			if err != nil {
				return was, err
			}
			if taken.Rows {
				err = p.fetch(store)
			}
			return store, err
		})
	} else {
		_, err = take()
	}
	if err != nil {
		return err
	}
	p.remote.Store(nil)
	if loaded.State {
		p.shows(d.state, held)
	}
	if loaded.Record {
		p.sink.Store(d.record.sink)
	}
	if err := p.ask(handover.MethodServing, struct{}{}, nil); err != nil && !errors.Is(err, handover.ErrGone) {
		return err
	} // where it has gone, there is nobody else
	p.over.Store(true)
	return nil
}

// awaitEnd returns when the old process has nothing more to do, or at the end of the context.
func (p *predecessor) awaitEnd(ctx context.Context) {
	if p == nil {
		return
	}
	select {
	case <-p.peer.Done():
	case <-ctx.Done():
	}
}

// leave ends the conversation.
func (p *predecessor) leave() {
	if p != nil {
		p.peer.Close()
		p.hides()
	}
}

// watchOver tells when the old process has ended, and frees what it held.
func (p *predecessor) watchOver(log *logrus.Logger) {
	<-p.peer.Done()
	p.hides()
	log.WithFields(logrus.Fields{"pid": p.offer.PID, "version": p.offer.Version}).Info("the old process has ended its connections")
}

// fetch gets the rows of a state in memory.
func (p *predecessor) fetch(into state.Store) error {
	memory, is := into.(*state.Memory)
	if !is {
		return errors.New("handover: rows are offered for a state that is not in memory")
	}
	for {
		var rows []handover.Row
		if err := p.ask(handover.MethodRows, json.RawMessage("{}"), &rows); err != nil || len(rows) == 0 {
			return err
		}
		for _, r := range rows {
			e := state.Entry{Key: string(r.Key), Value: r.Value, Entered: r.Entered}
			if r.Until != 0 {
				e.Until = time.UnixMilli(r.Until)
			}
			memory.Take(e)
		}
	}
}
