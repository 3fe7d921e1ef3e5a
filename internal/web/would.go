package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/record/why"
	"mailweir/internal/record/would"
	"mailweir/internal/web/view"
)

// pageWould is what monitor mode would have refused.
const pageWould = "/would"

// wouldWithin is how long a page looks. The command has the time that it takes.
const wouldWithin = 20 * time.Second

// wouldSpans are the spans that can be chosen, by the words of the command.
var wouldSpans = []struct {
	word string
	span time.Duration
}{{"24h", 24 * time.Hour}, {"7d", 7 * 24 * time.Hour}, {"30d", 30 * 24 * time.Hour}}

// would shows what monitor mode would have refused, and whether it is safe to enforce.
func (p *Pages) would(w http.ResponseWriter, r *http.Request, v policy.Person) {
	page := view.WouldPage{Since: r.URL.Query().Get("since"), Check: strings.TrimSpace(r.URL.Query().Get("check")), NoRecord: p.Record == nil}
	span := wouldSpans[0]
	for _, one := range wouldSpans {
		page.Spans = append(page.Spans, one.word)
		if one.word == page.Since {
			span = one
		}
	}
	page.Since = span.word
	if p.Record != nil {
		report, err := p.look(r.Context(), span.span, page.Check)
		page.Report = report
		if page.Trouble = words(err); errors.Is(err, context.DeadlineExceeded) {
			page.Trouble = "that takes longer than a page may; give the command in a shell"
		}
	}
	line := []string{"mailweir", "would", "--since=" + span.word}
	if page.Check != "" {
		line = append(line, "--check="+page.Check)
	}
	page.Command = why.Shell(line...)
	p.render(w, r, http.StatusOK, view.WouldBe(p.page(r, v, "Would", pageWould), page))
}

// look reads the record, for one visitor at a time.
func (p *Pages) look(ctx context.Context, span time.Duration, check string) (*would.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, wouldWithin)
	defer cancel()
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	now := p.Clock()
	o := would.Options{Since: now.Add(-span), Until: now}
	if check != "" {
		o.Checks = []string{check}
	}
	return would.Look(ctx, p.Record, o)
}
