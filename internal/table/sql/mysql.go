package sql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"

	"mailweir/internal/table/remote"
)

// MySQL is the type mysql, of MySQL and MariaDB.
func MySQL() remote.Kind {
	return remote.Kind{Name: "mysql", File: true, InFlight: poolSize, Open: openMySQL}
}

// mysqlTable is what the sessions of one file have in common.
type mysqlTable struct {
	*config
	charset   string
	needsRows bool // require_result_set
	own       mysqlOptions
	files     mysqlFiles
}

// mysqlCharsets are those in which no octet of a longer character looks like a quote or a
// backslash, with what the connection speaks. A key may have characters that the old UTF-8 of at
// most three octets lacks; the server would cut it off there.
var mysqlCharsets = map[string]string{"utf8mb4": "utf8mb4", "utf8mb3": "utf8mb4", "utf8": "utf8mb4", "latin1": "latin1"}

func mysqlLexis(backslash, double bool) lexis {
	return lexis{backslash: backslash, double: double, backtick: true, hash: true, spaced: true}
}

func openMySQL(source remote.Source) (remote.Driver, error) {
	f := source.File
	charset := f.String("charset", "utf8mb4")
	t := &mysqlTable{
		config:    readConfig(f, false),
		needsRows: f.Bool("require_result_set", true),
		own: mysqlOptions{
			user: f.String("user", ""), password: f.Secret("password"), database: f.String("dbname", ""),
			tls: readMySQLTLS(f),
		},
		files: readMySQLFiles(f),
	}
	t.scan(mysqlLexis(true, true), false)
	if t.charset = mysqlCharsets[charset]; t.charset == "" {
		f.Errorf("charset", "%q is not supported; known are utf8mb4, utf8mb3, utf8, latin1", charset)
	}
	if t.own.database == "" {
		f.Errorf("dbname", "is missing")
	}
	retry, keep := intervals(f)
	options, err := t.files.apply(t.own)
	if err != nil {
		f.Errorf("option_file", "%w", err)
	}
	var hosts []*host
	for _, text := range hostList(f) {
		a, err := mysqlAddress(text, options)
		if err != nil {
			f.Errorf("hosts", "%w", err)
			continue
		}
		options.tls.remark(f, a)
		hosts = append(hosts, &host{name: a.name(), rank: a.rank(), dial: func(ctx context.Context) (session, error) {
			return t.dial(ctx, text)
		}})
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	return &table{t.config, newPool(hosts, retry, keep)}, nil
}

// mysqlAddress reads one of the hosts. Its localhost is not TCP: it is the socket.
func mysqlAddress(text string, options mysqlOptions) (address, error) {
	if path, ok := strings.CutPrefix(text, "unix:"); ok {
		if !strings.HasPrefix(path, "/") {
			return address{}, fmt.Errorf("%q: the path of a socket begins with /", text)
		}
		return address{network: "unix", socket: path}, nil
	}
	a, err := parseHost(strings.TrimPrefix(text, "inet:"))
	switch {
	case err != nil:
		return a, err
	case strings.EqualFold(a.host, "localhost"):
		return address{network: "unix", socket: options.localSocket()}, nil
	case a.port == 0:
		a.port = options.port
	}
	return a, nil
}

// dial connects, and asks what the session makes of quotes. Option files and certificates are read
// for each connection, so that new ones need no reload.
func (t *mysqlTable) dial(ctx context.Context, host string) (_ session, err error) {
	defer senseless(&err)
	options, err := t.files.apply(t.own)
	if err != nil {
		return nil, err
	}
	a, err := mysqlAddress(host, options)
	if err != nil {
		return nil, err
	}
	cfg := mysql.NewConfig()
	cfg.User, cfg.Passwd, cfg.DBName = options.user, options.password, options.database
	cfg.Logger = &mysql.NopLogger{}                   // what it would write is in the errors
	cfg.Params = map[string]string{"autocommit": "1"} // without it a connection sees no later changes
	cfg.Net, cfg.Addr = a.network, a.socket
	if a.network == "tcp" {
		cfg.Addr = a.name()
	}
	if err := errors.Join(cfg.Apply(mysql.Charset(t.charset, "")), options.tls.apply(cfg, a)); err != nil {
		return nil, err
	}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	conn, err := connector.Connect(ctx)
	if err != nil {
		return nil, mysqlDialError(ctx, err)
	}
	s := &mysqlSession{mysqlTable: t, conn: conn}
	if err := s.prepare(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// mysqlSession is one connection.
type mysqlSession struct {
	*mysqlTable
	conn      driver.Conn
	backslash bool   // escapes in strings
	quotes    []byte // of the query, as this session reads it
}

// prepare asks for the modes of the session, which the server, the account or a script of the
// server may have set, and reads the query with them.
func (s *mysqlSession) prepare(ctx context.Context) error {
	rows, err := s.rows(ctx, "SELECT @@SESSION.sql_mode, @@SESSION.character_set_client")
	if err != nil {
		return err
	}
	if len(rows) != 2 {
		return errors.New("the server does not say what sql_mode it has")
	}
	modes := strings.Split(strings.ToUpper(rows[0]), ",")
	if rows[1] != s.charset {
		return fmt.Errorf("the session has the charset %q, and not %s, so that a key cannot be escaped safely", rows[1], s.charset)
	}
	s.backslash = !slices.Contains(modes, "NO_BACKSLASH_ESCAPES")
	read, err := mysqlLexis(s.backslash, !slices.Contains(modes, "ANSI_QUOTES")).scan(s.text)
	if err != nil {
		return fmt.Errorf("with the server's sql_mode %s: query: %w", rows[0], err)
	}
	s.quotes = read.quotes
	return nil
}

// escape is what mysql_real_escape_string does.
func (s *mysqlSession) escape(key string, quote byte) string {
	if !s.backslash {
		q := string(quote)
		return strings.ReplaceAll(key, q, q+q)
	}
	return mysqlEscapes.Replace(key)
}

var mysqlEscapes = strings.NewReplacer("\n", `\n`, "\r", `\r`, "\x1a", `\Z`, `\`, `\\`, `'`, `\'`, `"`, `\"`)

func (s *mysqlSession) find(ctx context.Context, key string) ([]string, error) {
	rows, err := s.rows(ctx, s.statement(key, s.quotes, s.escape))
	if errors.Is(err, errNoRows) && !s.needsRows {
		return nil, nil
	}
	return rows, err
}

func (s *mysqlSession) ping(ctx context.Context) (string, error) {
	rows, err := s.rows(ctx, "SELECT VERSION()")
	switch {
	case err != nil:
		return "", err
	case len(rows) == 0:
		return "", errors.New("the server does not say its version")
	case strings.Contains(rows[0], "MariaDB"):
		return "MariaDB " + strings.SplitN(rows[0], "-", 2)[0], nil
	}
	return "MySQL " + rows[0], nil
}

func (s *mysqlSession) fresh() bool {
	v, ok := s.conn.(driver.Validator)
	return !ok || v.IsValid()
}

func (s *mysqlSession) close() {
	var err error
	defer senseless(&err)
	err = s.conn.Close() // nothing is lost
}

// senseless makes an error of a panic: the driver believes the lengths in what a server says.
func senseless(err *error) {
	if cause := recover(); cause != nil {
		*err = fmt.Errorf("the server's answer makes no sense: %v", cause)
	}
}

var (
	errNoRows = remote.Answered{Err: errors.New("the query has returned no result set (require_result_set = yes)")}
	errSets   = remote.Answered{Err: errors.New("the query has returned more than one result set")}
)

// rows carries out a statement and returns its values, row by row. All result sets are read, or the
// next answer would be that of another question; only one may hold anything.
func (s *mysqlSession) rows(ctx context.Context, statement string) (_ []string, err error) {
	defer senseless(&err)
	asker, ok := s.conn.(driver.QueryerContext)
	if !ok {
		return nil, errors.New("the driver takes no statement as it is")
	}
	rows, err := asker.QueryContext(ctx, statement, nil)
	if err != nil {
		return nil, mysqlError(ctx, err)
	}
	var found values
	sets := 0
	for {
		if len(rows.Columns()) > 0 {
			sets++
			if err := readMySQL(rows, &found); err != nil {
				return nil, mysqlError(ctx, err)
			}
		}
		next, ok := rows.(driver.RowsNextResultSet)
		if !ok || !next.HasNextResultSet() {
			break
		}
		if err := next.NextResultSet(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, mysqlError(ctx, err)
		}
	}
	if err := rows.Close(); err != nil {
		return nil, mysqlError(ctx, err)
	}
	switch {
	case sets == 0:
		return nil, errNoRows
	case sets > 1:
		return nil, errSets
	}
	return found.list, nil
}

// readMySQL reads one result set.
func readMySQL(rows driver.Rows, found *values) error {
	row := make([]driver.Value, len(rows.Columns()))
	for {
		switch err := rows.Next(row); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		for _, value := range row {
			if value == nil {
				continue
			}
			if err := found.add(mysqlText(value)); err != nil {
				return err
			}
		}
	}
}
