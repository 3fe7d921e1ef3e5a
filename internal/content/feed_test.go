package content

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// tickingClock goes on by a second whenever it is looked at, so that its time is the work that was
// done between two looks.
type tickingClock struct{ seconds int64 }

func (c *tickingClock) now() time.Time { c.seconds++; return time.Unix(c.seconds, 0) }

// TestChunkIsAnsweredSoon has a message whose first chunk holds work for many. Each call must
// return in time, and nothing may be lost.
func TestChunkIsAnsweredSoon(t *testing.T) {
	const def = "!activation 1\n!scan subject body html headers attachments filenames\n1 gold\n1 silver\n1 copper\n1 regex x{3}\n"
	plain := strings.Repeat("words and more words xxx\n", 40_000) + "gold"
	packed := zipOf(t, "a.txt", plain, "b.gz", string(gzipOf([]byte(plain))), "c.tar", string(tarOf("x", plain)), "d.htm", "<html>"+plain)
	chunks := []string{
		"--b\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment\r\n\r\n" + b64(string(packed)) + "\r\n",
		"--b\r\n\r\nsilver\r\n", "--b\r\n\r\nfox\r\n", "--b--\r\ncopper",
	}
	run := func(limits Limits) (r *Result, longest int64, used int64) {
		var clock tickingClock
		e := mustExaminer(t, Options{Now: clock.now, Limits: limits}, def)
		x := e.Begin(Text | Files)
		defer x.Close()
		x.Header("Content-Type", "multipart/mixed; boundary=b")
		for _, chunk := range chunks {
			before := clock.seconds
			buf := []byte(chunk)
			x.Body(buf)
			clear(buf) // it is valid during the call only
			longest = max(longest, clock.seconds-before)
		}
		used = e.pool.budget.Used()
		r, err := x.Finish()
		if err != nil {
			t.Fatal(err)
		}
		x.Close()
		if left := e.pool.budget.Used(); left != 0 {
			t.Errorf("%d octets not given back", left)
		}
		return r, longest, used
	}
	day := 24 * time.Hour
	same := []cmp.Option{cmp.AllowUnexported(Hit{}), cmpopts.EquateEmpty(), cmpopts.IgnoreFields(Outcome{}, "Definition")}
	whole, needed, _ := run(Limits{Time: day, Chunk: day, Ratio: 1000})
	hurried, longest, used := run(Limits{Time: day, Chunk: 100 * time.Second, Ratio: 1000})
	if needed < 1000 || longest > 110 {
		t.Errorf("a call took %d looks at the clock where it may take 100; without the limit %d", longest, needed)
	}
	if used < int64(len(chunks[1])) {
		t.Errorf("%d octets in use while chunks wait", used)
	}
	if len(whole.Outcomes[0].Hits) != 4 || len(whole.Limits) > 0 {
		t.Errorf("%+v", whole)
	}
	if diff := cmp.Diff(whole, hurried, same...); diff != "" {
		t.Errorf("with rests the result is another:\n%s", diff)
	}
	late, _, _ := run(Limits{Time: 250 * time.Second, Chunk: 100 * time.Second, Ratio: 1000})
	if diff := cmp.Diff([]Limit{LimitTime}, late.Limits); diff != "" {
		t.Error(diff)
	}
}

// TestCloseWhileResting ends an examination that rests in the middle of a chunk, and one that has
// no memory for the rest of the chunk.
func TestCloseWhileResting(t *testing.T) {
	for _, c := range []struct {
		name   string
		memory int64
		err    error
	}{
		{"closed", DefaultBudget, nil},
		{"no memory", fileMemory + 60<<10, ErrMemory},
	} {
		t.Run(c.name, func(t *testing.T) {
			var clock tickingClock
			e := mustExaminer(t, Options{Now: clock.now, Budget: NewBudget(c.memory), Limits: Limits{Time: time.Hour, Chunk: 3 * time.Second}}, "!activation 1\n1 gold")
			x := e.Begin(Text | Files)
			x.Header("Content-Disposition", "attachment")
			x.Body([]byte(strings.Repeat("words", 13_000)))
			if x.err != c.err {
				t.Errorf("error %v, want %v", x.err, c.err)
			}
			x.Close()
			if used := e.pool.budget.Used(); used != 0 {
				t.Errorf("%d octets still in use", used)
			}
		})
	}
}

// TestEndlessFile reads a file that has no end and takes nothing from the message.
func TestEndlessFile(t *testing.T) {
	var clock tickingClock
	x := mustExaminer(t, Options{Now: clock.now, Limits: Limits{Time: time.Hour}}, "!activation 1\n1 gold").Begin(Text | Files)
	defer x.Close()
	x.walk.file(file{name: "a"}, zeroReader{})
	if diff := cmp.Diff([]Limit{LimitTime}, x.result.Limits); diff != "" {
		t.Error(diff)
	}
}

// TestManyFields has more header fields than anybody keeps. None is dropped, nothing grows with
// them, and what is not looked at when the time is over leaves a trace.
func TestManyFields(t *testing.T) {
	const fields = 200_000
	var clock tickingClock
	for _, c := range []struct {
		name   string
		limits Limits
		want   []Limit
		parts  int
	}{
		{"all are looked at", Limits{Time: 10 * fields * time.Second}, nil, 1},
		{"out of time", Limits{Time: fields * time.Second}, []Limit{LimitTime}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := mustExaminer(t, Options{Limits: c.limits, Now: clock.now}, "!activation 1\n!scan headers\n1 gold\n")
			x := e.Begin(Text | Files)
			defer x.Close()
			before := memory()
			for i := range fields {
				name := [...]string{"X-" + strconv.Itoa(i), "Content-Language", "Content-Description"}[i%3]
				x.Header(name, strconv.Itoa(i)+".txt")
			}
			if grown := memory() - before; grown > 1<<20 {
				t.Errorf("%d fields take %d octets", fields, grown)
			}
			x.Header("X-Last", "gold")
			x.Header("Content-Disposition", `attachment; filename="i.exe"`)
			x.Body([]byte("MZ"))
			result, err := x.Finish()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, result.Limits); diff != "" || len(result.Parts) != c.parts || len(result.Fired()) != c.parts {
				t.Errorf("%+v\n%s", result, diff)
			}
		})
	}
}
