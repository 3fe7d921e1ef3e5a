package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"mailweir/checks"
	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/files"
	"mailweir/internal/terminal"
)

// recorded makes a record with some decisions and messages of the last hour, and returns --record.
func recorded(t *testing.T, entries ...record.Entry) string {
	t.Helper()
	dir := t.TempDir()
	store, err := files.Open(t.Context(), dir, files.Options{Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Write(t.Context(), entries, nil); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return "--record=file:" + dir
}

// decided is a decision that the check gave with its reply so many minutes ago.
func decided(id, reply string, minutes int, change func(*policy.Event)) record.Entry {
	e := &policy.Event{
		Version: policy.EventVersion, ID: id, Time: time.Now().Add(-time.Duration(minutes) * time.Minute), Mode: policy.Enforce, Stage: policy.StageRcpt,
		Session: "s" + id, Transaction: 1, Client: netip.MustParseAddr("192.0.2.1"), Service: policy.MX,
		Sender: "alice@example.net", HasSender: true, Recipients: []string{"bob@example.org"}, Count: 1, Direction: "inbound",
	}
	checks.Registry().Replies(func(c *policy.Check, r *policy.Reply) bool {
		if r.ID == reply {
			e.Check, e.Reply, e.Row, e.Line = c.Name, r.ID, r.Row, policy.Object(r).Line(r, policy.Enforce).Ending("", id)
		}
		return true
	})
	if e.Action = policy.ActionRefused; e.Line.Code() < 500 {
		e.Action = policy.ActionDeferred
	}
	if change != nil {
		change(e)
	}
	return record.Entry{Event: e}
}

func accepted(queue string, minutes int) record.Entry {
	at := time.Now().Add(-time.Duration(minutes) * time.Minute)
	o := policy.Outcome{Fate: policy.Accepted}
	return record.Entry{Message: &policy.Transaction{
		Version: policy.EventVersion, Begun: at, Ended: at, Session: "m" + queue, Number: 1, Service: policy.MX, Client: netip.MustParseAddr("192.0.2.1"),
		Sender: "alice@example.net", Recipients: []policy.RecipientOutcome{{Recipient: "bob@example.org", Outcome: o}}, RecipientCount: 1, QueueID: queue, Outcome: o,
	}}
}

// give carries a command out with something on standard input.
func give(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	if stdin != "" {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			_, _ = w.WriteString(stdin)
			_ = w.Close()
		}()
		was := os.Stdin
		os.Stdin = r
		defer func() { os.Stdin = was }()
	}
	var out, errs bytes.Buffer
	code = run(args, &out, &errs, "")
	return code, out.String(), errs.String()
}

func TestWhyCommand(t *testing.T) {
	where := recorded(t,
		decided("mw-aaaaaaa1", "greylist", 30, nil),
		decided("mw-aaaaaaa2", "sender-block", 20, func(e *policy.Event) { e.Cause = `"example.net" matches /etc/mailweir/senders:3` }))
	for name, c := range map[string]struct {
		args  []string
		stdin string
		code  int
		shows []string
		says  string
	}{
		"one":                    {args: []string{"mw-aaaaaaa2"}, shows: []string{"/etc/mailweir/senders:3", "550 5.7.1", "must be sent again"}},
		"in brackets, capitals":  {args: []string{"[MW-AAAAAAA2]"}, shows: []string{"mw-aaaaaaa2"}},
		"a whole reply":          {args: []string{"550 5.7.1 Administrative prohibition [mw-aaaaaaa2]"}, shows: []string{"mw-aaaaaaa2"}},
		"several":                {args: []string{"mw-aaaaaaa1", "mw-aaaaaaa2"}, shows: []string{"mailweir greylist pass --client=192.0.2.1 --from=alice@example.net --to=bob@example.org", "senders:3"}},
		"unknown":                {args: []string{"mw-00000000"}, code: 1, says: "mw-00000000 is not in the record, which goes back to 20"},
		"one of them unknown":    {args: []string{"mw-aaaaaaa1", "mw-00000000"}, code: 1, shows: []string{"mw-aaaaaaa1"}, says: "mw-00000000 is not in the record"},
		"a bounce":               {args: []string{"-"}, stdin: "Diagnostic-Code: smtp; 550 5.7.1 x [mw-aaaa=\r\naaa2]\r\n", shows: []string{"senders:3"}},
		"a bounce, no argument":  {stdin: "[mw-aaaaaaa1]", shows: []string{"greylist"}},
		"a bounce with a look":   {args: []string{"-"}, stdin: "mw-aaaaaaa1 mw-00000000", shows: []string{"mw-aaaaaaa1"}, says: "mw-00000000 is not"},
		"a bounce of elsewhere":  {args: []string{"-"}, stdin: "mw-00000000", code: 1, says: "mw-00000000 is not in the record"},
		"a bounce without":       {args: []string{"-"}, stdin: "Undelivered Mail", code: exUsage, says: "no id stands in this text"},
		"no id":                  {args: []string{"hops"}, code: exUsage, says: `"hops" has no id`},
		"of an empty record dir": {args: []string{"mw-aaaaaaa1", "--record=file:/nonexistent"}, code: exUnavailable, says: "there is no record yet"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := give(t, c.stdin, append([]string{"why", where}, c.args...)...)
			if code != c.code || !strings.Contains(errs, c.says) {
				t.Errorf("exit code %d, want %d: %s", code, c.code, errs)
			}
			for _, text := range c.shows {
				if !strings.Contains(out, text) {
					t.Errorf("without %q:\n%s", text, out)
				}
			}
		})
	}
}

func TestWhyJSON(t *testing.T) {
	where := recorded(t, decided("mw-aaaaaaa1", "greylist", 30, nil), decided("mw-aaaaaaa2", "hops", 20, nil))
	code, out, errs := give(t, "", "why", where, "--json", "mw-aaaaaaa1", "mw-aaaaaaa2")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != 0 || len(lines) != 2 {
		t.Fatalf("exit code %d: %s\n%s", code, errs, out)
	}
	var told struct {
		Version int
		ID      string
		Ways    []struct{ Operation, Command string }
	}
	if err := json.Unmarshal([]byte(lines[0]), &told); err != nil || told.ID != "mw-aaaaaaa1" || told.Version != 1 || told.Ways[0].Operation != "greylist/pass" {
		t.Errorf("%+v, %v", told, err)
	}
}

func TestEventsCommand(t *testing.T) {
	where := recorded(t,
		decided("mw-aaaaaaa1", "greylist", 50, nil),
		accepted("4AbC", 40),
		decided("mw-aaaaaaa2", "sender-block", 30, func(e *policy.Event) { e.Sender, e.Client = "mallory@example.com", netip.MustParseAddr("2001:db8::1") }),
		decided("mw-aaaaaaa3", "hops", 20, func(e *policy.Event) { e.Recipients, e.QueueID, e.Login = []string{"carol@example.org"}, "4XyZ", "bob" }),
		decided("mw-aaaaaaa4", "rbl", 10, func(e *policy.Event) { e.Mode, e.Action, e.Sender = policy.Monitor, policy.ActionWould, "" }),
		decided("mw-aaaaaaa5", "greylist", 60*30, nil))
	for _, c := range []struct{ flags, want string }{
		{"", "1 2 3 4"},
		{"--since=2d", "1 2 3 4 5"},
		{"--since=35m", "2 3 4"},
		{"--to=bob@example.org", "1 2 4"},
		{"--to=@example.org --from=@example.net", "1 3"},
		{"--to=example.org --from=example.net", "1 3"},
		{"--from=<>", "4"},
		{"--client=2001:db8::/64", "2"},
		{"--client=192.0.2.1", "1 3 4"},
		{"--check=greylist,hops", "1 3"},
		{"--check=!greylist --check=!hops", "2 4"},
		{"--code=4xx", "1"},
		{"--code=554", "3"},
		{"--id=MW-AAAAAAA5", "5"},
		{"--queue-id=4XyZ", "3"},
		{"--login=BOB", "3"},
		{"--action=would_refuse", "4"},
		{"--action=would-refuse,deferred", "1 4"},
		{"--text=mallory", "2"},
		{"--limit=2", "3 4"},
		{"--accepted", "1 4AbC 2 3 4"},
		{"--accepted --to=bob@example.org --limit=4", "1 4AbC 2 4"},
		{"--to=nobody@example.org", ""},
	} {
		code, out, errs := give(t, "", append([]string{"events", where, "--json"}, strings.Fields(c.flags)...)...)
		if code != 0 {
			t.Errorf("%s: exit code %d: %s", c.flags, code, errs)
		}
		var got []string
		for line := range strings.Lines(out) {
			var e struct {
				Kind, ID string
				Queue    string `json:"queue_id"`
				Version  int
				Time     time.Time
			}
			if err := json.Unmarshal([]byte(line), &e); err != nil || e.Version != 1 {
				t.Errorf("%s: %s: %v", c.flags, line, err)
			}
			if e.Kind == "message" {
				got = append(got, e.Queue)
				continue
			}
			got = append(got, strings.TrimPrefix(e.ID, "mw-aaaaaaa"))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("events %s: %q, want %q", c.flags, got, c.want)
		}
	}
}

func TestEventsRefuse(t *testing.T) {
	where := recorded(t)
	for flags, want := range map[string]string{
		"--check=nosuch":                         `--check: there is no check "nosuch"`,
		"--action=killed":                        `--action: "killed" is none of refused, deferred`,
		"--code=9xx":                             "--code:",
		"--code=5x":                              "--code:",
		"--client=example.org":                   "--client:",
		"--since=yesterday":                      "2026-11-29T15:04:05Z",
		"--since=2026-11-29 --until=2026-11-28":  "is not before --until",
		"--json --csv":                           "one of --json and --csv",
		"--limit=-1":                             "--limit",
		"--follow":                               "--control=unix:/PATH",
		"--follow --until=2d":                    "--until",
		"--follow --control=unix:/nonexistent/s": "no daemon listens",
		"extra":                                  "unexpected argument extra",
	} {
		code, _, errs := give(t, "", append([]string{"events", where}, strings.Fields(flags)...)...)
		if code != exUsage && code != exUnavailable || !strings.Contains(errs, want) {
			t.Errorf("%s: exit code %d, %q, want %q", flags, code, errs, want)
		}
	}
}

// Programs read the same from the command and from the console.
func TestEventsForPrograms(t *testing.T) {
	where := recorded(t, decided("mw-aaaaaaa1", "greylist", 50, nil))
	store, err := files.OpenReadOnly(strings.TrimPrefix(where, "--record=file:"), files.Options{Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	page, err := store.Search(t.Context(), record.Query{Limit: 10})
	if err != nil || len(page.Entries) != 1 {
		t.Fatal(page, err)
	}
	want, err := record.AppendJSON(nil, page.Entries[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, out, _ := give(t, "", "events", where, "--json"); out != string(want) {
		t.Errorf("%s, want %s", out, want)
	}
	var csv strings.Builder
	rows := terminal.NewCSV(&csv, record.Columns()...)
	if rows.Row(page.Entries[0].Cells()...); rows.Flush() != nil || page.Entries[0].Position == 0 {
		t.Fatal(page.Entries[0])
	}
	if _, out, _ := give(t, "", "events", where, "--csv"); out != csv.String() {
		t.Errorf("%s, want %s", out, csv.String())
	}
}

// What a stranger chose is no formula in CSV and obeyed by no terminal.
func TestEventsAreClean(t *testing.T) {
	where := recorded(t, decided("mw-aaaaaaa1", "greylist", 50, func(e *policy.Event) {
		e.Sender, e.Helo, e.Login = "=cmd|'/c calc'!A0@example.net", "\x1b]0;x\a\n", "@SUM(A1)"
	}))
	_, out, _ := give(t, "", "events", where, "--csv")
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(rows) != 2 {
		t.Fatalf("%q, %v", rows, err)
	}
	for i, cell := range rows[1] {
		if strings.ContainsAny(cell[:min(1, len(cell))], "=+-@") {
			t.Errorf("column %s is a formula: %s", rows[0][i], cell)
		}
	}
	_, out, _ = give(t, "", "events", where)
	if strings.ContainsAny(out, "\x1b\a") || strings.Count(out, "\n") != 1 {
		t.Errorf("text %q", out)
	}
}

// More entries than one page has are all printed, and the newest of them are.
func TestEventsPages(t *testing.T) {
	const page = 10
	var entries []record.Entry
	for i := range page*2 + 5 {
		entries = append(entries, decided(fmt.Sprintf("mw-0000%04d", i), "greylist", 50, nil))
	}
	dir := strings.TrimPrefix(recorded(t, entries...), "--record=file:")
	store, err := files.OpenReadOnly(dir, files.Options{Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for limit, want := range map[int]struct {
		n           int
		first, last string
	}{
		0:    {25, "mw-00000000", "mw-00000024"},
		15:   {15, "mw-00000010", "mw-00000024"},
		20:   {20, "mw-00000005", "mw-00000024"},
		9999: {25, "mw-00000000", "mw-00000024"},
	} {
		var out bytes.Buffer
		if _, err := printEvents(t.Context(), store, record.Query{Limit: page}, limit, textEvents{&out}); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != want.n || !strings.Contains(lines[0], want.first) || !strings.Contains(lines[len(lines)-1], want.last) {
			t.Errorf("--limit=%d: %d lines, from %q to %q", limit, len(lines), lines[0], lines[len(lines)-1])
		}
	}
}

func TestTraceCommand(t *testing.T) {
	where := recorded(t, decided("mw-aaaaaaa1", "greylist", 50, nil), accepted("4AbC", 40))
	code, out, errs := give(t, "", "trace", where, "--to=bob@example.org", "--since=1d")
	for _, want := range []string{"2 attempts of 1 mail", "deferred by the check greylist", "again, 10m later", "accepted after 10m (2 attempts)", "postscreen", "grep -F -e 4AbC /var/log/mail"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("exit code %d, without %q: %s%s", code, want, out, errs)
		}
	}
	code, out, _ = give(t, "", "trace", where, "--to=bob@example.org", "--json")
	var told struct{ Attempts []struct{ Fate string } }
	if err := json.Unmarshal([]byte(out), &told); code != 0 || err != nil || len(told.Attempts) != 2 {
		t.Errorf("exit code %d: %s", code, out)
	}
	if code, _, errs := give(t, "", "trace", where); code != exUsage || !strings.Contains(errs, "--to") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}
