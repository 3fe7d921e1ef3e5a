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

// askedFor is the metric that counts answers to RCPT.
const askedFor = `mailweir_stage_duration_seconds_count{stage="rcpt"}`

// recipientsAsked is how many recipients the daemon at --http was asked about since it began.
func recipientsAsked(ctx context.Context, address string) (uint64, error) {
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
	for lines.Scan() {
		if count, found := strings.CutPrefix(lines.Text(), askedFor+" "); found {
			n, err := strconv.ParseFloat(count, 64)
			return uint64(n), err
		}
	}
	if err := lines.Err(); err != nil {
		return 0, err
	}
	return 0, fmt.Errorf("%s is no daemon of mailweir: it has no %s", address, askedFor)
}
