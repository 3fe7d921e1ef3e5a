package main

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"mailweir/test/testbed"
	"mailweir/test/wire"
)

// scanLarge is the size of a large message, a little less than what is scanned at most.
const scanLarge = 25<<20 - 8<<10

// scan measures what the check virus adds to the time of its scanner, and what many large messages
// at once take.
func (b *bench) scan() error {
	if err := b.scanTimes(); err != nil {
		return err
	}
	return b.scanMany()
}

// attachment is a message with an attachment in base64, no two alike: a scanner remembers what it
// has seen.
type attachment struct {
	text string
	n    int
}

func newAttachment(size int) *attachment {
	random := make([]byte, size*3/4)
	source := rand.New(rand.NewPCG(1, uint64(size)))
	for i := range random {
		random[i] = byte(source.Uint32())
	}
	encoded := base64.StdEncoding.EncodeToString(random)
	var lines strings.Builder
	for len(encoded) > 76 && lines.Len() < size-80 {
		lines.WriteString(encoded[:76] + "\r\n")
		encoded = encoded[76:]
	}
	return &attachment{text: lines.String()}
}

// marked is one of them: most of its text is that of all.
type marked struct {
	fields []string
	body   [2]string
}

func (a *attachment) next() marked {
	a.n++
	mark := fmt.Sprintf("%076d", a.n)
	return marked{
		fields: []string{
			"From: Alice Example <alice@example.net>", "To: Bob Example <bob@example.org>", fmt.Sprintf("Subject: number %d", a.n),
			"MIME-Version: 1.0", "Content-Type: application/octet-stream; name=x", "Content-Transfer-Encoding: base64",
		},
		body: [2]string{mark, a.text[len(mark):]},
	}
}

// scanTimes compares what the check adds to the end of a message with the scanner's own time for as
// many octets.
func (b *bench) scanTimes() error {
	fmt.Print("One message after the other with an attachment, by clamd with one signature over a unix socket; ms, medians:\n\n")
	row("size", "rounds", "clamd alone", "end without a scanner", "with it", "added, of clamd alone")
	row("---", "--:", "--:", "--:", "--:", "--:")
	h := b.Part()
	defer h.Close()
	clamd := testbed.StartClamd(h)
	without := testbed.StartMailweir(h, testbed.MailweirConfig{Binary: b.mailweir})
	with := testbed.StartMailweir(h, testbed.MailweirConfig{Binary: b.mailweir, Flags: []string{"--virus-scanner=" + clamd.Socket}})
	for _, c := range []struct {
		name         string
		size, rounds int
	}{{"8 KiB", bodySize, 100 * b.rounds}, {"25 MiB", scanLarge, 2*b.rounds + 1}} {
		var alone, plain, scanned sample
		a := newAttachment(c.size)
		for range c.rounds {
			took, err := scanAlone(strings.TrimPrefix(clamd.Socket, "clamd:unix:"), a.next())
			if err != nil {
				return err
			}
			alone = append(alone, took.Seconds()*1000)
			for _, one := range []struct {
				filter *testbed.Mailweir
				times  *sample
			}{{without, &plain}, {with, &scanned}} {
				e, err := scanThrough(one.filter.Socket, a.next())
				if err == nil && e.answer != "c" {
					err = fmt.Errorf("the answer is %s", e.answer)
				}
				if err != nil {
					return err
				}
				*one.times = append(*one.times, e.took.Seconds()*1000)
			}
		}
		row(c.name, c.rounds, alone.decimals(), plain.decimals(), scanned.decimals(), fmt.Sprintf("%.2f", (scanned.median()-plain.median())/alone.median()))
	}
	fmt.Println()
	return nil
}

// scanAlone shows a message to clamd as mailweir does.
func scanAlone(socket string, l marked) (time.Duration, error) {
	text := "Received: by mailweir\r\n" + strings.Join(l.fields, "\r\n") + "\r\n\r\n" + l.body[0] + l.body[1]
	begun := time.Now()
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	out := []byte("zINSTREAM\x00")
	for text != "" {
		piece := text[:min(len(text), 64<<10)]
		text = text[len(piece):]
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(piece))), piece...)
		if text == "" {
			out = append(out, 0, 0, 0, 0)
		}
		if _, err := conn.Write(out); err != nil {
			return 0, err
		}
		out = out[:0]
	}
	answer, err := bufio.NewReader(conn).ReadString(0)
	if err == nil && answer != "stream: OK\x00" {
		err = fmt.Errorf("clamd answers %q", answer)
	}
	return time.Since(begun), err
}

// ended is the end of one message.
type ended struct {
	answer string
	took   time.Duration
}

// scanThrough sends a message over the milter protocol, and measures its end.
func scanThrough(socket string, l marked) (e ended, err error) {
	c, err := wire.Dial(socket)
	if err != nil {
		return e, err
	}
	for name, value := range macroValues {
		c.Macros[name] = value
	}
	type packet struct {
		command byte
		data    string
	}
	packets := []packet{
		{wire.Connect, "client.example.net\x004\xa1\x12192.0.2.1\x00"},
		{wire.Helo, "client.example.net\x00"},
		{wire.Mail, "<alice@example.net>\x00"},
		{wire.Rcpt, "<bob@example.org>\x00"},
		{wire.Data, ""},
	}
	for _, field := range l.fields {
		name, text, _ := strings.Cut(field, ":")
		packets = append(packets, packet{wire.Header, c.Terms.Field(name, text)})
	}
	packets = append(packets, packet{wire.EOH, ""})
	for _, rest := range l.body {
		for rest != "" {
			piece := rest[:min(len(rest), 65535)]
			packets = append(packets, packet{wire.Body, piece})
			rest = rest[len(piece):]
		}
	}
	for _, p := range packets {
		if _, err := c.Do(p.command, p.data); err != nil {
			return e, err
		}
		if err := c.Flush(); err != nil {
			return e, err
		}
	}
	begun := time.Now()
	answer, err := c.Do(wire.BodyEOB, "")
	if err != nil {
		return e, err
	}
	return ended{answer.String(), time.Since(begun)}, c.Close()
}

// scanMany sends a hundred large messages at once.
func (b *bench) scanMany() error {
	const messages = 100
	fmt.Printf("%d messages of 25 MiB at once:\n\n", messages)
	row("scanner", "accepted", "451", "lost", "longest end", "peak memory")
	row("---", "--:", "--:", "--:", "--:", "--:")
	for _, c := range []struct {
		name  string
		start func(testbed.TB) (string, error)
	}{
		{"one that reads all and answers", drain},
		{"clamd with 8 threads", func(h testbed.TB) (string, error) { return testbed.StartClamd(h, "MaxThreads 8").Socket, nil }},
	} {
		h := b.Part()
		spec, err := c.start(h)
		if err == nil {
			err = b.scanCase(h, c.name, spec, messages)
		}
		h.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	fmt.Println()
	return nil
}

func (b *bench) scanCase(h testbed.TB, name, spec string, messages int) error {
	m := testbed.StartMailweir(h, testbed.MailweirConfig{Binary: b.mailweir, Flags: []string{
		"--virus-scanner=" + spec, "--scan-spool=" + testbed.TempDir(h), "--scan-spool-max=4GiB",
	}})
	a := newAttachment(scanLarge)
	var all sync.WaitGroup
	var mu sync.Mutex
	counts, longest := map[string]int{}, time.Duration(0)
	for range messages {
		l := a.next()
		all.Go(func() {
			e, err := scanThrough(m.Socket, l)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				counts["lost"]++
				h.Errorf("%v", err)
			case e.answer == "c":
				counts["accepted"]++
			case strings.HasPrefix(e.answer, "451 4.3.0 "):
				counts["451"]++
			default:
				counts["lost"]++
				h.Errorf("the answer is %s", e.answer)
			}
			longest = max(longest, e.took)
		})
	}
	all.Wait()
	peak, err := peakMemory(m.PID())
	if err != nil {
		return err
	}
	row(name, counts["accepted"], counts["451"], counts["lost"], longest.Round(100*time.Millisecond), mib(peak))
	return nil
}

// drain starts what reads messages as clamd does, and finds nothing.
func drain(h testbed.TB) (string, error) {
	path := filepath.Join(testbed.TempDir(h), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		return "", err
	}
	h.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_ = drainOne(conn) // who asks notices
			}()
		}
	}()
	return "clamd:unix:" + path, nil
}

func drainOne(conn net.Conn) error {
	in := bufio.NewReaderSize(conn, 64<<10)
	command, err := in.ReadString(0)
	if err != nil {
		return err
	}
	if command != "zINSTREAM\x00" {
		_, err = io.WriteString(conn, "PONG\x00")
		return err
	}
	for {
		var head [4]byte
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return err
		}
		n := int64(binary.BigEndian.Uint32(head[:]))
		if n == 0 {
			_, err := io.WriteString(conn, "stream: OK\x00")
			return err
		}
		if _, err := io.CopyN(io.Discard, in, n); err != nil {
			return err
		}
	}
}
