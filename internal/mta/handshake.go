package mta

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
)

// Packets of the milter protocol (libmilter/mfdef.h): a length, a letter, data.
const (
	optionNegotiation = 'O'
	quit              = 'Q'
	milterVersion     = 6
	allActions        = 0x1ff    // of version 6
	allProtocol       = 0x1fffff // of version 6
	mostAnswer        = 64 << 10 // of octets in the answer to an offer
)

// Handshake offers everything to a milter as a mail server does, reads what it chooses, and leaves.
// So whoever listens is a milter and answers.
func Handshake(ctx context.Context, conn net.Conn) error {
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	offer := binary.BigEndian.AppendUint32(nil, 13)
	offer = append(offer, optionNegotiation)
	for _, n := range []uint32{milterVersion, allActions, allProtocol} {
		offer = binary.BigEndian.AppendUint32(offer, n)
	}
	if _, err := conn.Write(offer); err != nil {
		return err
	}
	var head [5]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return fmt.Errorf("no answer to the milter handshake: %w", err)
	}
	length := binary.BigEndian.Uint32(head[:])
	if head[4] != optionNegotiation || length < 13 || length > mostAnswer {
		return errors.New("whoever listens there is no milter")
	}
	if _, err := io.CopyN(io.Discard, conn, int64(length)-1); err != nil {
		return fmt.Errorf("the answer to the milter handshake ends early: %w", err)
	}
	_, err := conn.Write([]byte{0, 0, 0, 1, quit})
	return err
}
