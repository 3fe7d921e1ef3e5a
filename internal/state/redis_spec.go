package state

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/redis/rueidis"
)

// redisSpec is what the name of a shared store says.
type redisSpec struct {
	prefix string // of every key
	byNet  bool   // see redisNames
	name   string // without options

	addresses []string
	db        int
	cluster   bool
	master    string // of a Sentinel set

	tls                        *tls.Config // nil: none
	roots                      *x509.CertPool
	user, sentinelUser         string
	password, sentinelPassword string // the files that hold them
}

// redisForm is shown with every error in a name.
const redisForm = "redis://HOST:PORT[,HOST:PORT…][/DB][?master=NAME][&cluster=yes][&user=NAME][&password-file=FILE]" +
	"[&sentinel-user=NAME][&sentinel-password-file=FILE][&prefix=NAME][&place=net][&ca-file=FILE], with rediss:// for TLS"

// Waiting for a server: a message has seconds, and a server in the same building needs
// milliseconds.
const (
	redisDial = 500 * time.Millisecond
	redisCall = time.Second
)

var (
	errPassword = errors.New("a password in --state is seen by everyone on this host: put it in a file")
	errNetName  = errors.New("a prefix that ends in " + netName + " would name the memory of place=net: take another")
)

func parseRedis(spec string) (*redisSpec, error) {
	s, err := parseRedisURL(spec)
	if err != nil && !errors.Is(err, errNetName) && strings.Contains(spec, "@") {
		err = errPassword // whose place it may be, so nothing of it is quoted
	}
	if err != nil {
		return nil, fmt.Errorf("state: %w; write %s", err, redisForm)
	}
	return s, nil
}

func parseRedisURL(spec string) (*redisSpec, error) {
	scheme, rest, _ := strings.Cut(spec, "://")
	rest, query, _ := strings.Cut(rest, "?")
	hosts, db, _ := strings.Cut(rest, "/")
	if !strings.Contains(spec, "://") {
		return nil, errors.New("it names no server")
	}
	if strings.Contains(hosts, "@") {
		return nil, errPassword
	}
	s := &redisSpec{name: scheme + "://" + rest, prefix: "mailweir"}
	if scheme == "rediss" {
		s.tls = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	for _, host := range strings.Split(hosts, ",") {
		name, port, err := net.SplitHostPort(host)
		if n, wrong := strconv.ParseUint(port, 10, 16); err != nil || name == "" || wrong != nil || n == 0 {
			return nil, fmt.Errorf("%q is not HOST:PORT", shown(host))
		}
		s.addresses = append(s.addresses, host)
	}
	if db != "" {
		n, err := strconv.Atoi(db)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("/%s is not the number of a database", shown(db))
		}
		s.db = n
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, err
	}
	for name, value := range values {
		if !strings.Contains(query, name+"=") {
			return nil, errors.New("a parameter has no value")
		}
		if err := s.set(name, value[len(value)-1]); err != nil {
			return nil, err
		}
	}
	return s, s.finish()
}

// shown is a word that can be meant as HOST:PORT or as a number. What else stands there may be, or
// hold, a password.
func shown(word string) string {
	if strings.ContainsFunc(word, func(r rune) bool {
		return r >= utf8.RuneSelf || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-._:[]", r)
	}) {
		return "…"
	}
	return word
}

func (s *redisSpec) set(name, value string) (err error) {
	switch name {
	case "master":
		s.master = value
	case "cluster":
		if value != "yes" {
			return fmt.Errorf("cluster=%s is not cluster=yes", value)
		}
		s.cluster = true
	case "user":
		s.user = value
	case "password-file":
		s.password = value
		_, err = readPassword(value)
	case "sentinel-user":
		s.sentinelUser = value
	case "sentinel-password-file":
		s.sentinelPassword = value
		_, err = readPassword(value)
	case "prefix":
		if value == "" || strings.ContainsAny(value, "{} ") {
			return fmt.Errorf("prefix=%s: a prefix has no braces and blanks", value)
		}
		if strings.HasSuffix(value, netName) {
			return errNetName
		}
		s.prefix = value
	case "place":
		if value != "net" {
			return fmt.Errorf("place=%s is not place=net", value)
		}
		s.byNet = true
	case "ca-file":
		s.roots, err = caFile(value)
	default:
		return fmt.Errorf("%s= is not known", name)
	}
	return err
}

func (s *redisSpec) finish() error {
	several := s.master == "" && len(s.addresses) > 1
	switch {
	case s.cluster && s.master != "":
		return errors.New("master= names a Sentinel set, cluster=yes a cluster: it cannot be both")
	case (s.cluster || several) && s.db != 0:
		return errors.New("a cluster has no database but 0")
	case s.roots != nil && s.tls == nil:
		return errors.New("ca-file= is for rediss://")
	case s.user != "" && s.password == "":
		return errors.New("user= needs password-file=")
	}
	s.cluster = s.cluster || several
	if s.tls != nil {
		s.tls.RootCAs = s.roots
	}
	return nil
}

// connect connects, with the passwords as they are now: they can be changed under a running daemon.
func (s *redisSpec) connect() (rueidis.Client, error) {
	password, err := readPassword(s.password)
	if err != nil {
		return nil, err
	}
	sentinelPassword, err := readPassword(s.sentinelPassword)
	if err != nil {
		return nil, err
	}
	dialer := net.Dialer{Timeout: redisDial, KeepAlive: redisPing}
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: s.addresses, SelectDB: s.db, ForceSingleClient: !s.cluster && s.master == "",
		TLSConfig: s.tls, Username: s.user, Password: password,
		Sentinel: rueidis.SentinelOption{
			MasterSet: s.master, Username: s.sentinelUser, Password: sentinelPassword, TLSConfig: s.tls, Dialer: dialer,
			TopologyRefreshInterval: redisReview,
		},
		ClientName: "mailweir", ClientSetInfo: rueidis.DisableClientSetInfo,
		Dialer: dialer, ConnWriteTimeout: redisCall,
		// What is asked at the same time shares a connection, and so a read of the server's.
		AlwaysPipelining: true, PipelineMultiplex: -1,
		ReadBufferEachConn: redisBuffer, WriteBufferEachConn: redisBuffer,
		// A step that is sent again may count twice; whoever waits has better to do than to wait
		// again.
		DisableRetry: true, DisableCache: true,
	})
	if err != nil && client != nil {
		client.Close()
	}
	return client, err
}

const (
	// redisPing is how long a connection is silent before the library asks whether the server is
	// there.
	redisPing = 2 * time.Second
	// redisReview is how often the Sentinels are asked who the master is, beside what they tell by
	// themselves.
	redisReview = 5 * time.Second
	// redisBuffer is room for what many sessions ask at the same time, and for a page of entries.
	redisBuffer = 64 << 10
)

// readPassword reads a file that holds a password; without a name there is none.
func readPassword(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	raw, err := os.ReadFile(name)
	var about *os.PathError
	if errors.As(err, &about) && !strings.HasPrefix(name, "/") && !strings.HasPrefix(name, ".") {
		return "", fmt.Errorf("open the file of a password, whose name is not shown as it does not begin with / or ./: %w", about.Err)
	}
	if err != nil {
		return "", err
	}
	word := strings.TrimRight(string(raw), "\r\n")
	if word == "" {
		return "", fmt.Errorf("%s: the password is empty", name)
	}
	return word, nil
}

func caFile(name string) (*x509.CertPool, error) {
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(raw) {
		return nil, fmt.Errorf("%s: no certificate in PEM", name)
	}
	return pool, nil
}
