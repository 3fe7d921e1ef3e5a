package attach

import (
	"context"
	"time"

	"mailweir/internal/mta"
)

// Host is where mailweir and the mail server are installed.
type Host struct {
	// Run runs programs. Those that stop and start services may take long.
	Run mta.Run
	// Etc is /etc/mailweir; Fragments its conf.d.
	Etc, Fragments string
	// State is a directory that is root's alone: whoever may write there says what undo puts back.
	State string
	// Units is where units and their drop-ins of this host stand (/etc/systemd/system), "" where
	// systemd does not run: then whoever runs mailweir starts it.
	Units string
	// Listen are the addresses of --listen, as configured.
	Listen []string
	// Check reports what is wrong with the configuration, were these the fragments.
	Check func(ctx context.Context, fragments string) error
	// Asked is how often mailweir has been asked about senders and recipients since it began to
	// run.
	Asked func(ctx context.Context) (uint64, error)
	// Patience is how long the mail server may be silent, 20 s where it is 0: postscreen holds its
	// greeting back for 6 s.
	Patience time.Duration
	// Now is the clock.
	Now func() time.Time
	// Say tells a person what is being done.
	Say func(format string, args ...any)
}

// Names of what init writes.
const (
	fragment   = "50-init.conf"
	dropIn     = "50-init.conf"
	socketUnit = "mailweir.socket"
	serverUnit = "mailweir.service"
)

// mailServer is a Postfix or a Sendmail.
type mailServer interface {
	// name is how it is called in the journal: postfix or sendmail.
	name() string
	// config is the directory with its configuration.
	config() string
	// propose says what mailweir is to know of it.
	propose() *Proposal
	// socket is where it can reach mailweir.
	socket(h *Host) place
	// attach changes its files so that it asks at an address, in place of those of before.
	attach(ctx context.Context, address string, before []string) ([]Change, []setting, error)
	// setAction changes what becomes of mail while mailweir does not answer: accept or tempfail.
	setAction(ctx context.Context, address, action string) ([]Change, []setting, error)
	// detach takes the settings back in files that somebody else has changed since. left names what
	// was changed to something else and stays.
	detach(ctx context.Context, r *record) (changes []Change, left []string, err error)
	// moved reports whether a file of its configuration is none of a record's.
	moved(r *record) (bool, error)
	// running reports whether it runs; reload has it read its files again, restart ends and starts
	// it.
	running(ctx context.Context) bool
	reload(ctx context.Context) error
	restart(ctx context.Context) error
	// probe is how to ask it as a client does; nil where it takes no mail by SMTP.
	probe() *mta.Probe
	// account is whom it runs as when it asks mailweir.
	account() (mta.Account, error)
}

// place is a socket of mailweir's.
type place struct {
	// Address is as the mail server's configuration names it.
	Address string
	// Network and Path are as this process can reach it.
	Network, Path string
	// DropIn is what systemd's unit of the socket needs for that, "" for nothing.
	DropIn string
	// Dir is a directory for the socket alone, "" for none.
	Dir string
}
