package policy

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// Flags registers the flags of one check. Every name gets the check's own in front: noun "list" of
// the check header-from is --header-from-list.
type Flags struct {
	set    *pflag.FlagSet
	prefix string
	offers *[]OperationGroup
	tables *[]*Tables
}

// NewFlags returns the flags of a check, or of the settings that all share when prefix is "".
func NewFlags(set *pflag.FlagSet, prefix string) *Flags {
	if prefix != "" {
		prefix += "-"
	}
	return &Flags{set: set, prefix: prefix, offers: new([]OperationGroup), tables: new([]*Tables)}
}

// Operations says what people can do at run time with the check whose flags these are. They may go
// by the values of the flags: those in force where they are carried out.
func (f *Flags) Operations(title string, operations ...Operation) {
	name := strings.TrimSuffix(f.prefix, "-")
	*f.offers = append(*f.offers, OperationGroup{Name: name, Title: title, Operations: operations})
}

// Offered are the operations that have been declared with these flags.
func (f *Flags) Offered() []OperationGroup { return *f.offers }

// Named returns flags that carry another prefix than the check's name, where POLICIES fixes such a
// name.
func (f *Flags) Named(prefix string) *Flags {
	named := NewFlags(f.set, prefix)
	named.offers, named.tables = f.offers, f.tables
	return named
}

// Files registers a repeatable flag whose values are file names.
func (f *Flags) Files(noun, usage string) *[]string {
	var names []string
	f.set.VarP(&list{values: &names, kind: "FILE"}, f.prefix+noun, "", usage)
	return &names
}

// Strings registers a repeatable flag; kind names its values in the help.
func (f *Flags) Strings(noun, kind, usage string) *[]string {
	var values []string
	f.set.VarP(&list{values: &values, kind: kind}, f.prefix+noun, "", usage)
	return &values
}

// Words registers a flag whose value is a list joined by commas or white space.
func (f *Flags) Words(noun string, value []string, kind, usage string) *[]string {
	f.set.VarP(&words{values: &value, kind: kind}, f.prefix+noun, "", usage)
	return &value
}

// String registers a flag with one text; kind names it in the help.
func (f *Flags) String(noun, value, kind, usage string) *string {
	v := text{value: value, kind: kind}
	f.set.VarP(&v, f.prefix+noun, "", usage)
	return &v.value
}

// Int registers a flag with a whole number that is not negative.
func (f *Flags) Int(noun string, value int, usage string) *int {
	v := count(value)
	f.set.VarP(&v, f.prefix+noun, "", usage)
	return (*int)(&v)
}

// Bool registers a switch.
func (f *Flags) Bool(noun string, value bool, usage string) *bool {
	v := toggle(value)
	flag := f.set.VarPF(&v, f.prefix+noun, "", usage)
	flag.NoOptDefVal = "on" // the flag alone switches it on
	return (*bool)(&v)
}

// Duration registers a span of time that is not negative.
func (f *Flags) Duration(noun string, value time.Duration, usage string) *time.Duration {
	v := span(value)
	f.set.VarP(&v, f.prefix+noun, "", usage)
	return (*time.Duration)(&v)
}

// Size registers a number of octets, such as 100MiB.
func (f *Flags) Size(noun string, value Size, usage string) *Size {
	f.set.VarP(&value, f.prefix+noun, "", usage)
	return &value
}

// Mode registers --CHECK as the mode of a check.
func (f *Flags) Mode(check string, value Mode, usage string) *Mode {
	f.set.VarP(&value, check, "", usage)
	return &value
}

// Value registers a flag of a type of its own.
func (f *Flags) Value(noun string, value pflag.Value, usage string) {
	f.set.VarP(value, f.prefix+noun, "", usage)
}

// OnError registers --CHECK-on-error.
func (f *Flags) OnError(value OnError, usage string) *OnError {
	f.set.VarP(&value, f.prefix+"on-error", "", usage)
	return &value
}

// list is a repeatable flag. Giving it once replaces nothing but the default, which is empty.
type list struct {
	values *[]string
	kind   string
}

func (l *list) String() string { return strings.Join(*l.values, " ") }
func (l *list) Type() string   { return l.kind }
func (l *list) Set(s string) error {
	if strings.TrimSpace(s) == "" {
		return fmt.Errorf("the value is empty; leave the flag out instead")
	}
	*l.values = append(*l.values, s)
	return nil
}

// Append, Replace and GetSlice make a list a pflag.SliceValue, so that other sources of flags can
// set it whole.
func (l *list) Append(s string) error         { return l.Set(s) }
func (l *list) Replace(values []string) error { *l.values = values; return nil }
func (l *list) GetSlice() []string            { return *l.values }

type words struct {
	values *[]string
	kind   string
}

func (w *words) String() string { return strings.Join(*w.values, ",") }
func (w *words) Type() string   { return w.kind }
func (w *words) Set(s string) error {
	*w.values = strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' })
	return nil
}

// toggle is a switch, written on or off; what Go calls true and false is understood.
type toggle bool

func (t *toggle) Type() string { return "on|off" }
func (t *toggle) String() string {
	if *t {
		return "on"
	}
	return "off"
}

func (t *toggle) Set(s string) error {
	switch strings.ToLower(s) {
	case "on", "yes", "true", "1":
		*t = true
	case "off", "no", "false", "0":
		*t = false
	default:
		return fmt.Errorf("%q is neither on nor off", s)
	}
	return nil
}

type text struct{ value, kind string }

func (t *text) String() string     { return t.value }
func (t *text) Type() string       { return t.kind }
func (t *text) Set(s string) error { t.value = s; return nil }

type count int

func (c *count) String() string { return strconv.Itoa(int(*c)) }
func (c *count) Type() string   { return "N" }
func (c *count) Set(s string) error {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return fmt.Errorf("%q is not a whole number from 0 to %d", s, 1<<31-1)
	}
	*c = count(n)
	return nil
}

type span time.Duration

func (d *span) String() string { return FormatDuration(time.Duration(*d)) }
func (d *span) Type() string   { return "DURATION" }
func (d *span) Set(s string) error {
	v, err := ParseDuration(s)
	if err != nil {
		return err
	}
	*d = span(v)
	return nil
}

// FormatDuration writes a span of time as [ParseDuration] reads it, in days where it is whole days,
// and without zeros at the end: "120d", "12h", "1m".
func FormatDuration(d time.Duration) string {
	const day = 24 * time.Hour
	if d != 0 && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	return ShortDuration(d)
}

// ShortDuration writes a span without the units that are zero: 5m, 1h, 3h5m.
func ShortDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// ParseDuration reads a span of time as Go does ("90s", "1h30m"), and days as "36d". It is never
// negative.
func ParseDuration(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err == nil {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is not a span of time; write it like 30s, 5m, 12h or 36d", s)
	}
	return d, nil
}

// Size is a number of octets.
type Size int64

var sizeUnits = []struct {
	suffix string
	factor int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}}

// String writes the size with the largest binary unit that leaves it whole.
func (s *Size) String() string {
	n := int64(*s)
	switch {
	case n != 0 && n%(1<<30) == 0:
		return strconv.FormatInt(n>>30, 10) + "GiB"
	case n != 0 && n%(1<<20) == 0:
		return strconv.FormatInt(n>>20, 10) + "MiB"
	case n != 0 && n%(1<<10) == 0:
		return strconv.FormatInt(n>>10, 10) + "KiB"
	}
	return strconv.FormatInt(n, 10)
}

// Type names the kind of value in help texts.
func (s *Size) Type() string { return "SIZE" }

// Set reads a number of octets, with an optional unit.
func (s *Size) Set(value string) error {
	n, err := ParseSize(value)
	*s = n
	return err
}

// ParseSize reads a number of octets: "1048576", "100MiB", "64kB".
func ParseSize(value string) (Size, error) {
	number, factor := strings.TrimSpace(value), int64(1)
	for _, u := range sizeUnits {
		if rest, ok := strings.CutSuffix(number, u.suffix); ok {
			number, factor = strings.TrimSpace(rest), u.factor
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > (1<<62)/factor {
		return 0, fmt.Errorf("%q is not a size; write it like 500000, 64KiB or 100MiB", value)
	}
	return Size(n * factor), nil
}
