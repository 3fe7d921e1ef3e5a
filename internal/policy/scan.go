package policy

import "time"

// Scan is one message that was shown to a scanner, as the metrics count it.
type Scan struct {
	// Check is whose scan it was.
	Check string
	// Result is what came of it, one of the few words that the check has for that.
	Result string
	// Octets is how much of the message the scanner was shown.
	Octets int64
	// Took is how long that took, with the wait for the scanner.
	Took time.Duration
}

// TellSignatures tells the metrics when the signatures of a scanner were made.
func (e *Env) TellSignatures(scanner string, made time.Time) {
	if e.Signatures != nil {
		e.Signatures(scanner, made)
	}
}

// TellScan tells the metrics of a scan of the check that is being built.
func (e *Env) TellScan(result string, octets int64, took time.Duration) {
	if e.Scanned != nil {
		e.Scanned(Scan{Check: e.check, Result: result, Octets: octets, Took: took})
	}
}
