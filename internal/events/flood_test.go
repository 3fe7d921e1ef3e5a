package events

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/sirupsen/logrus"
	"pgregory.net/rapid"

	"mailweir/internal/policy"
)

// flood is a recorder that hostile clients keep busy, with a clock that is set and a log of real
// lines.
type flood struct {
	*Recorder
	now time.Time
	log strings.Builder
	ids map[string]int // of the replies, with the number of the first event that has it
	n   int
}

func newFlood() *flood {
	f := &flood{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), ids: map[string]int{}}
	log := logrus.New()
	log.SetOutput(&f.log)
	log.SetFormatter(&logrus.TextFormatter{DisableColors: true, FullTimestamp: true})
	f.Recorder = NewRecorder(Options{Log: log, Metrics: NewMetrics("test"), Clock: func() time.Time { return f.now }, Host: "mx1.example"})
	return f
}

// fataler is a test, of package testing or rapid.
type fataler interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// refuse records a refusal as long as real ones are.
func (f *flood) refuse(t fataler, check string, client netip.Addr, domain string) *policy.Event {
	t.Helper()
	e := &policy.Event{
		Time: f.now, Check: check, Mode: policy.Enforce, Stage: policy.StageRcpt, Action: policy.ActionRefused, Reply: check,
		Session: "yq5nra5f", Client: client, ClientName: "host." + domain, Helo: "mail." + domain, Service: policy.MX,
		Cause: `"someone@` + domain + `" matches /etc/mailweir/senders:1`, Sender: "someone@" + domain, HasSender: true,
		Recipients: []string{fmt.Sprintf("user%d@ours.example", f.n)}, Count: 1, Direction: "inbound", QueueID: "4FxWZ1",
	}
	f.n++
	e.ID = f.Identify(e)
	if err := json.Unmarshal([]byte(`{"code":550,"enhanced":"5.7.1","text":"Administrative prohibition - envelope blocked [`+e.ID+`]"}`), &e.Line); err != nil {
		t.Fatal(err)
	}
	if _, is := f.ids[e.ID]; !is {
		f.ids[e.ID] = f.n
	}
	f.Record(e)
	return e
}

// client is another address for each number.
func client(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

// TestFloods: whatever hostile clients choose, the log stays bounded, every id of a reply stands in
// it, and the metrics count everything.
func TestFloods(t *testing.T) {
	const span = 62 // seconds, more than anything is brought together for
	one := client(1)
	for _, tt := range []struct {
		name    string
		rate    int // messages a second
		seconds int
		refuse  func(t fataler, f *flood, n int)
		lines   int // at most, a second, without those of the last sums
		octets  int // at most, a second
	}{
		{
			"ever new clients with ever new domains", 2000, 5, func(t fataler, f *flood, n int) {
				f.refuse(t, "sender-block", client(n), fmt.Sprintf("domain%d.example", n))
			},
			checkLines + shareLines, 100_000,
		},
		{
			"one client with ever new domains", 200, span, func(t fataler, f *flood, n int) {
				f.refuse(t, "sender-block", one, fmt.Sprintf("domain%d.example", n))
			},
			3, 3_000,
		},
		{
			"one client with one domain", 200, span, func(t fataler, f *flood, _ int) { f.refuse(t, "sender-block", one, "domain.example") },
			1, 1_000,
		},
		{
			"addresses of one IPv6 net", 200, span, func(t fataler, f *flood, n int) {
				f.refuse(t, "sender-block", netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", 1+n%60000)), fmt.Sprintf("domain%d.example", n))
			},
			3, 3_000,
		},
		{
			"an unknown client", 200, span, func(t fataler, f *flood, n int) {
				f.refuse(t, "sender-block", netip.Addr{}, fmt.Sprintf("domain%d.example", n))
			},
			checkLines + shareLines, 100_000,
		},
		{
			// Each domain comes often enough for an id that it shares, and then no more.
			"many clients, a dozen messages for each domain", 200, span, func(t fataler, f *flood, n int) {
				f.refuse(t, "sender-block", client(n/24), fmt.Sprintf("domain%d.example", n/12))
			},
			checkLines + shareLines, 150_000,
		},
		{
			"two checks at once", 200, span, func(t fataler, f *flood, n int) {
				f.refuse(t, []string{"sender-block", "rbl"}[n%2], client(n), fmt.Sprintf("domain%d.example", n))
			},
			2 * (checkLines + shareLines), 200_000,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFlood()
			for n := range tt.rate * tt.seconds {
				f.now = f.now.Add(time.Second / time.Duration(tt.rate))
				tt.refuse(t, f, n)
			}
			lines, octets := strings.Count(f.log.String(), "\n")/tt.seconds, f.log.Len()/tt.seconds
			t.Logf("%d lines, %d octets a second", lines, octets)
			if lines > tt.lines || octets > tt.octets {
				t.Errorf("%d lines, %d octets a second, want at most %d and %d", lines, octets, tt.lines, tt.octets)
			}
			f.Close()
			known := f.known(t)
			for id, n := range f.ids {
				if known[id] == 0 {
					t.Fatalf("the reply %d has the id %s, of which the log says nothing", n, id)
				}
			}
			told := 0
			for _, times := range known {
				told += times
			}
			if told != f.n {
				t.Errorf("the log tells of %d events, there were %d", told, f.n)
			}
			counted := 0
			for _, check := range []string{"sender-block", "rbl"} {
				var m dto.Metric
				if err := f.Metrics.decisions.WithLabelValues(check, "enforce", "refused", "550").Write(&m); err != nil {
					t.Fatal(err)
				}
				counted += int(m.GetCounter().GetValue())
			}
			if counted != f.n {
				t.Errorf("%d counted, there were %d", counted, f.n)
			}
		})
	}
}

// known returns how many events the log tells of under each id.
func (f *flood) known(t fataler) map[string]int {
	t.Helper()
	known := map[string]int{}
	for line := range strings.Lines(f.log.String()) {
		_, rest, _ := strings.Cut(line, " event=")
		id, _, _ := strings.Cut(rest, " ")
		times := 1
		if _, sum, is := strings.Cut(line, " times="); is {
			if _, err := fmt.Sscan(sum, &times); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			known[id] = 0 // it stands for the first line, too
		}
		known[id] += times
	}
	return known
}

// TestAnyFlood: whatever comes in whatever order and at whatever speed, every id of a reply stands
// in the log, which tells of every event once.
func TestAnyFlood(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := newFlood()
		bursts := rapid.IntRange(1, 30).Draw(t, "bursts")
		for range bursts {
			clients := rapid.SampledFrom([]int{1, 2, 50, 10_000}).Draw(t, "clients")
			domains := rapid.SampledFrom([]int{1, 3, 50, 10_000}).Draw(t, "domains")
			check := rapid.SampledFrom([]string{"sender-block", "rbl"}).Draw(t, "check")
			step := rapid.SampledFrom([]time.Duration{0, time.Millisecond, 100 * time.Millisecond, 7 * time.Second}).Draw(t, "step")
			for range rapid.IntRange(1, 150).Draw(t, "events") {
				f.now = f.now.Add(step)
				f.refuse(t, check, client(f.n%clients), fmt.Sprintf("domain%d.example", f.n%domains))
			}
			if rapid.Bool().Draw(t, "sweep") {
				f.Sweep()
			}
		}
		f.Close()
		known, told := f.known(t), 0
		for id := range f.ids {
			if known[id] == 0 {
				t.Fatalf("the log says nothing of %s", id)
			}
		}
		for _, times := range known {
			told += times
		}
		if told != f.n || len(known) != len(f.ids) {
			t.Fatalf("the log tells of %d events under %d ids, there were %d under %d", told, len(known), f.n, len(f.ids))
		}
		if len(f.dedups.shared) != 0 || f.dedups.room != gatherOctets {
			t.Fatalf("%d ids are still shared, %d octets kept", len(f.dedups.shared), gatherOctets-f.dedups.room)
		}
	})
}
