package dns

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newTestResolver(t testing.TB, opt ResolverOptions, servers ...string) *Resolver {
	t.Helper()
	opt.Servers = servers
	r, err := NewResolver(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}
