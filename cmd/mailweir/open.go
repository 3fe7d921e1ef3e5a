package main

import (
	"fmt"

	"mailweir/internal/runner"
	"mailweir/internal/table"
)

// openRemarks say what of the process stands wide open.
func (d *daemonFlags) openRemarks() (remarks []string) {
	nets, _ := listenFrom(*d.listenFrom) // it has been validated
	for _, net := range nets {
		if !net.IsSingleIP() && !table.PrivateNet(net) {
			remarks = append(remarks, fmt.Sprintf("--listen-from: %s is no private network: whoever connects from there may claim any client and any login", net))
		}
	}
	return remarks
}

// warn says in the log what stands wide open in a policy that has come into use, unless it has said
// so of the one before.
func (d *daemon) warn(p *runner.Policy) {
	told := map[string]bool{}
	for _, w := range p.Warnings() {
		if told[w] = true; !d.warned[w] {
			d.log.Warn(w)
		}
	}
	d.warned = told
}
