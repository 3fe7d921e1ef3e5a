package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mailweir/internal/state"
)

// triplet is a mail as greylisting knows it.
type triplet struct {
	client            netip.Addr
	sender, recipient string
}

// tripletsOfNet is how many triplets share a net; no counter makes the net known as a whole, so
// each is looked up for itself.
const tripletsOfNet = 10

// knownTriplet is the i-th of those in the store.
func knownTriplet(i int) triplet {
	net := i / tripletsOfNet
	return triplet{
		client:    netip.AddrFrom4([4]byte{byte(20 + net>>16), byte(net >> 8), byte(net), 7}),
		sender:    fmt.Sprintf("%s@sender%d.example", lettersOf(uint64(i%1000)), i%50_000),
		recipient: fmt.Sprintf("user%d@recipient.example", i/100),
	}
}

// newTriplet is like one of them, from a sender who never wrote before.
func newTriplet(i int) triplet {
	t := knownTriplet(i)
	t.sender = lettersOf(rand.Uint64()) + "." + t.sender
	return t
}

// someTriplet is a new one in 30 of 100.
func someTriplet(rows int) (t triplet, isNew bool) {
	i := rand.IntN(rows)
	if rand.IntN(100) < 30 {
		return newTriplet(i), true
	}
	return knownTriplet(i), false
}

// lettersOf writes a number without digits: greylisting takes those of a sender for what changes
// from mail to mail.
func lettersOf(n uint64) string {
	var b strings.Builder
	for ; n > 0 || b.Len() == 0; n /= 26 {
		b.WriteByte(byte('a' + n%26))
	}
	return b.String()
}

func (t triplet) net() string { return netip.PrefixFrom(t.client, 24).Masked().String() }

// The keys are those of checks/greylist/memory.go.
func (t triplet) knownKey() string { return state.Key("greylist", t.net(), t.sender, t.recipient) }

func (t triplet) pendingKey() string {
	return state.Key("greylist-pending", t.sender, t.recipient, t.net())
}
func (t triplet) netKey() string { return state.Key("greylist-client", t.net()) }

// The lifetimes are the defaults of the flags.
const (
	keepKnown   = 36 * 24 * time.Hour
	keepPending = 13 * time.Hour
)

// stampForm is how the check writes a time.
const stampForm = "2006-01-02T15:04:05.000Z"

func openState(dir string, rows int) (*state.File, error) {
	return state.OpenFile(dir, state.Options{Rows: 2 * rows, OnDown: func(err error) {
		fmt.Fprintln(os.Stderr, "down:", err)
	}})
}

// fillState makes the triplets, unless a run before has made them. They are up to twenty days old,
// in the order of their keys, so that they go to the file page by page.
func fillState(dir string, rows int) error {
	ctx := context.Background()
	mark := filepath.Join(dir, "filled")
	raw, err := os.ReadFile(mark)
	filled := err == nil && string(raw) == fmt.Sprint(rows)
	if err == nil && !filled {
		return fmt.Errorf("%s is filled with %s triplets: name another directory", dir, raw)
	}
	store, err := openState(dir, rows)
	if err != nil {
		return err
	}
	defer store.Close()
	if filled {
		r, err := store.Do(ctx, state.Get(knownTriplet(0).knownKey()))
		if err == nil && !r[0].Found {
			err = fmt.Errorf("the triplets in %s have ended: remove it", dir)
		}
		return err
	}
	begun := time.Now()
	const page, pages = 1000, 200
	for i := 0; i < rows; i += page {
		steps := make([]state.Step, 0, page)
		for j := i; j < min(i+page, rows); j++ {
			age := 20 * 24 * time.Hour / time.Duration(rows) * time.Duration(rows-j)
			steps = append(steps, state.Put(knownTriplet(j).knownKey(), []byte(begun.Add(-age).UTC().Format(stampForm)), keepKnown-age))
		}
		if _, err := store.Do(ctx, steps...); err != nil {
			return err
		}
		if i/page%pages == pages-1 {
			if err := store.Checkpoint(); err != nil {
				return err
			}
		}
	}
	if err := store.Close(); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "Filled %s with %d triplets in %v.\n", dir, rows, time.Since(begun).Round(time.Second))
	return os.WriteFile(mark, fmt.Append(nil, rows), 0o600)
}

// copyState copies a store that is closed to a new directory, down to the disk.
func copyState(from, to string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	source, err := os.Open(filepath.Join(from, "state.db"))
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.Create(filepath.Join(to, "state.db"))
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Sync(), target.Close())
}
