package spam

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"mailweir/internal/policy"
	"mailweir/internal/rspamd"
	"mailweir/internal/spamd"
	"mailweir/internal/spamscan"
)

// options are the flags of the check.
type options struct {
	scanners        *[]string
	rejectAt, tagAt *string
	direction       *[]string
	maxSize         *policy.Size
}

// What a threshold may be instead of a score.
const (
	byAction = "action"
	never    = "never"
)

// The kinds of scanners: how many messages each gets at once, and the largest that it is shown.
// Rspamd does many things at once and takes 50 MiB by default. Each of spamd's few children does
// one message at a time; spamc shows it nothing over 500 KB.
const (
	rspamdAtOnce, rspamdMost = 50, 50 << 20
	spamdAtOnce, spamdMost   = 10, 500_000
)

func (o *options) build(env *policy.Env) (policy.Hooks, error) {
	if len(*o.scanners) == 0 {
		return policy.Hooks{Off: "no --spam-scanner"}, nil
	}
	if env.NoScanners {
		return policy.Hooks{Off: "--no-scanners"}, nil
	}
	if env.Recorded {
		return policy.Unseen(), nil
	}
	kind, scanners, err := openScanners(*o.scanners, env)
	if err != nil {
		return policy.Hooks{}, fmt.Errorf("--spam-scanner: %w", err)
	}
	r := &rule{env: env, maxSize: int64(*o.maxSize), monitors: !env.Mode().Refuses()}
	if r.rejectAt, err = parseThreshold(*o.rejectAt); err != nil {
		return policy.Hooks{}, fmt.Errorf("--spam-reject-at: %w", err)
	}
	if r.tagAt, err = parseThreshold(*o.tagAt); err != nil {
		return policy.Hooks{}, fmt.Errorf("--spam-tag-at: %w", err)
	}
	if r.directions, err = policy.ParseDirections(*o.direction, policy.Inbound, policy.Outbound, policy.Internal); err != nil {
		return policy.Hooks{}, fmt.Errorf("--spam-direction: %w", err)
	}
	atOnce, most := rspamdAtOnce, int64(rspamdMost)
	if kind == "spamd" {
		atOnce, most = spamdAtOnce, spamdMost
	}
	if r.maxSize == 0 {
		r.maxSize = most
	}
	r.pool, err = policy.Resource(env, "spam scanners "+strings.Join(*o.scanners, " "), func() (*spamscan.Pool, error) {
		return spamscan.NewPool(env.Observer, atOnce, scanners...), nil
	})
	if err != nil {
		return policy.Hooks{}, err
	}
	hooks := r.hooks()
	hooks.Remarks = r.remarks(kind)
	for _, s := range scanners {
		hooks.Inspections = append(hooks.Inspections, policy.Inspection{Name: s.Name(), Look: look(s)})
	}
	return hooks, nil
}

// openScanners returns the scanners and of which kind they are. All are of one kind: by turn each
// message would be judged on another scale otherwise, and nobody could say by which.
func openScanners(specs []string, env *policy.Env) (kind string, scanners []spamscan.Scanner, err error) {
	for i, spec := range specs {
		own, address, _ := strings.Cut(spec, ":")
		var s spamscan.Scanner
		switch own {
		case "rspamd":
			s, err = rspamd.New(address)
		case "spamd":
			s, err = spamd.New(address, env.Clock)
		default:
			err = errors.New("write rspamd:http://HOST:11333, rspamd:unix:/PATH, spamd:HOST:783 or spamd:unix:/PATH")
		}
		switch {
		case err != nil:
			return "", nil, fmt.Errorf("%q: %w", masked(spec), err)
		case kind != "" && own != kind:
			return "", nil, fmt.Errorf("%q: all scanners must be of one kind: asked by turn, rspamd and spamd would judge each message on another scale", spec)
		case slices.Contains(specs[:i], spec):
			return "", nil, fmt.Errorf("%q is given twice", spec)
		}
		kind, scanners = own, append(scanners, s)
	}
	return kind, scanners, nil
}

// masked leaves a password out that somebody may have written.
func masked(spec string) string {
	if at := strings.LastIndexByte(spec, '@'); at >= 0 {
		return "…" + spec[at:]
	}
	return spec
}

func look(s spamscan.Scanner) func(context.Context) (policy.Found, error) {
	return func(ctx context.Context) (policy.Found, error) {
		found := policy.Found{}
		if s.InClear() {
			found.Remarks = []string{"messages go to another host in clear: use a network of your own, or a tunnel"}
		}
		var err error
		found.Text, err = s.Ping(ctx)
		return found, err
	}
}

// remarks tell what the administrator may not expect.
func (r *rule) remarks(kind string) (list []string) {
	if kind == "spamd" && r.rejectAt.action {
		list = append(list, "spam: spamd calls a message spam from its required_score on, by default 5, which is meant for marking; "+
			"with --spam-reject-at=action such mail is refused. --spam-reject-at=10 refuses later")
	}
	if r.tagAt.score > r.rejectAt.score {
		list = append(list, "spam: --spam-tag-at is higher than --spam-reject-at, so nothing is ever marked")
	}
	return list
}

// threshold says when something is to be done about a message. The zero value is never.
type threshold struct {
	action bool    // when the scanner's action says so
	score  float64 // from this score on; NaN without one
}

func parseThreshold(text string) (threshold, error) {
	switch text {
	case byAction:
		return threshold{action: true, score: math.NaN()}, nil
	case never:
		return threshold{score: math.NaN()}, nil
	}
	score, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(score) || math.IsInf(score, 0) {
		return threshold{}, fmt.Errorf("%q is neither action, never, nor a score such as 15", text)
	}
	return threshold{score: score}, nil
}

// reached reports whether an answer reaches the threshold, where action is what the scanner's
// action says.
func (t threshold) reached(a *spamscan.Answer, action bool) bool {
	return t.action && action || a.Score >= t.score
}
