package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"mailweir/checks/greylist"
	"mailweir/internal/admin"
	"mailweir/internal/importing"
	"mailweir/internal/policy"
)

// importMemory enters what old programs remember into the state, by the daemon or here, and says
// what came of it; "" where there is nothing.
func importMemory(cmd *cobra.Command, read []importing.Read) (said string, err error) {
	var parts []greylist.Imported
	for _, r := range read {
		if r.Result != nil && r.Result.Memory != nil {
			parts = append(parts, memoryParts(r.Result.Memory)...)
		}
	}
	if len(parts) == 0 {
		return "", nil
	}
	g, op, err := importOperation()
	if err != nil {
		return "", err
	}
	requests := make([]admin.Request, len(parts))
	for i, part := range parts {
		body, err := json.Marshal(part)
		if err != nil {
			return "", err
		}
		requests[i] = admin.Request{Operation: admin.Path(g, op), Why: "mailweir import", Within: op.Within, Body: body}
	}
	var sum greylist.ImportCount
	err = carryOutAll(cmd, g, op, requests, func(answer json.RawMessage) error {
		var one greylist.ImportCount
		err := json.Unmarshal(answer, &one)
		sum.Add(one)
		return err
	})
	if exit := (*exitError)(nil); errors.As(err, &exit) && exit.code != exConfig {
		// There is no state yet: most import before they start it for the first time.
		return fmt.Sprintf("What was remembered is not in the state yet (%v): once mailweir runs, import again.\n", err), nil
	}
	if err != nil {
		return "", fmt.Errorf("what was remembered is not in the state yet; import again once this is mended: %w", operationError(err))
	}
	return fmt.Sprintf("Remembered now: %s. \"mailweir %s show\" lists them.\n", sum, g.Name), nil
}

// memoryParts makes requests of what a program remembers, none of them too long.
func memoryParts(m *importing.Memory) (parts []greylist.Imported) {
	part := greylist.Imported{IPv4: m.IPv4, IPv6: m.IPv6}
	flush := func(full bool) {
		if n := len(part.Triplets) + len(part.Clients); n == greylist.ImportPart || n > 0 && !full {
			parts = append(parts, part)
			part = greylist.Imported{IPv4: m.IPv4, IPv6: m.IPv6}
		}
	}
	for _, t := range m.Triplets {
		part.Triplets = append(part.Triplets, greylist.ImportedTriplet(t))
		flush(true)
	}
	for _, c := range m.Clients {
		part.Clients = append(part.Clients, greylist.ImportedClient(c))
		flush(true)
	}
	flush(false)
	return parts
}

// importOperation finds the operation that takes over what greylisting remembers.
func importOperation() (policy.OperationGroup, policy.Operation, error) {
	for _, g := range operationGroups() {
		for _, op := range g.Operations {
			if g.Name == greylist.Check.Name && op.Name == greylist.Import {
				return g, op, nil
			}
		}
	}
	return policy.OperationGroup{}, policy.Operation{}, fmt.Errorf("there is no operation %s", strings.Join([]string{greylist.Check.Name, greylist.Import}, "/"))
}
