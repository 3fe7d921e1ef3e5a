package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"mailweir/checks"
	"mailweir/internal/admin"
	"mailweir/internal/byhand"
	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/files"
	"mailweir/internal/record/why"
	"mailweir/internal/runner"
	"mailweir/internal/state"
)

// noon is when the record of the tests was written.
var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// world is a console without its door.
type world struct {
	t     *testing.T
	pages *Pages
	store *files.Store
	state state.Store
	audit []admin.Record
}

// newWorld returns a console over a record of these entries, the oldest first.
func newWorld(t *testing.T, entries ...record.Entry) *world {
	t.Helper()
	clock := func() time.Time { return noon }
	store, err := files.Open(t.Context(), t.TempDir(), files.Options{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	if err := store.Write(t.Context(), entries, nil); err != nil {
		t.Fatal(err)
	}
	memory := state.NewMemory(clock, 0)
	t.Cleanup(func() { _ = memory.Close() })
	registry := checks.Registry()
	draft := runner.NewDraft(registry, pflag.NewFlagSet("mailweir", pflag.ContinueOnError))
	w := &world{t: t, store: store, state: memory}
	service := &admin.Service{
		Backends: &policy.Backends{State: memory, Clock: clock}, May: admin.ByRole, Audit: func(r admin.Record) { w.audit = append(w.audit, r) },
		Offer: func() admin.Offer { return admin.Offer{Groups: draft.Operations(), Delimiter: "+"} },
		Own:   []policy.OperationGroup{byhand.ListOperations(byhand.Block), byhand.ListOperations(byhand.Permit), byhand.MonitorOperations()},
	}
	w.pages = New(Parts{Record: store, Registry: registry, Admin: service, Clock: clock, Host: "mx1.example"})
	w.pages.Teller = func(r record.Reader) *why.Teller { return &why.Teller{Reader: r, Registry: registry, Clock: clock} }
	return w
}

// The people of the tests.
var (
	alice = policy.Person{Name: "alice", Role: policy.RoleAdmin, From: "console"}
	henry = policy.Person{Name: "henry", Role: policy.RoleHelpdesk, From: "console"}
	audra = policy.Person{Name: "audra", Role: policy.RoleAuditor, From: "console"}
	bob   = policy.Person{Name: "bob", Role: policy.RoleUser, From: "console", Remit: &policy.Remit{Addresses: []string{"bob@example.org"}}}
	carol = policy.Person{Name: "carol", Role: policy.RoleUser, From: "console", Remit: &policy.Remit{Addresses: []string{"carol@example.org"}}}
	// dora helps with the mail of one domain.
	dora = policy.Person{Name: "dora", Role: policy.RoleHelpdesk, From: "console", Remit: &policy.Remit{Domains: []string{"example.org"}}}
)

// ask asks as somebody for whom the door opens, and no longer where it does not.
func (w *world) ask(v policy.Person, r *http.Request) (int, string) {
	w.t.Helper()
	mux := http.NewServeMux()
	for _, route := range w.pages.Routes() {
		mux.HandleFunc(route.Pattern, func(out http.ResponseWriter, r *http.Request) {
			if route.May != nil && !slices.Contains(route.May, v.Role) {
				http.Error(out, "forbidden", http.StatusForbidden)
				return
			}
			route.Handle(out, r, v)
		})
	}
	out := httptest.NewRecorder()
	mux.ServeHTTP(out, r)
	body, err := io.ReadAll(out.Result().Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if place := out.Header().Get("Location"); place != "" {
		return out.Code, place
	}
	return out.Code, string(body)
}

func (w *world) get(v policy.Person, path string) (int, string) {
	w.t.Helper()
	return w.ask(v, httptest.NewRequestWithContext(w.t.Context(), http.MethodGet, path, nil))
}

func (w *world) post(v policy.Person, path string, form url.Values) (int, string) {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return w.ask(v, r)
}

// page is a page that must be there.
func (w *world) page(v policy.Person, path string) string {
	w.t.Helper()
	code, body := w.get(v, path)
	if code != http.StatusOK {
		w.t.Fatalf("%s for %s: %d %s", path, v.Name, code, body)
	}
	return body
}

// refusal is a decision of a check that a recipient's permit lifts.
func refusal(id, to string, change ...func(*policy.Event)) record.Entry {
	e := &policy.Event{
		Version: 1, ID: id, Time: noon, Host: "mx1.example", Check: "rbl", Mode: policy.Enforce, Stage: policy.StageRcpt, AnsweredAt: policy.StageRcpt,
		Action: policy.ActionRefused, Reply: "rbl", Row: "P11", Line: lineOf("550", "5.7.1", "bl.example Blocked - see https://bl.example ["+id+"]"),
		Cause: "192.0.2.1: score 1 (bl.example +1 127.0.0.2)", Session: "s1", Transaction: 1, Client: netip.MustParseAddr("192.0.2.1"), ClientName: "mail.example.net",
		Helo: "mail.example.net", Service: policy.MX, Sender: "ann@example.net", HasSender: true, Recipients: []string{to}, Count: 1, Direction: "inbound", SPF: "pass",
	}
	for _, c := range change {
		c(e)
	}
	return record.Entry{Event: e}
}

// lineOf is a recorded reply line.
func lineOf(code, enhanced, text string) (l policy.Line) {
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text)
	if err := l.UnmarshalJSON([]byte(`{"code":` + code + `,"enhanced":"` + enhanced + `","text":"` + quoted + `"}`)); err != nil {
		panic(err)
	}
	return l
}

// message is an accepted message.
func message(session string, to ...string) record.Entry {
	m := &policy.Transaction{
		Version: 1, Begun: noon.Add(-time.Second), Ended: noon, Host: "mx1.example", Session: session, Number: 1, Service: policy.MX,
		Client: netip.MustParseAddr("192.0.2.9"), ClientName: "mx.example.com", Helo: "mx.example.com", Sender: "list@example.com",
		QueueID: "4QUEUE" + session, MessageID: "<" + session + "@example.com>", Octets: 1234, RecipientCount: len(to), SPF: "pass",
	}
	for _, r := range to {
		m.Recipients = append(m.Recipients, policy.RecipientOutcome{Recipient: r, Direction: "inbound"})
	}
	return record.Entry{Message: m}
}
