package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestBound(t *testing.T) {
	tests := []struct {
		bound  bound
		says   string
		rounds sample
		want   string
	}{
		{atMost(0.5, ""), "≤ 0.50", sample{0.4, 0.5, 0.5}, "reached"},
		{atMost(0.5, ""), "≤ 0.50", sample{0.4, 0.51, 0.5}, "reached, not in each round"},
		{atMost(0.5, ""), "≤ 0.50", sample{0.57, 0.4, 0.6}, "no: 14 % above"},
		{atMost(0.5, ""), "≤ 0.50", sample{0.501}, "no: less than 1 % above"},
		{atMost(0.5, ""), "≤ 0.50", sample{1.25}, "no: 2.5 times that"},
		{atMost(10, "KiB"), "≤ 10.0 KiB", sample{9.9}, "reached"},
		{atLeast(35_000, "/s"), "≥ 35,000/s", sample{35_000, 50_000, 35_000}, "reached"},
		{atLeast(35_000, "/s"), "≥ 35,000/s", sample{50_000, 34_000, 36_000}, "reached, not in each round"},
		{atLeast(35_000, "/s"), "≥ 35,000/s", sample{28_000}, "no: 20 % below"},
		{atMost(1, "ms"), "≤ 1.00 ms", nil, "not measured"},
	}
	for _, test := range tests {
		if got := test.bound.String(); got != test.says {
			t.Errorf("%q, want %q", got, test.says)
		}
		if got := test.bound.reachedBy(test.rounds); got != test.want {
			t.Errorf("%v by %v: %q, want %q", test.bound, test.rounds, got, test.want)
		}
	}
}

func TestFigure(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0.00", 0.057: "0.06", 9.994: "9.99", 9.999: "10.0", 99.94: "99.9", 99.96: "100",
		999.4: "999", 1000: "1,000", 34_999.6: "35,000", 1_234_567: "1,234,567", -123: "-123", -1234: "-1,234",
	} {
		if got := figure(v); got != want {
			t.Errorf("%v is %q, want %q", v, got, want)
		}
	}
}

// somePage has an aim that is reached, one that is not, and one that was not measured.
func somePage() aimsPage {
	return aimsPage{
		when: time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC),
		machine: machine{
			cpu: "Example CPU", cores: 2, kernel: "6.1.0", load: "0.12",
			versions: []string{"Go 1.26.0", "Postfix 3.7.11"},
		},
		rounds: 3,
		aims: []aim{
			{
				What: "policy: CPU of the C filter's", Bound: atMost(0.5, ""), Got: sample{0.5, 0.4, 0.45},
				Of: []reading{{"mailweir", "CPU µs a message", sample{200, 190, 210}}, {"C filter", "CPU µs a message", sample{400, 475, 467}}},
			},
			{What: "burst", Bound: atLeast(35_000, "/s"), Got: sample{30_000, 31_500, 36_000}, Note: "the disk."},
			{What: "idle", Bound: atMost(10, "KiB"), Got: sample{9, 9.5, 11}},
			{What: "CPU of rspamd's", Bound: atMost(0.2, ""), Note: "rspamd is not installed."},
		},
		missing: []string{"start"},
	}
}

func TestAimsPage(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "measurements")
	for range 2 { // also over an older one
		if err := somePage().write(dir); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(filepath.Join(dir, "aims.md"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/aims.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("the page is\n%s\nwant\n%s", got, want)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.new")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// A page of some parts says that it is not all.
func TestAimsOfSomeParts(t *testing.T) {
	page := somePage()
	page.of = []string{"policy", "site"}
	var text strings.Builder
	page.writeTo(&text)
	if want := "# Aims: policy, site\n\nThis is a part of the page that `make bench` writes. Measured at "; !strings.HasPrefix(text.String(), want) {
		t.Errorf("it begins with\n%.120s", text.String())
	}
}

// Aims come from other processes.
func TestAimsAreEncoded(t *testing.T) {
	text, err := json.Marshal(somePage().aims)
	if err != nil {
		t.Fatal(err)
	}
	var got []aim
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if want := somePage().aims; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestMachineNamesItself(t *testing.T) {
	m := thisMachine()
	if m.cores < 1 || m.kernel == "" || m.load == "" || !strings.HasPrefix(m.versions[0], "Go 1.") {
		t.Errorf("%+v", m)
	}
}
