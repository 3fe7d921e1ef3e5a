package recipient

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"mailweir/internal/policy"
	"mailweir/internal/policytest"
)

// operate is a site with the operations of its policy.
type operate struct {
	*site
	operations []policy.Operation
}

func newOperate(t *testing.T, flags ...string) *operate {
	t.Helper()
	o := new(operate)
	check := *Check
	check.Setup = func(f *policy.Flags) policy.Build {
		build := Check.Setup(f)
		o.operations = f.Offered()[0].Operations
		return build
	}
	o.site = newSiteOf(t, policytest.Only(&check), flags...)
	return o
}

// run carries out "mailweir recipient NAME" and returns what it prints.
func (o *operate) run(t *testing.T, name string, request any) (string, error) {
	t.Helper()
	for _, op := range o.operations {
		if op.Name != name {
			continue
		}
		body, _ := json.Marshal(request)
		answer, err := op.Run(t.Context(), &policy.Call{Backends: o.World, Delimiter: "+"}, body)
		if err != nil {
			return "", err
		}
		body, _ = json.Marshal(answer)
		var out strings.Builder
		err = op.Show(&out, body)
		return out.String(), err
	}
	t.Fatalf("there is no operation %s", name)
	return "", nil
}

func TestTestOperation(t *testing.T) {
	o := newOperate(t, "--recipient-source=*=smtp:a", "--recipient-source=*=inline:{carol@ours.example=x}", "--recipient-access=inline:{mallory@ours.example=REJECT, known@ours.example=OK, dunno@ours.example=DUNNO}")
	o.a.exists = []string{"bob@ours.example"}
	for _, c := range []struct {
		address string
		want    []string // parts of the lines, without the title
	}{
		{"bob@ours.example", []string{"smtp:a bob@ours.example exists: 250 2.1.5 Ok (asked 2026-11-23 12:00:00) nothing", "inline: no such address", "result exists"}},
		{"Bob@ours.example", []string{"smtp:a bob@ours.example exists: 250 2.1.5 Ok (asked 2026-11-23 12:00:00) counts until", "inline: no such address", "result exists"}},
		{"carol@ours.example", []string{"smtp:a carol@ours.example no such address: 550 5.1.1 User unknown (asked", "inline: exists: ", "result exists"}},
		{"eve@ours.example", []string{"smtp:a", "inline: no such address", "result does not exist"}},
		{"mallory@ours.example", []string{"--recipient-access mallory@ours.example REJECT (", "result is refused"}},
		{"known@ours.example", []string{"--recipient-access known@ours.example OK", "result exists"}},
		{"dunno@ours.example", []string{"--recipient-access dunno@ours.example DUNNO", "smtp:a", "inline:", "result does not exist"}},
		{"postmaster@ours.example", []string{"result not judged: postmaster always exists"}},
		{"bob@far.example", []string{"result not judged: the domain is not local"}},
	} {
		out, err := o.run(t, "test", testRequest{[]string{c.address}})
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(out), "\n")[1:]
		if len(lines) != len(c.want) {
			t.Errorf("%s:\n%s", c.address, out)
			continue
		}
		for i, want := range c.want {
			line := strings.ReplaceAll(strings.Join(strings.Fields(lines[i]), " "), "inline:{carol@ours.example=x}", "inline:")
			if !strings.Contains(line, want) {
				t.Errorf("%s: line %q, want %q", c.address, line, want)
			}
		}
	}
	o.a.change(func(a *server) { a.fails = errors.New("smtp:a: no answer") })
	if out, err := o.run(t, "test", testRequest{[]string{"new@ours.example"}}); err != nil || !strings.Contains(out, "error: smtp:a: no answer") || !strings.Contains(out, "not known: smtp:a: no answer") {
		t.Errorf("%v\n%s", err, out)
	}
	o.a.change(func(a *server) { a.suspended = "accepts every address" })
	if out, err := o.run(t, "test", testRequest{[]string{"new@ours.example"}}); err != nil || !strings.Contains(out, "not used: accepts every address") {
		t.Errorf("%v\n%s", err, out)
	}
	for _, wrong := range [][]string{nil, {"bob"}, {"@ours.example"}, {""}} {
		if _, err := o.run(t, "test", testRequest{wrong}); err == nil && wrong != nil {
			t.Errorf("%q: no error", wrong)
		}
	}
	if list, err := many(o, 100); err != nil || len(list) == 0 {
		t.Errorf("100 addresses: %v", err)
	}
	if _, err := many(o, 101); err == nil {
		t.Error("101 addresses: no error")
	}
	off := newOperate(t)
	var wrong *policy.WrongError
	if _, err := off.run(t, "test", testRequest{[]string{"bob@ours.example"}}); !errors.As(err, &wrong) {
		t.Errorf("without sources: %v", err)
	}
}

// many tests so many addresses.
func many(o *operate, n int) (string, error) {
	return o.run(o.T.(*testing.T), "test", testRequest{slices.Repeat([]string{"postmaster@ours.example"}, n)})
}

// Without --local-domains those domains are judged that a source names.
func TestTestOperationWithoutDomains(t *testing.T) {
	o := new(operate)
	check := *Check
	check.Setup = func(f *policy.Flags) policy.Build {
		build := Check.Setup(f)
		o.operations = f.Offered()[0].Operations
		return build
	}
	world := policytest.NewWorld()
	p, err := policytest.Only(&check).BuildBare(world, "--recipient-source=ours.example=send-only")
	if err != nil {
		t.Fatal(err)
	}
	p.Ready(t.Context())
	o.site = &site{Host: policytest.NewHost(t, world, p)}
	for address, want := range map[string]string{"bob@ours.example": "does not exist", "bob@far.example": "not judged"} {
		if out, err := o.run(t, "test", testRequest{[]string{address}}); err != nil || !strings.Contains(out, want) {
			t.Errorf("%s: %v\n%s", address, err, out)
		}
	}
}

// A new mailbox is there at once.
func TestForgetOperation(t *testing.T) {
	o := newOperate(t, "--recipient-source=*=smtp:a")
	for _, name := range []string{"bob@ours.example", "ours.example", "OURS.example"} {
		o.a.change(func(a *server) { a.exists = nil })
		o.says(t, "bob@ours.example", refused)
		o.a.change(func(a *server) { a.exists = []string{"bob@ours.example"} })
		o.says(t, "bob@ours.example", refused)
		if out, err := o.run(t, "forget", forgetRequest{name}); err != nil || out != "1 forgotten\n" {
			t.Errorf("%s: %q, %v", name, out, err)
		}
		o.says(t, "bob@ours.example", "")
		if _, err := o.run(t, "forget", forgetRequest{name}); err != nil {
			t.Error(err)
		}
	}
	for _, wrong := range []string{"", "*", ".ours.example", "@ours.example", "a b"} {
		if _, err := o.run(t, "forget", forgetRequest{wrong}); err == nil {
			t.Errorf("%q: no error", wrong)
		}
	}
}
