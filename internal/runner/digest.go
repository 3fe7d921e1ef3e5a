package runner

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"slices"

	"github.com/spf13/pflag"

	"mailweir/internal/table"
	"mailweir/internal/textfile"
)

// digestOctets is how much of a digest names a policy: enough to tell those of some years apart.
const digestOctets = 6

// flagsOf tells which flags of a set have been registered meanwhile.
type flagsOf struct {
	set   *pflag.FlagSet
	known int
}

func newFlagsOf(set *pflag.FlagSet) *flagsOf {
	f := &flagsOf{set: set}
	f.next()
	return f
}

// next are the flags that it has not returned yet, in the order of registration.
func (f *flagsOf) next() (flags []*pflag.Flag) {
	sorted := f.set.SortFlags
	f.set.SortFlags = false
	n := 0
	f.set.VisitAll(func(flag *pflag.Flag) {
		if n++; n > f.known {
			flags = append(flags, flag)
		}
	})
	f.set.SortFlags, f.known = sorted, n
	return flags
}

// digest sums up flags with their values, and what stands in the lists and other files that they
// name. What tables that live elsewhere hold is not part of it, nor are the files that say how to
// reach them: these have passwords. No flag of a policy has one.
func digest(flags []*pflag.Flag, tables *table.Loader) string {
	h := sha256.New()
	for _, f := range flags {
		fmt.Fprintf(h, "%s=%q\n", f.Name, f.Value.String())
		names := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			names = list.GetSlice()
		}
		for _, name := range names {
			addContent(h, f.Value.Type(), name, tables)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:digestOctets])
}

func addContent(h hash.Hash, kind, name string, tables *table.Loader) {
	switch {
	case name == "":
	case kind == "TABLE":
		sum := tables.Sum(name)
		h.Write(sum[:])
	case kind == "FILE":
		f, err := textfile.Open(name)
		if err != nil {
			return // who reads it has said what is wrong with it
		}
		defer f.Close()
		_, _ = io.Copy(h, f)
	}
}

// heeded are the settings that several checks read while they judge. Modes, permits and the like
// are the runner's.
var heeded = []string{"services", "trusted-nets", "inbound-relays", "local-domains", "recipient-delimiter", "always-accept"}

// permitting are the administrator's permits.
var permitting = []string{"permit-clients", "permit-senders"}

// sumUp gives the policy its digest, and each check that of what it judges by: without its mode.
func (d *Draft) sumUp(p *Policy) {
	all := slices.Clone(d.common)
	common := slices.DeleteFunc(slices.Clone(d.common), func(f *pflag.Flag) bool { return !slices.Contains(heeded, f.Name) })
	for i, dc := range d.checks {
		p.checks[i].digest = digest(slices.Concat(common, dc.flags), p.tables)
		all = slices.Concat(all, dc.modes, dc.flags)
	}
	p.digest = digest(all, p.tables)
	p.permits = digest(slices.DeleteFunc(slices.Clone(d.common), func(f *pflag.Flag) bool { return !slices.Contains(permitting, f.Name) }), p.tables)
}
