package main

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"mailweir/internal/admin"
	"mailweir/internal/byhand"
	"mailweir/internal/entry"
)

// monitoredByHand names the checks that refuse nothing by order of a person, and until when; "" for
// none.
func (d *daemon) monitoredByHand() string { return ordersText(d.runner.Orders()) }

// ordersText brings checks together whose orders end at the same time.
func ordersText(list []byhand.Order) string {
	var texts []string
	for len(list) > 0 {
		until := list[0].Until
		var names []string
		list = slices.DeleteFunc(slices.Clone(list), func(o byhand.Order) bool {
			if !o.Until.Equal(until) {
				return false
			}
			names = append(names, o.Check)
			return true
		})
		text := strings.Join(names, " ")
		if !until.IsZero() {
			text += " " + entry.Until(until)
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", ")
}

// ordersWithin is how long "mailweir check" waits for the daemon to say what it has been ordered.
const ordersWithin = 2 * time.Second

// orderRemarks are those about what the running daemon has been ordered; without an answer there
// are none.
func (s *settings) orderRemarks(ctx context.Context) (remarks []string) {
	path, err := admin.SocketPath(*s.daemon.control)
	if err != nil {
		return nil
	}
	client := admin.NewClient(path)
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, ordersWithin)
	defer cancel()
	answer, err := client.Do(ctx, admin.Request{Operation: byhand.MonitorGroup + "/" + byhand.MonitorList, Body: []byte("{}")})
	var list []byhand.Order
	if err != nil || json.Unmarshal(answer, &list) != nil {
		return nil
	}
	for _, o := range list {
		what, word := "check "+o.Check+" refuses", o.Check
		if o.Check == byhand.All {
			what, word = "all checks refuse", "--all"
		}
		remarks = append(remarks, what+" nothing at the running daemon, "+o.String()+"; mailweir monitor end "+word)
	}
	return remarks
}
