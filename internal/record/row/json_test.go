package row_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/row"
)

// inColumns are the fields of events and transactions that stand in columns.
var inColumns = []string{
	"id", "time", "ended", "host", "check", "mode", "action", "session", "transaction", "client", "service", "login", "direction",
}

// restOf is what package json makes of an entry, without what stands in columns.
func restOf(e record.Entry) (string, error) {
	v := any(e.Message)
	if e.Event != nil {
		v = e.Event
	}
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	if err := out.Encode(v); err != nil {
		return "", err
	}
	in := json.NewDecoder(&b)
	if _, err := in.Token(); err != nil {
		return "", err
	}
	var fields []string
	for in.More() {
		name, err := in.Token()
		var value json.RawMessage
		if err == nil {
			err = in.Decode(&value)
		}
		if err != nil {
			return "", err
		}
		if !slices.Contains(inColumns, name.(string)) {
			fields = append(fields, `"`+name.(string)+`":`+string(value))
		}
	}
	return "{" + strings.Join(fields, ",") + "}", nil
}

func wantRest(t *testing.T, e record.Entry) {
	t.Helper()
	want, err := restOf(e)
	if err != nil {
		t.Fatal(err)
	}
	r, err := row.Encode(e)
	if err != nil {
		t.Fatal(err)
	}
	// What a column has in another form stands here, too, at the end.
	got := string(r.Rest)
	if begin := strings.TrimSuffix(want, "}"); !strings.HasPrefix(got, begin) {
		t.Errorf("%s\nwant %s", got, want)
	}
	if !json.Valid(r.Rest) {
		t.Errorf("no JSON: %s", got)
	}
}

// The rest is what package json writes: of all fields, of none, and of each alone.
func TestRest(t *testing.T) {
	n := 0
	for _, whole := range []record.Entry{{Event: &policy.Event{}}, {Message: &policy.Transaction{}}} {
		wantRest(t, whole)
		fields := func(e record.Entry) reflect.Value {
			if e.Event != nil {
				return reflect.ValueOf(e.Event).Elem()
			}
			return reflect.ValueOf(e.Message).Elem()
		}
		for i := range fields(whole).NumField() {
			alone := record.Entry{Event: &policy.Event{}}
			if whole.Message != nil {
				alone = record.Entry{Message: &policy.Transaction{}}
			}
			if hasJSON(fields(alone).Type().Field(i)) {
				fill(t, fields(alone).Field(i), &n)
				wantRest(t, alone)
			}
		}
		fill(t, fields(whole), &n)
		wantRest(t, whole)
	}
}

// Texts stand as package json writes them.
func TestRestTexts(t *testing.T) {
	for _, value := range append(hostile, `"`, `\`, "é", "\u2029", "\b\f\t\x1f\x7f", "&'/", "plain ~") {
		wantRest(t, record.Entry{Message: &policy.Transaction{
			Sender: value, Subject: value, State: []string{value, "a", value}, Recipients: []policy.RecipientOutcome{{Recipient: value}, {}},
		}})
	}
}
