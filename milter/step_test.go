package milter

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"mailweir/internal/policy"
)

// TestManyConnectionsStayInStep: 300 connections at once, three messages each, every packet cut at
// random, and every answer must be that of its own question.
func TestManyConnectionsStayInStep(t *testing.T) {
	const connections, messages = 300, 3
	refused := refuseWith(t, 550, "5.7.1", "Refused")
	server := serve(t, func() Session {
		f := newFake()
		f.answers = map[string]policy.Answer{"rcpt bad@d <bad@d>": refused}
		return f
	})
	var all sync.WaitGroup
	for i := range connections {
		all.Go(func() {
			if err := inStep(t, server, rand.New(rand.NewPCG(uint64(i), 7)), messages); err != nil {
				t.Errorf("connection %d: %v", i, err)
			}
		})
	}
	all.Wait()
	if errs, _ := server.said(); len(errs) > 0 {
		t.Errorf("errors: %.300q", errs)
	}
}

// inStep plays messages on one connection, each packet in random fragments.
func inStep(t *testing.T, server *served, random *rand.Rand, messages int) error {
	conn, err := net.Dial(server.Addr.Network(), server.Addr.String())
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	m := &mta{tb: t, conn: conn}
	if err := m.negotiate(fullOffer); err != nil {
		return err
	}
	say := func(reply byte, packets ...[]byte) error {
		for _, fragment := range fragmented(join(packets), random) {
			if _, err := conn.Write(fragment); err != nil {
				return err
			}
		}
		code, data, err := m.read()
		if err != nil {
			return fmt.Errorf("reply to %.60q: %w", packets, err)
		}
		if code != reply {
			return fmt.Errorf("reply to %.60q: %q %q, want %q", packets, code, data, reply)
		}
		return nil
	}
	steps := func() error {
		if err := say('c', macroPacket('C', "j", "x"), strangerPacket(), macroPacket('H'), heloPacket("h")); err != nil {
			return err
		}
		for range messages {
			for _, step := range randomMessage(random) {
				if err := say(step.reply, step.packets...); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if err := steps(); err != nil {
		return err
	}
	if _, err := conn.Write(quitPacket); err != nil {
		return err
	}
	if rest, err := io.ReadAll(conn); err != nil || len(rest) > 0 {
		return fmt.Errorf("after the end: %q, %w", rest, err)
	}
	return nil
}

type step struct {
	reply   byte
	packets [][]byte
}

// randomMessage is a message with good and bad recipients, many fields and a body in chunks.
func randomMessage(random *rand.Rand) []step {
	steps := []step{{'c', [][]byte{macroPacket('M'), mailPacket("<a@b>", "SIZE=5")}}}
	if random.IntN(2) == 0 {
		steps[0].packets = append([][]byte{resetPacket}, steps[0].packets...)
	}
	for range 1 + random.IntN(3) {
		steps = append(steps, step{'c', [][]byte{rcptPacket("<c@d>")}}, step{'y', [][]byte{rcptPacket("<bad@d>")}})
	}
	var content [][]byte
	for range random.IntN(30) {
		content = append(content, macroPacket('L', "i", "4XyZ"), headerPacket("A", strings.Repeat("v", random.IntN(300))))
	}
	content = append(content, eohPacket)
	for range random.IntN(4) {
		content = append(content, packet('B', strings.Repeat("b", random.IntN(3000))))
	}
	return append(steps, step{'c', append(content, macroPacket('E', "i", "4XyZ"), eomPacket)})
}
