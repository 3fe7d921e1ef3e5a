package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// askedFor are the metrics that count answers to MAIL and RCPT: Sendmail does not ask about a
// recipient that it refuses by itself.
var askedFor = [...]string{`mailweir_stage_duration_seconds_count{stage="mail"}`, `mailweir_stage_duration_seconds_count{stage="rcpt"}`}

// timesAsked is how often the daemon at --http was asked about senders and recipients since it
// began.
func timesAsked(ctx context.Context, address string) (uint64, error) {
	if address == "off" {
		return 0, errors.New("--http=off: the daemon shows no metrics")
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	total, known := uint64(0), 0
	for lines.Scan() {
		for _, metric := range askedFor {
			count, found := strings.CutPrefix(lines.Text(), metric+" ")
			if !found {
				continue
			}
			n, err := strconv.ParseFloat(count, 64)
			if err != nil {
				return 0, err
			}
			total += uint64(n)
			known++
		}
	}
	if err := lines.Err(); err != nil {
		return 0, err
	}
	if known < len(askedFor) {
		return 0, fmt.Errorf("%s is no daemon of mailweir: it has no %s", address, askedFor[0])
	}
	return total, nil
}
