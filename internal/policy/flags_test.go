package policy

import (
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"0": 0, "90s": 90 * time.Second, "1h30m": 90 * time.Minute, "36d": 36 * 24 * time.Hour, "0d": 0,
		"-1s": -1, "-1d": -1, "1.5d": -1, "d": -1, "": -1, "1": -1, "99999d": -1, "300000000h": -1,
	} {
		got, err := ParseDuration(in)
		if want < 0 && err == nil || want >= 0 && (err != nil || got != want) {
			t.Errorf("%q is %v, %v", in, got, err)
		}
	}
}

func TestParseSize(t *testing.T) {
	for in, want := range map[string]Size{
		"0": 0, "500000": 500000, "64KiB": 64 << 10, "100MiB": 100 << 20, "2 GiB": 2 << 30, "1kB": 1000, "1MB": 1e6, "1GB": 1e9, "7B": 7,
		"-1": -1, "": -1, "MiB": -1, "1TiB": -1, "1.5MiB": -1, "9999999999999GiB": -1, "0x10": -1,
	} {
		got, err := ParseSize(in)
		if want < 0 && err == nil || want >= 0 && (err != nil || got != want) {
			t.Errorf("%q is %v, %v", in, got, err)
		}
	}
}

func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"90s", "36d", "-1h", "1e9s", "d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDuration(s)
		if err != nil {
			return
		}
		v := span(d)
		if again, err := ParseDuration(v.String()); d < 0 || err != nil || again != d {
			t.Fatalf("%q is %v, written %s, read again %v, %v", s, d, &v, again, err)
		}
	})
}

func FuzzParseSize(f *testing.F) {
	for _, s := range []string{"1", "64KiB", "9223372036854775807", "4611686018427387904B", "-0", " 1 MB"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseSize(s)
		if err != nil {
			return
		}
		if again, err := ParseSize(n.String()); n < 0 || err != nil || again != n {
			t.Fatalf("%q is %d, written %s, read again %d, %v", s, n, &n, again, err)
		}
	})
}

func TestFormatDuration(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0s": 0, "30s": 30 * time.Second, "1m": time.Minute, "1m30s": 90 * time.Second, "12h": 12 * time.Hour, "1h30m": 90 * time.Minute,
		"1d": 24 * time.Hour, "120d": 120 * 24 * time.Hour, "36h": 36 * time.Hour, "10m": 10 * time.Minute, "1h0m5s": time.Hour + 5*time.Second,
	} {
		got := FormatDuration(d)
		back, err := ParseDuration(got)
		if got != want || back != d || err != nil {
			t.Errorf("%v is written %q and read as %v, %v, want %q", d, got, back, err, want)
		}
	}
}
