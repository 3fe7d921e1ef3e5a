package main

import "testing"

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
