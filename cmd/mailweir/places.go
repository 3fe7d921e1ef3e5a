package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mailweir/internal/state"
)

// placeRemarks say which directories of the daemon are more open than an administrator may think.
func (d *daemonFlags) placeRemarks() []string {
	var remarks []string
	if remark := state.Remark(stateSpec(*d.state)); remark != "" {
		remarks = append(remarks, "--state: "+remark)
	}
	if remark := socketRemark(*d.control); remark != "" {
		remarks = append(remarks, "--control: "+remark)
	}
	for _, address := range d.addresses() {
		if remark := socketRemark(address); remark != "" {
			remarks = append(remarks, "--listen: "+remark)
		}
	}
	return slices.Concat(remarks, d.auth.remarks(), d.console.remarks())
}

// socketRemark says that everybody may write to the directory of a socket.
func socketRemark(address string) string {
	kind, path, _ := strings.Cut(address, ":")
	if kind != "unix" && kind != "local" {
		return ""
	}
	dir := filepath.Dir(path)
	info, err := os.Stat(dir)
	if err != nil || info.Mode()&0o002 == 0 {
		return ""
	}
	return fmt.Sprintf("everybody may write to %s, and could put a socket of their own in the place of %s: put it in a directory of its own, such as /run/mailweir", dir, filepath.Base(path))
}
