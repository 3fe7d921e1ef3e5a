package policy

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// good is a registry without a fault: the check x, which has two replies, and fault.
func good() *Registry {
	reply := func(id string) *Reply { return &Reply{ID: id, Row: "T1", Code: 451, Enhanced: "4.3.0", Text: "Later"} }
	x := &Check{Name: "x", Replies: []*Reply{reply("x"), reply("x-other")}}
	fault := &Check{Name: "fault", OnError: Delay, Replies: []*Reply{reply("fault"), reply("unavailable")}}
	return &Registry{
		Checks: []*Check{x, fault}, Order: map[Stage][]*Check{StageRcpt: {x}, StageEnd: {x}},
		Fault: fault, Unavailable: fault.Replies[1], Unprocessed: fault.Replies[0],
	}
}

func TestRegistryValidate(t *testing.T) {
	if err := good().Validate(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		spoil func(*Registry)
		want  string
	}{
		{"a check twice", func(r *Registry) { r.Checks = append(r.Checks, &Check{Name: "x"}) }, "check x is declared twice"},
		{"a reply twice", func(r *Registry) { r.Checks[0].Replies[1].ID = "x" }, "reply x is declared twice"},
		{"a reply of two checks", func(r *Registry) { r.Fault.Replies[0].ID = "x" }, "reply x is declared twice"},
		{"a bad reply", func(r *Registry) { r.Checks[0].Replies[0].Code = 250 }, "check x: reply x: code 250"},
		{"out of order", func(r *Registry) { r.Order = nil }, "check x stands in no stage"},
		{"no fault", func(r *Registry) { r.Fault = nil }, "check fault stands in no stage"},
		{"no fault at all", func(r *Registry) { r.Fault, r.Checks = nil, r.Checks[:1] }, "the check for faults must be one"},
		{"a fault of its own", func(r *Registry) { r.Checks = r.Checks[:1] }, "the check for faults must be one"},
		{"a fault without a reply", func(r *Registry) { r.Fault.Replies = nil }, "the check for faults must be one"},
		{"a fault that fails", func(r *Registry) { r.Fault.OnError = Fails }, "the check for faults must be one"},
		{"an order of others", func(r *Registry) { r.Order[StageMail] = []*Check{{Name: "y"}} }, "y stands in the order of stage mail"},
		{"nobody's reply", func(r *Registry) { r.Unavailable = &Reply{ID: "z"} }, "must belong to a check"},
		{"nobody's reply of a check", func(r *Registry) { r.Checks[0].Unavailable = r.Unavailable }, "check x: what it answers when it has failed"},
		{"no reply", func(r *Registry) { r.Unprocessed = nil }, "must belong to a check"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := good()
			c.spoil(r)
			if err := r.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestRegistryReplies(t *testing.T) {
	r := good()
	var ids []string
	for c, reply := range r.Replies {
		ids = append(ids, c.Name+" "+reply.ID)
	}
	if want := []string{"x x", "x x-other", "fault fault", "fault unavailable"}; !slices.Equal(ids, want) {
		t.Errorf("%q, want %q", ids, want)
	}
	for range r.Replies {
		break // the second check's replies must not follow
	}
	if got := r.positions(r.Checks[0]); got != 2 {
		t.Errorf("x stands in %d stages, want 2", got)
	}
}

// Every hook is work by itself, whatever hooks there will be.
func TestHooksEmpty(t *testing.T) {
	if !(&Hooks{Off: "no list", Remarks: []string{"x"}, GrantAtOnce: true, Close: func() {}}).Empty() {
		t.Error("hooks without work are not empty")
	}
	for field, value := range reflect.ValueOf(Hooks{}).Fields() {
		if field.Type.Kind() != reflect.Func || field.Name == "Close" {
			continue
		}
		var h Hooks
		hook := reflect.MakeFunc(value.Type(), func([]reflect.Value) []reflect.Value { return nil })
		reflect.ValueOf(&h).Elem().FieldByIndex(field.Index).Set(hook)
		if h.Empty() {
			t.Errorf("hooks with %s alone are empty", field.Name)
		}
	}
}
