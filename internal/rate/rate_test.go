package rate

import (
	"testing"
	"time"
)

func TestParseRate(t *testing.T) {
	for _, c := range []struct {
		text string
		want Rate
		fail bool
	}{
		{text: "20/5m", want: Rate{20, 5 * time.Minute}},
		{text: "0/1h", want: Rate{0, time.Hour}},
		{text: "1/7d", want: Rate{1, 7 * 24 * time.Hour}},
		{text: "20", fail: true},
		{text: "x/5m", fail: true},
		{text: "-1/5m", fail: true},
		{text: "20/", fail: true},
		{text: "20/8d", fail: true},
		{text: "20/0s", fail: true},
		{text: "20/1ms", fail: true},
	} {
		t.Run(c.text, func(t *testing.T) {
			got, err := Parse(c.text)
			if (err != nil) != c.fail || got != c.want {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

func FuzzParseRate(f *testing.F) {
	for _, seed := range []string{"20/5m", "5/1h30m", "1/7d", "1/1.5s", "/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := Parse(s)
		if err != nil {
			return
		}
		if again, err := Parse(r.String()); err != nil || again != r {
			t.Errorf("%q reads as %v, and that as %v, %v", s, r, again, err)
		}
	})
}

func TestSpanName(t *testing.T) {
	for d, want := range map[time.Duration]string{
		5 * time.Minute: "5m", time.Hour: "1h", 90 * time.Minute: "1h30m", 90 * time.Second: "1m30s", 10 * time.Second: "10s", 20 * time.Hour: "20h",
	} {
		if got := Name(d); got != want {
			t.Errorf("%s: %q", d, got)
		}
	}
}
