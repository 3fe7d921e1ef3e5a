package runner

import (
	"fmt"

	"mailweir/internal/policy"
	"mailweir/internal/resource"
	"mailweir/internal/spool"
)

// spoolFlags are the flags of where bodies are kept.
type spoolFlags struct {
	dir *string
	max *policy.Size
}

func registerSpool(f *policy.Flags) *spoolFlags {
	return &spoolFlags{
		dir: f.String("scan-spool", "", "DIR", "where messages over 64KiB are kept while they are scanned or their signature is verified; the system's temporary directory unless given"),
		max: f.Size("scan-spool-max", 2<<30, "how much of all messages is kept at once; one beyond it fails the check that needs it"),
	}
}

// open returns the spool, the same one for as long as the flags are the same: the budget is one for
// all sessions.
func (f *spoolFlags) open(resources *resource.Holder) (*spool.Spool, error) {
	return resource.Get(resources, fmt.Sprintf("%d %s", *f.max, *f.dir), func() (*spool.Spool, error) {
		s, err := spool.New(*f.dir, int64(*f.max))
		if err != nil {
			return nil, fmt.Errorf("--scan-spool: %w", err)
		}
		return s, nil
	})
}

// SpoolUsed is how many octets of the bodies of all messages are kept just now, and SpoolMax how
// many may be.
func (r *Runner) SpoolUsed() int64 { return r.Policy().spool.Used() }

// SpoolMax is the budget of [Runner.SpoolUsed].
func (r *Runner) SpoolMax() int64 { return r.Policy().spool.Max() }
