package sendmail

import (
	"context"
	"slices"
	"strings"

	"mailweir/internal/mta"
)

// Compiled is what "sendmail -d0.1 -bt" says of a binary.
type Compiled struct {
	Version string
	// With are the names that it was compiled with, such as MILTER.
	With []string
}

// Has reports whether it was compiled with that.
func (c Compiled) Has(name string) bool { return slices.Contains(c.With, name) }

// ReadCompiled asks a Sendmail; binary is its name or path, config the cf file, "" for the usual
// one.
func ReadCompiled(ctx context.Context, run mta.Run, binary, config string) (Compiled, error) {
	argv := []string{binary, "-d0.1", "-bt"}
	if config != "" {
		argv = append(argv, "-C", config)
	}
	out, err := run(ctx, "", argv...)
	if err != nil {
		return Compiled{}, err
	}
	return ParseCompiled(out.Stdout), nil
}

// ParseCompiled reads the lines "Version 8.17.1" and "Compiled with: …", whose rest is on lines
// that begin with a blank.
func ParseCompiled(printed string) (c Compiled) {
	within := false
	for l := range strings.Lines(printed) {
		l = strings.TrimRight(l, "\r\n")
		if version, ok := strings.CutPrefix(strings.TrimSpace(l), "Version "); ok && c.Version == "" {
			c.Version = strings.TrimSpace(version)
		}
		if _, rest, ok := strings.Cut(l, "Compiled with:"); ok {
			within = true
			c.With = append(c.With, strings.Fields(rest)...)
			continue
		}
		if within = within && strings.HasPrefix(l, "\t"); within {
			c.With = append(c.With, strings.Fields(l)...)
		}
	}
	return c
}
