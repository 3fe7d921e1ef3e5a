package state

import (
	"context"
	"fmt"
	"strings"
)

// Open opens the store of that name: memory: for trials, which forgets with the process.
func Open(_ context.Context, spec string, options Options) (Store, error) {
	options = options.withDefaults()
	kind, _, found := strings.Cut(spec, ":")
	switch {
	case found && kind == "memory":
		return newMemory(options.Clock, options.limits()), nil
	default:
		return nil, fmt.Errorf("state: %q is not a store; write memory: for trials", spec)
	}
}
