package state

import (
	"context"
	"fmt"
	"os"
	"strings"
)

// Check reports what is wrong with the name of a store, and with the files that it names, without
// opening the store. Whom a directory may belong to is not among that: who asks may be another user
// than the daemon's.
func Check(spec string) error {
	kind, rest, _ := strings.Cut(spec, ":")
	switch {
	case spec == "memory:":
		return nil
	case kind == "file" && rest != "":
		if info, err := os.Stat(rest); err == nil {
			return checkMode(rest, info)
		}
		return nil // it will be made, or opening says what is wrong
	case kind == "redis" || kind == "rediss":
		_, err := parseRedis(spec)
		return err
	default:
		return fmt.Errorf("state: %q is not a store; write file:DIR, redis://HOST:PORT, or memory: for trials", spec)
	}
}

// Open opens the store of that name: file:DIR for one host, redis://… for several, memory: for
// trials, which forgets with the process.
func Open(ctx context.Context, spec string, options Options) (Store, error) {
	if err := Check(spec); err != nil {
		return nil, err
	}
	options = options.withDefaults()
	kind, rest, _ := strings.Cut(spec, ":")
	switch kind {
	case "memory":
		return NewMemory(options.Clock, options.Rows), nil
	case "file":
		return OpenFile(rest, options)
	default:
		return OpenRedis(ctx, spec, options)
	}
}
