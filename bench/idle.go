package main

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"time"

	"mailweir/test/wire"
)

// idleConnections is how many stay open.
const idleConnections = 10_000

// idle measures what a connection costs that stays open after a message, as those of MTAs do.
func (b *bench) idle() error {
	fmt.Printf("%d connections that stay open after a message each (20 header fields, 8 KiB body), by which resident memory\n"+
		"grows, in KiB a connection:\n\n", idleConnections)
	row("filter", "resident before", "after", "a connection")
	row("---", "--:", "--:", "--:")
	for _, c := range b.contenders {
		before, after, err := b.idleCase(c)
		if err != nil {
			return fmt.Errorf("%v: %w", c, err)
		}
		row(c, mib(before), mib(after), fmt.Sprintf("%.1f", float64(after-before)/idleConnections))
	}
	fmt.Println()
	return nil
}

// idleAims is the memory of a connection under the default policy, each round in a process of its
// own.
func (b *bench) idleAims() ([]aim, error) {
	ours, theirs := contender{name: "mailweir"}, contender{name: "C filter", native: true}
	kept := make(map[string]sample)
	for range b.rounds {
		for _, c := range []contender{ours, theirs} {
			before, after, err := b.idleCase(c)
			if err != nil {
				return nil, fmt.Errorf("%v: %w", c, err)
			}
			kept[c.name] = append(kept[c.name], float64(after-before)/idleConnections)
		}
	}
	return []aim{{
		What: "idle connection after a message", Bound: atMost(10, "KiB"), Got: kept[ours.name],
		Of: []reading{
			{ours.name, "KiB a connection", kept[ours.name]},
			{theirs.name, "KiB a connection", kept[theirs.name]},
		},
	}}, nil
}

// idleCase returns the resident memory in KiB before and after the connections.
func (b *bench) idleCase(c contender) (before, after int, err error) {
	h := b.Part()
	defer h.Close()
	if !c.native {
		c.flags = append(slices.Clone(c.flags), "--load-sessions=0") // the default refuses so many
	}
	pid, socket := b.start(h, c, "")
	// What the first messages need once, buffers and caches, is no connection's.
	warm := load{socket: socket, connections: 20, letters: usualLetters(1, bodySize)}
	if _, _, err := measure(pid, warm, time.Second); err != nil {
		return 0, 0, err
	}
	if before, err = residentMemory(pid); err != nil {
		return 0, 0, err
	}
	for range idleConnections {
		conn, err := stay(socket)
		if err != nil {
			return 0, 0, err
		}
		h.Cleanup(func() { _ = conn.Close() })
	}
	after, err = residentMemory(pid)
	return before, after, err
}

// stay sends a message over a connection and leaves it open.
func stay(socket string) (net.Conn, error) {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(wire.Patience)); err != nil {
		return conn, err
	}
	in := bufio.NewReaderSize(conn, streamBuffer)
	agreed, err := wire.Negotiate(conn, in)
	if err != nil {
		return conn, err
	}
	exchanges := session(agreed, usualLetters(1, bodySize), 0)
	return conn, play(conn, in, exchanges[:len(exchanges)-1]) // all but QUIT
}
