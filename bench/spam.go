package main

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"mailweir/test/testbed"
)

// spam compares what a message costs with rspamd alone, without any scanner, and through mailweir
// with rspamd. They take turns, a message at a time.
func (b *bench) spam() error {
	h := b.Part()
	defer h.Close()
	scanner := testbed.StartRspamd(h)
	without, socketWithout := b.start(h, contender{flags: forgetful}, "")
	with, socketWith := b.start(h, contender{flags: append([]string{"--spam-scanner=rspamd:http://" + scanner.Address}, forgetful...)}, "")
	l := usualLetter(bodySize)
	l.Fields = slices.DeleteFunc(l.Fields, func(f string) bool { return strings.HasPrefix(f, "X-Spam") }) // it would be removed
	letters, text := slices.Repeat([]letter{l}, 10), l.String()
	var alone, bare, through, bareCPU, throughCPU sample
	for round := range b.rounds + 1 {
		direct, err := repeated(b.duration, func() error { return postTo(scanner.Address, text) })
		if err != nil {
			return fmt.Errorf("rspamd alone: %w", err)
		}
		plain, err := measureLoad(without, load{socket: socketWithout, connections: 1, letters: letters}, b.duration)
		if err != nil {
			return err
		}
		scanned, err := measureLoad(with, load{socket: socketWith, connections: 1, letters: letters}, b.duration)
		if err != nil {
			return err
		}
		if round == 0 { // the first one warms up
			continue
		}
		alone = append(alone, direct)
		bare, bareCPU = append(bare, plain.cost(plain.took)), append(bareCPU, plain.cost(plain.cpu))
		through, throughCPU = append(through, scanned.cost(scanned.took)), append(throughCPU, scanned.cost(scanned.cpu))
	}
	fmt.Print("Messages of 8 KiB, one after the other; µs a message:\n\n")
	row("", "time", "CPU of mailweir")
	row("---", "--:", "--:")
	row("rspamd alone, by HTTP", alone, "")
	row("mailweir, no scanner", bare, bareCPU)
	row("mailweir with rspamd", through, throughCPU)
	fmt.Println()
	return nil
}

// repeated returns how many microseconds one of many takes.
func repeated(during time.Duration, do func() error) (float64, error) {
	begun, n := time.Now(), 0
	for ; time.Since(begun) < during; n++ {
		if err := do(); err != nil {
			return 0, err
		}
	}
	return float64(time.Since(begun).Microseconds()) / float64(n), nil
}

// postTo shows a message to rspamd, which takes one a connection.
func postTo(address, text string) error {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: testbed.Patience}
	request, err := http.NewRequest(http.MethodPost, "http://"+address+"/checkv2", strings.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set("IP", clientOf(0))
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}
