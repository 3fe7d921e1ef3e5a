package ldap

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	ldaplib "github.com/go-ldap/ldap/v3"
)

// fake is a directory that does what no slapd would. Each connection is served by serve, and closed
// when that returns.
type fake struct {
	address     string
	connections atomic.Int32
}

// peer is the server's side of a connection.
type peer struct {
	net.Conn
	t     *testing.T
	over  <-chan struct{}
	count int32 // which connection this is, from 1
}

func startFake(t *testing.T, serve func(*peer)) *fake {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{address: listener.Addr().String()}
	over := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			p := &peer{Conn: conn, t: t, over: over, count: f.connections.Add(1)}
			wait.Go(func() {
				defer conn.Close()
				serve(p)
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		close(over)
		wait.Wait()
	})
	return f
}

// hang says nothing until the other side or the test has ended.
func (p *peer) hang() {
	gone := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, p)
		close(gone)
	}()
	select {
	case <-gone:
	case <-p.over:
		_ = p.Close()
		<-gone
	}
}

// end is the kind of request when the other side has left.
const end = ber.Tag(99)

// request reads the next request and returns its id and kind.
func (p *peer) request() (id int64, kind ber.Tag) {
	packet, err := ber.ReadPacket(p)
	if err != nil || len(packet.Children) < 2 {
		return 0, end
	}
	id, _ = packet.Children[0].Value.(int64)
	return id, packet.Children[1].Tag
}

// result is an answer with a code.
func result(id int64, kind ber.Tag, code int64) []byte {
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, kind, nil, "")
	op.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, code, ""))
	op.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", ""))
	op.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "said the fake", ""))
	return message(id, op)
}

func message(id int64, op *ber.Packet) []byte {
	m := ber.NewSequence("")
	m.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	m.AppendChild(op)
	return m.Bytes()
}

// entry is an answer with one entry that has one value of maildrop.
func entry(id int64, value string) []byte {
	text := func(s string) *ber.Packet {
		return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
	}
	values := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
	values.AppendChild(text(value))
	attribute, attributes := ber.NewSequence(""), ber.NewSequence("")
	attribute.AppendChild(text("maildrop"))
	attribute.AppendChild(values)
	attributes.AppendChild(attribute)
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldaplib.ApplicationSearchResultEntry, nil, "")
	op.AppendChild(text("cn=x"))
	op.AppendChild(attributes)
	return message(id, op)
}

// say writes octets; the other side may have left.
func (p *peer) say(octets []byte) { _, _ = p.Write(octets) }

// bind answers the bind that a connection begins with.
func (p *peer) bind(code int64) bool {
	id, kind := p.request()
	if kind != ldaplib.ApplicationBindRequest {
		return false
	}
	p.say(result(id, ldaplib.ApplicationBindResponse, code))
	return code == 0
}

// well serves as it should: everybody is VALUE.
func well(value string) func(*peer) {
	return func(p *peer) {
		if p.bind(0) {
			for p.answer(value) {
			}
		}
	}
}

// answer answers one search.
func (p *peer) answer(value string) bool {
	id, kind := p.request()
	if kind != ldaplib.ApplicationSearchRequest {
		return false
	}
	p.say(entry(id, value))
	p.say(result(id, ldaplib.ApplicationSearchResultDone, 0))
	return true
}

// misbehaviours are what a server may do instead of answering.
var misbehaviours = []struct {
	name  string
	serve func(*peer)
}{
	{"closes at once", func(*peer) {}},
	{"says nothing", (*peer).hang},
	{"says nothing after the bind", func(p *peer) {
		p.bind(0)
		p.hang()
	}},
	{"closes after the bind", func(p *peer) { p.bind(0) }},
	{"refuses the bind", func(p *peer) {
		p.bind(49)
		if id, kind := p.request(); kind != end {
			p.t.Errorf("request %d, of kind %d, after a bind that was refused", id, kind)
		}
	}},
	{"is busy", func(p *peer) {
		p.bind(0)
		id, _ := p.request()
		p.say(result(id, ldaplib.ApplicationSearchResultDone, ldaplib.LDAPResultBusy))
		p.hang()
	}},
	{"is unavailable", func(p *peer) {
		p.bind(0)
		id, _ := p.request()
		p.say(result(id, ldaplib.ApplicationSearchResultDone, ldaplib.LDAPResultUnavailable))
		p.hang()
	}},
	{"half an answer", func(p *peer) {
		p.bind(0)
		id, _ := p.request()
		p.say(entry(id, "half")[:12])
	}},
	{"half an answer, and hangs", func(p *peer) {
		p.bind(0)
		id, _ := p.request()
		p.say(entry(id, "half")[:12])
		p.hang()
	}},
	{"an entry without the end", func(p *peer) {
		p.bind(0)
		id, _ := p.request()
		p.say(entry(id, "half"))
	}},
	{"an entry without the end, and hangs", func(p *peer) {
		p.bind(0)
		id, _ := p.request()
		p.say(entry(id, "half"))
		p.hang()
	}},
	{"an answer to another question", func(p *peer) {
		p.bind(0)
		id, _ := p.request()
		p.say(entry(id+1, "other"))
		p.say(result(id+1, ldaplib.ApplicationSearchResultDone, 0))
		p.hang()
	}},
	{"a notice of disconnection", func(p *peer) {
		p.bind(0)
		p.request()
		p.say(result(0, ldaplib.ApplicationExtendedResponse, 52))
	}},
	{"a notice of disconnection, and hangs", func(p *peer) {
		p.bind(0)
		p.request()
		p.say(result(0, ldaplib.ApplicationExtendedResponse, 52))
		p.hang()
	}},
	{"rubbish", func(p *peer) {
		p.say([]byte("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"))
		p.hang()
	}},
	{"rubbish after the bind", func(p *peer) {
		p.bind(0)
		p.request()
		p.say([]byte(strings.Repeat("\xff\x30\x80\x02", 100)))
		p.hang()
	}},
	{"a length beyond reason", func(p *peer) {
		p.bind(0)
		p.request()
		p.say([]byte("\x30\x84\x7f\xff\xff\xff\x04\x84\x7f\xff\xff\xf0"))
		p.hang()
	}},
	{"an entry without attributes", func(p *peer) {
		p.bind(0)
		id, _ := p.request()
		op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldaplib.ApplicationSearchResultEntry, nil, "")
		p.say(message(id, op))
		p.say(result(id, ldaplib.ApplicationSearchResultDone, 0))
		p.hang()
	}},
	{"a result without a code", func(p *peer) {
		p.bind(0)
		id, _ := p.request()
		p.say(message(id, ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldaplib.ApplicationSearchResultDone, nil, "")))
		p.hang()
	}},
}

func urls(addresses ...string) string {
	var all []string
	for _, a := range addresses {
		all = append(all, fmt.Sprintf("ldap://%s", a))
	}
	return strings.Join(all, " ")
}
