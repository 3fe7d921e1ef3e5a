package spam

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"mailweir/internal/policy"
	"mailweir/internal/policytest"
	"mailweir/internal/spamscan/spamscantest"
)

const (
	reject    = `{"action":"reject","score":20.5,"required_score":15,"symbols":{"BAD":{"score":15},"WORSE":{"score":5.6},"GOOD":{"score":-0.1},"NEUTRAL":{"score":0}}}`
	gtube     = `{"action":"reject","score":15,"required_score":15,"is_skipped":true,"messages":{"smtp_message":"Gtube pattern"}}`
	tag       = `{"action":"add header","score":6.5,"required_score":15,"milter":{"remove_headers":{"X-Spam":0}}}`
	fine      = `{"action":"no action","score":0.4,"required_score":15,"milter":{"remove_headers":{"X-Spam":0}}}`
	tagged    = "end change X-Spam-Flag: YES; X-Spam-Score: 6.5"
	policies  = "end 554 5.7.1 Email rejected due to security policies "
	refused   = policies + "(BAD, WORSE)"
	processed = "end 451 4.3.0 Unable to process email at this time"
)

var only = policytest.Only(Check)

// play sends one letter to the check before a scanner that answers so.
func play(t *testing.T, answer string, s policytest.Scenario) []policy.Event {
	t.Helper()
	scanner := spamscantest.NewRspamd(t, answer)
	p, err := only.Build(policytest.NewWorld(), append([]string{"--spam-scanner=" + scanner.Scanner}, s.Flags...)...)
	if err != nil {
		t.Fatal(err)
	}
	var events []policy.Event
	for _, e := range s.Check(t, p) {
		events = append(events, *e)
	}
	return events
}

// TestActions: what is made of each answer under each setting.
func TestActions(t *testing.T) {
	action := func(name string, score any) string { return fmt.Sprintf(`{"action":%q,"score":%v}`, name, score) }
	flags := strings.Fields
	for _, tt := range []struct {
		name, answer, flags, said, events string
	}{
		{"reject", reject, "", refused, ""},
		{"the scanner's own words", gtube, "", policies + "(Gtube pattern)", ""},
		{"no symbols", action("reject", 16), "", policies + "(spam score 16)", ""},
		{"no score either", `{"action":"reject"}`, "", policies + "(spam)", ""},
		{"add header", tag, "", tagged, ""},
		{"rewrite subject", action("rewrite subject", 9), "", "end change X-Spam-Flag: YES; X-Spam-Score: 9", ""},
		{"a tag without a score", `{"action":"add header"}`, "", "end change X-Spam-Flag: YES", ""},
		{"no action", fine, "", "", ""},
		{"greylist", action("greylist", 5), "", "", "spam noted"},
		{"soft reject", action("soft reject", 5), "", processed, ""},
		{"quarantine", action("quarantine", 5), "", policies + "(spam score 5)", ""},
		{"discard", action("discard", 5), "", policies + "(spam score 5)", ""},
		{"an action of the administrator's own", action("bulk", 5), "", "", "spam noted"},
		{"skipped", `{"action":"no action","is_skipped":true,"score":0}`, "", "", ""},

		{"reject, a higher score wanted", reject, "--spam-reject-at=30", "end change X-Spam-Flag: YES; X-Spam-Score: 20.5", "spam noted\nspam changed"},
		{"reject, that score reached", reject, "--spam-reject-at=20.5", refused, ""},
		{"add header, a lower score reached", tag, "--spam-reject-at=6", policies + "(spam score 6.5)", ""},
		{"no action, a lower score reached", fine, "--spam-tag-at=0.4", "end change X-Spam-Flag: YES; X-Spam-Score: 0.4", ""},
		{"quarantine, a score not reached", action("quarantine", 5), "--spam-reject-at=6", "end change X-Spam-Flag: YES; X-Spam-Score: 5", "spam noted\nspam changed"},
		{"soft reject, a score reached", action("soft reject", 5), "--spam-reject-at=5", policies + "(spam score 5)", ""},
		{"never reject", reject, "--spam-reject-at=never", "end change X-Spam-Flag: YES; X-Spam-Score: 20.5", "spam noted\nspam changed"},
		{"never tag", tag, "--spam-tag-at=never", "", ""},
		{"neither", reject, "--spam-reject-at=never --spam-tag-at=never", "", "spam noted"},
		{"negative scores", action("no action", -3), "--spam-tag-at=-3", "end change X-Spam-Flag: YES; X-Spam-Score: -3", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			play(t, tt.answer, policytest.Scenario{Flags: flags(tt.flags), Said: tt.said, Events: tt.events})
		})
	}
}

// TestErrors: whatever goes wrong is a check error, and no objection.
func TestErrors(t *testing.T) {
	for _, tt := range []struct{ name, answer, flags, cause string }{
		{"no answer", "", "", "EOF"},
		{"torn", reject[:60], "", "no JSON"},
		{"no action", `{"score":100}`, "", "names no action"},
		{"no score where one is wanted", `{"action":"reject"}`, "--spam-reject-at=10", "no score"},
		{"no score where one is wanted for the tag", `{"action":"add header","score":nan}`, "--spam-tag-at=10", "no score"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			accepted := play(t, tt.answer, policytest.Scenario{Flags: strings.Fields(tt.flags), Events: "spam check_error"})
			if len(accepted) != 1 || !strings.Contains(accepted[0].Err, tt.cause) || len(accepted[0].Trace) == 0 {
				t.Errorf("event %+v", accepted)
			}
			play(t, tt.answer, policytest.Scenario{Flags: append(strings.Fields(tt.flags), "--spam-on-error=defer"), Said: processed})
		})
	}
}

// TestModes: outside of enforce the message is not changed.
func TestModes(t *testing.T) {
	forged := policytest.Letter{Header: []string{"X-Spam-Flag: NO"}}
	for _, tt := range []struct{ name, answer, mode, said, events string }{
		{"refused in monitor", reject, "monitor", "", "spam would_refuse"},
		{"refused in defer", reject, "defer", "end 451 4.7.1 Email rejected due to security policies (BAD, WORSE)", ""},
		{"tagged in monitor", tag, "monitor", "", "spam would_change"},
		{"tagged in defer", tag, "defer", "", "spam would_change"},
		{"soft reject in monitor", `{"action":"soft reject"}`, "monitor", "", "spam would_refuse\nspam would_change"},
		{"forged in monitor", fine, "monitor", "", "spam would_change"},
		{"off", reject, "off", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			letter := forged
			if strings.HasPrefix(tt.name, "soft") {
				letter = policytest.Letter{}
			}
			events := strings.TrimSuffix(tt.events, "\nspam would_change")
			play(t, tt.answer, policytest.Scenario{Flags: []string{"--spam=" + tt.mode}, Mail: letter, Said: tt.said, Events: events})
		})
	}
}

// TestEdits: what the scanner wants done to the header, and what it never gets.
func TestEdits(t *testing.T) {
	letter := policytest.Letter{Header: []string{"A: 1", "B: 1", "a: 2", "A : 3", "C: 1"}}
	wants := func(block string) string { return `{"action":"no action","milter":{` + block + `}}` }
	for _, tt := range []struct{ name, block, said string }{
		{"all", `"remove_headers":{"A":0}`, "delete 3: A; delete 2: a; delete 1: A"},
		{"the second", `"remove_headers":{"A":2}`, "delete 2: a"},
		{"the last", `"remove_headers":{"a":-1}`, "delete 3: A"},
		{"the first from the end", `"remove_headers":{"a":-3}`, "delete 1: A"},
		{"beyond the end", `"remove_headers":{"A":4,"B":-2,"D":0}`, ""},
		{"several, once each", `"remove_headers":{"A":[1,-3,3],"B":1}`, "delete 3: A; delete 1: A; delete 1: B"},
		{"added", `"add_headers":{"X":"1"}`, "X: 1"},
		{"on top", `"add_headers":{"X":{"value":"1","order":0}}`, "at 0: X: 1"},
		{"at a place", `"add_headers":{"X":{"value":"1","order":3}}`, "at 3: X: 1"},
		{"at the end", `"add_headers":{"X":{"value":"1","order":-1}}`, "X: 1"},
		{"from the end", `"add_headers":{"X":{"value":"1","order":-2}}`, "at 5: X: 1"},
		{"before all", `"add_headers":{"X":{"value":"1","order":-9}}`, "at 0: X: 1"},
		{"a list", `"add_headers":{"X":["1",{"value":"2"}]}`, "X: 1; X: 2"},
		{"more than one line", `"add_headers":{"X":"1\r\nBcc: evil@else.example\r\n\r\nbody"}`, "X: 1  Bcc: evil@else.example    body"},
		{"out before in", `"remove_headers":{"C":1},"add_headers":{"C":"2"}`, "delete 1: C; C: 2"},
		{"nothing else", `"add_rcpt":["x@else.example"],"del_rcpt":["user@ours.example"],"change_from":"y@else.example","body":"gone","reject":"no"`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			said := tt.said
			if said != "" {
				said = "end change " + said
			}
			play(t, wants(tt.block), policytest.Scenario{Mail: letter, Said: said})
		})
	}
	t.Run("its own tags", func(t *testing.T) {
		play(t, `{"action":"add header","score":7,"milter":{"add_headers":{"x-spam-flag":"Yes, it is","X-Spam-Score":{"value":"7.00"}}}}`,
			policytest.Scenario{Said: "end change X-Spam-Score: 7.00; x-spam-flag: Yes, it is"})
	})
}

// TestForged: nobody says in the scanner's place that his mail is no spam.
func TestForged(t *testing.T) {
	forged := []string{"X-Spam-Flag: NO", "Subject: x", "x-spamd-result: ok", "X-Rspamd-Score : 0", "X-Spam: no", "X-Spa: m", "X-Rspam: d", "X-SPAM-FLAG: NO"}
	const removed = "delete 2: X-SPAM-FLAG; delete 1: X-Spam-Flag; delete 1: x-spamd-result; delete 1: X-Rspamd-Score; delete 1: X-Spam"
	for _, tt := range []struct {
		name, answer string
		letter       policytest.Letter
		flags        string
		said         string
	}{
		{"from an untrusted client", fine, policytest.Letter{}, "", "end change " + removed},
		{"what the scanner adds comes after", tag, policytest.Letter{}, "", "end change " + removed + "; X-Spam-Flag: YES; X-Spam-Score: 6.5"},
		{"from an inbound relay, as the scanner wants", fine, policytest.Letter{}, "--inbound-relays=inline:{192.0.2.1=x}", "end change delete 1: X-Spam"},
		{"from a trusted client", fine, policytest.Letter{Client: "127.0.0.1"}, "--spam-direction=internal", "end change delete 1: X-Spam"},
		{"the scanner fails", "", policytest.Letter{}, "", "end change " + removed},
		{"too large for the scanner", "", policytest.Letter{}, "--spam-max-size=10", "end change " + removed},
		{"not shown to the scanner", fine, policytest.Letter{Client: "127.0.0.1"}, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.letter.Header = forged
			scenario := policytest.Scenario{Flags: strings.Fields(tt.flags), Mail: tt.letter, Said: tt.said}
			if tt.name == "the scanner fails" {
				scenario.Events = "spam check_error\nspam changed"
			}
			play(t, tt.answer, scenario)
		})
	}
	t.Run("very many", func(t *testing.T) {
		many := policytest.Letter{Header: slices.Repeat([]string{"X-Spam: x"}, maxDeletions+800)}
		events := play(t, fine, policytest.Scenario{Mail: many, Said: "end change " + deletesFrom(maxDeletions, "X-Spam")})
		if len(events) != 1 || len(events[0].Edits) != maxDeletions || !strings.Contains(events[0].Cause, "800 more stay") {
			t.Errorf("events %v", events)
		}
	})
}

// deletesFrom deletes the first n fields of a name, the last of them first.
func deletesFrom(n int, name string) string {
	var list []string
	for ; n > 0; n-- {
		list = append(list, fmt.Sprintf("delete %d: %s", n, name))
	}
	return strings.Join(list, "; ")
}

// TestShown: the scanner is shown the whole message, and what is known of how it came.
func TestShown(t *testing.T) {
	scanner := spamscantest.NewRspamd(t, fine)
	h := only.Host(t, "--spam-scanner="+scanner.Scanner, "--spam-direction=inbound,outbound,internal")
	for _, tt := range []struct {
		name   string
		letter policytest.Letter
		want   map[string]string
		absent []string
	}{
		{
			"inbound",
			policytest.Letter{Client: "::ffff:192.0.2.7", Name: "mail.else.example", Helo: "helo.else.example", To: []string{"a@ours.example", "b@ours.example"}},
			map[string]string{"Ip": "192.0.2.7", "Hostname": "mail.else.example", "Helo": "helo.else.example", "From": "<sender@else.example>", "Rcpt": "<a@ours.example> <b@ours.example>", "Queue-Id": "4AbC"},
			[]string{"User"},
		},
		{"a client without a name", policytest.Letter{Name: "unknown", From: "<>"}, map[string]string{"Ip": "192.0.2.1", "From": "<>"}, []string{"Hostname"}},
		{"a client without a name, as others write it", policytest.Letter{Name: "[192.0.2.1]"}, nil, []string{"Hostname"}},
		{"a login", policytest.Letter{Login: "bob"}, map[string]string{"User": "bob", "Ip": "192.0.2.1"}, nil},
		{"local submission", policytest.Letter{Client: "none"}, map[string]string{"Hostname": "localhost"}, []string{"Ip", "Helo"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.letter.Header, tt.letter.Body = []string{"Subject: a\n folded"}, "hello\r\n"
			h.Send(tt.letter)
			asked := scanner.Taken()
			if len(asked) != 1 || asked[0].Body != "Subject: a\r\n folded\r\n\r\nhello\r\n" {
				t.Fatalf("asked %q", asked)
			}
			for name, want := range tt.want {
				if got := strings.Join(asked[0].Header[name], " "); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			for _, name := range tt.absent {
				if got, there := asked[0].Header[name]; there {
					t.Errorf("%s is %q", name, got)
				}
			}
		})
	}
}

// TestTooLarge: what is not shown is recorded, and the scanner is not asked.
func TestTooLarge(t *testing.T) {
	scanner := spamscantest.NewRspamd(t, reject)
	p, err := only.Build(policytest.NewWorld(), "--spam-scanner="+scanner.Scanner, "--spam-max-size=100")
	if err != nil {
		t.Fatal(err)
	}
	h := policytest.Scenario{
		Mail:    policytest.Letter{Body: strings.Repeat("x", 99)},
		Reached: "limits reached: --spam-max-size=100: a message of 101 octets is not shown to the spam scanner",
	}
	h.Check(t, p)
	if asked := scanner.Taken(); len(asked) > 0 {
		t.Errorf("asked %d times", len(asked))
	}
}

// TestLongHeader: nobody gets past the scanner by a header section that is too long to be kept.
func TestLongHeader(t *testing.T) {
	scanner := spamscantest.NewRspamd(t, reject)
	h := only.Host(t, "--spam-scanner="+scanner.Scanner, "--spam-on-error=accept")
	long := policytest.Letter{Header: slices.Repeat([]string{"X: y\n z"}, 20_000), Body: "hello\r\n"}
	if said := h.Send(long).Said; !slices.Equal(said, []string{refused}) {
		t.Errorf("said %q", said)
	}
	asked := scanner.Taken()
	if len(asked) != 1 || !strings.HasPrefix(asked[0].Body, "X: y\r\n z\r\nX: ") || !strings.HasSuffix(asked[0].Body, " z\r\n\r\nhello\r\n") {
		t.Errorf("asked %d times", len(asked))
	}
}

// TestPilot: outside of --enforce-for the message is only recorded; changed only for all.
func TestPilot(t *testing.T) {
	const pilot = "--enforce-for=inline:{user@ours.example=x}"
	two := policytest.Letter{To: []string{"user@ours.example", "other@ours.example"}}
	for _, tt := range []struct {
		name, answer string
		letter       policytest.Letter
		said, events string
	}{
		{"within", reject, policytest.Letter{}, refused, ""},
		{"without", reject, policytest.Letter{To: two.To[1:]}, "", "spam would_refuse\nspam would_change"},
		{"both, refused", reject, two, "", "spam would_refuse\nspam would_change"},
		{"both, tagged", tag, two, "", "spam would_change"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			play(t, tt.answer, policytest.Scenario{Flags: []string{pilot}, Mail: tt.letter, Said: tt.said, Events: tt.events})
		})
	}
}

// TestEvent: the event names scanner, action, score and symbols; never what they matched.
func TestEvent(t *testing.T) {
	events := play(t, `{"action":"reject","score":20,"required_score":15,"symbols":{"BAD":{"score":20,"options":["secret words"]}}}`, policytest.Scenario{Said: policies + "(BAD)"})
	e := events[0]
	if e.Offence != policy.OffenceSpam || e.Row != "P17" {
		t.Errorf("offence %s, row %s", e.Offence, e.Row)
	}
	if !strings.HasPrefix(e.Cause, "rspamd:http://127.0.0.1:") || !strings.HasSuffix(e.Cause, " says reject, score 20 of 15: BAD 20") {
		t.Errorf("cause %q", e.Cause)
	}
	if len(e.Trace) != 1 || e.Trace[0].Answer != "reject, score 20 of 15: BAD 20" || strings.Contains(fmt.Sprint(e), "secret") {
		t.Errorf("queries %v", e.Trace)
	}
}

// TestMetrics: each scan is counted once, by what came of it.
func TestMetrics(t *testing.T) {
	scanner := spamscantest.NewRspamd(t, "")
	world := policytest.NewWorld()
	var results []string
	world.Scanned = func(s policy.Scan) { results = append(results, s.Check+" "+s.Result) }
	p, err := only.Build(world, "--spam-scanner="+scanner.Scanner)
	if err != nil {
		t.Fatal(err)
	}
	h := policytest.NewHost(t, world, p)
	for _, answer := range []string{reject, tag, fine, `{"action":"greylist"}`, `{"action":"soft reject"}`, ""} {
		scanner.Answers(answer)
		h.Send(policytest.Letter{Header: []string{"X-Spam: x"}})
	}
	if want := []string{"spam spam", "spam tagged", "spam clean", "spam greylisted", "spam deferred", "spam error"}; !slices.Equal(results, want) {
		t.Errorf("%q, want %q", results, want)
	}
}

func TestConfiguration(t *testing.T) {
	const one = "--spam-scanner=rspamd:http://127.0.0.1:11333"
	for _, tt := range []struct{ words, flags string }{
		{`--spam-scanner: "rspamd:https://h"`, "--spam-scanner=rspamd:https://h"},
		{`--spam-scanner: "clamd:unix:/x": write rspamd:`, "--spam-scanner=clamd:unix:/x"},
		{"must be of one kind", one + " --spam-scanner=spamd:127.0.0.1"},
		{"is given twice", one + " " + one},
		{`--spam-reject-at: "high" is neither action, never, nor a score`, one + " --spam-reject-at=high"},
		{`--spam-tag-at: "NaN"`, one + " --spam-tag-at=NaN"},
		{`--spam-direction: "relay" is none of`, one + " --spam-direction=inbound,relay"},
		{"--spam-direction: no direction", one + " --spam-direction="},
	} {
		only.WantError(t, tt.words, strings.Fields(tt.flags)...)
	}
	for flags, want := range map[string]string{
		one: "", "--spam-scanner=spamd:127.0.0.1": "spamd calls a message spam from its required_score on", "--spam-scanner=spamd:127.0.0.1 --spam-reject-at=10": "",
		one + " --spam-reject-at=5 --spam-tag-at=6": "nothing is ever marked",
	} {
		p, err := only.Build(policytest.NewWorld(), strings.Fields(flags)...)
		if err != nil {
			t.Fatal(err)
		}
		if remarks := strings.Join(p.Remarks(), "\n"); want == "" && strings.Contains(remarks, "spam") || !strings.Contains(remarks, want) {
			t.Errorf("%s: remarks %s", flags, remarks)
		}
		p.Close()
	}
}

// TestNotGranted: what the MTA does not let us do is recorded.
func TestNotGranted(t *testing.T) {
	scanner := spamscantest.NewRspamd(t, tag)
	h := only.Host(t, "--spam-scanner="+scanner.Scanner)
	s := h.Runner.NewSession()
	facts := policytest.Letter{}.Connect()
	facts.Denied, facts.MTA = policy.Kinds(policy.EditDelete), "mx.ours.example"
	s.Connect(facts)
	s.Helo(policy.HeloFacts{})
	policytest.Begin(s, policytest.Letter{})
	s.Header(policy.Field{Name: "X-Spam-Flag", Value: "NO"}, "4AbC")
	s.EndOfHeaders()
	if a := s.EndOfMessage("4AbC"); policy.EditText(a.Edits) != "X-Spam-Flag: YES; X-Spam-Score: 6.5" {
		t.Errorf("edits %s", policy.EditText(a.Edits))
	}
	h.Leave(s)
	if asked := scanner.Taken(); len(asked) != 1 || asked[0].Header["Mta-Name"][0] != "mx.ours.example" {
		t.Errorf("asked %v", asked)
	}
	if recorded := h.Recorded(); !slices.Equal(recorded, []string{"spam not_done", "spam changed"}) {
		t.Errorf("recorded %q", recorded)
	}
}
