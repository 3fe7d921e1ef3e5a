package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"mailweir/internal/policy"
	"mailweir/internal/record"
)

// A policy that came into force is one line of the audit, without its digests.
func TestAuditOfAPolicy(t *testing.T) {
	w := newWorld(t)
	if err := w.store.Write(t.Context(), nil, []record.Change{{
		Time: noon, Operation: record.PolicyLoad, Person: policy.Person{Name: "mailweir", UID: -1},
		Changes: []policy.Alteration{{What: "policy", Before: "aaaaaaaaaaaa", After: "bbbbbbbbbbbb"}, {What: "greylist", After: "cccccccccccc"}, {What: "rbl", Before: "dd", After: "ee"}},
	}}); err != nil {
		t.Fatal(err)
	}
	code, body := w.ask(audra, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/audit", http.NoBody))
	if code != http.StatusOK || !strings.Contains(body, "policy bbbbbbbb… loaded; changed: rbl") || strings.Contains(body, "cccc") {
		t.Errorf("%d\n%s", code, body)
	}
}
