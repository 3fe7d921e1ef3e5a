package tempblock

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/entry"
	"mailweir/internal/history"
	"mailweir/internal/policy"
	"mailweir/internal/rate"
	"mailweir/internal/state"
)

// Blocker is the temporary block list in the state, and the rules that put clients there.
type Blocker struct {
	Store state.Store
	Clock func() time.Time
	// Life is how long a block is, Factor how many times longer the next one is, and Longest how
	// long one may be.
	Life, Longest time.Duration
	Factor        float64

	Rules []Rule
}

// Rule is one rule: an offence, and how often in what time.
type Rule struct {
	of   policy.Offence
	rate rate.Rate
}

// String writes the rule as in the flag.
func (r Rule) String() string { return r.of.String() + "=" + r.rate.String() }

// bad is how many offences of the rule there are. "blocked" is all that was refused permanently.
func (r Rule) bad(c history.Transaction) int {
	if r.of == policy.OffenceBlocked {
		return min(1, c[policy.OffenceBlocked]+c[policy.OffenceListed]+c[policy.OffenceVirus]+c[policy.OffenceSpam])
	}
	return c[r.of]
}

// countedOffences are the offences that a rule may be about.
func countedOffences() []policy.Offence {
	return []policy.Offence{
		policy.OffenceInvalidRcpt, policy.OffenceOpenRelay, policy.OffenceConcurrency, policy.OffenceAuthFail, policy.OffenceBlocked,
	}
}

// ruleOf finds the offence that a rule names.
func ruleOf(name string) (policy.Offence, bool) {
	all := countedOffences()
	i := slices.IndexFunc(all, func(o policy.Offence) bool { return o.String() == name })
	if i < 0 {
		return policy.NoOffence, false
	}
	return all[i], true
}

// ruleNames lists the names of rules.
func ruleNames() string {
	var names []string
	for _, o := range countedOffences() {
		names = append(names, o.String())
	}
	return strings.Join(names, ", ")
}

// ParseRules reads rules of the form NAME=N/TIME, such as invalid-rcpt=20/5m.
func ParseRules(words []string) ([]Rule, error) {
	var rules []Rule
	for _, word := range words {
		name, text, ok := strings.Cut(word, "=")
		of, known := ruleOf(name)
		if !ok || !known {
			return nil, fmt.Errorf("%q is not NAME=N/TIME with a name of %s", word, ruleNames())
		}
		r, err := rate.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if r.Limit == 0 {
			return nil, fmt.Errorf("%q would block everybody; leave the rule out instead", word)
		}
		if slices.ContainsFunc(rules, func(other Rule) bool { return other.of == of }) {
			return nil, fmt.Errorf("%s is there twice", name)
		}
		rules = append(rules, Rule{of, r})
	}
	return rules, nil
}

// parseFactor reads a number from 1 to 100.
func parseFactor(s string) (float64, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f >= 1 && f <= 100) {
		return 0, fmt.Errorf("%q is not a number from 1 to 100", s)
	}
	return f, nil
}

// The spaces of the state: what is counted (tempblock-count|192.0.2.1|invalid-rcpt|5m), the list
// (tempblock|192.0.2.1), and how often a client was on it lately (tempblock-past|192.0.2.1).
const (
	countSpace = "tempblock-count"
	listSpace  = "tempblock"
	pastSpace  = "tempblock-past"
)

// count adds up what a client has done at that time, and puts it on the list when a rule fires. It
// returns the new entry, nil when there is none.
func (t *Blocker) count(ctx context.Context, client netip.Addr, done history.Transaction, at time.Time) (*Entry, error) {
	net := history.Net(client)
	steps, counts := t.tallies(net, done, at)
	if len(steps) == 0 {
		return nil, nil
	}
	if len(counts) == 0 { // only good was done, for which no rule fires
		_, err := t.Store.Do(ctx, steps...)
		return nil, err
	}
	past := len(steps)
	steps = append(steps, state.Get(pastKey(net)), state.Get(listKey(net)), state.Get(history.KnownNetKey(client)))
	results, err := t.Store.Do(ctx, steps...)
	if err != nil {
		return nil, err
	}
	if results[past+1].Found {
		return nil, nil // it is there already
	}
	known := results[past+2].Found // wanted mail has come from there
	for _, c := range counts {
		bad, good := int(results[c.bad].N), int(results[c.good].N)
		if known && !history.Outnumbered(float64(bad), float64(good)) {
			continue
		}
		if bad >= c.rule.rate.Limit && bad > good {
			times, _ := strconv.Atoi(string(results[past].Value)) // none
			return t.block(ctx, Entry{Net: net, Rule: c.rule.String(), Bad: bad, Good: good, Times: times + 1})
		}
	}
	return nil, nil
}

// counted is a rule that may fire now, and which steps tell the sums.
type counted struct {
	rule      Rule
	bad, good int
}

// tallies are the steps that count, one for each rule whose offence was committed, and one for each
// span for what was good.
func (t *Blocker) tallies(net string, done history.Transaction, at time.Time) (steps []state.Step, counts []counted) {
	add := func(of policy.Offence, n int, span time.Duration) int {
		key := state.Key(countSpace, net, of.String(), rate.Name(span))
		steps = append(steps, state.Tally(key, int64(n), math.MaxInt64, span).At(at))
		return len(steps) - 1
	}
	steps = make([]state.Step, 0, len(t.Rules))
	goods := map[time.Duration]int{}
	for _, rule := range t.Rules {
		span, bad := rule.rate.Span, rule.bad(done)
		good, known := goods[span]
		if !known && (bad > 0 || done[policy.NoOffence] > 0) {
			good = add(policy.NoOffence, done[policy.NoOffence], span)
			goods[span] = good
		}
		if bad > 0 {
			counts = append(counts, counted{rule, add(rule.of, bad, span), good})
		}
	}
	return steps, counts
}

// block puts a client on the list, unless it is there already.
func (t *Blocker) block(ctx context.Context, entry Entry) (*Entry, error) {
	life := t.life(entry.Times)
	entry.At = t.Clock().UTC().Truncate(time.Second)
	entry.Until = t.Clock().Add(life)
	results, err := t.Store.Do(ctx,
		state.First(listKey(entry.Net), entry.value(), life),
		state.Put(pastKey(entry.Net), []byte(strconv.Itoa(entry.Times)), life+t.Longest))
	if err != nil || !results[0].Done {
		return nil, err
	}
	return &entry, nil
}

// life is how long the nth block in a row is.
func (t *Blocker) life(n int) time.Duration {
	d := float64(t.Life) * math.Pow(t.Factor, float64(n-1))
	if d > float64(t.Longest) {
		return t.Longest
	}
	return time.Duration(d)
}

func listKey(net string) string { return state.Key(listSpace, net) }
func pastKey(net string) string { return state.Key(pastSpace, net) }

// Entry is one client on the temporary block list.
type Entry struct {
	// Net is an IPv4 address or an IPv6 /64.
	Net string `json:"net"`
	// Rule put it there, with so many offences and accepted recipients, for the nth time in a row;
	// "" when a person did.
	Rule  string `json:"rule,omitempty"`
	Bad   int    `json:"bad,omitempty"`
	Good  int    `json:"good,omitempty"`
	Times int    `json:"times,omitempty"`
	entry.Origin
	// Until is when it ends by itself; zero is never.
	Until time.Time `json:"until"`
}

func (e Entry) value() []byte {
	text, _ := json.Marshal(e) // strings, numbers and a time
	return text
}

// String tells in words why the client is there, and until when.
func (e Entry) String() string {
	if e.Rule == "" {
		return fmt.Sprintf("%s is blocked %s, %s", e.Net, entry.Until(e.Until), e.Origin)
	}
	return fmt.Sprintf("%s is blocked %s by the rule %s: %d bad, %d accepted, block %d in a row", e.Net, entry.Until(e.Until), e.Rule, e.Bad, e.Good, e.Times)
}
