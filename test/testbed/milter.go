package testbed

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"time"
)

// Negotiate opens a milter session at a path or HOST:PORT as an MTA does, waits for
// the filter's answer to the offer (SMFIC_OPTNEG, version 6, everything
// offered), and quits. It is how the harness knows that a filter is ready.
func Negotiate(at string) error {
	network := "tcp"
	if filepath.IsAbs(at) {
		network = "unix"
	}
	conn, err := net.DialTimeout(network, at, Patience)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(Patience)); err != nil {
		return err
	}
	offer := []byte{0, 0, 0, 13, 'O', 0, 0, 0, 6, 0, 0, 0x01, 0xff, 0x00, 0x1f, 0xff, 0xff}
	if _, err := conn.Write(offer); err != nil {
		return err
	}
	var head [5]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return fmt.Errorf("milter at %s: no answer to the offer: %w", at, err)
	}
	length := binary.BigEndian.Uint32(head[:4])
	if head[4] != 'O' || length < 13 || length > 64<<10 {
		return fmt.Errorf("milter at %s answers the offer with %q, %d octets", at, head[4], length)
	}
	if _, err := io.CopyN(io.Discard, conn, int64(length)-1); err != nil {
		return err
	}
	_, err = conn.Write([]byte{0, 0, 0, 1, 'Q'})
	return err
}
