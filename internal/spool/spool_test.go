package spool_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"mailweir/internal/spool"
)

func newSpool(t testing.TB, limit int64) *spool.Spool {
	t.Helper()
	s, err := spool.New(t.TempDir(), limit)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// text is n octets, no two pieces of it alike.
func text(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

func write(t testing.TB, b *spool.Body, text []byte, piece int) {
	t.Helper()
	for len(text) > 0 {
		n := min(piece, len(text))
		if _, err := b.Write(text[:n]); err != nil {
			t.Fatal(err)
		}
		text = text[n:]
	}
}

func TestBody(t *testing.T) {
	for _, tt := range []struct {
		name        string
		size, piece int
		taken       int64
	}{
		{"empty", 0, 1, 0},
		{"an octet", 1, 1, 65536},
		{"all that memory holds", 65536, 1000, 65536},
		{"one more", 65537, 1000, 65537},
		{"in one piece", 65536, 65536, 65536},
		{"a first piece that memory does not hold", 70000, 70000, 70000},
		{"as Postfix sends it", 1_000_000, 65535, 1_000_000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSpool(t, 1<<20)
			b, want := s.NewBody(), text(tt.size)
			write(t, b, want, tt.piece)
			if got := s.Used(); got != tt.taken {
				t.Errorf("%d octets taken, want %d", got, tt.taken)
			}
			for range 2 { // each reader begins at the first octet
				if err := iotest.TestReader(b.Open(), want); err != nil {
					t.Error(err)
				}
			}
			b.Release()
			if got := s.Used(); got != 0 {
				t.Errorf("%d octets taken after all", got)
			}
			if _, err := io.ReadAll(b.Open()); err == nil {
				t.Error("a body that is gone was read")
			}
		})
	}
}

// The files have no names, so none is left behind whatever happens, and nobody else who may write
// to the directory can keep one or open it.
func TestFilesHaveNoNames(t *testing.T) {
	dir := t.TempDir()
	s, err := spool.New(dir, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	b := s.NewBody()
	defer b.Release()
	write(t, b, text(100_000), 65535)
	if left, err := os.ReadDir(dir); len(left) != 0 || err != nil {
		t.Errorf("%v, %v", left, err)
	}
}

func TestBudget(t *testing.T) {
	s := newSpool(t, 200_000)
	large, small := s.NewBody(), s.NewBody()
	write(t, large, text(150_000), 50_000)
	if _, err := small.Write(text(1)); !errors.Is(err, spool.ErrFull) {
		t.Errorf("no room for the memory of another: %v", err)
	}
	if _, err := large.Write(text(60_000)); !errors.Is(err, spool.ErrFull) {
		t.Errorf("one body alone over the budget: %v", err)
	}
	for _, b := range []*spool.Body{large, small} {
		if _, err := b.Write(nil); !errors.Is(err, spool.ErrFull) {
			t.Errorf("written to after the end: %v", err)
		}
		if _, err := io.ReadAll(b.Open()); !errors.Is(err, spool.ErrFull) || !errors.Is(b.Err(), spool.ErrFull) {
			t.Errorf("what is not whole was read: %v, %v", err, b.Err())
		}
	}
	if got := s.Used(); got != 0 {
		t.Errorf("%d octets taken by what is not kept", got)
	}
	write(t, s.NewBody(), text(200_000), 50_000) // and there is room again
	large.Release()
	small.Release()
	if got := s.Used(); got != 200_000 {
		t.Errorf("%d octets taken; a release has given back what was not its own", got)
	}
}

// A body is there for as long as anybody holds it.
func TestHold(t *testing.T) {
	s := newSpool(t, 1<<20)
	b := s.NewBody()
	write(t, b, []byte("held"), 4)
	if !b.Hold() {
		t.Fatal("not there")
	}
	b.Release()
	if got, err := io.ReadAll(b.Open()); string(got) != "held" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	b.Release()
	if b.Hold() || b.Err() == nil || s.Used() != 0 {
		t.Errorf("still there, %d octets", s.Used())
	}
}

// Memory that goes to the next body is not read through the reader of the last one.
func TestReadersDoNotSeeTheNextBody(t *testing.T) {
	s := newSpool(t, 1<<20)
	first := s.NewBody()
	write(t, first, bytes.Repeat([]byte("first "), 10_000), 60_000)
	readers := make([]io.Reader, 4)
	for i := range readers {
		readers[i] = first.Open()
	}
	var reading sync.WaitGroup
	for _, r := range readers {
		reading.Go(func() {
			seen, _ := io.ReadAll(iotest.OneByteReader(r)) // the end comes early
			if bytes.Contains(seen, []byte("second")) {
				t.Error("another message's text was read")
			}
		})
	}
	first.Release()
	second := s.NewBody()
	write(t, second, bytes.Repeat([]byte("second"), 10_000), 60_000)
	reading.Wait()
}

func TestDirectory(t *testing.T) {
	if _, err := spool.New(filepath.Join(t.TempDir(), "none"), 1); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("a directory that is not there: %v", err)
	}
	if _, err := spool.New("", 1); err != nil {
		t.Errorf("the system's: %v", err)
	}
}

// A file that cannot be made loses this body, and the next one is tried again.
func TestDirectoryThatGoes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := spool.New(dir, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	b := s.NewBody()
	if _, err := b.Write(text(100_000)); !errors.Is(err, os.ErrNotExist) || !errors.Is(b.Err(), os.ErrNotExist) {
		t.Errorf("%v, %v", err, b.Err())
	}
	b.Release()
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, s.NewBody(), text(100_000), 65535)
	if got := s.Used(); got != 100_000 {
		t.Errorf("%d octets taken", got)
	}
}

// What is kept of large messages is in files: memory does not grow with them.
func TestMemoryStaysBounded(t *testing.T) {
	const messages, size = 100, 1 << 20 // the benchmark below has 25 MiB each
	s := newSpool(t, messages*size)
	before := heap()
	piece := text(size / 16)
	bodies := make([]*spool.Body, messages)
	for i := range bodies {
		bodies[i] = s.NewBody()
	}
	for range 16 {
		for _, b := range bodies {
			write(t, b, piece, len(piece))
		}
	}
	if got := s.Used(); got != messages*size {
		t.Errorf("%d octets kept", got)
	}
	if grown := int64(heap()) - int64(before); grown > messages*8<<10 {
		t.Errorf("%d octets of memory for %d messages", grown, messages)
	}
	runtime.KeepAlive(bodies)
	if _, err := s.NewBody().Write(piece); !errors.Is(err, spool.ErrFull) {
		t.Errorf("one more: %v", err)
	}
}

// heap is how much is alive.
func heap() uint64 {
	runtime.GC()
	runtime.GC() // memory that waits for the next body outlives one
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A hundred messages of 25 MiB that arrive at once stay in files: what is in memory does not grow
// with them.
func BenchmarkHundredLargeMessages(b *testing.B) {
	piece := text(65535)
	for b.Loop() {
		s := newSpool(b, 4<<30)
		bodies := make([]*spool.Body, 100)
		for i := range bodies {
			bodies[i] = s.NewBody()
		}
		for range 25 << 20 / len(piece) {
			for _, body := range bodies {
				write(b, body, piece, len(piece))
			}
		}
		b.ReportMetric(float64(s.Used())/(1<<20), "MiB-kept")
		b.ReportMetric(float64(heap())/(1<<20), "MiB-heap")
		for _, body := range bodies {
			body.Release()
		}
	}
}
