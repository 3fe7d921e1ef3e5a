package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Is reports whether a value of --record names a PostgreSQL.
func Is(spec string) bool {
	return strings.HasPrefix(spec, "postgres://") || strings.HasPrefix(spec, "postgresql://")
}

// Check reports what is wrong with a URL, without asking anybody. No error repeats the URL, which
// may hold a secret.
func Check(spec string) error {
	_, err := parse(spec)
	return err
}

// errPassword says where a password belongs: a URL stands in configuration and lists of processes.
var errPassword = errors.New("the URL has a password, which everybody could read in the list of processes; take it out and " +
	"name a file by passfile=/PATH: postgres://USER@HOST/DBNAME?passfile=/etc/mailweir/pgpass, mode 0600, with the line HOST:PORT:DBNAME:USER:PASSWORD")

// secrets are the parameters of a URL that hold one.
var secrets = []string{"password", "sslpassword"}

// connectWithin is how long connecting to one host may take where the URL does not say.
const connectWithin = 3 * time.Second

// parse reads a URL, and the file of passwords that it names.
func parse(spec string) (*pgxpool.Config, error) {
	u, err := url.Parse(spec)
	if err != nil {
		return nil, errors.New("the URL is none: want postgres://USER@HOST:PORT/DBNAME?passfile=/PATH, with %XX for special characters")
	}
	if _, has := u.User.Password(); has || strings.Contains(u.Host+u.Path, "@") {
		return nil, errPassword
	}
	for _, name := range secrets {
		if u.Query().Has(name) {
			return nil, errPassword
		}
	}
	if strings.Trim(u.Path, "/") == "" && !u.Query().Has("dbname") {
		return nil, errors.New("the URL names no database: want postgres://USER@HOST:PORT/DBNAME")
	}
	cfg, err := pgxpool.ParseConfig(spec)
	if err != nil {
		return nil, parseError(err)
	}
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = connectWithin
	}
	if cfg.ConnConfig.RuntimeParams["application_name"] == "" {
		cfg.ConnConfig.RuntimeParams["application_name"] = "mailweir"
	}
	cfg.MaxConns = max(cfg.MaxConns, poolSize)
	cfg.AfterConnect = prepareSession
	return cfg, nil
}

// poolSize is for the writer, who needs one, and a few who read.
const poolSize = 8

// parseError is what is wrong with a URL, without the URL.
func parseError(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		err = inner
	}
	var parse *url.Error
	if errors.As(err, &parse) {
		err = parse.Err
	}
	return err
}

// prepareSession bounds what a connection holds up: whoever has been forgotten in a transaction
// loses it, and a lock that somebody else holds is not waited for. Each question is planned by its
// own values: a plan for any values takes every span of time for a short one, and walks over it.
func prepareSession(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "SET idle_in_transaction_session_timeout = '30s'; SET lock_timeout = '5s'; SET TimeZone = 'UTC'; SET jit = off; SET plan_cache_mode = force_custom_plan")
	return err
}

// name is what log and metrics call the database: hosts and database, no user, no secret.
func name(cfg *pgxpool.Config) string {
	hosts := []string{address(cfg.ConnConfig.Host, cfg.ConnConfig.Port)}
	for _, other := range cfg.ConnConfig.Fallbacks {
		if a := address(other.Host, other.Port); !slices.Contains(hosts, a) {
			hosts = append(hosts, a)
		}
	}
	return fmt.Sprintf("postgres://%s/%s", strings.Join(hosts, ","), cfg.ConnConfig.Database)
}

func address(host string, port uint16) string {
	if strings.HasPrefix(host, "/") || port == 5432 {
		return host
	}
	return fmt.Sprintf("%s:%d", host, port)
}
