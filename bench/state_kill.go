package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"mailweir/internal/state"
)

// kills is how often, and told is what a killed process said.
const kills = 10

type told struct {
	at  time.Time
	key string
}

// kills ends processes under load with SIGKILL and looks at which decisions the store has
// forgotten.
func (b *bench) kills() error {
	decisions, lost := 0, 0
	var longest time.Duration
	for range kills {
		list, killed, err := b.killed()
		if err != nil {
			return err
		}
		forgotten, window, err := b.forgotten(list, killed)
		if err != nil {
			return err
		}
		decisions, lost, longest = decisions+len(list), lost+forgotten, max(longest, window)
	}
	fmt.Print("Processes killed (SIGKILL) under 5,000 decisions a second; what was decided about new triplets is looked for afterwards:\n\n")
	row("kills", "decisions about new triplets", "forgotten", "age of the oldest forgotten, at the kill")
	row("---", "--:", "--:", "--:")
	row(kills, decisions, lost, longest.Round(time.Millisecond))
	fmt.Println()
	return nil
}

// killed runs a process, kills it after a few seconds, and returns what it told and when it was
// killed.
func (b *bench) killed() (list []told, at time.Time, err error) {
	r := stateRun{Name: "kill", Dir: b.stateDir, Rows: b.stateRows, Flags: greylisting, Rate: 5000, For: time.Minute, Tell: true}
	cmd, err := r.command()
	if err != nil {
		return nil, at, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, at, err
	}
	if err := cmd.Start(); err != nil {
		return nil, at, err
	}
	moment := make(chan time.Time, 1)
	time.AfterFunc(3*time.Second+rand.N(3*time.Second), func() {
		moment <- time.Now()
		_ = cmd.Process.Kill()
	})
	list = readTold(out)
	_ = cmd.Wait() // killed
	return list, <-moment, nil
}

func readTold(from io.Reader) (list []told) {
	for lines := bufio.NewScanner(from); lines.Scan(); {
		var nanos int64
		var key string
		if n, _ := fmt.Sscanf(lines.Text(), "%d %s", &nanos, &key); n == 2 {
			list = append(list, told{time.Unix(0, nanos), key})
		}
	}
	return list
}

// forgotten counts what the store does not have, and tells how old the oldest of it was.
func (b *bench) forgotten(list []told, killed time.Time) (count int, window time.Duration, err error) {
	if len(list) == 0 {
		return 0, 0, fmt.Errorf("the process told nothing before it was killed")
	}
	store, err := openState(b.stateDir, b.stateRows)
	if err != nil {
		return 0, 0, err
	}
	defer store.Close()
	for _, x := range list {
		found, err := store.Do(context.Background(), state.Get(x.key))
		if err != nil {
			return 0, 0, err
		}
		if !found[0].Found {
			count, window = count+1, max(window, killed.Sub(x.at))
		}
	}
	return count, window, nil
}
