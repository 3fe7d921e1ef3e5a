package main

import (
	"net"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// listed are the entries of the DNS list bl.example: the client of one message,
// and the test entry that every list has (RFC 5782, section 5).
var listed = map[string]string{
	"66.2.0.192.bl.example.": "Listed for the demo, see https://bl.example/192.0.2.66",
	"2.0.0.127.bl.example.":  "Test entry",
}

// startDNS answers DNS questions on loopback: about the list's entries, and "no
// such name" to all others, so that the demo asks nobody on the network.
func startDNS(h *harness) (string, error) {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	h.Cleanup(func() { _ = conn.Close() })
	go func() {
		packet := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFrom(packet)
			if err != nil {
				return
			}
			if reply, err := answer(packet[:n]); err == nil {
				_, _ = conn.WriteTo(reply, from)
			}
		}
	}()
	return conn.LocalAddr().String(), nil
}

// answer makes the reply to a packet; an error means that it is no question.
func answer(packet []byte) ([]byte, error) {
	var p dnsmessage.Parser
	header, err := p.Start(packet)
	if err != nil {
		return nil, err
	}
	q, err := p.Question()
	if err != nil {
		return nil, err
	}
	text, found := listed[strings.ToLower(q.Name.String())]
	reply := dnsmessage.Message{
		Header: dnsmessage.Header{
			ID: header.ID, Response: true, RecursionDesired: header.RecursionDesired, RecursionAvailable: true,
			RCode: dnsmessage.RCodeNameError,
		},
		Questions: []dnsmessage.Question{q},
	}
	if found {
		reply.RCode = dnsmessage.RCodeSuccess
	}
	of := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60}
	switch {
	case found && q.Type == dnsmessage.TypeA:
		reply.Answers = []dnsmessage.Resource{{Header: of, Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, 2}}}}
	case found && q.Type == dnsmessage.TypeTXT:
		reply.Answers = []dnsmessage.Resource{{Header: of, Body: &dnsmessage.TXTResource{TXT: []string{text}}}}
	}
	return reply.Pack()
}
