package policy

import (
	"fmt"

	"mailweir/internal/trace"
)

// Says is the kind of a check's word.
type Says uint8

const (
	SaysNothing    Says = iota // nothing against it
	SaysObjects                // it should not pass
	SaysCannotTell             // an error
	SaysBypassed               // an objection that a permit or standing drops
)

var saysNames = [...]string{"nothing against it", "objects", "could not tell", "bypassed"}

// String returns the kind in words.
func (s Says) String() string { return saysNames[s] }

// Word is what one check said, for explain.
type Word struct {
	Check     string
	Stage     Stage
	Place     int    // in the printed order; words come as they are known
	Recipient string // "" for client, sender or the whole message
	Mode      Mode   // of this word: what is only monitored of a check that is enforced says so
	Says      Says
	Reply     string
	By        string
	Cause     string
	Trace     []trace.Query
}

func (rs *resolver) explain(ru ruling, r *Recipient, w Word) {
	if rs.words == nil {
		return
	}
	p := ru.p
	w.Check, w.Stage, w.Place, w.Mode, w.Trace = p.check.Name, p.stage, p.pos, rs.mode(p.check, r), ru.queries()
	if p.monitored() {
		w.Mode = min(w.Mode, Monitor)
	}
	if r != nil {
		w.Recipient = r.RcptFacts.Recipient
	}
	rs.words(w)
}

func (rs *resolver) explainRuling(ru ruling, r *Recipient) {
	w := Word{Says: SaysObjects, Reply: rs.line(ru, "").String(), Cause: ru.verdict.cause}
	if ru.changes() {
		w.Reply = ru.verdict.change.String()
	}
	if ru.failure != nil {
		w.Says = SaysCannotTell
		w.Cause = fmt.Sprint(ru.failure)
	}
	rs.explain(ru, r, w)
}
