// Package virus shows messages to clamd and refuses those in which it finds something. It asks the
// scanners alone, and remembers nothing.
package virus

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"mailweir/internal/clamd"
	"mailweir/internal/policy"
)

// Check refuses messages in which a scanner finds a virus.
var Check = &policy.Check{
	Name:  "virus",
	Title: "viruses that a scanner finds",
	Help: `Shows every message to ClamAV's daemon once it has arrived, whatever its direction, and refuses it when a signature
matches; the reply has the signature's name. No permit lets a virus past, and there is no bypass. ` + "`--virus-scanner`" + ` may be given several
times: scanners are used by turn, and for each other when one fails. A message has 45 s; what no scanner has answered by then, or
cannot, is deferred, or goes on with ` + "`--virus-on-error=accept`" + `. ` + "`--virus-on-error-outbound`" + ` says otherwise for mail from trusted clients to
other domains; a message with recipients of both kinds goes on only where both say so.

Shown is the beginning of a message, up to ` + "`--virus-max-size`" + ` and at most 25 MiB. What it finds there refuses the message; of the rest ` +
		"`--virus-oversize`" + ` says whether it may go on, recorded as unexamined. The same holds for what clamd says of its own limits
(Heuristics.Limits.Exceeded). ` + "`--virus-encrypted`" + ` and ` + "`--virus-broken`" + ` say so for what clamd cannot look into (Heuristics.Encrypted) and for
damaged files (Heuristics.Broken), if it is told to report them.`,
	Mode:    policy.Enforce,
	Proof:   policy.FirstDay("it refuses only what a scanner knows as malware"),
	OnError: policy.Delay,
	Replies: []*policy.Reply{reply, replyUnscanned},
	Setup: func(f *policy.Flags) policy.Build {
		scanners := f.Strings("scanner", "clamd:unix:/PATH|clamd:tcp:HOST:PORT", "a scanner; several are used by turn")
		maxSize := f.Size("max-size", maxSent, "how much of a message is scanned, at most 25MiB")
		oversize := f.String("oversize", accept, accept+"|"+reject, "what becomes of a message of which not all was scanned")
		encrypted := f.String("encrypted", accept, accept+"|"+reject, "what becomes of a message that the scanner cannot look into")
		broken := f.String("broken", accept, accept+"|"+reject, "what becomes of a message with damaged files")
		outbound := f.String("on-error-outbound", "", "accept|defer", "as --virus-on-error, for mail from trusted clients to other domains; the same unless given")
		return func(env *policy.Env) (policy.Hooks, error) {
			switch {
			case env.NoScanners:
				return policy.Hooks{Off: "--no-scanners"}, nil
			case len(*scanners) == 0:
				return policy.Hooks{Off: "no --virus-scanner"}, nil
			case env.Recorded:
				return policy.Unseen(), nil
			}
			r := &rule{env: env, question: policy.NewQuestion[seen](env, policy.Network{})}
			var err error
			if r.rejects, err = readChoices(map[clamd.Kind]*string{clamd.Limited: oversize, clamd.Encrypted: encrypted, clamd.Broken: broken}); err != nil {
				return policy.Hooks{}, err
			}
			if *outbound != "" {
				if err := r.outbound.Set(*outbound); err != nil {
					return policy.Hooks{}, fmt.Errorf("--virus-on-error-outbound: %w", err)
				}
			}
			if *maxSize < minSent {
				return policy.Hooks{}, fmt.Errorf("--virus-max-size: %s is too little for the header of a message; write 64KiB or more", maxSize)
			}
			r.maxSize = min(int64(*maxSize), maxSent)
			if err := r.open(*scanners); err != nil {
				return policy.Hooks{}, err
			}
			hooks := r.hooks()
			if *maxSize > maxSent {
				hooks.Remarks = append(hooks.Remarks, fmt.Sprintf("--virus-max-size=%s: at most 25MiB of a message are scanned", maxSize))
			}
			return hooks, nil
		}
	},
}

const (
	accept, reject = "accept", "reject"
	// maxSent is the most that is sent: by Debian's configuration clamd takes no more.
	maxSent = 25 << 20
	// minSent is the least that makes sense.
	minSent = 64 << 10
	// deadline is what a message has, of the 60 s that its end may take.
	deadline = 45 * time.Second
)

// choiceFlags are the flags that decide about what is no virus.
var choiceFlags = [...]string{clamd.Limited: "oversize", clamd.Encrypted: "encrypted", clamd.Broken: "broken"}

// readChoices reads what is to be refused though it is no virus.
func readChoices(flags map[clamd.Kind]*string) (rejects [len(choiceFlags)]bool, err error) {
	for kind, value := range flags {
		switch strings.ToLower(*value) {
		case accept:
		case reject:
			rejects[kind] = true
		default:
			return rejects, fmt.Errorf("--virus-%s: %q is neither accept nor reject", choiceFlags[kind], *value)
		}
	}
	return rejects, nil
}

// open opens the scanners. None is asked anything yet; one that does not run now may do so later.
func (r *rule) open(specs []string) error {
	for i, spec := range specs {
		address, err := clamd.ParseAddress(spec)
		if err == nil && slices.Contains(specs[:i], spec) {
			err = fmt.Errorf("%q is given twice", spec)
		}
		if err != nil {
			return fmt.Errorf("--virus-scanner: %w", err)
		}
		scanner, err := policy.Resource(r.env, fmt.Sprintf("%s %d", address, r.maxSize), func() (*clamd.Scanner, error) {
			return clamd.NewScanner(clamd.Options{
				Address: address, Deadline: deadline, MaxSize: min(r.maxSize+clamd.Front, maxSent), Observer: r.env.Observer,
			}), nil
		})
		if err != nil {
			return err
		}
		r.scanners = append(r.scanners, scanner)
	}
	r.group = clamd.NewGroup(deadline, r.scanners...)
	return nil
}

var reply = &policy.Reply{
	ID: "virus", Row: "P17", Offence: policy.OffenceVirus, Code: 554, Enhanced: "5.7.1", Text: "Email rejected due to security policies ({signature})", Args: []string{"signature"},
	Description: "A scanner has found a virus in the message, or something else that it is configured to take for one. The event names the scanner and the signature.",
	Resolution:  "The sender looks for a virus on his side. If it is a false alarm, the administrator has it ignored by the scanner (for clamd: the name in a file *.ign2 beside the signatures).",
	Advice:      "A virus was found in your message; please have your computer looked at.",
	Lifts: []policy.Lift{
		{Says: "No permit lifts a virus. If it is a false alarm, have the scanner ignore the name (for clamd, in a file *.ign2 beside its signatures)."},
	},
}

var replyUnscanned = &policy.Reply{
	ID: "virus-unscanned", Row: "P17", Code: 554, Enhanced: "5.7.1", Text: "Email rejected due to security policies ({signature})", Args: []string{"signature"},
	Description: "The message could not be scanned whole, and such mail is not wanted here: it is too large (--virus-oversize), encrypted (--virus-encrypted) or has a damaged file (--virus-broken). The event names the scanner and what it says.",
	Resolution:  "The sender passes the file on in another way. The administrator may accept such mail with the flag that is named here.",
	Advice:      "Your message could not be looked through for viruses; please pass the file on in another way.",
	Lifts: []policy.Lift{
		{Setting: "virus-{choice}=accept", Cause: regexp.MustCompile(`--virus-(?P<choice>[a-z]+)=reject`), Says: "Accepts such mail from everybody, without its having been scanned whole."},
	},
}
