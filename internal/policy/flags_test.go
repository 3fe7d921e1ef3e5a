package policy

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"mailweir/internal/table"
)

// value is what a flag that has been given holds, and how it is written.
func value(t *testing.T, register func(*Flags), args ...string) (written string, err error) {
	t.Helper()
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	register(NewFlags(set, "x"))
	err = set.Parse(args)
	return set.Lookup("x-f").Value.String(), err
}

func TestFlags(t *testing.T) {
	boolean := func(f *Flags) { f.Bool("f", false, "u") }
	number := func(f *Flags) { f.Int("f", 7, "u") }
	tables := func(f *Flags) { f.Tables("f", "u", table.Use{}) }
	words := func(f *Flags) { f.Words("f", []string{"a", "b"}, "K", "u") }
	for _, c := range []struct {
		name     string
		register func(*Flags)
		args     []string
		want     string // "error" where it must be refused
	}{
		{"switch, default", boolean, nil, "off"},
		{"switch alone", boolean, []string{"--x-f"}, "on"},
		{"switch on", boolean, []string{"--x-f=ON"}, "on"},
		{"switch off again", boolean, []string{"--x-f", "--x-f=false"}, "off"},
		{"switch, neither", boolean, []string{"--x-f=maybe"}, "error"},
		{"number, default", number, nil, "7"},
		{"number", number, []string{"--x-f=0"}, "0"},
		{"greatest number", number, []string{"--x-f=2147483647"}, "2147483647"},
		{"number too great", number, []string{"--x-f=2147483648"}, "error"},
		{"negative number", number, []string{"--x-f=-1"}, "error"},
		{"no tables", tables, nil, ""},
		{"tables add up", tables, []string{"--x-f=a", "--x-f=b"}, "a b"},
		{"no table is empty", tables, []string{"--x-f= "}, "error"},
		{"files", func(f *Flags) { f.Files("f", "u") }, []string{"--x-f=a"}, "a"},
		{"strings", func(f *Flags) { f.Strings("f", "K", "u") }, []string{"--x-f=a,b"}, "a,b"},
		{"words, default", words, nil, "a,b"},
		{"words replace the default", words, []string{"--x-f=c, d  e"}, "c,d,e"},
		{"text", func(f *Flags) { f.String("f", "a", "K", "u") }, []string{"--x-f="}, ""},
		{"duration", func(f *Flags) { f.Duration("f", time.Hour, "u") }, []string{"--x-f=36d"}, "36d"},
		{"no duration", func(f *Flags) { f.Duration("f", time.Hour, "u") }, []string{"--x-f=-1s"}, "error"},
		{"size", func(f *Flags) { f.Size("f", 1, "u") }, []string{"--x-f=64KiB"}, "64KiB"},
		{"no size", func(f *Flags) { f.Size("f", 1, "u") }, []string{"--x-f=x"}, "error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := value(t, c.register, c.args...)
			if (err != nil) != (c.want == "error") || err == nil && got != c.want {
				t.Errorf("%q, %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestNumberError(t *testing.T) {
	_, err := value(t, func(f *Flags) { f.Int("f", 1, "u") }, "--x-f=2147483648")
	if err == nil || !strings.Contains(err.Error(), "is not a whole number from 0 to 2147483647") {
		t.Errorf("error %v", err)
	}
}

func TestFlagNames(t *testing.T) {
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	f := NewFlags(set, "x")
	f.Operations("about x", Operation{About: About{Name: "add"}})
	f.Named("y").Int("max", 1, "u")
	f.Named("y").Operations("about y")
	f.OnError(Accept, "u")
	f.Mode("x", Enforce, "u")
	NewFlags(set, "").Int("all", 1, "u")
	var names []string
	set.VisitAll(func(flag *pflag.Flag) { names = append(names, flag.Name+" "+flag.Value.Type()) })
	want := []string{"all N", "x off|monitor|defer|enforce", "x-on-error accept|defer", "y-max N"}
	if !slices.Equal(names, want) {
		t.Errorf("flags %q, want %q", names, want)
	}
	var groups []string
	for _, g := range f.Offered() {
		groups = append(groups, g.Name+": "+g.Title)
	}
	if want := []string{"x: about x", "y: about y"}; !slices.Equal(groups, want) {
		t.Errorf("operations %q, want %q", groups, want)
	}
}

// A list can be set whole, as from a file with flags.
func TestListIsSliceValue(t *testing.T) {
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	specs := NewFlags(set, "x").Tables("f", "u", table.Use{})
	l := set.Lookup("x-f").Value.(pflag.SliceValue)
	if err := l.Replace([]string{"a"}); err != nil {
		t.Fatal(err)
	}
	if err := l.Append("b"); err != nil || strings.Join(specs.specs, " ") != "a b" || !slices.Equal(l.GetSlice(), specs.specs) || !specs.Given() {
		t.Errorf("%q and %q, %v", specs.specs, l.GetSlice(), err)
	}
	if err := l.Append(""); err == nil {
		t.Error("an empty value is taken")
	}
}

func TestSizeString(t *testing.T) {
	for n, want := range map[Size]string{
		0: "0", 1: "1", 1023: "1023", 1 << 10: "1KiB", 1<<10 + 1: "1025", 3 << 20: "3MiB", 1 << 30: "1GiB", 1<<30 + 1<<20: "1025MiB",
	} {
		if got := n.String(); got != want {
			t.Errorf("%d is written %s, want %s", int64(n), got, want)
		}
	}
}

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
		"4611686018427387904": 1 << 62, "4611686018427387905": -1, "4294967296GiB": 1 << 62, "4294967297GiB": -1,
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
