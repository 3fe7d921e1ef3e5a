package main

import "time"

// stateAims are how long a client waits for greylisting while millions of triplets are known, and
// how many decisions are made when far more are asked for.
func (b *bench) stateAims() ([]aim, error) {
	dir, err := b.copiedState()
	if err != nil {
		return nil, err
	}
	// 22 seconds unless -for says otherwise: a checkpoint begins every ten, so two begin within.
	steady := stateRun{Name: "steady", Dir: dir, Rows: b.stateRows, Rate: 5000, For: 7*b.duration + time.Second}
	burst := stateRun{Name: "burst", Dir: dir, Rows: b.stateRows, Rate: 50_000, For: min(2*time.Second, b.duration)}
	var waits, bareWaits, rates, bareRates sample
	for round := range b.rounds {
		for _, m := range []struct {
			run    stateRun
			flags  []string
			figure func(stateFigures) float64
			into   *sample
		}{
			{steady, greylistingAlone(), stateFigures.wait, &waits},
			{steady, nil, stateFigures.wait, &bareWaits},
			{burst, greylistingAlone(), stateFigures.rate, &rates},
			{burst, nil, stateFigures.rate, &bareRates},
		} {
			if m.flags == nil && round > 0 {
				continue // the store alone runs once: minutes would come to it
			}
			m.run.Flags = m.flags
			f, err := m.run.figures()
			if err != nil {
				return nil, err
			}
			*m.into = append(*m.into, m.figure(f))
		}
	}
	const ours, bare = "greylisting, all other checks off", "the store alone, one round"
	return []aim{{
		What:  "time to the answer at RCPT, p99, `file:` with 10 million triplets, 5,000 decisions/s",
		Bound: atMost(1, "ms"), Got: waits,
		Of:   []reading{{ours, "ms", waits}, {bare, "ms", bareWaits}},
		Note: "The clients are played by the same processors.",
	}, {
		What:  "greylisting on that store, 50,000 decisions/s asked for",
		Bound: atLeast(35_000, "/s"), Got: rates,
		Of:   []reading{{ours, "/s", rates}, {bare, "/s", bareRates}},
		Note: "A checkpoint, every ten seconds, takes processor time from a round into which it falls.",
	}}, nil
}

// wait is the time that 99 of 100 clients do not wait longer than, in milliseconds.
func (f stateFigures) wait() float64 { return float64(f.P99) / float64(time.Millisecond) }

func (f stateFigures) rate() float64 { return f.PerSecond }
