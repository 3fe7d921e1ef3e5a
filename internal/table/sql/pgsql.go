package sql

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"mailweir/internal/backend"
	"mailweir/internal/table/postfixcf"
	"mailweir/internal/table/remote"
)

// PgSQL is the type pgsql.
func PgSQL() remote.Kind {
	return remote.Kind{Name: "pgsql", File: true, InFlight: poolSize, Open: openPgSQL}
}

// pgsqlTable is what the sessions of one file have in common.
type pgsqlTable struct {
	*config
	encoding string
	quotes   []byte // of the query
}

// pgsqlEncodings are those in which no octet of a longer character looks like a quote.
var pgsqlEncodings = []string{"UTF8", "UNICODE", "LATIN1", "SQL_ASCII"}

// maxMessage bounds a message of the server, such as a row.
const maxMessage = maxAnswer + 4096

func pgsqlLexis() lexis { return lexis{nested: true, dollar: true, escaping: true} }

func openPgSQL(source remote.Source) (remote.Driver, error) {
	f := source.File
	t := &pgsqlTable{config: readConfig(f, true), encoding: strings.ToUpper(f.String("encoding", "UTF8"))}
	t.quotes = t.scan(pgsqlLexis(), false)
	if !slices.Contains(pgsqlEncodings, t.encoding) {
		f.Errorf("encoding", "%q is not supported; known are %s", t.encoding, strings.Join(pgsqlEncodings, ", "))
	}
	account := pgsqlAccount{f.String("user", ""), f.Secret("password"), f.String("dbname", "")}
	retry, keep := intervals(f)
	var hosts []*host
	for _, text := range hostList(f, "postgresql://", "postgres://") {
		h, err := t.host(text, account)
		if err != nil {
			f.Errorf("hosts", "%w", err)
			continue
		}
		hosts = append(hosts, h)
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	return &table{t.config, newPool(hosts, retry, keep)}, nil
}

// pgsqlAccount is what hosts that are no URI need.
type pgsqlAccount struct{ user, password, database string }

// settings are what libpq makes of an account. A database with "=" in its name is more settings.
func (a pgsqlAccount) settings(host string, port int) string {
	var b strings.Builder
	add := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, " %s='%s'", name, strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value))
		}
	}
	if strings.Contains(a.database, "=") {
		b.WriteString(a.database)
	} else {
		add("dbname", a.database)
	}
	add("host", host)
	if port != 0 {
		fmt.Fprintf(&b, " port=%d", port)
	}
	add("user", a.user)
	add("password", a.password)
	return b.String()
}

// host reads one of the hosts, and what is to be said about it.
func (t *pgsqlTable) host(text string, account pgsqlAccount) (*host, error) {
	scheme, _, _ := strings.Cut(text, "://")
	if scheme == "postgresql" || scheme == "postgres" {
		return t.uri(text)
	}
	if account.database == "" {
		t.file.Errorf("dbname", "is missing; a host that is no URI needs it")
	}
	var a address
	var err error
	text = strings.TrimPrefix(strings.TrimPrefix(text, "unix:"), "inet:")
	if strings.HasPrefix(text, "/") {
		a = address{network: "unix", socket: text, host: text}
	} else if a, err = parseHost(text); err != nil {
		return nil, err
	}
	settings := account.settings(a.host, a.port)
	return t.open(&host{name: a.name(), rank: a.rank()}, settings)
}

// uri reads a host that is a URI, whose password nobody may see.
func (t *pgsqlTable) uri(text string) (*host, error) {
	u, err := url.Parse(text)
	if err != nil || strings.Contains(u.Path, "@") { // a slash in the password ends the host
		return nil, errors.New("the URI is none: want postgresql://USER:PASSWORD@HOST:PORT/DBNAME?sslmode=…, with %XX for special characters")
	}
	if strings.Contains(u.Host+u.Path+u.Query().Get("host"), "@") {
		return nil, errors.New("the URI has an @ behind its host; write %40 for one in a name or password, and %2F for a slash")
	}
	name := u.Host
	if inside := u.Query().Get("host"); inside != "" {
		name = inside
	}
	if name == "" {
		name = "its default host"
	}
	return t.open(&host{name: name, rank: rankURI}, text)
}

// open reads the settings, to see that they are right, and gives the host its dial.
func (t *pgsqlTable) open(h *host, settings string) (*host, error) {
	cfg, err := pgsqlConfig(settings)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", h.name, err)
	}
	t.file.Hide(cfg.Password) // that of a URI, or of settings in dbname
	remarkPgSQL(t.file, cfg)
	h.dial = func(ctx context.Context) (session, error) { return t.dial(ctx, settings) }
	return h, nil
}

// pgsqlConfig reads settings, with what environment and files add to them.
func pgsqlConfig(settings string) (*pgconn.Config, error) {
	cfg, err := pgconn.ParseConfig(settings)
	if err != nil {
		// The error shows the settings, with the password replaced as well as it could be found.
		if inner := errors.Unwrap(err); inner != nil {
			err = inner
		}
		var parse *url.Error
		if errors.As(err, &parse) {
			err = parse.Err
		}
		return nil, err
	}
	cfg.MaxProtocolMessageBodyLen = maxMessage
	return cfg, nil
}

// remarkPgSQL notes what may be sent to another host in clear text, or to somebody who only says
// that he is it.
func remarkPgSQL(f *postfixcf.File, cfg *pgconn.Config) {
	clear, unknown := "", ""
	note := func(host string, verified, encrypted bool) {
		switch {
		case backend.Loopback(host):
		case !encrypted:
			clear = host
		case !verified:
			unknown = host
		}
	}
	encrypted := cfg.TLSConfig != nil
	note(cfg.Host, encrypted && (!cfg.TLSConfig.InsecureSkipVerify || cfg.TLSConfig.VerifyPeerCertificate != nil), encrypted)
	for _, other := range cfg.Fallbacks {
		encrypted := other.TLSConfig != nil
		note(other.Host, encrypted && (!other.TLSConfig.InsecureSkipVerify || other.TLSConfig.VerifyPeerCertificate != nil), encrypted)
	}
	const advice = "with hosts = postgresql://…?sslmode=verify-full&sslrootcert=FILE"
	switch {
	case clear != "":
		f.Remarkf("hosts", "what is asked of %s may go there in clear text; %s it does not", clear, advice)
	case unknown != "":
		f.Remarkf("hosts", "whether %s is who it says is not known; %s it is", unknown, advice)
	}
}

// dial connects, with quotes that a backslash does not escape. Settings are read each time, so that
// new certificates and password files need no reload.
func (t *pgsqlTable) dial(ctx context.Context, settings string) (session, error) {
	cfg, err := pgsqlConfig(settings)
	if err != nil {
		return nil, err
	}
	cfg.RuntimeParams["client_encoding"] = t.encoding
	cfg.RuntimeParams["standard_conforming_strings"] = "on"
	conn, err := pgconn.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, pgsqlDialError(ctx, err)
	}
	return &pgsqlSession{t, conn}, nil
}

// pgsqlSession is one connection.
type pgsqlSession struct {
	*pgsqlTable
	conn *pgconn.PgConn
}

// safe reports whether a quote in a key is escaped by another one: a function may have changed it.
func (s *pgsqlSession) safe() error {
	if v := s.conn.ParameterStatus("standard_conforming_strings"); v != "on" {
		return fmt.Errorf("standard_conforming_strings is %q, so that a key cannot be escaped safely", v)
	}
	encoding := strings.ToUpper(s.conn.ParameterStatus("client_encoding"))
	if !slices.Contains(pgsqlEncodings, encoding) {
		return fmt.Errorf("client_encoding is %q, in which a key cannot be escaped safely", encoding)
	}
	return nil
}

func (s *pgsqlSession) find(ctx context.Context, key string) ([]string, error) {
	if err := s.safe(); err != nil {
		return nil, err
	}
	return s.rows(ctx, s.statement(key, s.quotes, func(part string, quote byte) string {
		q := string(quote)
		return strings.ReplaceAll(part, q, q+q)
	}))
}

func (s *pgsqlSession) ping(ctx context.Context) (string, error) {
	rows, err := s.rows(ctx, "SELECT current_setting('server_version')")
	if err != nil {
		return "", err
	}
	return "PostgreSQL " + strings.Join(rows, " "), nil
}

func (s *pgsqlSession) fresh() bool { return !s.conn.IsClosed() }

func (s *pgsqlSession) close() {
	// Nobody waits for a server that may hang: with a context that has ended the connection is just
	// closed.
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_ = s.conn.Close(ended)
}

// rows carries out a statement and returns its values, row by row. The protocol's extended form
// takes one statement at a time, and the server refuses a second one.
func (s *pgsqlSession) rows(ctx context.Context, statement string) ([]string, error) {
	reader := s.conn.ExecParams(ctx, statement, nil, nil, nil, nil)
	var found values
	var failed error
	for reader.NextRow() {
		for _, value := range reader.Values() {
			if value != nil && failed == nil {
				failed = found.add(string(value))
			}
		}
		if failed != nil {
			return nil, failed // the session is closed, and what is left is not read
		}
	}
	if _, err := reader.Close(); err != nil {
		return nil, pgsqlError(ctx, err)
	}
	return found.list, nil
}

// pgsqlDialError is the error of connecting.
func pgsqlDialError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("no answer while connecting: %w", ctx.Err())
	}
	var said *pgconn.PgError
	if errors.As(err, &said) {
		if err := errors.New(said.Error()); said.Code != "53300" { // too_many_connections
			return err
		}
		return errFull{errors.New(said.Error())}
	}
	var network *net.OpError
	if errors.As(err, &network) {
		return network // the others say the same with and without TLS
	}
	return errors.New(strings.Join(strings.Fields(err.Error()), " ")) // in one line
}

// pgsqlError is the error of a statement: most are the server's answer to it.
func pgsqlError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("no answer to the query: %w", ctx.Err())
	}
	var large *pgproto3.ExceededMaxBodyLenErr
	var said *pgconn.PgError
	switch {
	case errors.As(err, &large):
		return errLarge
	case errors.As(err, &said) && !pgsqlLost(said):
		return remote.Answered{Err: err}
	}
	return err
}

// pgsqlLost reports whether an error speaks of the connection or the whole server: connection
// exceptions, lack of resources, intervention of the operator, system errors.
func pgsqlLost(said *pgconn.PgError) bool {
	if said.Code == "57014" { // query_canceled, by statement_timeout
		return false
	}
	return said.Severity == "FATAL" || slices.Contains([]string{"08", "53", "57", "58"}, said.Code[:min(2, len(said.Code))])
}
