package state

import (
	"context"
	"fmt"
	"strings"
)

// Open opens the store of that name: file:DIR for one host, redis://… for several, memory: for
// trials, which forgets with the process.
func Open(ctx context.Context, spec string, options Options) (Store, error) {
	options = options.withDefaults()
	kind, rest, _ := strings.Cut(spec, ":")
	switch {
	case spec == "memory:":
		return newMemory(options.Clock, options.limits()), nil
	case kind == "file" && rest != "":
		return OpenFile(rest, options)
	case kind == "redis" || kind == "rediss":
		return OpenRedis(ctx, spec, options)
	default:
		return nil, fmt.Errorf("state: %q is not a store; write file:DIR, redis://HOST:PORT, or memory: for trials", spec)
	}
}
