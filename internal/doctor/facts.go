package doctor

import (
	"errors"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mailweir/internal/mta/postfix"
	"mailweir/internal/mta/sendmail"
)

// Fact is something that was looked at: a value, or why there is none. Without either, there is
// nothing of the kind here.
type Fact[T any] struct {
	Value *T
	Err   error
}

// Known is the fact that has a value.
func Known[T any](value T) Fact[T] { return Fact[T]{Value: &value} }

// NotKnown is the fact that could not be looked at.
func NotKnown[T any](err error) Fact[T] { return Fact[T]{Err: err} }

// ErrNotRunning is why nothing is known of the running mailweir where nobody listens at its socket.
var ErrNotRunning = errors.New("nobody answers")

// Facts are all that the examinations look at.
type Facts struct {
	Now time.Time
	// Again is the command that reports again, with the rights of root, "sudo mailweir doctor".
	// Root says that it has been root that looked.
	Again  string
	Root   bool
	Config Config
	// Postfix are the instances of this host; NoPostfix says why there are none though there may
	// be.
	Postfix   []*Postfix
	NoPostfix error
	Sendmail  *Sendmail
	// NoSendmail as NoPostfix.
	NoSendmail error

	Unit    Fact[Unit]
	Daemon  Fact[Daemon]
	Clock   Fact[Clock]
	Disks   []Disk
	Lists   []Asked // DNS lists, each asked for its test entries
	Servers []string
	// Scanners have been sent what each scanner must object to.
	Scanners []Scanned
	// Backends are what mail is asked about outside: directories, databases, scanners.
	Backends Fact[[]Asked]
	// Clients are those of the recent record.
	Clients Fact[Clients]
	// Late are the parts of all this that were not there in time.
	Late []string
}

// Config is how mailweir is configured on disk.
type Config struct {
	// Closed is why it could not be read, though it may be right: nothing else is known then.
	Closed error
	// Wrong is what keeps it from being loaded, with file and line. Most of the rest is empty then.
	Wrong []string
	// Warnings are about what is wide open, Unreadable about files that the service cannot read,
	// Places about directories that others may write to.
	Warnings, Unreadable, Places []string
	// Listen are the addresses at which milters are to find it, unix:/PATH or inet:HOST:PORT.
	Listen []string
	// Refuses says that some check refuses mail: not all only monitor.
	Refuses bool
	// RcptLimit is --rcpt-limit-max, 0 for none; RcptLimitRefuses that it is enforced.
	RcptLimit        int
	RcptLimitRefuses bool
	// SizeMax is --size-max where it was given, ScanMax how much of a message is shown to virus
	// scanners, 0 without.
	SizeMax, ScanMax int64
	// EditsHeaders says that header fields of messages may be changed.
	EditsHeaders bool
	// Greylists, Zones and SpamScanners are what others may do as well.
	Greylists    bool
	Zones        []string
	SpamScanners []string
	// Services is --services: what comes through a port or by the name of a daemon.
	Services map[string]string
	// Sessions is --load-sessions.
	Sessions int
	// State and Record are what these flags come to.
	State, Record string
}

// Postfix is an instance of Postfix, and what came of connecting to the milters that it names.
type Postfix struct {
	*postfix.Postfix
	// Name is that of the instance, "" for the usual one.
	Name string
	// Tried are the results by Reach.Key, nil for a milter that answers.
	Tried map[string]error
	// User is whom smtpd runs as.
	User string
}

// Sendmail is a Sendmail.
type Sendmail struct {
	*sendmail.CF
	// Path is that of the cf file, Made when it was written; MC and Changed the same of the mc
	// file, "" without one.
	Path, MC      string
	Made, Changed time.Time
	Compiled      Fact[sendmail.Compiled]
	// Tried are the results by socket, as it stands in the X line; Open is a directory above a
	// socket that others may write to, for which Sendmail refuses it.
	Tried map[string]error
	Open  map[string]string
}

// Unit is the service of systemd.
type Unit struct {
	Name string
	// Active, Sub and Enabled are as systemctl says: active, running, enabled.
	Active, Sub, Enabled string
}

// Daemon is the running mailweir, by its own words.
type Daemon struct {
	Version string    `json:"version"`
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
	// Listen are its sockets.
	Listen []string `json:"listen"`
	// Replaced says that the program on disk is not the one that runs.
	Replaced bool `json:"replaced,omitempty"`
	// Loaded is when its policy was; ReloadFailed why the last reload has changed nothing, "" where
	// it has.
	Loaded       time.Time `json:"loaded"`
	ReloadFailed string    `json:"reload_failed,omitempty"`
	// Changed are the flags that have other values on disk, Restart those of them that take effect
	// at a start only; Wrong says why the flags on disk cannot be read.
	Changed []string `json:"changed,omitempty"`
	Restart []string `json:"restart,omitempty"`
	Wrong   string   `json:"wrong,omitempty"`
	State   string   `json:"state"`
	// Monitored names the checks that refuse nothing by order of a person, and until when.
	Monitored string `json:"monitored,omitempty"`
	// StateLost and RecordLost say why these do not answer, "" where they do.
	StateLost  string `json:"state_lost,omitempty"`
	Record     string `json:"record"`
	RecordLost string `json:"record_lost,omitempty"`
	// Newest is the time of the newest entry of the record, the zero time without one.
	Newest time.Time `json:"newest,omitzero"`
	// Dropped is how many entries the record has lost since the start.
	Dropped uint64 `json:"dropped,omitempty"`
	// Descriptors is how many may be open at once, Open how many are; 0 where the system does not
	// tell.
	Descriptors uint64 `json:"descriptors,omitempty"`
	Open        uint64 `json:"open,omitempty"`
}

// Clock is the host's.
type Clock struct {
	Synchronised bool
	// Container says that it is another's: nothing can be done about it here.
	Container bool
}

// Disk is the room where a directory is.
type Disk struct {
	// What is kept there: state, record, messages.
	What, Dir string
	Room      Fact[Room]
}

// Room is that of a file system; inodes are 0 where it has no such bound.
type Room struct {
	Free, Size         uint64
	FreeInodes, Inodes uint64
}

// Asked is something outside that was asked whether it works.
type Asked struct {
	Name, Found string
	Remarks     []string
	Err         error
	// Cause tells why an error is one where the way to mend it depends on that.
	Cause string
}

// Scanned is what a scanner has said of a message that it must object to.
type Scanned struct {
	Name string
	// Sample is what it was shown, EICAR or GTUBE; Said its answer.
	Sample, Said string
	Objects      bool
	Err          error
}

// Clients are those of the newest messages in the record.
type Clients struct {
	// Messages is how many there are, from clients that are neither trusted nor relays of ours.
	Messages int
	// Counts are those by client.
	Counts map[netip.Addr]int
}

// Most is the client with the most messages.
func (c *Clients) Most() (client netip.Addr, share float64) {
	most := 0
	for addr, n := range c.Counts {
		if n > most || n == most && addr.Less(client) {
			client, most = addr, n
		}
	}
	if c.Messages == 0 {
		return client, 0
	}
	return client, float64(most) / float64(c.Messages)
}

// listens reports whether mailweir listens at a place, whatever it is called there.
func (f *Facts) listens(at place) bool {
	addresses := f.Config.Listen
	if f.Daemon.Value != nil && len(f.Daemon.Value.Listen) > 0 {
		addresses = f.Daemon.Value.Listen
	}
	return slices.ContainsFunc(addresses, at.is) || strings.Contains(at.path, "mailweir")
}

// place is where a milter is looked for: a path as the whole host knows it, or host and port.
type place struct{ path, host, port string }

// String is how it is connected to.
func (p place) String() string {
	if p.path != "" {
		return p.path
	}
	return net.JoinHostPort(p.host, p.port)
}

// is reports whether an address of --listen is this place.
func (p place) is(address string) bool {
	kind, rest, _ := strings.Cut(address, ":")
	if kind == "unix" || kind == "local" {
		return p.path != "" && tidy(rest) == tidy(p.path)
	}
	at := strings.LastIndexByte(rest, ':')
	if kind != "inet" || at < 0 || p.port == "" || rest[at+1:] != p.port {
		return false
	}
	host := strings.Trim(rest[:at], "[]")
	own, err := netip.ParseAddr(host)
	everywhere := host == "" || err == nil && own.IsUnspecified()
	return everywhere || host == p.host || loopback(host) && loopback(p.host)
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.IsLoopback()
}

// tidy is a path as others may write it, too: /var/run is /run nearly everywhere.
func tidy(path string) string {
	path = filepath.Clean(path)
	if rest, ok := strings.CutPrefix(path, "/var/run/"); ok {
		return "/run/" + rest
	}
	return path
}
