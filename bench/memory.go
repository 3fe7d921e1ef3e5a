package main

import "fmt"

// memory compares the largest resident size after two large messages at once
// with that after two small ones, each in a process of its own.
func (b *bench) memory() error {
	// A little less than the default --size-max, which counts the header too.
	const large = 100<<20 - 64<<10
	fmt.Print("Peak resident memory after two messages at once, over the milter protocol:\n\n")
	row("filter", "two of 8 KiB", "two of 100 MiB", "difference")
	row("---", "--:", "--:", "--:")
	h := b.Part()
	defer h.Close()
	for _, c := range b.contenders {
		var peaks [2]int
		for i, size := range []int{bodySize, large} {
			pid, socket := b.start(h, c, "")
			if err := atOnce(socket, 2, size); err != nil {
				return fmt.Errorf("%v: %w", c, err)
			}
			peak, err := peakMemory(pid)
			if err != nil {
				return err
			}
			peaks[i] = peak
		}
		row(c, mib(peaks[0]), mib(peaks[1]), mib(peaks[1]-peaks[0]))
	}
	fmt.Println()
	return nil
}

func mib(kib int) string { return fmt.Sprintf("%.1f MiB", float64(kib)/1024) }

// atOnce sends that many messages, one a connection.
func atOnce(socket string, messages, size int) error {
	l := load{socket: socket, connections: messages, letters: usualLetters(1, size)}
	results := make(chan error, messages)
	for range messages {
		go func() {
			err := l.once()
			results <- err
		}()
	}
	for range messages {
		if err := <-results; err != nil {
			return err
		}
	}
	return nil
}
