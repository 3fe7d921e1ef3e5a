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
		if err := b.idleCase(c); err != nil {
			return fmt.Errorf("%v: %w", c, err)
		}
	}
	fmt.Println()
	return nil
}

func (b *bench) idleCase(c contender) error {
	h := b.Part()
	defer h.Close()
	if !c.native {
		c.flags = append(slices.Clone(c.flags), "--load-sessions=0") // the default refuses so many
	}
	pid, socket := b.start(h, c, "")
	// What the first messages need once, buffers and caches, is no connection's.
	if _, _, err := measure(pid, load{socket: socket, connections: 20, letters: usualLetters(1, bodySize)}, time.Second); err != nil {
		return err
	}
	before, err := residentMemory(pid)
	if err != nil {
		return err
	}
	for range idleConnections {
		conn, err := stay(socket)
		if err != nil {
			return err
		}
		h.Cleanup(func() { _ = conn.Close() })
	}
	after, err := residentMemory(pid)
	if err != nil {
		return err
	}
	row(c, mib(before), mib(after), fmt.Sprintf("%.1f", float64(after-before)/idleConnections))
	return nil
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
