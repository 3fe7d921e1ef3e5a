package policy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"blitiri.com.ar/go/spf"
)

// The results of SPF (RFC 7208 section 2.6) that policies tell apart.
const (
	SPFNone      = spf.None
	SPFNeutral   = spf.Neutral
	SPFPass      = spf.Pass
	SPFFail      = spf.Fail
	SPFSoftFail  = spf.SoftFail
	SPFTempError = spf.TempError
	SPFPermError = spf.PermError
)

// spfFuture is the SPF result of one message, asked at most once.
type spfFuture struct {
	once   sync.Once
	ip     net.IP
	helo   string
	sender string
	dns    spf.DNSResolver
	result spf.Result
	err    error
}

// errNoClient: SPF needs the client's address.
var errNoClient = errors.New("spf: the client's address is unknown")

// SPF returns the SPF result for the envelope sender's domain, or for HELO's under the null sender (RFC 7208 section
// 2.4). It waits for the DNS; call it from [Later]. An error means that it could not be found out.
func (m *Message) SPF(ctx context.Context) (spf.Result, error) { return m.spf.get(ctx) }

func (f *spfFuture) get(ctx context.Context) (spf.Result, error) {
	f.once.Do(func() {
		if f.ip == nil {
			f.result, f.err = spf.None, errNoClient
			return
		}
		result, err := spf.CheckHostWithSender(f.ip, f.helo, f.sender, spf.WithContext(ctx), spf.WithResolver(f.dns))
		Note(ctx, fmt.Sprintf("spf %s %s %s", f.ip, f.helo, f.sender), string(result))
		f.result = result
		if result == spf.TempError {
			f.err = fmt.Errorf("spf: %w", err)
		}
	})
	return f.result, f.err
}
