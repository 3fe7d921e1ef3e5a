package doctor

import (
	"path"
	"strconv"
	"strings"
	"time"
)

const aboutHost = "The host"

func hostExaminations() []Examination {
	return []Examination{
		{
			ID: "clock", About: aboutHost, Title: "The clock",
			Meaning: "Greylisting, block lists and the record go by it. A clock that jumps back keeps senders waiting; one that runs wrong makes log and record hard to compare with others.",
			Remedy:  "`timedatectl set-ntp true`.",
			Examine: examineClock,
		},
		{
			ID: "disk", About: aboutHost, Title: "Room on disk",
			Meaning: "A state that cannot be written is kept in memory and lost at a restart; the record drops entries; messages that scanners are to see cannot be kept.",
			Remedy:  "Make room, or lower `--record-max` and `--record-for`.",
			Examine: examineDisk,
		},
		{
			ID: "descriptors", About: aboutHost, Title: "How many files and connections may be open",
			Meaning: "Each smtpd keeps a connection to mailweir. Beyond the limit no more are taken, and `default_action` decides.",
			Remedy:  "`LimitNOFILE=` in a drop-in of the unit.",
			Examine: examineDescriptors,
		},
	}
}

// jump is how far ahead of now an entry may be that was written before.
const jump = time.Minute

func examineClock(f *Facts) (found []Finding) {
	if d := f.Daemon.Value; d != nil && d.Newest.Sub(f.Now) > jump {
		found = append(found, fault("", "timedatectl", "the newest entry of the record is %s in the future: the clock was set back", d.Newest.Sub(f.Now).Round(time.Second)))
	}
	c := f.Clock.Value
	switch {
	case f.Clock.Err != nil:
		found = append(found, unknown("", "timedatectl", f.Clock.Err))
	case c == nil:
	case c.Synchronised:
		found = append(found, ok("", "synchronised"))
	case c.Container:
		found = append(found, ok("", "that of the host of this container"))
	default:
		found = append(found, remark("", "timedatectl set-ntp true", "the clock is not synchronised"))
	}
	return found
}

// What is little room: this much, or this share of all.
const (
	littleRoom, leastRoom     = 1 << 30, 64 << 20
	littleShare, leastShare   = 0.05, 0.005
	littleInodes, leastInodes = 10000, 500
)

func examineDisk(f *Facts) (found []Finding) {
	for _, d := range f.Disks {
		command := "df -h " + quoted(d.Dir)
		r := d.Room.Value
		if r == nil {
			if d.Room.Err != nil {
				found = append(found, unknown(d.What, f.Again, d.Room.Err))
			}
			continue
		}
		share := 1.0
		if r.Size > 0 {
			share = float64(r.Free) / float64(r.Size)
		}
		free := size(r.Free)
		switch {
		case r.Free < leastRoom || share < leastShare && r.Free < littleRoom:
			found = append(found, fault(d.What, command, "%s has %s left", d.Dir, free))
		case r.Inodes > 0 && r.FreeInodes < leastInodes:
			found = append(found, fault(d.What, "df -i "+quoted(d.Dir), "%s has room for %d more files", d.Dir, r.FreeInodes))
		case r.Free < littleRoom && share < littleShare:
			found = append(found, remark(d.What, command, "%s has %s left", d.Dir, free))
		case r.Inodes > 0 && r.FreeInodes < littleInodes && float64(r.FreeInodes)/float64(r.Inodes) < littleShare:
			found = append(found, remark(d.What, "df -i "+quoted(d.Dir), "%s has room for %d more files", d.Dir, r.FreeInodes))
		default:
			found = append(found, ok(d.What, "%s has %s left", d.Dir, free))
		}
	}
	return found
}

// size writes octets for people.
func size(n uint64) string {
	const units = "KMGTPE"
	if n < 1024 {
		return strconv.FormatUint(n, 10) + " B"
	}
	v, unit := float64(n)/1024, 0
	for v >= 1024 && unit < len(units)-1 {
		v /= 1024
		unit++
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + " " + units[unit:unit+1] + "iB"
}

// besides is what mailweir opens beside connections of smtpd: state, record, scanners, tables.
const besides = 200

func examineDescriptors(f *Facts) []Finding {
	d := f.Daemon.Value
	if d == nil || d.Descriptors == 0 {
		return nil
	}
	servers := 0
	for _, p := range f.Postfix {
		for _, s := range p.SMTPServers() {
			servers += p.processes(s.MaxProc)
		}
	}
	unit := "mailweir.service"
	if f.Unit.Value != nil {
		unit = f.Unit.Value.Name
	}
	need := max(servers, f.Config.Sessions) + besides
	dropIn := path.Join("/etc/systemd/system", unit+".d")
	command := "mkdir -p " + dropIn + ` && printf '[Service]\nLimitNOFILE=65536\n' >` + dropIn + "/60-descriptors.conf && systemctl daemon-reload && systemctl restart " + unit
	switch {
	case int(min(d.Descriptors, 1<<30)) < servers+besides:
		return []Finding{fault("", command, "%d may be open, and Postfix may run %d smtpd", d.Descriptors, servers)}
	case int(min(d.Descriptors, 1<<30)) < need:
		return []Finding{remark("", command, "%d may be open, and --load-sessions is %d", d.Descriptors, f.Config.Sessions)}
	}
	return []Finding{ok("", "%d may be open, %d are", d.Descriptors, d.Open)}
}

// processes is how many of a service may run.
func (p *Postfix) processes(maxProc string) int {
	n, err := strconv.Atoi(strings.TrimSpace(maxProc))
	if err != nil {
		n, _ = strconv.Atoi(p.Parameters["default_process_limit"])
	}
	return n
}
