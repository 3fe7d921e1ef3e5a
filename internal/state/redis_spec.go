package state

import (
	"context"
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

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// redisSpec is what the name of a shared store says.
type redisSpec struct {
	client *redis.UniversalOptions
	prefix string // of every key
	name   string // without options
	tls    bool
}

// redisForm is shown with every error in a name.
const redisForm = "redis://HOST:PORT[,HOST:PORT…][/DB][?master=NAME][&cluster=yes][&user=NAME][&password-file=FILE]" +
	"[&sentinel-user=NAME][&sentinel-password-file=FILE][&prefix=NAME][&ca-file=FILE], with rediss:// for TLS"

// Waiting for a server: a message has seconds, and a server in the same building needs milliseconds.
const (
	redisDial = 500 * time.Millisecond
	redisCall = time.Second
)

func parseRedis(spec string) (*redisSpec, error) {
	s, err := parseRedisURL(spec)
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
		return nil, fmt.Errorf("%q names no server", spec)
	}
	if strings.Contains(hosts, "@") {
		return nil, errors.New("a password in --state is seen by everyone on this host: put it in a file")
	}
	s := &redisSpec{name: scheme + "://" + rest, prefix: "mailweir", tls: scheme == "rediss", client: newRedisOptions()}
	for _, host := range strings.Split(hosts, ",") {
		name, port, err := net.SplitHostPort(host)
		if n, wrong := strconv.ParseUint(port, 10, 16); err != nil || name == "" || wrong != nil || n == 0 {
			return nil, fmt.Errorf("%q is not HOST:PORT", host)
		}
		s.client.Addrs = append(s.client.Addrs, host)
	}
	if db != "" {
		n, err := strconv.Atoi(db)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("/%s is not the number of a database", db)
		}
		s.client.DB = n
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, err
	}
	for name, value := range values {
		if err := s.set(name, value[len(value)-1]); err != nil {
			return nil, err
		}
	}
	return s, s.finish()
}

func newRedisOptions() *redis.UniversalOptions {
	return &redis.UniversalOptions{
		ClientName: "mailweir",
		Protocol:   2,
		// A step that is sent again may count twice; whoever waits has better to do than to wait again.
		MaxRetries: -1, DialerRetries: 1,
		DialTimeout: redisDial, ReadTimeout: redisCall, WriteTimeout: redisCall, PoolTimeout: redisCall,
		ContextTimeoutEnabled:    true,
		DisableIdentity:          true,
		PipelinePoolSize:         -1,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

func (s *redisSpec) set(name, value string) (err error) {
	switch name {
	case "master":
		s.client.MasterName = value
	case "cluster":
		if value != "yes" {
			return fmt.Errorf("cluster=%s is not cluster=yes", value)
		}
		s.client.IsClusterMode = true
	case "user":
		s.client.Username = value
	case "password-file":
		s.client.CredentialsProviderContext, s.client.Password, err = passwordFile(value, func() string { return s.client.Username })
	case "sentinel-user":
		s.client.SentinelUsername = value
	case "sentinel-password-file":
		_, s.client.SentinelPassword, err = passwordFile(value, nil)
	case "prefix":
		if value == "" || strings.ContainsAny(value, "{} ") {
			return fmt.Errorf("prefix=%s: a prefix has no braces and blanks", value)
		}
		s.prefix = value
	case "ca-file":
		s.client.TLSConfig, err = caFile(value)
	default:
		return fmt.Errorf("%s= is not known", name)
	}
	return err
}

func (s *redisSpec) finish() error {
	cluster := s.client.IsClusterMode || s.client.MasterName == "" && len(s.client.Addrs) > 1
	switch {
	case s.client.IsClusterMode && s.client.MasterName != "":
		return errors.New("master= names a Sentinel set, cluster=yes a cluster: it cannot be both")
	case cluster && s.client.DB != 0:
		return errors.New("a cluster has no database but 0")
	case s.client.TLSConfig != nil && !s.tls:
		return errors.New("ca-file= is for rediss://")
	case s.client.Username != "" && s.client.Password == "":
		return errors.New("user= needs password-file=")
	}
	s.client.IsClusterMode = cluster
	if s.tls && s.client.TLSConfig == nil {
		s.client.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return nil
}

// credentials are asked at every connection, so that a password can be changed under a running daemon.
type credentials func(context.Context) (user, password string, err error)

func passwordFile(name string, user func() string) (credentials, string, error) {
	read := func() (string, error) {
		raw, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		word := strings.TrimRight(string(raw), "\r\n")
		if word == "" {
			return "", fmt.Errorf("%s: the password is empty", name)
		}
		return word, nil
	}
	first, err := read()
	if err != nil {
		return nil, "", err
	}
	return func(context.Context) (string, string, error) {
		word, err := read()
		return user(), word, err
	}, first, nil
}

func caFile(name string) (*tls.Config, error) {
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(raw) {
		return nil, fmt.Errorf("%s: no certificate in PEM", name)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}, nil
}
