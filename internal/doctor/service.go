package doctor

import (
	"errors"
	"slices"
	"strings"
)

const aboutService = "mailweir"

func serviceExaminations() []Examination {
	return []Examination{
		{
			ID: "late", About: aboutService, Title: "What was not finished in time",
			Meaning: "The whole report takes 30 seconds at most. What hangs longer, such as a file on a network disk or a directory that takes connections and says nothing, is named here.",
			Remedy:  "Look at what hangs: mail waits for it as well, as long as its deadline allows.",
			Examine: examineLate,
		},
		{
			ID: "configuration", About: aboutService, Title: "The configuration on disk",
			Meaning: "What `mailweir check` refuses keeps mailweir from starting the next time; a reload keeps the old configuration. What is wide open is valid, and likely not what you want.",
			Remedy:  "Mend the file and line that is named, then `mailweir reload`.",
			Examine: examineConfiguration,
		},
		{
			ID: "files", About: aboutService, Title: "Files and directories of the service",
			Meaning: "A file that root can read and the service's user cannot is found in order by a check as root, and keeps the service from starting. In a directory that everybody may write to, others could put a file or socket of their own.",
			Remedy:  "As the line says.",
			Examine: examineFiles,
		},
		{
			ID: "service", About: aboutService, Title: "Whether mailweir runs, and starts with the host",
			Meaning: "While it does not run, `default_action` of the mail server decides about all mail.",
			Remedy:  "`systemctl enable --now mailweir`; why it ended is in `journalctl -u mailweir`.",
			Examine: examineService,
		},
		{
			ID: "daemon", About: aboutService, Title: "Whether the running mailweir answers",
			Meaning: "doctor asks it over the control socket (`--control`), which is for its own user and root.",
			Remedy:  "Run it as root. If root gets no answer either, mailweir does not run or hangs: `systemctl restart mailweir`.",
			Examine: examineDaemon,
		},
		{
			ID: "version", About: aboutService, Title: "Whether the program on disk is the one that runs",
			Meaning: "A newer program is installed than the one that judges mail.",
			Remedy:  "`mailweir upgrade` changes over without a 451.",
			Examine: examineVersion,
		},
		{
			ID: "loaded", About: aboutService, Title: "Whether the configuration on disk is the one in use",
			Meaning: "Files were changed and not loaded, or the last reload failed and all stayed as it was.",
			Remedy:  "`mailweir reload`; flags of the process, such as `--listen` and `--state`, need a restart.",
			Examine: examineLoaded,
		},
		{
			ID: "monitored", About: aboutService, Title: "Checks that are monitored by hand",
			Meaning: "Somebody has used the switch for a bad night (`mailweir monitor`), and the configuration does not count for these checks until that ends.",
			Remedy:  "`mailweir monitor list` says who and why, `mailweir monitor end CHECK` ends it.",
			Examine: examineMonitored,
		},
		{
			ID: "state", About: aboutService, Title: "What is remembered",
			Meaning: "With the state in memory, greylisting begins again with each restart, and entries made at run time are lost. A state that does not answer has checks do as their on-error says.",
			Remedy:  "`--state=file:/var/lib/mailweir`, or the Redis that it names.",
			Examine: examineState,
		},
		{
			ID: "record", About: aboutService, Title: "The record of decisions",
			Meaning: "Without it nobody finds out later why mail was refused: `mailweir why`, `events` and the console have nothing. A record that is full or slow drops entries; decisions are not affected.",
			Remedy:  "`--record=file:DIR`; room on that disk.",
			Examine: examineRecord,
		},
	}
}

func examineMonitored(f *Facts) []Finding {
	d := f.Daemon.Value
	switch {
	case d == nil:
		return nil
	case d.Monitored == "":
		return []Finding{ok("", "none")}
	}
	return []Finding{remark("", "mailweir monitor list", "%s: monitored by hand, so nothing is refused", d.Monitored)}
}

func examineLate(f *Facts) (found []Finding) {
	for _, part := range slices.Sorted(slices.Values(f.Late)) {
		found = append(found, Finding{Level: Unknown, Subject: part, Command: f.Again, Why: "not finished within 30 seconds"})
	}
	return found
}

func examineConfiguration(f *Facts) (found []Finding) {
	if f.Config.Closed != nil {
		return []Finding{unknown("", f.Again, f.Config.Closed)}
	}
	for _, wrong := range f.Config.Wrong {
		found = append(found, fault("", "mailweir check", "%s", wrong))
	}
	for _, open := range f.Config.Warnings {
		found = append(found, remark("", "mailweir check", "%s", open))
	}
	if len(found) == 0 {
		found = append(found, ok("", "valid"))
	}
	return found
}

func examineFiles(f *Facts) (found []Finding) {
	for _, text := range f.Config.Unreadable {
		found = append(found, fault("", "", "%s", text))
	}
	for _, text := range f.Config.Places {
		found = append(found, remark("", "", "%s", text))
	}
	switch {
	case len(found) > 0:
	case !f.Root:
		found = append(found, Finding{Level: Unknown, Command: f.Again, Why: "only root can try files as the service's user"})
	default:
		found = append(found, ok("", "the service reads all that it needs"))
	}
	return found
}

func examineService(f *Facts) []Finding {
	u := f.Unit.Value
	switch {
	case f.Unit.Err != nil:
		return []Finding{unknown("", f.Again, f.Unit.Err)}
	case u == nil:
		return nil // whoever runs it is not systemd
	case u.Active == "active" && u.Enabled != "enabled" && u.Enabled != "enabled-runtime" && u.Enabled != "static" && u.Enabled != "":
		return []Finding{remark("", "systemctl enable "+u.Name, "%s runs, and does not start with the host (%s)", u.Name, u.Enabled)}
	case u.Active == "active", u.Active == "reloading":
		return []Finding{ok("", "%s is %s", u.Name, u.Active)}
	}
	command := "systemctl start " + u.Name
	if u.Active == "inactive" && !f.attached() {
		command = "mailweir init" // which starts it, once somebody asks it
	}
	return []Finding{fault("", command, "%s is %s (%s)", u.Name, u.Active, u.Sub)}
}

func examineDaemon(f *Facts) []Finding {
	d := f.Daemon.Value
	switch {
	case errors.Is(f.Daemon.Err, ErrNotRunning) && f.Unit.Value != nil && f.Unit.Value.Active != "active":
		return nil // that it does not run is said already
	case errors.Is(f.Daemon.Err, ErrNotRunning):
		return []Finding{fault("", f.start(), "%v", f.Daemon.Err)}
	case f.Daemon.Err != nil:
		return []Finding{unknown("", f.Again, f.Daemon.Err)}
	case d == nil:
		return []Finding{{Level: Unknown, Why: "no --control socket is configured, so the running mailweir cannot be asked"}}
	}
	return []Finding{ok("", "version %s, process %d, since %s", d.Version, d.PID, d.Started.UTC().Format("2006-01-02 15:04:05Z"))}
}

func examineVersion(f *Facts) []Finding {
	d := f.Daemon.Value
	switch {
	case d == nil:
		return nil
	case d.Replaced:
		return []Finding{remark("", "mailweir upgrade", "version %s runs, and the program on disk is another one", d.Version)}
	}
	return []Finding{ok("", "%s, as on disk", d.Version)}
}

func examineLoaded(f *Facts) (found []Finding) {
	d := f.Daemon.Value
	if d == nil {
		return nil
	}
	if d.ReloadFailed != "" && d.Wrong == "" {
		found = append(found, fault("", "mailweir check", "the last reload failed, and all stayed as it was: %s", d.ReloadFailed))
	}
	if d.Wrong != "" {
		found = append(found, fault("", "mailweir check", "the configuration on disk cannot be loaded: %s", d.Wrong))
	}
	if len(d.Changed) > 0 {
		found = append(found, remark("", "mailweir reload", "changed on disk and not loaded: %s", flagNames(d.Changed)))
	}
	if len(d.Restart) > 0 {
		found = append(found, remark("", f.start(), "changed on disk, and in use from the next start on: %s", flagNames(d.Restart)))
	}
	if len(found) == 0 {
		found = append(found, ok("", "as on disk"))
	}
	return found
}

// flagNames are names as they are written.
func flagNames(names []string) string {
	return "--" + strings.Join(slices.Sorted(slices.Values(names)), " --")
}

func examineState(f *Facts) []Finding {
	state := f.Config.State
	if d := f.Daemon.Value; d != nil {
		if d.StateLost != "" {
			return []Finding{fault("", "", "the state %s is unavailable: %s", d.State, d.StateLost)}
		}
		state = d.State
	}
	switch {
	case state == "":
		return nil
	case strings.HasPrefix(state, "memory:"):
		return []Finding{remark("", "", "kept in memory: what is remembered ends with the process; name --state=file:DIR")}
	}
	return []Finding{ok("", "%s", state)}
}

func examineRecord(f *Facts) []Finding {
	record := f.Config.Record
	if d := f.Daemon.Value; d != nil {
		switch {
		case d.RecordLost != "":
			return []Finding{fault("", "", "the record %s is unavailable: %s", d.Record, d.RecordLost)}
		case d.Dropped > 0:
			return []Finding{fault("", "", "the record %s has lost %d entries since the start", d.Record, d.Dropped)}
		}
		record = d.Record
	}
	switch record {
	case "":
		return nil
	case "off":
		return []Finding{remark("", "", "decisions are not recorded: nobody finds out later why mail was refused; name --record=file:DIR")}
	}
	return []Finding{ok("", "%s", record)}
}
