package main

import (
	"context"
	"strings"

	"mailweir/internal/config"
	"mailweir/internal/events"
	"mailweir/internal/policy"
	"mailweir/internal/runner"
	"mailweir/internal/terminal"
)

// backendOperations look at what mail is asked about outside: directories, databases, scanners.
func backendOperations(parts ownParts) policy.OperationGroup {
	return policy.OperationGroup{Name: "backends", Title: "Look at what mail is asked about outside", Operations: []policy.Operation{
		policy.NewList(policy.About{
			Name: "status", Daemon: true,
			Title: "Show which directories, databases and scanners answer, since when, and how often they did not",
		}, policy.Unasked, func(context.Context, *policy.Call, policy.Nothing) ([]events.BackendState, error) {
			return parts.backends(), nil
		}, listBackends),
		policy.NewList(policy.About{
			Name: "test", Daemon: true,
			Title: "Ask each of them whether it works",
			Help:  "Asks at most every ten seconds, and waits two; in between it shows what was found last.",
		}, policy.Unasked, func(ctx context.Context, _ *policy.Call, _ policy.Nothing) ([]inspectedRow, error) {
			return inspectedRows(parts.inspect(ctx)), nil
		}, listInspected),
	}}
}

func listBackends(list []events.BackendState) policy.Listing {
	l := policy.Listing{Titles: []string{"BACKEND", "STATE", "SINCE", "QUESTIONS", "ERRORS", "NOT USED FOR", "WHY"}}
	for _, b := range list {
		state := "answers"
		if !b.Up {
			state = "unavailable"
		}
		l.Row(b.Name, state, terminal.Time(b.Since), b.Calls, b.Errors, strings.Join(b.Unused, " "), b.Err)
	}
	if len(list) == 0 {
		l.Note("Nothing outside is asked.")
	}
	return l
}

// inspectedRow is what came of asking one backend.
type inspectedRow struct {
	Name    string   `json:"name"`
	Found   string   `json:"found,omitempty"`
	Remarks []string `json:"remarks,omitempty"`
	Err     string   `json:"error,omitempty"`
}

func inspectedRows(found []runner.Inspected) (rows []inspectedRow) {
	for _, one := range found {
		row := inspectedRow{Name: config.Masked(one.Name), Found: config.Masked(one.Text)}
		for _, remark := range one.Remarks {
			row.Remarks = append(row.Remarks, config.Masked(remark))
		}
		if one.Err != nil {
			row.Err = config.Masked(one.Err.Error())
		}
		rows = append(rows, row)
	}
	return rows
}

func listInspected(rows []inspectedRow) policy.Listing {
	l := policy.Listing{Titles: []string{"BACKEND", "STATE", "FOUND", "REMARKS"}}
	for _, row := range rows {
		state, found := "answers", row.Found
		if row.Err != "" {
			state, found = "does not answer", row.Err
		}
		l.Row(row.Name, state, found, strings.Join(row.Remarks, "; "))
	}
	return l
}
