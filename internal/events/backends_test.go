package events

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/sirupsen/logrus"
)

// TestBackends: a line when one goes and one when it returns, and metrics for as long as it is in
// use.
func TestBackends(t *testing.T) {
	var out bytes.Buffer
	log := logrus.New()
	log.SetOutput(&out)
	log.SetFormatter(&logrus.TextFormatter{DisableTimestamp: true})
	m := NewMetrics("test")
	o := m.Observe(log, func(s string) string { return strings.ReplaceAll(s, "geheim", "…") })
	shown := func(want ...string) {
		t.Helper()
		text := strings.Join(want, "\n") + "\n"
		if len(want) == 0 {
			text = ""
		}
		if err := testutil.GatherAndCompare(m.Registry, strings.NewReader(text), "mailweir_backend_up", "mailweir_backend_calls_total"); err != nil {
			t.Error(err)
		}
	}
	const help, counted = "# HELP mailweir_backend_up Whether what is asked outside answers: 1 or 0.\n# TYPE mailweir_backend_up gauge\nmailweir_backend_up{backend=\"x\"} ",
		"# HELP mailweir_backend_calls_total Questions to what is outside, by how they ended: ok or error.\n# TYPE mailweir_backend_calls_total counter\nmailweir_backend_calls_total{backend=\"x\",result=\"ok\"} 1"
	o.Opened("x")
	o.Call("x", time.Second, nil)
	shown(counted, help+"1")
	o.Down("x", errors.New("password geheim refused"))
	shown(counted, help+"0")
	o.Up("x")
	shown(counted, help+"1")
	o.Suspended("x", "ours.example", "it accepts everybody")
	o.Suspended("x", "other.example", "it accepts everybody")
	o.Suspended("x", "other.example", "")
	const counts = "# HELP mailweir_backend_suspended For how many domains what is asked outside is used for nothing, because its answers mean nothing there.\n# TYPE mailweir_backend_suspended gauge\nmailweir_backend_suspended{backend=\"x\"} 1\n"
	if err := testutil.GatherAndCompare(m.Registry, strings.NewReader(counts), "mailweir_backend_suspended"); err != nil {
		t.Error(err)
	}
	o.Opened("x") // a reload opens the next before it closes this
	o.Closed("x")
	shown(counted, help+"1")
	o.Closed("x")
	o.Call("x", time.Second, nil) // one that was under way
	o.Down("x", errors.New("closed"))
	shown()
	want := `level=error msg="backend unavailable; checks that need it do as their on-error says" backend=x error="password … refused"
level=info msg="backend available again" backend=x
level=warning msg="backend used for nothing for this domain" backend=x domain=ours.example why="it accepts everybody"
level=warning msg="backend used for nothing for this domain" backend=x domain=other.example why="it accepts everybody"
level=info msg="backend used for this domain again" backend=x domain=other.example
`
	if got := out.String(); !strings.HasPrefix(got, want) {
		t.Errorf("log:\n%s\nwant\n%s", got, want)
	}
}
