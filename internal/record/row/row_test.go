package row_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/row"
)

// compare compares what goes in with what comes out.
var compare = cmp.Options{
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b policy.Line) bool { return a == b }),
}

func hasJSON(f reflect.StructField) bool { return f.Tag.Get("json") != "-" && f.IsExported() }

// fill gives every field that stands in JSON a value of its own.
func fill(t *testing.T, v reflect.Value, n *int) {
	t.Helper()
	*n++
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		*x = time.UnixMicro(1_700_000_000_000_000 + int64(*n)).UTC()
		return
	case *netip.Addr:
		*x = netip.AddrFrom4([4]byte{192, 0, 2, byte(*n)})
		return
	case *policy.Line:
		if err := x.UnmarshalJSON(fmt.Appendf(nil, `{"code":550,"enhanced":"5.7.1","text":"a <b> & \"%d\""}`, *n)); err != nil {
			t.Fatal(err)
		}
		return
	case *policy.Mode, *policy.Action, *policy.Stage, *policy.Fate, *policy.EditKind:
		v.SetUint(uint64(1 + *n%2))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("value%d", *n))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint8, reflect.Uint16:
		v.SetUint(uint64(*n % 200))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(t, v.Index(i), n)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if hasJSON(v.Type().Field(i)) {
				fill(t, v.Field(i), n)
			}
		}
	default:
		t.Fatalf("a field of type %s: teach the test to fill it", v.Type())
	}
}

func roundTrip(t *testing.T, e record.Entry) record.Entry {
	t.Helper()
	r, err := row.Encode(e)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Decode()
	if err != nil {
		t.Fatalf("%v: %s", err, r.Rest)
	}
	return got
}

// Every field comes back, those to come included.
func TestEveryField(t *testing.T) {
	n := 0
	e, m := &policy.Event{}, &policy.Transaction{}
	fill(t, reflect.ValueOf(e).Elem(), &n)
	fill(t, reflect.ValueOf(m).Elem(), &n)
	for name, want := range map[string]record.Entry{"event": {Position: 7, Event: e}, "message": {Position: 8, Message: m}} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(want, roundTrip(t, want), compare); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What stands in columns does not stand in the rest, too: it would be half of the record.
func TestRestHasNoColumns(t *testing.T) {
	n := 0
	e := &policy.Event{}
	fill(t, reflect.ValueOf(e).Elem(), &n)
	r, err := row.Encode(record.Entry{Event: e})
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{e.ID, e.Session, e.Check, e.Host, string(e.Service), e.Login, e.Direction, e.Client.String()} {
		if strings.Contains(string(r.Rest), `"`+value+`"`) {
			t.Errorf("%s has %q", r.Rest, value)
		}
	}
}

func TestColumns(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 1999, time.FixedZone("", 3600))
	for _, c := range []struct {
		name  string
		entry record.Entry
		want  func(*row.Row)
	}{
		{"nothing", record.Entry{Event: &policy.Event{}}, func(*row.Row) {}},
		{"an id in capitals", record.Entry{Event: &policy.Event{ID: "mw-ABC"}}, func(r *row.Row) { r.ID = "mw-abc" }},
		{"the null sender", record.Entry{Event: &policy.Event{HasSender: true}}, func(r *row.Row) { r.Sender, r.SenderDomain = "<>", "<>" }},
		{"a sender", record.Entry{Event: &policy.Event{HasSender: true, Sender: `"A"@Example.ORG.`}}, func(r *row.Row) {
			r.Sender, r.SenderDomain = "a@example.org", "example.org"
		}},
		{"a sender without a domain", record.Entry{Event: &policy.Event{HasSender: true, Sender: "root"}}, func(r *row.Row) { r.Sender = "root" }},
		{"IPv6 with a zone", record.Entry{Event: &policy.Event{Client: netip.MustParseAddr("fe80::1%eth0")}}, func(r *row.Row) {
			r.Client, r.Net = netip.MustParseAddr("fe80::1"), netip.MustParsePrefix("fe80::/64")
		}},
		{"IPv4 as IPv6", record.Entry{Event: &policy.Event{Client: netip.MustParseAddr("::ffff:192.0.2.77")}}, func(r *row.Row) {
			r.Client, r.Net = netip.MustParseAddr("192.0.2.77"), netip.MustParsePrefix("192.0.2.0/24")
		}},
		{"keys", record.Entry{Event: &policy.Event{Recipients: []string{"B@x.example", "a@x.example", "b@x.example"}, QueueID: "4AbC", MessageID: " <1@y> ", Session: "s"}}, func(r *row.Row) {
			r.Session = "s"
			r.Keys = []row.Key{
				{row.KeyRecipient, "a@x.example"},
				{row.KeyRecipient, "b@x.example"},
				{row.KeyDomain, "x.example"},
				{row.KeyQueue, "4AbC"},
				{row.KeyMessage, "1@y"},
				{row.KeySession, "s"},
			}
		}},
		{"octets that no database takes", record.Entry{Event: &policy.Event{Check: "a\x00\xff"}}, func(r *row.Row) { r.Check = "a\uFFFD\uFFFD" }},
		{"a subject in another charset", record.Entry{Event: &policy.Event{Subject: "=?utf-8?q?Gr=C3=BC=C3=9Fe?="}}, func(r *row.Row) { r.Shown = "Grüße" }},
		{"microseconds", record.Entry{Event: &policy.Event{Time: at}}, func(r *row.Row) { r.Time = time.Date(2026, 11, 23, 11, 0, 0, 1000, time.UTC) }},
		{"fates", record.Entry{Message: &policy.Transaction{Outcome: policy.Outcome{Fate: policy.Lost}, Recipients: []policy.RecipientOutcome{
			{Direction: "inbound", Outcome: policy.Outcome{Fate: policy.Refused}},
			{Direction: "outbound"},
			{Direction: "inbound"},
		}}}, func(r *row.Row) {
			r.Kind, r.Fates, r.Direction = record.Messages, 1<<policy.Lost|1<<policy.Refused|1<<policy.Accepted, "inbound outbound"
			r.Sender, r.SenderDomain = "<>", "<>"
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := row.Encode(c.entry)
			if err != nil {
				t.Fatal(err)
			}
			want := row.Row{Kind: record.Decisions, Time: time.Time{}, Keys: []row.Key{}}
			c.want(&want)
			got.Rest = nil
			if want.Time.IsZero() {
				got.Time = want.Time
			}
			if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// hostile are values that clients choose.
var hostile = []string{
	"", `<script>alert(1)</script>`, "\x00", "\xff\xfe", "\u2028\u202e", "\r\n.\r\n", `"\`, strings.Repeat("A", 5000), "=?utf-8?b?////?=", "%_%",
}

func TestHostileValues(t *testing.T) {
	for _, value := range hostile {
		clean := strings.ToValidUTF8(value, "\uFFFD")
		e := &policy.Event{
			ID: "mw-1", Helo: value, Sender: value, HasSender: true, Recipients: []string{value}, Subject: value, Cause: value, ClientName: value,
			Attachments: []string{value}, MessageID: value, QueueID: value,
		}
		got := roundTrip(t, record.Entry{Event: e}).Event
		for _, s := range []string{got.Helo, got.Sender, got.Recipients[0], got.Subject, got.Cause, got.ClientName, got.Attachments[0], got.MessageID} {
			// A run of octets that are no UTF-8 becomes one sign here and several there.
			if strings.Trim(s, "\uFFFD") != strings.Trim(clean, "\uFFFD") {
				t.Errorf("%q became %q", value, s)
			}
		}
	}
}

// The part of a text stands in what a store looks at, wherever the text stands.
func TestPart(t *testing.T) {
	for text, want := range map[string]string{
		"":                "",
		"Bob":             "Bob",
		"größe ok":        "e ok",
		`a"bcd\ef`:        "bcd",
		"<a@example.org>": "a@example.org",
		"ß":               "",
	} {
		if got := row.Part(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	letters := []rune("ab<>&\"\\\x00\n\u2028öß%_ .@")
	for range 2000 {
		text := make([]rune, 8)
		for i := range text {
			text[i] = letters[random.IntN(len(letters))]
		}
		r, err := row.Encode(record.Entry{Event: &policy.Event{Cause: string(text), Recipients: []string{string(text)}}})
		if err != nil {
			t.Fatal(err)
		}
		if part := row.Part(string(text)); !strings.Contains(string(r.Rest), part) {
			t.Fatalf("%q: %q is not in %s", string(text), part, r.Rest)
		}
	}
}

func TestLike(t *testing.T) {
	if got, want := row.Like(`50%_\`), `%50\%\_\\%`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// A row that somebody has changed is an error, or an entry that can be shown.
func FuzzDecode(f *testing.F) {
	f.Add(uint8(1), []byte(`{"version":1,"stage":"rcpt","answered_at":"rcpt","line":{"code":550,"enhanced":"5.7.1","text":"no"}}`))
	f.Add(uint8(2), []byte(`{"version":1,"fate":"refused","recipients":[{"recipient":"a@b","fate":"deferred"}]}`))
	f.Add(uint8(1), []byte(`null`))
	f.Add(uint8(2), []byte(`{"Transaction":null,"client":"::1%x"}`))
	f.Fuzz(func(t *testing.T, kind uint8, rest []byte) {
		r := row.Row{Kind: record.Kind(kind), Rest: rest}
		e, err := r.Decode()
		if err != nil {
			return
		}
		if _, err := row.Encode(e); err != nil {
			t.Fatalf("what was read cannot be written again: %v", err)
		}
		wantRest(t, e)
		_ = record.Query{Text: "x"}.Normal().Match(e)
	})
}

func TestChange(t *testing.T) {
	want := record.Change{
		Host: "mx1", Time: time.UnixMicro(1_700_000_000_000_001).UTC(), Operation: "tempblock/add", Person: policy.Person{Name: "bob", UID: 7, From: "console"},
		Why: "flood", Until: time.UnixMicro(1_700_000_000_000_000).UTC(), Changes: []policy.Alteration{{What: "192.0.2.1", After: "blocked"}}, Err: "no",
	}
	data, err := row.EncodeChange(want)
	if err != nil {
		t.Fatal(err)
	}
	want.Position = 9
	got, err := row.DecodeChange(9, data)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if _, err := row.DecodeChange(9, slices.Concat(data, data)); err == nil {
		t.Error("what is no JSON is read")
	}
}

// What is taken out of an entry is counted in it, also what was remembered: who judges it again
// must know that something may be missing.
func TestThinCounts(t *testing.T) {
	m := &policy.Transaction{State: []string{"a -", "b -"}, LeftOut: 1}
	e := record.Entry{Message: m}
	if !row.NoQueries.Thin(&e) || e.Message.State != nil || e.Message.LeftOut != 3 || len(m.State) != 2 {
		t.Errorf("%+v of %+v", e.Message, m)
	}
}
