package virus

import (
	"strings"
	"sync"
	"testing"
	"time"

	"mailweir/internal/clamd/clamdtest"
	"mailweir/internal/policy"
	"mailweir/internal/policytest"
)

// told is what the metrics are told.
type told struct {
	mu    sync.Mutex
	scans []policy.Scan
	made  map[string]time.Time
}

func build(t *testing.T, flags ...string) (*policytest.Policy, *policytest.Clock, *told) {
	t.Helper()
	world, now, seen := policytest.NewWorld(), new(policytest.Clock), &told{made: map[string]time.Time{}}
	world.Clock = now.Time
	world.Scanned = func(s policy.Scan) {
		seen.mu.Lock()
		defer seen.mu.Unlock()
		seen.scans = append(seen.scans, s)
	}
	world.Signatures = func(scanner string, made time.Time) {
		seen.mu.Lock()
		defer seen.mu.Unlock()
		seen.made[scanner] = made
	}
	p, err := policytest.Only(Check).Build(world, flags...)
	if err != nil {
		t.Fatal(err)
	}
	return p, now, seen
}

func TestInspection(t *testing.T) {
	const dated = "ClamAV 1.4.6/27456/"
	for _, c := range []struct{ name, version, text, remark string }{
		{"fresh", dated + "Sun Nov 22 09:00:00 2026", "ClamAV 1.4.6, signatures 27456 of 22 November 2026", ""},
		{"stale", dated + "Wed Nov 11 09:00:00 2026", "ClamAV 1.4.6, signatures 27456 of 11 November 2026", "its signatures are 12 days old: does freshclam run?"},
		{"local signatures alone", "ClamAV 1.4.6", "ClamAV 1.4.6, signatures without a date", "it does not tell how old its signatures are"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := clamdtest.Start(t, &clamdtest.Fake{Version: c.version})
			p, _, seen := build(t, "--virus-scanner="+f.Spec())
			defer p.Close()
			got := p.Inspect(t.Context())
			if len(got) != 1 || got[0].Err != nil || got[0].Name != f.Spec() || !strings.HasPrefix(got[0].Text, c.text) || strings.Join(got[0].Remarks, "; ") != c.remark {
				t.Errorf("%+v", got)
			}
			if _, ok := seen.made[f.Spec()]; !ok {
				t.Error("the metrics are not told")
			}
		})
	}
}

func TestInspectionOfNothing(t *testing.T) {
	p, _, _ := build(t, "--virus-scanner=clamd:unix:/nonexistent/clamd", "--virus-max-size=100MiB")
	defer p.Close()
	if got := p.Inspect(t.Context()); len(got) != 1 || got[0].Err == nil {
		t.Errorf("%+v", got)
	}
	if got := strings.Join(p.Remarks(), "\n"); !strings.Contains(got, "--virus-max-size=100MiB: at most 25MiB of a message are scanned") {
		t.Error(got)
	}
}

// A scanner that takes less than it is shown is told of once; the age of the signatures is asked
// for again and again.
func TestTick(t *testing.T) {
	f := clamdtest.Start(t, &clamdtest.Fake{MaxSize: 300_000, Version: "ClamAV 1.4.6/27456/Sun Nov 22 09:00:00 2026"})
	p, now, seen := build(t, "--virus-scanner="+f.Spec())
	h := policytest.NewHost(t, nil, p)
	h.Runner.Tick(t.Context())
	h.Visit(policytest.Letter{Body: strings.Repeat("0123456789abcd\r\n", 50_000)})
	if got := h.Taken(); len(got) > 0 {
		t.Errorf("%s", policytest.Lines(got))
	}
	h.Runner.Tick(t.Context())
	got := h.Taken()
	if len(got) != 1 || !strings.Contains(got[0].Cause, f.Spec()+": it takes less of a message than --virus-max-size: the first ") {
		t.Errorf("%+v", got)
	}
	h.Runner.Tick(t.Context())
	if got := h.Taken(); len(got) > 0 {
		t.Errorf("told again: %s", policytest.Lines(got))
	}
	if remarks := p.Inspect(t.Context())[0].Remarks; len(remarks) != 1 || !strings.Contains(remarks[0], "StreamMaxLength") {
		t.Errorf("%q", remarks)
	}
	clear(seen.made)
	h.Runner.Tick(t.Context())
	if len(seen.made) > 0 {
		t.Error("asked for the age within ten minutes")
	}
	now.Move(datesEvery)
	h.Runner.Tick(t.Context())
	if len(seen.made) != 1 {
		t.Error("not asked for the age again")
	}
}

// Each scan is counted by what came of it.
func TestScansAreCounted(t *testing.T) {
	f := clamdtest.Start(t, &clamdtest.Fake{})
	p, _, seen := build(t, "--virus-scanner="+f.Spec(), "--virus-max-size=64KiB", "--virus-on-error=accept")
	h := policytest.NewHost(t, nil, p)
	large := strings.Repeat("0123456789abcd\r\n", 10_000)
	for _, c := range []struct{ body, answer, want string }{
		{"hello", "", "clean"},
		{infected, "", "infected"},
		{large, "", "oversize"},
		{"hello", "stream: Heuristics.Limits.Exceeded.MaxScanTime FOUND\x00", "oversize"},
		{"hello", "stream: Heuristics.Encrypted.Zip FOUND\x00", "encrypted"},
		{"hello", "stream: Heuristics.Broken.Executable FOUND\x00", "broken"},
		{"hello", "rubbish\x00", "error"},
	} {
		f.Change(func(f *clamdtest.Fake) { f.Answer = c.answer })
		seen.scans = nil
		h.Visit(policytest.Letter{Body: c.body})
		if len(seen.scans) != 1 || seen.scans[0].Result != c.want || seen.scans[0].Check != Check.Name || (c.want != "error") != (seen.scans[0].Octets > 0) {
			t.Errorf("%+v, want %s", seen.scans, c.want)
		}
	}
}
