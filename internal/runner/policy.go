package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/spf13/pflag"

	"mailweir/internal/policy"
	"mailweir/internal/resource"
	"mailweir/internal/spool"
	"mailweir/internal/table"
)

// Policy is one whole, immutable configuration of all checks. A reload builds another one and swaps
// it in.
type Policy struct {
	Settings *policy.Settings

	registry *policy.Registry
	checks   []*bound
	fault    *bound
	replies  map[*policy.Reply]*policy.Reply
	hooks    hooksByStage
	// grantsAtOnce says that no Grant hook waits.
	grantsAtOnce bool
	backends     *policy.Backends
	tables       *table.Loader
	digest       string // names it in the record
	permits      string // digest of the administrator's
	entered      entered
	common       policy.Common
	// resources are what the policy shares with others, before and after it.
	resources *resource.Holder
	// spool is where bodies are kept; the previous policy's, unless its flags have changed.
	spool *spool.Spool

	users atomic.Int64 // connection scopes that still use it, and one for being current
}

// bound is a check within one policy.
type bound struct {
	*policy.Check
	index   int
	mode    policy.Mode
	onError policy.OnError
	hooks   policy.Hooks
	digest  string // of what it judges by, without its mode
	fault   bool   // it is the check for faults
	// pos is the place in the printed order of what the check decides at each stage.
	pos [policy.StageAuth + 1]int
}

// hooksByStage lists the checks that have work at each stage, in the printed order.
type hooksByStage struct {
	connect, helo, mail, rcpt []*bound
	header, body              []*bound
	headers, headersFor       []*bound
	message, messageFor       []*bound
	grant, admit              []*bound
	settleRcpt, settleMsg     []*bound
	login, settleLogin        []*bound
	tick                      []*bound
}

// Draft is a policy whose flags are registered but not yet read.
type Draft struct {
	registry *policy.Registry
	settings *policy.SettingsFlags
	spool    *spoolFlags
	checks   []*draftCheck
	groups   []policy.OperationGroup
	flags    []*policy.Flags // of the settings, and of each check
	common   []*pflag.Flag   // of the settings
}

type draftCheck struct {
	check   *policy.Check
	mode    *policy.Mode // the value of --CHECK
	onError *policy.OnError
	build   policy.Build
	// modes are the flags of mode, the first one, and on-error; flags are its other ones.
	modes, flags []*pflag.Flag
}

// NewDraft registers every flag of the settings and of all checks on the set.
func NewDraft(registry *policy.Registry, set *pflag.FlagSet) *Draft {
	d := &Draft{registry: registry}
	known := newFlagsOf(set)
	shared := policy.NewFlags(set, "")
	d.settings, d.spool = policy.RegisterSettings(shared, registry.Checks...), registerSpool(policy.NewFlags(set, ""))
	d.flags = append(d.flags, shared)
	d.common = known.next()
	for _, c := range registry.Checks {
		flags := policy.NewFlags(set, c.Name)
		d.flags = append(d.flags, flags)
		dc := &draftCheck{check: c}
		dc.mode = flags.Mode(c.Name, c.Mode, "mode of check "+c.Name+" ("+c.Title+")")
		if c.OnError != policy.Fails {
			dc.onError = flags.OnError(c.OnError, "when "+c.Name+" fails: accept or defer")
		}
		dc.modes = known.next()
		if c.Setup != nil {
			dc.build = c.Setup(flags)
			d.groups = append(d.groups, flags.Offered()...)
			dc.flags = known.next()
		}
		d.checks = append(d.checks, dc)
	}
	return d
}

// Registry is the list of checks that the draft is of.
func (d *Draft) Registry() *policy.Registry { return d.registry }

// Flags are the flags of a check, that of its mode first; of what all checks share where check is
// "".
func (d *Draft) Flags(check string) []*pflag.Flag {
	if check == "" {
		return d.common
	}
	for _, dc := range d.checks {
		if dc.check.Name == check {
			return slices.Concat(dc.modes, dc.flags)
		}
	}
	return nil
}

// Operations are what the checks let people do at run time, under the values that the flags have.
func (d *Draft) Operations() []policy.OperationGroup { return d.groups }

// Delimiter is the value of --recipient-delimiter.
func (d *Draft) Delimiter() string { return d.settings.Delimiter() }

// Build makes the policy once the flags have been read. Tables whose source has not changed are the
// previous policy's, which may be nil. The error is all that is wrong, of each check the first
// thing; it names the file and line, or the flag.
func (d *Draft) Build(backends *policy.Backends, previous *Policy) (*Policy, error) {
	var known *table.Loader
	if previous != nil {
		known = previous.tables
	}
	resources := backends.Resources.Hold()
	tables := table.NewLoader(known)
	if backends.Tables != nil {
		tables.Waiting = func(kind, source string) (table.Waiting, error) { return backends.Tables(resources, kind, source) }
	}
	defer tables.Done()
	for _, f := range d.flags {
		f.Shared(tables)
	}
	settings, err := d.settings.Build(tables)
	wrong := []error{err}
	p := &Policy{Settings: settings, registry: d.registry, backends: backends, tables: tables, resources: resources}
	p.common = policy.Common{Backends: backends, Settings: settings, Tables: tables, Resources: p.resources}
	p.users.Store(1)
	p.entered = newEntered(backends)
	if p.replies, err = readReplies(d.settings.RepliesFile(), d.registry); err != nil {
		wrong = append(wrong, err)
	}
	if p.spool, err = d.spool.open(p.resources); err != nil {
		wrong = append(wrong, err)
	}
	for i, dc := range d.checks {
		b := &bound{Check: dc.check, index: i, mode: d.modeOf(dc)}
		if dc.onError != nil {
			b.onError = *dc.onError
		}
		if err := p.build(b, dc.build); err != nil {
			wrong = append(wrong, err)
		}
		p.checks = append(p.checks, b)
		if b.Check == d.registry.Fault {
			p.fault, b.fault = b, true
		}
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, errors.Join(err, p.close())
	}
	p.order()
	d.sumUp(p)
	return p, nil
}

// modeOf is the mode of a check: its own, else that of --default-mode, else the declared one; never
// higher than --mode.
func (d *Draft) modeOf(dc *draftCheck) policy.Mode {
	mode := *dc.mode
	if standard, ok := d.DefaultMode(dc.modes[0]); ok {
		mode = standard
	}
	return min(mode, d.settings.Cap())
}

// DefaultMode is the value of --default-mode, where a flag is the mode of a check that has none of
// its own. A check that refuses nothing, and only lets mail past others, keeps its default unless
// it is to be off: those that are enforced would refuse more if it only monitored.
func (d *Draft) DefaultMode(f *pflag.Flag) (policy.Mode, bool) {
	mode, given := d.settings.DefaultMode()
	concerned := slices.ContainsFunc(d.checks, func(dc *draftCheck) bool {
		return dc.modes[0] == f && (len(dc.check.Replies) > 0 || mode == policy.Off)
	})
	return mode, given && concerned && !f.Changed
}

// Mode is the mode in which a check runs once the flags have been read; false where there is no
// such check.
func (d *Draft) Mode(check string) (policy.Mode, bool) {
	for _, dc := range d.checks {
		if dc.check.Name == check {
			return d.modeOf(dc), true
		}
	}
	return policy.Off, false
}

// FlagsOf are the names of the flags of a check, without those of its mode.
func (d *Draft) FlagsOf(check string) (names []string) {
	for _, dc := range d.checks {
		if dc.check.Name != check {
			continue
		}
		for _, f := range dc.flags {
			names = append(names, f.Name)
		}
	}
	return names
}

func (p *Policy) build(b *bound, build policy.Build) error {
	if b.mode == policy.Off {
		b.hooks.Off = "--" + b.Name + "=off"
		return nil
	}
	if build == nil {
		return nil
	}
	hooks, err := build(p.common.Env(b.Name, b.mode))
	if err != nil {
		return err
	}
	if hooks.Empty() && hooks.Off == "" {
		return fmt.Errorf("%s: the check has nothing to do and does not say why", b.Name)
	}
	b.hooks = hooks
	return nil
}

// order gives every check its places in the printed order, and sorts the hooks by them.
func (p *Policy) order() {
	at := 0
	places := make(map[*policy.Check]map[policy.Stage]int)
	for _, stage := range policy.Stages() {
		for _, c := range p.registry.Order[stage] {
			at++
			if places[c] == nil {
				places[c] = make(map[policy.Stage]int)
			}
			places[c][stage] = at
		}
	}
	for _, b := range p.checks {
		b.place(places[b.Check])
	}
	p.hooks = hooksByStage{
		connect:     p.with(policy.StageConnect, func(h *policy.Hooks) bool { return h.Connect != nil }),
		helo:        p.with(policy.StageHelo, func(h *policy.Hooks) bool { return h.Helo != nil }),
		mail:        p.with(policy.StageMail, func(h *policy.Hooks) bool { return h.Mail != nil }),
		rcpt:        p.with(policy.StageRcpt, func(h *policy.Hooks) bool { return h.Rcpt != nil }),
		header:      p.with(policy.StageHeaders, func(h *policy.Hooks) bool { return h.Header != nil }),
		body:        p.with(policy.StageEnd, func(h *policy.Hooks) bool { return h.Body != nil }),
		headers:     p.with(policy.StageHeaders, func(h *policy.Hooks) bool { return h.Headers != nil }),
		headersFor:  p.with(policy.StageHeaders, func(h *policy.Hooks) bool { return h.HeadersFor != nil }),
		message:     p.with(policy.StageEnd, func(h *policy.Hooks) bool { return h.Message != nil }),
		messageFor:  p.with(policy.StageEnd, func(h *policy.Hooks) bool { return h.MessageFor != nil }),
		grant:       p.with(policy.StageRcpt, func(h *policy.Hooks) bool { return h.Grant != nil }),
		admit:       p.with(policy.StageEnd, func(h *policy.Hooks) bool { return h.Admit != nil }),
		settleRcpt:  p.with(policy.StageEnd, func(h *policy.Hooks) bool { return h.SettleRecipient != nil }),
		settleMsg:   p.with(policy.StageEnd, func(h *policy.Hooks) bool { return h.SettleMessage != nil }),
		login:       p.with(policy.StageAuth, func(h *policy.Hooks) bool { return h.Login != nil }),
		settleLogin: p.with(policy.StageAuth, func(h *policy.Hooks) bool { return h.SettleLogin != nil }),
		tick:        p.with(policy.StageEnd, func(h *policy.Hooks) bool { return h.Tick != nil }),
	}
	p.grantsAtOnce = !slices.ContainsFunc(p.hooks.grant, func(b *bound) bool { return !b.hooks.GrantAtOnce })
}

// place sets the check's position for each stage: its own there, else the next later one that it
// has, else its last.
func (b *bound) place(own map[policy.Stage]int) {
	last := 0
	for _, at := range own {
		last = max(last, at)
	}
	next := last
	for _, stage := range slices.Backward(policy.Stages()) {
		if at, ok := own[stage]; ok {
			next = at
		}
		b.pos[stage] = next
	}
}

func (p *Policy) with(stage policy.Stage, has func(*policy.Hooks) bool) []*bound {
	var list []*bound
	for _, b := range p.checks {
		if has(&b.hooks) {
			list = append(list, b)
		}
	}
	slices.SortStableFunc(list, func(a, b *bound) int { return a.pos[stage] - b.pos[stage] })
	return list
}

// retain and release count who uses the policy; the last one to leave closes what its hooks hold.
func (p *Policy) retain() bool {
	for {
		n := p.users.Load()
		if n == 0 {
			return false // it has been replaced and closed meanwhile
		}
		if p.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (p *Policy) release() error {
	if p.users.Add(-1) > 0 {
		return nil
	}
	return p.close()
}

// close closes every check's hooks, also after one that panics, and then lets go of what other
// policies may still use.
func (p *Policy) close() (err error) {
	for _, b := range p.checks {
		if b.hooks.Close == nil {
			continue
		}
		w := call(func(*bound) (policy.Verdict, error) { b.hooks.Close(); return policy.Pass, nil }, b)
		err = errors.Join(err, w.err)
	}
	return errors.Join(err, p.resources.Release())
}

// Ready waits until every check can judge as well as it will, or the context ends.
func (p *Policy) Ready(ctx context.Context) {
	p.entered.ready(ctx)
	for _, b := range p.checks {
		if b.hooks.Ready != nil {
			b.hooks.Ready(ctx)
		}
	}
}

// Close ends the use of a policy that no runner has.
func (p *Policy) Close() { p.release() }

// Digest names the policy in the record: it sums up its flags and what stands in its lists.
func (p *Policy) Digest() string { return p.digest }

// Permits is a digest of the administrator's permits.
func (p *Policy) Permits() string { return p.permits }

// Changed returns the list files that have changed since the policy was built.
func (p *Policy) Changed() []string { return p.tables.Changed() }

// Files are the files that the policy's tables need.
func (p *Policy) Files() []string { return p.tables.Files() }

// CheckState is how one check stands in a policy.
type CheckState struct {
	Check   *policy.Check
	Mode    policy.Mode
	OnError policy.OnError
	// Off says why the check has nothing to do; "" when it works.
	Off string
	// Digest sums up what it judges by, without its mode: under two policies that have the same one
	// it says the same of the same mail.
	Digest string
}

// Checks tells how every check stands, in the order of declaration.
func (p *Policy) Checks() []CheckState {
	states := make([]CheckState, 0, len(p.checks))
	for _, b := range p.checks {
		states = append(states, CheckState{Check: b.Check, Mode: b.mode, OnError: b.onError, Off: b.hooks.Off, Digest: b.digest})
	}
	return states
}
