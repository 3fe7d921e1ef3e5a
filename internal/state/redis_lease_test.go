package state

import (
	"context"
	"testing"

	"github.com/redis/rueidis"

	"mailweir/test/testbed"
)

func TestRedisPlacesOfTheDead(t *testing.T) {
	clock := newHand()
	spec := "redis://" + testbed.StartRedis(t).Address
	one, two := newHost(t, spec, clock.time), newHost(t, spec, clock.time)
	acquire(t, one, "l|k", 2, true)
	acquire(t, one, "l|k", 2, true)
	for range 5 { // they live as long as their host
		clock.move(LeaseTime * 2 / 3)
		if err := one.renewLeases(t.Context()); err != nil {
			t.Fatal(err)
		}
		acquire(t, two, "l|k", 2, false)
	}
	one.die()
	acquire(t, two, "l|k", 2, false)
	clock.move(LeaseTime)
	acquire(t, two, "l|k", 2, true).Release()
	mine := acquire(t, two, "l|k", 1, true)
	if err := two.Close(); err != nil { // an orderly end gives them back at once
		t.Fatal(err)
	}
	mine.Release()
	acquire(t, newHost(t, spec, clock.time), "l|k", 1, true)
}

// TestRedisPlaceUnderWay: a place that is given back is free here, also while somebody else is
// still about to tell the server.
func TestRedisPlaceUnderWay(t *testing.T) {
	h := newHost(t, "redis://"+testbed.StartRedis(t).Address, nil)
	acquire(t, h, "l|k", 1, true).Release()
	if left, all := h.leases.leftOf("l|k", false); len(left) != 1 || !all {
		t.Fatalf("left: %q, all: %v", left, all)
	}
	if left, all := h.leases.leftOf("l|k", false); len(left) != 0 || all {
		t.Errorf("left for the next: %q, all: %v", left, all)
	}
	acquire(t, h, "l|k", 1, true)
}

func TestRedisPlacesWithoutServer(t *testing.T) {
	server := testbed.StartRedis(t)
	spec := "redis://" + server.Address
	one, two := newHost(t, spec, nil), newHost(t, spec, nil)
	acquire(t, one, "l|k", 2, true)
	acquire(t, two, "l|k", 2, true)
	server.Kill()
	local := acquire(t, one, "l|k", 2, true) // its own are counted
	acquire(t, one, "l|k", 2, false)
	server.Start() // it has forgotten everything
	wait(t, "it is back", one.up)
	server.Wait("2", "ZCARD", one.names.lease("l|k"))
	acquire(t, two, "l|k", 2, false)
	local.Release()
	acquire(t, one, "l|k", 2, true)
}

// TestRedisPlaceNotHeardOf: a server that was not there when a place was given back is told again
// when it is, long before the place would end.
func TestRedisPlaceNotHeardOf(t *testing.T) {
	server := testbed.StartRedis(t, "--appendonly", "yes", "--appendfsync", "always")
	spec := "redis://" + server.Address
	one, two := newHost(t, spec, nil), newHost(t, spec, nil)
	lease := acquire(t, one, "l|k", 1, true)
	acquire(t, two, "l|k", 1, false)
	server.Kill()
	lease.Release() // nobody asks, so nobody finds the server lost
	server.Start()
	server.Wait("0", "ZCARD", one.names.lease("l|k"))
	acquire(t, two, "l|k", 1, true)
}

// TestRedisPlaceThatNobodyTook: what the server may have given to one who was refused meanwhile is
// given back.
func TestRedisPlaceThatNobodyTook(t *testing.T) {
	server := testbed.StartRedis(t)
	spec := "redis://" + server.Address
	one, two := newHost(t, spec, nil), newHost(t, spec, nil)
	lease := acquire(t, one, "l|k", 1, true)
	if _, err := server.Ask("FLUSHALL"); err != nil { // a server that has forgotten, and would give it again
		t.Fatal(err)
	}
	server.Pause()
	acquire(t, one, "l|k", 1, false)
	server.Resume()
	wait(t, "it is back", one.up)
	lease.Release()
	server.Wait("0", "ZCARD", one.names.lease("l|k"))
	acquire(t, two, "l|k", 1, true)
}

// heldUp is a connection on which a renewal waits until the test lets it go.
type heldUp struct {
	rueidis.Client
	renews, gone chan struct{}
	goes, ends   <-chan struct{}
}

func (c heldUp) DoMulti(ctx context.Context, commands ...rueidis.Completed) []rueidis.RedisResult {
	if len(commands) == 0 || commands[0].Commands()[0] != "ZADD" {
		return c.Client.DoMulti(ctx, commands...)
	}
	c.renews <- struct{}{}
	select {
	case <-c.goes:
	case <-c.ends:
	}
	answers := c.Client.DoMulti(context.WithoutCancel(ctx), commands...)
	c.gone <- struct{}{}
	return answers
}

// TestRedisPlaceLeftInRenewal: a place that is given back, and asked for again, does not stay taken
// because a renewal that names it was on its way.
func TestRedisPlaceLeftInRenewal(t *testing.T) {
	server := testbed.StartRedis(t)
	h := newHost(t, "redis://"+server.Address, nil)
	lease := acquire(t, h, "l|k", 1, true)
	client, err := h.client()
	if err != nil {
		t.Fatal(err)
	}
	goes := make(chan struct{})
	held := heldUp{client, make(chan struct{}, 100), make(chan struct{}, 100), goes, t.Context().Done()}
	var slow rueidis.Client = held
	h.connection.Store(&slow)
	h.leases.renew()
	wait(t, "a renewal", held.renews)
	lease.Release()
	acquire(t, h, "l|k", 1, true)
	close(goes)
	wait(t, "the server has the renewal", held.gone)
	server.Wait("1", "ZCARD", h.names.lease("l|k"))
}
