package virus

import (
	"context"
	"fmt"
	"time"

	"mailweir/internal/clamd"
	"mailweir/internal/policy"
)

const (
	// staleAfter is how old signatures are when that is worth a remark: they come every day.
	staleAfter = 7 * 24 * time.Hour
	// datesEvery is how often the age of the signatures is asked for the metrics.
	datesEvery = 10 * time.Minute
)

// dates is when the scanners were asked last how old their signatures are.
type dates struct{ asked time.Time }

// inspection asks a scanner, for a person, who it is.
func (r *rule) inspection(s *clamd.Scanner) policy.Inspection {
	return policy.Inspection{Name: s.Name(), Look: func(ctx context.Context) (policy.Found, error) {
		v, err := s.Version(ctx)
		if err != nil {
			return policy.Found{}, err
		}
		r.env.TellSignatures(s.Name(), v.Made)
		found := policy.Found{Text: v.String()}
		switch age := r.env.Clock().Sub(v.Made); {
		case v.Made.IsZero():
			found.Remarks = append(found.Remarks, "it does not tell how old its signatures are")
		case age > staleAfter:
			found.Remarks = append(found.Remarks, fmt.Sprintf("its signatures are %d days old: does freshclam run?", age/(24*time.Hour)))
		}
		if s.InClear() {
			found.Remarks = append(found.Remarks, "messages go to another host in clear: use a network of your own, or a tunnel")
		}
		if limit, _ := s.Limit(); limit < r.maxSize {
			found.Remarks = append(found.Remarks, takesLess(limit))
		}
		return found, nil
	}}
}

func takesLess(limit int64) string {
	size := policy.Size(limit)
	return fmt.Sprintf("it takes less of a message than --virus-max-size: the first %s are scanned; raise StreamMaxLength in clamd.conf", &size)
}

// tick says once of a scanner that it takes less than it should, and keeps the age of the
// signatures in the metrics.
func (r *rule) tick(ctx context.Context, tell func(*policy.Event)) {
	for _, s := range r.scanners {
		if limit, news := s.Limit(); news {
			tell(&policy.Event{Stage: policy.StageEnd, Action: policy.ActionUnexamined, Cause: s.Name() + ": " + takesLess(limit)})
		}
	}
	if now := r.env.Clock(); now.Sub(r.dates.asked) >= datesEvery {
		r.dates.asked = now
		for _, s := range r.scanners {
			if v, err := s.Version(ctx); err == nil {
				r.env.TellSignatures(s.Name(), v.Made)
			}
		}
	}
}
