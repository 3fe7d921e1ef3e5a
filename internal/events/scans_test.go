package events

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/sirupsen/logrus"

	"mailweir/internal/policy"
)

func TestScans(t *testing.T) {
	m := NewMetrics("test")
	for _, s := range []policy.Scan{
		{Check: "x", Result: "clean", Octets: 100, Took: time.Second},
		{Check: "x", Result: "clean", Octets: 50},
		{Check: "x", Result: "infected", Octets: 7},
		{Check: "y", Result: "error"},
	} {
		m.Scanned(s)
	}
	const want = `# HELP mailweir_scan_octets_total Octets of messages that scanners were shown.
# TYPE mailweir_scan_octets_total counter
mailweir_scan_octets_total{check="x"} 157
mailweir_scan_octets_total{check="y"} 0
# HELP mailweir_scans_total Messages that were shown to a scanner, by what came of it.
# TYPE mailweir_scans_total counter
mailweir_scans_total{check="x",result="clean"} 2
mailweir_scans_total{check="x",result="infected"} 1
mailweir_scans_total{check="y",result="error"} 1
`
	if err := testutil.GatherAndCompare(m.Registry, strings.NewReader(want), "mailweir_scans_total", "mailweir_scan_octets_total"); err != nil {
		t.Error(err)
	}
}

// The age of signatures is shown for scanners in use, and forgotten with them.
func TestSignatures(t *testing.T) {
	m := NewMetrics("test")
	made := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	m.Signatures("x", made) // nobody is told of backends yet
	log := logrus.New()
	log.SetOutput(io.Discard)
	o := m.Observe(log, func(s string) string { return s })
	shown := func(want int) {
		t.Helper()
		if n := testutil.CollectAndCount(m.scans.made); n != want {
			t.Errorf("%d scanners have an age, want %d", n, want)
		}
	}
	m.Signatures("x", made)
	shown(0)
	o.Opened("x")
	m.Signatures("x", time.Time{})
	shown(0)
	m.Signatures("x", made)
	shown(1)
	if got := testutil.ToFloat64(m.scans.made); got != float64(made.Unix()) {
		t.Errorf("made at %f", got)
	}
	o.Closed("x")
	shown(0)
}
