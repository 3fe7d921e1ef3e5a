package policy

import (
	"context"
	"fmt"
	"time"

	"mailweir/internal/backend"
	"mailweir/internal/dns"
	"mailweir/internal/resource"
	"mailweir/internal/state"
	"mailweir/internal/table"
	"mailweir/internal/trace"
	"mailweir/rbl"
)

// Backends is what policies have in common with the world outside. It outlives them: a reload keeps
// the caches.
type Backends struct {
	// Clock tells the time. No check asks anyone else.
	Clock func() time.Time
	// DNS asks the domain name system and keeps what it says.
	DNS *dns.Resolver
	// Lists is what is known of the health of DNS lists.
	Lists *rbl.Lists
	// State is what checks remember.
	State state.Store
	// Connections counts the SMTP connections that are open.
	Connections func() int
	// Tables opens the tables that wait, and holds what policies share of them; both results are
	// nil for a type that there is not. Nil where there are none.
	Tables func(held *resource.Holder, kind, source string) (table.Waiting, error)
	// Observer is told how the backends fare: the log and the metrics. Nil tells nobody.
	Observer *backend.Observer
	// Mailboxes opens the servers that know which addresses exist, KIND:SOURCE; both results are
	// nil for a kind that there is not. Nil where there are none.
	Mailboxes func(held *resource.Holder, kind, source string) (Mailboxes, error)
	// Scanned is told of each scan that has come to its end, for the metrics. Nil where nobody is.
	Scanned func(Scan)
	// Signatures is told when the signatures of a scanner were made, for the metrics. Nil where
	// nobody is.
	Signatures func(scanner string, made time.Time)
	// NoScanners says that no scanner is to be asked: one case is tried without.
	NoScanners bool
	// Explaining says that one case is tried, and that every check is to take the time that it
	// needs.
	Explaining bool

	// Recorded says that mail is judged once more, from a record: the other backends answer what
	// they answered then. What a check would ask of anything else is [ErrNoBody] or
	// [trace.ErrNotRecorded].
	Recorded bool

	// Resources outlive policies.
	Resources resource.Pool

	mirrors mirrors
}

// ErrNoBody is the error of what would have to see the body of a recorded message.
var ErrNoBody = fmt.Errorf("no body is kept: %w", trace.ErrNotRecorded)

// Resolver is the DNS for SPF and DKIM; each question is noted for the event. What they come to
// sums it up.
func (w *Backends) Resolver() dns.NetResolver {
	return dns.NetResolver{Ask: func(ctx context.Context, q dns.Question) dns.Answer {
		a := w.DNS.Ask(ctx, q)
		trace.Detail(ctx, q.String(), a.String())
		return a
	}}
}

// Env is what a check is built from.
type Env struct {
	*Backends
	// Settings are what several checks share.
	Settings *Settings

	check  string
	mode   Mode
	common *Common
}

// Env returns what a check in this mode is built from.
func (c *Common) Env(check string, mode Mode) *Env {
	return &Env{Backends: c.Backends, Settings: c.Settings, check: check, mode: mode, common: c}
}

// Common is what the checks of one policy have in common while it is built.
type Common struct {
	*Backends
	Settings  *Settings
	Tables    *table.Loader
	Resources *resource.Holder

	slots  int // of each scope
	shared map[any]any
}

// Shared returns the T that those checks of one policy have in common which ask for it. The first
// one makes it.
func Shared[T any](env *Env, create func() *T) *T {
	if env.common.shared == nil {
		env.common.shared = make(map[any]any)
	}
	key := any((*T)(nil))
	if env.common.shared[key] == nil {
		env.common.shared[key] = create()
	}
	return env.common.shared[key].(*T)
}

// Resource returns what outlives the policy: a connection, an automaton, compiled definitions.
// Under one name all policies have the same T, which is opened when none has it and, if it has a
// Close method, closed after the last policy that uses it. The name tells all that open depends on.
func Resource[T any](env *Env, name string, open func() (T, error)) (T, error) {
	return resource.Get(env.common.Resources, name, open)
}

// OpenMailboxes opens the server KIND:SOURCE, which outlives the policy; nil for a kind that there
// is not.
func (e *Env) OpenMailboxes(kind, source string) (Mailboxes, error) {
	if e.Backends.Mailboxes == nil {
		return nil, nil
	}
	return e.Backends.Mailboxes(e.common.Resources, kind, source)
}

// Mode returns the effective mode of the check that is built.
func (e *Env) Mode() Mode { return e.mode }
