package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/files"
	"mailweir/internal/record/row"
)

// changed adds rows of the audit to a record.
func changed(t *testing.T, where string, changes ...record.Change) {
	t.Helper()
	store, err := files.Open(t.Context(), strings.TrimPrefix(where, "--record=file:"), files.Options{Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if err := store.Write(t.Context(), nil, changes); err != nil {
		t.Fatal(err)
	}
}

func TestAuditCommand(t *testing.T) {
	where := recorded(t)
	at := time.Now().UTC().Add(-time.Hour).Truncate(time.Second)
	changed(
		t, where,
		record.Change{
			Host: "mx1", Time: at.Add(-48 * time.Hour), Operation: "tempblock/add", Person: policy.Person{Name: "root", From: "control socket"}, Why: "flood",
			Until: at.Add(time.Hour), Changes: []policy.Alteration{{What: "192.0.2.1", After: "blocked by root"}},
		},
		record.Change{
			Time: at, Operation: "managed/add", Person: policy.Person{Name: "=anna", UID: 1000, From: "console"}, Why: "\x1b[31m=1+1, \"x\"\n",
			Changes: []policy.Alteration{{What: "@SUM(A1)", Before: "permitted", After: "blocked"}},
		},
		record.Change{
			Time: at.Add(-time.Hour), Operation: record.PolicyLoad, Person: policy.Person{Name: "mailweir", UID: -1, From: "SIGHUP"},
			Changes: []policy.Alteration{{What: "policy", Before: "aaaaaaaaaaaa", After: "bbbbbbbbbbbb"}, {What: "greylist", After: "cccccccccccc"}, {What: "rbl", Before: "dd", After: "ee"}},
		},
		record.Change{Time: at.Add(time.Minute), Operation: "reload", Person: policy.Person{Name: "root", From: "control socket"}, Err: "main.conf:3: wrong"},
	)
	for name, tt := range map[string]struct {
		args        []string
		code        int
		shows, not  []string
		says        string
		rows, cells int // of CSV
	}{
		"all":               {shows: []string{"root (0)", "192.0.2.1: none → blocked by root", "flood", "reload (failed: main.conf:3: wrong)", `\u001b[31m=1+1`}},
		"since":             {args: []string{"--since=1d"}, shows: []string{"managed/add"}, not: []string{"tempblock"}},
		"by":                {args: []string{"--by=root"}, shows: []string{"tempblock/add", "reload"}, not: []string{"managed"}},
		"operation":         {args: []string{"--operation=tempblock add"}, shows: []string{"tempblock/add"}, not: []string{"managed", "reload"}},
		"group":             {args: []string{"--operation=managed"}, shows: []string{"managed/add"}, not: []string{"tempblock", "reload"}},
		"text":              {args: []string{"--text=FLOOD"}, shows: []string{"tempblock/add"}, not: []string{"managed", "reload"}},
		"a policy":          {args: []string{"--operation=policy"}, shows: []string{"policy bbbbbbbb… loaded; changed: rbl"}, not: []string{"cccc", "greylist"}},
		"a policy as JSON":  {args: []string{"--operation=policy", "--json"}, shows: []string{`"bbbbbbbbbbbb"`, `"cccccccccccc"`, `"before":"dd","after":"ee"`}},
		"a policy as CSV":   {args: []string{"--operation=policy", "--csv"}, shows: []string{"greylist: none → cccccccccccc"}},
		"newest":            {args: []string{"--limit=1"}, shows: []string{"reload"}, not: []string{"tempblock", "managed"}},
		"JSON":              {args: []string{"--json", "--by=root", "--until=1d"}, shows: []string{`{"version":1,"host":"mx1","time":"`, `"operation":"tempblock/add","by":"root"`, `"what":"192.0.2.1"`}, not: []string{"reload"}},
		"CSV":               {args: []string{"--csv"}, rows: 5, cells: 11},
		"both":              {args: []string{"--csv", "--json"}, code: exUsage, says: "give one of"},
		"an end before":     {args: []string{"--since=1d", "--until=2d"}, code: exUsage, says: "--since=1d is not before --until=2d"},
		"no record":         {args: []string{"--record=off"}, code: exUnavailable, says: "--record=off"},
		"a less than empty": {args: []string{"--limit=-1"}, code: exUsage, says: "--limit"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := give(t, "", append([]string{"audit", where}, tt.args...)...)
			if code != tt.code || !strings.Contains(errs, tt.says) {
				t.Errorf("exit code %d, want %d: %s", code, tt.code, errs)
			}
			for _, text := range tt.shows {
				if !strings.Contains(out, text) {
					t.Errorf("%q is not in\n%s", text, out)
				}
			}
			for _, text := range tt.not {
				if strings.Contains(out, text) {
					t.Errorf("%q is in\n%s", text, out)
				}
			}
			if tt.rows == 0 {
				return
			}
			rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
			if err != nil || len(rows) != tt.rows || len(rows[0]) != tt.cells {
				t.Fatalf("%v\n%s", err, out)
			}
			if got := rows[2]; got[3] != "'=anna" || got[4] != "1000" || got[8] != "'@SUM(A1): permitted → blocked" || !strings.HasPrefix(got[6], `\u001b`) {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestReportCommand(t *testing.T) {
	where := recorded(t, decided("mw-aaaaaaa1", "greylist", 30, nil), decided("mw-aaaaaaa2", "sender-block", 20, nil), accepted("4Zq", 10))
	for name, tt := range map[string]struct {
		args  []string
		code  int
		shows []string
		says  string
	}{
		"text":    {shows: []string{"1 message accepted; 1 decision refused, 1 deferred", "BY DOMAIN OF THE SENDER", "example.net  1         1        1", "note: the record goes back to"}},
		"JSON":    {args: []string{"--json"}, shows: []string{`{"version":1,"since":"`, `"total":{"accepted":1,"refused":1,"deferred":1,`}},
		"later":   {args: []string{"--since=1m"}, shows: []string{"0 messages accepted"}},
		"no rows": {args: []string{"--top=0"}, code: exUsage, says: "--top"},
		"no time": {args: []string{"--since=yesterday"}, code: exUsage, says: "yesterday"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := give(t, "", append([]string{"report", where}, tt.args...)...)
			if code != tt.code || !strings.Contains(errs, tt.says) {
				t.Errorf("exit code %d, want %d: %s", code, tt.code, errs)
			}
			for _, text := range tt.shows {
				if !strings.Contains(out, text) {
					t.Errorf("%q is not in\n%s", text, out)
				}
			}
		})
	}
}

// TestEventsDelete deletes an address: no file has it any more, nor what the command leaves in the
// audit.
func TestEventsDelete(t *testing.T) {
	of := "Person.To.Forget@example.org"
	where := recorded(
		t,
		decided("mw-aaaaaaa1", "greylist", 30, func(e *policy.Event) { e.Recipients = []string{"bob@example.org", of} }),
		decided("mw-aaaaaaa2", "sender-block", 20, func(e *policy.Event) { e.Cause = "permit of <" + strings.ToLower(of) + ">" }),
		decided("mw-aaaaaaa3", "sender-block", 20, nil),
	)
	changed(t, where, record.Change{Time: time.Now(), Operation: "managed/add", Person: policy.Person{Name: of}, Why: of + " called"})
	dir := strings.TrimPrefix(where, "--record=file:")
	if !stands(t, dir, of) {
		t.Fatal("the address is not in the files")
	}
	code, out, errs := give(t, "", "events", "delete", where, "--address="+of, "--note=wish of "+of)
	if code != 0 || !strings.HasPrefix(out, "2 entries deleted") || !strings.Contains(out, "greylist show | grep -iF -- "+of) {
		t.Errorf("exit code %d: %s%s", code, out, errs)
	}
	if stands(t, dir, of) {
		t.Error("the address is in the files")
	}
	_, out, _ = give(t, "", "events", where)
	if strings.Count(out, "\n") != 1 || !strings.Contains(out, "mw-aaaaaaa3") {
		t.Errorf("what is left:\n%s", out)
	}
	_, out, _ = give(t, "", "audit", where)
	hash := row.NewForget(of).Hash()
	for _, text := range []string{"record/delete", hash + ": 2 entries of the record → none", "wish of " + hash, hash + " called"} {
		if !strings.Contains(out, text) {
			t.Errorf("%q is not in the audit:\n%s", text, out)
		}
	}
	if code, out, _ = give(t, "", "events", "delete", where, "--address="+of); code != 0 || !strings.HasPrefix(out, "0 entries") {
		t.Errorf("again: exit code %d: %s", code, out)
	}
	for _, wrong := range []string{"", "example.org", "@example.org", "<>", "bob"} {
		if code, _, errs := give(t, "", "events", "delete", where, "--address="+wrong); code != exUsage || !strings.Contains(errs, "--address") {
			t.Errorf("%q: exit code %d: %s", wrong, code, errs)
		}
	}
	if code, _, errs := give(t, "", "events", "delete", "--record=file:/nonexistent", "--address="+of); code != exUnavailable {
		t.Errorf("no record: exit code %d: %s", code, errs)
	}
}

// stands reports whether a text is in a file of the directory, in any case of letters.
func stands(t *testing.T, dir, text string) (found bool) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		found = found || strings.Contains(strings.ToLower(string(data)), strings.ToLower(text))
	}
	return found
}

func TestAuditTableClips(t *testing.T) {
	var list []policy.Alteration
	for range 30 {
		list = append(list, policy.Alteration{What: "greylist", Before: "0123456789ab", After: "ba9876543210"})
	}
	got := clipped(alterationTexts(list))
	if len(got) > widestChange+30 || !strings.HasPrefix(got, "greylist: 0123456789ab → ba9876543210; ") || !strings.HasSuffix(got, "; and 25 more (--json)") {
		t.Errorf("clipped: %d octets, %q", len(got), got)
	}
	if one := strings.Repeat("x", 2*widestChange); clipped(one) != one {
		t.Error("a single change is cut")
	}
}
