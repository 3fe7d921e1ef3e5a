package testbed

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Tables is a server of tables by both protocols of Postfix for such: socketmap_table(5), where a
// table has a name, and tcp_table(5), which asks the one without.
type Tables struct {
	Address string
	*Proxy

	mu      sync.Mutex
	entries map[string]string // by name, blank and key
	why     string            // it cannot answer; "" when it can
}

// StartTables starts one without entries, behind a [Proxy].
func StartTables(tb TB) *Tables {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("testbed: tables: %v", err)
	}
	tb.Cleanup(func() { _ = l.Close() })
	t := &Tables{entries: map[string]string{}}
	t.Proxy = StartProxy(tb, "tcp", l.Addr().String())
	t.Address = t.Proxy.Address
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go t.serve(conn)
		}
	}()
	return t
}

// Stop has it refuse connections, until Start.
func (t *Tables) Stop() error { t.Set(Fault{Kind: "refuse"}); return nil }

// Start has it answer again.
func (t *Tables) Start() { t.Set(Fault{}) }

// Pause has it take connections and answer nothing, until Resume.
func (t *Tables) Pause() { t.Set(Fault{Kind: "hang"}) }

// Resume has it answer again.
func (t *Tables) Resume() { t.Set(Fault{}) }

// Do takes lines:
//
//	NAME KEY = VALUE    an entry of a table; "tcp" is the one of tcp_table(5)
//	NAME KEY            no entry any more
//	! FAULT [DELAY]     what becomes of answers: half, rubbish, slow 2s; without a fault nothing
//	! says WHY          it says of every key that it cannot answer now
func (t *Tables) Do(text string) error {
	for line := range strings.Lines(text) {
		if err := t.do(strings.TrimSpace(line)); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tables) do(line string) error {
	if order, ok := strings.CutPrefix(line, "!"); ok {
		kind, rest, _ := strings.Cut(strings.TrimSpace(order), " ")
		t.mu.Lock()
		t.why = ""
		if kind == "says" {
			t.why, kind = rest, ""
		}
		t.mu.Unlock()
		fault := Fault{Kind: kind}
		if kind == "slow" {
			var err error
			if fault.Delay, err = time.ParseDuration(rest); err != nil {
				return err
			}
		}
		t.Set(fault)
		return nil
	}
	entry, value, has := strings.Cut(line, " = ")
	if line != "" && !strings.Contains(entry, " ") {
		return fmt.Errorf("tables: %q is no entry: NAME KEY = VALUE", line)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.entries[entry] = value; !has {
		delete(t.entries, entry)
	}
	return nil
}

func (t *Tables) find(question string) (value string, found bool, why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	value, found = t.entries[question]
	return value, found, t.why
}

// serve answers one connection, whose first octet tells the protocol.
func (t *Tables) serve(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	for {
		first, err := r.Peek(1)
		if err != nil {
			return
		}
		if first[0] >= '0' && first[0] <= '9' {
			err = t.socketmap(r, conn)
		} else {
			err = t.line(r, conn)
		}
		if err != nil {
			return
		}
	}
}

func (t *Tables) socketmap(r *bufio.Reader, w io.Writer) error {
	length, err := r.ReadString(':')
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(length, ":"))
	if err != nil {
		return err
	}
	data := make([]byte, n+1)
	if _, err := io.ReadFull(r, data); err != nil {
		return err
	}
	value, found, why := t.find(string(data[:n]))
	reply := "NOTFOUND "
	switch {
	case why != "":
		reply = "TEMP " + why
	case found:
		reply = "OK " + value
	}
	_, err = fmt.Fprintf(w, "%d:%s,", len(reply), reply)
	return err
}

func (t *Tables) line(r *bufio.Reader, w io.Writer) error {
	text, err := r.ReadString('\n')
	if err != nil {
		return err
	}
	key := unquoteKey(strings.TrimPrefix(strings.TrimSuffix(text, "\n"), "get "))
	value, found, why := t.find("tcp " + key)
	reply := "500 there is none"
	switch {
	case why != "":
		reply = "400 " + why
	case found:
		reply = "200 " + strings.NewReplacer("%", "%25", " ", "%20").Replace(value)
	}
	_, err = fmt.Fprintln(w, reply)
	return err
}

// unquoteKey reads %XX; what is no such thing stays.
func unquoteKey(text string) string {
	var b strings.Builder
	for {
		before, after, more := strings.Cut(text, "%")
		b.WriteString(before)
		if !more {
			return b.String()
		}
		code, err := strconv.ParseUint(after[:min(2, len(after))], 16, 8)
		if err != nil || len(after) < 2 {
			b.WriteByte('%')
			text = after
			continue
		}
		b.WriteByte(byte(code))
		text = after[2:]
	}
}
