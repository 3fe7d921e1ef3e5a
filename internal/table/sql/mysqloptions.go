package sql

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"mailweir/internal/table/postfixcf"
)

// mysqlOptions is what a file says of connections, and what MySQL's own option files say where it
// says nothing. As with Postfix a password comes from the file alone.
type mysqlOptions struct {
	user, password, database string
	socket                   string // of localhost; "": the usual places
	port                     int    // of hosts without one
	tls                      mysqlTLS
}

// mysqlSockets is where servers have their socket on the usual systems, the first that exists
// counts.
var mysqlSockets = []string{"/run/mysqld/mysqld.sock", "/var/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock"}

func (o mysqlOptions) localSocket() string {
	if o.socket != "" {
		return o.socket
	}
	for _, path := range mysqlSockets {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return mysqlSockets[0]
}

// mysqlFiles are option files, and the groups of them that count.
type mysqlFiles struct {
	paths  []string
	named  bool // by option_file: then it must be there
	groups []string
}

// readMySQLFiles reads option_file and option_group. Postfix reads the usual files unless the group
// is given as empty.
func readMySQLFiles(f *postfixcf.File) mysqlFiles {
	file, group := f.String("option_file", ""), f.String("option_group", "client")
	o := mysqlFiles{groups: []string{"client", "client-server", "client-mariadb"}}
	if group != "" && group != "client" {
		o.groups = append(o.groups, group)
	}
	switch {
	case file != "":
		o.paths, o.named = []string{file}, true
		if !filepath.IsAbs(file) {
			f.Errorf("option_file", "%q is not a whole path", file)
		}
	case group != "":
		o.paths = []string{"/etc/my.cnf", "/etc/mysql/my.cnf"}
	}
	return o
}

// apply fills in what own lacks.
func (o mysqlFiles) apply(own mysqlOptions) (mysqlOptions, error) {
	found := map[string]string{}
	for _, path := range o.paths {
		if err := o.read(path, found, 0); err != nil && (o.named || !errors.Is(err, fs.ErrNotExist)) {
			return own, err
		}
	}
	fill := func(to *string, name string) {
		if *to == "" {
			*to = found[name]
		}
	}
	fill(&own.user, "user")
	fill(&own.database, "database")
	fill(&own.socket, "socket")
	fill(&own.tls.ca, "ssl-ca")
	fill(&own.tls.dir, "ssl-capath")
	fill(&own.tls.cert, "ssl-cert")
	fill(&own.tls.key, "ssl-key")
	if value, given := found["ssl"]; given {
		own.tls.wanted = own.tls.wanted || isOn(value)
	}
	if value, given := found["ssl-verify-server-cert"]; given && !own.tls.verifySaid {
		own.tls.verify = isOn(value)
	}
	own.port = 3306
	if value := found["port"]; value != "" {
		port, err := strconv.Atoi(value)
		if err != nil || port <= 0 || port > 65535 {
			return own, fmt.Errorf("%s: port = %s is none", strings.Join(o.paths, ", "), value)
		}
		own.port = port
	}
	return own, nil
}

// isOn reads a switch, which may stand alone.
func isOn(value string) bool {
	return !slices.Contains([]string{"0", "off", "false", "no"}, strings.ToLower(value))
}

// read reads one file with those that it includes. A later option overrides an earlier one.
func (o mysqlFiles) read(path string, found map[string]string, depth int) error {
	if depth > 10 {
		return fmt.Errorf("%s: option files include each other", path)
	}
	content, err := postfixcf.ReadOther(path)
	if err != nil {
		return err
	}
	counts := false
	lines := bufio.NewScanner(bytes.NewReader(content))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
		case strings.HasPrefix(line, "!includedir"):
			names, _ := filepath.Glob(filepath.Join(strings.TrimSpace(line[len("!includedir"):]), "*.cnf"))
			for _, name := range names {
				if err := o.read(name, found, depth+1); err != nil {
					return err
				}
			}
		case strings.HasPrefix(line, "!include"):
			if err := o.read(strings.TrimSpace(line[len("!include"):]), found, depth+1); err != nil {
				return err
			}
		case line[0] == '[':
			counts = slices.Contains(o.groups, strings.Trim(line, "[] \t"))
		case counts:
			name, value, _ := strings.Cut(line, "=")
			name = strings.ReplaceAll(strings.TrimSpace(name), "_", "-")
			found[strings.TrimPrefix(name, "loose-")] = mysqlValue(value)
		}
	}
	return lines.Err()
}

// mysqlValue is a value without the comment that may follow it, and without quotes.
func mysqlValue(text string) string {
	text = strings.TrimSpace(text)
	if len(text) > 1 && (text[0] == '\'' || text[0] == '"') {
		if end := strings.IndexByte(text[1:], text[0]); end >= 0 {
			return text[1 : 1+end]
		}
	}
	text, _, _ = strings.Cut(text, "#")
	return strings.TrimSpace(text)
}
