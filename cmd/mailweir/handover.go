package main

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"

	"mailweir/internal/handover"
	"mailweir/internal/record"
	"mailweir/internal/state"
)

// between is what two processes of one service ask each other: the one that holds state and record
// answers the other one.
type between struct {
	peer   *handover.Peer
	remote atomic.Pointer[state.Remote] // theirs, while it is used here
	served atomic.Pointer[state.Served] // ours, shown there
	sink   atomic.Pointer[record.Sink]  // ours, which takes what they decide
}

var errNotYet = errors.New("this process does not hold what is asked for")

// handlers are those of both sides, with those of one side.
func (b *between) handlers(own map[string]handover.Handler) map[string]handover.Handler {
	for _, method := range state.ServedMethods() {
		own[method] = func(ctx context.Context, body []byte) (any, error) {
			served := b.served.Load()
			if served == nil {
				return nil, errNotYet
			}
			return served.Handle(ctx, method, body)
		}
	}
	for _, method := range state.RemoteMethods() {
		own[method] = func(ctx context.Context, body []byte) (any, error) {
			remote := b.remote.Load()
			if remote == nil {
				return struct{}{}, nil // it goes by nothing that could have changed
			}
			return remote.Handle(ctx, method, body)
		}
	}
	own[record.MethodImport] = func(ctx context.Context, body []byte) (any, error) {
		sink := b.sink.Load()
		if sink == nil {
			return nil, errNotYet
		}
		var sent record.Imported
		if err := json.Unmarshal(body, &sent); err != nil {
			return nil, err
		}
		return struct{}{}, sink.Import(ctx, sent)
	}
	return own
}

// shows has the other process use our state.
func (b *between) shows(store state.Store, held []string) {
	served := state.NewServed(store, b.peer.Call)
	served.Adopt(held)
	b.served.Store(served)
}

// uses has this process use the state of the other one.
func (b *between) uses() *state.Remote {
	remote := state.NewRemote(b.peer.Call)
	b.remote.Store(remote)
	return remote
}

// hides ends what the other process uses here.
func (b *between) hides() {
	if served := b.served.Swap(nil); served != nil {
		served.Close()
	}
}

// reading decodes the body of a question.
func reading[In any](handle func(context.Context, In) (any, error)) handover.Handler {
	return func(ctx context.Context, body []byte) (any, error) {
		var in In
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, err
		}
		return handle(ctx, in)
	}
}
