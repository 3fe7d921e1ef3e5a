package main

import (
	"slices"
	"testing"
)

func TestSample(t *testing.T) {
	tests := []struct {
		name   string
		sample sample
		want   string
	}{
		{"none", nil, "–"},
		{"one", sample{7}, "7 (7–7)"},
		{"odd", sample{30, 10, 20}, "20 (10–30)"},
		{"even", sample{40, 10, 20, 30}, "25 (10–40)"},
	}
	for _, test := range tests {
		if got := test.sample.String(); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestSampleAgainst(t *testing.T) {
	if got := (sample{10, 90, 300}).against(sample{20, 100, 200}); got != "0.90" {
		t.Errorf("ratio %s, want 0.90", got)
	}
}

func TestSampleWithin(t *testing.T) {
	for _, test := range []struct {
		sample sample
		unit   string
		want   string
	}{
		{nil, "ms", "–"},
		{sample{0.5, 0.25, 0.75}, "", "0.50 (0.25–0.75)"},
		{sample{900, 1100}, "messages/s", "1,000 messages/s (900–1,100)"},
		{sample{35_000}, "/s", "35,000/s (35,000–35,000)"},
	} {
		if got := test.sample.within(test.unit); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

// The third round was slow for both.
func TestSampleOver(t *testing.T) {
	got := sample{10, 90, 3000}.over(sample{20, 100, 2000})
	if want := (sample{0.5, 0.9, 1.5}); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
