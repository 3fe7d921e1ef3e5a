package ldap

import (
	"errors"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	ldaplib "github.com/go-ldap/ldap/v3"

	"mailweir/internal/backend"
	"mailweir/internal/table/expand"
	"mailweir/internal/table/postfixcf"
)

// settings are what a file says (ldap_table(5)).
type settings struct {
	servers     []*server
	timeout     time.Duration // of everything that one server is asked for one key
	scope       int
	dereference int

	domains *expand.Domains
	base    expand.Query
	filter  expand.Query
	rules
	bind     bind
	startTLS bool
	tls      tlsFiles
}

// bind says how a connection begins.
type bind struct {
	how          bindKind
	dn, password string
}

type bindKind int

const (
	bindNone bindKind = iota
	bindSimple
	bindExternal
)

// String says who we are to a server.
func (b bind) String() string {
	switch {
	case b.how == bindExternal:
		return "SASL EXTERNAL"
	case b.how == bindNone || b.dn == "":
		return "anonymous"
	}
	return b.dn
}

// read reads a file. It names what Postfix would fail at for every key, or pass over.
func read(f *postfixcf.File) *settings {
	s := &settings{timeout: f.Seconds("timeout", 10*time.Second)}
	if s.timeout == 0 {
		f.Errorf("timeout", "no server answers within 0 seconds")
	}
	s.readServers(f)
	s.readTemplates(f)
	s.readAttributes(f)
	s.readBind(f)
	s.readTLS(f)
	s.readSearch(f)
	s.checkClearText(f)
	f.Known("debuglevel", "tls_random_file")
	for _, name := range []string{"cache", "cache_expiry", "cache_size"} {
		if f.Has(name) {
			f.Remarkf(name, "%s is ignored, as Postfix does; how long answers are kept is --table-cache", name)
		}
	}
	return s
}

func (s *settings) readServers(f *postfixcf.File) {
	port := f.Int("server_port", 389, 0, 65535)
	words, ok := f.Servers("server_host", "write them as bind_dn = … and bind_pw = …", "ldapi://")
	if !ok {
		return
	}
	if !f.Has("server_host") {
		words = []string{"localhost"}
	}
	if len(words) == 0 {
		f.Errorf("server_host", "no server is named; leave the line out for localhost")
	}
	for _, word := range words {
		server, err := parseServer(word, port)
		if err != nil {
			f.Errorf("server_host", "%w", err)
			continue
		}
		s.servers = append(s.servers, server)
	}
}

// parseServer reads a URL, or HOST or HOST:PORT.
func parseServer(word string, port int) (*server, error) {
	if strings.Contains(word, "@") { // what stands before it may be a password
		return nil, errors.New("a server has a name or a password in it; write ldap://HOST, and bind_dn and bind_pw as lines of their own")
	}
	if !strings.Contains(word, "://") {
		if !strings.Contains(strings.TrimPrefix(word, "["), ":") {
			word += ":" + strconv.Itoa(port)
		}
		word = "ldap://" + word
	}
	scheme, r, err := parseURL(word)
	if err != nil {
		return nil, err
	}
	s := &server{name: scheme + "://" + r.host, network: "tcp", host: r.host, secure: scheme == "ldaps"}
	if scheme == "ldapi" {
		s.network, s.host, s.address = "unix", "", r.host
		if s.address == "" && r.base != "" {
			s.address = "/" + r.base // ldapi:///run/slapd/ldapi
		}
		if s.address == "" {
			s.address = "/var/run/slapd/ldapi"
		}
		s.name = "ldapi://" + s.address
		return s, nil
	}
	if s.host == "" {
		s.host = "localhost"
	}
	if r.port == "" || r.port == "0" {
		r.port = map[string]string{"ldap": "389", "ldaps": "636"}[scheme]
	}
	s.address = net.JoinHostPort(s.host, r.port)
	s.name = scheme + "://" + s.address
	return s, nil
}

func (s *settings) readTemplates(f *postfixcf.File) {
	var set expand.Set
	var err error
	if !f.Has("search_base") {
		f.Errorf("search_base", "is missing: say below which entry to search, or leave it empty for the root")
	}
	if s.base, err = set.Query(f.String("search_base", "")); err != nil {
		f.Errorf("search_base", "%w", err)
	}
	text := f.String("query_filter", "(mailacceptinggeneralid=%s)")
	if s.filter, err = set.Query(text); err != nil {
		f.Errorf("query_filter", "%w", err)
	} else if sample, ok := s.filter.Expand("user@a.b.c.d.e.f.g.h.i", quoteFilter); ok {
		if _, err := normalFilter(sample); err != nil {
			f.Errorf("query_filter", "%q is no search filter: %w", text, err)
		}
	}
	if err == nil && s.filter.Fixed() {
		f.Remarkf("query_filter", "query_filter is the same for every key: it needs %%s, or another part of the key")
	}
	name := "result_format"
	format := f.String(name, "")
	if old := f.String("result_filter", "%s"); format == "" {
		name, format = "result_filter", old
	}
	if format == "" {
		f.Errorf(name, "is empty")
	}
	if s.result, err = set.Result(format); err != nil {
		f.Errorf(name, "%w", err)
	}
	if s.domains, err = expand.OpenDomains(f.String("domain", "")); err != nil {
		f.Errorf("domain", "%w", err)
	}
}

func (s *settings) readAttributes(f *postfixcf.File) {
	ordinary := f.List("result_attribute")
	if !f.Has("result_attribute") {
		ordinary = []string{"maildrop"}
	}
	s.names = f.List("terminal_result_attribute")
	s.terminal = len(s.names)
	s.names = append(s.names, f.List("leaf_result_attribute")...)
	s.leaf = len(s.names)
	s.names = append(s.names, ordinary...)
	s.ordinary = len(s.names)
	s.names = append(s.names, f.List("special_result_attribute")...)
	if s.ordinary == 0 {
		f.Remarkf("result_attribute", "no attribute is asked for: nothing will ever be found")
	}
	const most = 1<<31 - 1
	s.recursionLimit = f.Int("recursion_limit", 1000, 1, most)
	s.expansionLimit = f.Int("expansion_limit", 0, 0, most)
	s.sizeLimit = f.Int("size_limit", s.expansionLimit, 0, most)
}

func (s *settings) readSearch(f *postfixcf.File) {
	word := f.String("scope", "sub")
	switch strings.ToLower(word) {
	case "sub", "one", "base":
		s.scope, _ = scopeOf(word)
	case "":
		f.Errorf("scope", "is empty; want sub, one or base")
	default:
		s.scope = ldaplib.ScopeWholeSubtree
		f.Remarkf("scope", "the scope %q is unknown: sub is used, as Postfix does; want sub, one or base", word)
	}
	if s.dereference = f.Int("dereference", 0, -1<<31, 1<<31-1); s.dereference < 0 || s.dereference > 3 {
		f.Remarkf("dereference", "dereference is 0 to 3: 0 is used, as Postfix does")
		s.dereference = 0
	}
	if version := f.Int("version", 3, 2, 1<<31-1); version != 3 {
		f.Remarkf("version", "version 3 of LDAP is spoken, not %d", version)
	}
	if f.Bool("chase_referrals", false) {
		f.Errorf("chase_referrals", "is not supported: Postfix finds nothing where the other server does not answer; name the servers that hold the entries")
	}
}

func (s *settings) readBind(f *postfixcf.File) {
	s.bind = bind{how: bindSimple, dn: f.String("bind_dn", ""), password: f.Secret("bind_pw")}
	word := strings.ToLower(f.String("bind", "yes"))
	switch word {
	case "no", "none":
		s.bind.how = bindNone
	case "yes", "simple":
		if s.bind.dn != "" && s.bind.password == "" {
			f.Errorf("bind_dn", "there is no bind_pw: servers take a name without a password for nobody, or refuse it")
		}
	case "sasl":
		s.bind.how = bindExternal
	default:
		f.Errorf("bind", "%q is unknown; want yes (simple), no (none) or sasl", word)
	}
	mechanisms := f.List("sasl_mechs")
	f.Known("sasl_realm")
	if authz, minimum := f.String("sasl_authz_id", ""), f.Int("sasl_minssf", 0, 0, 4096); s.bind.how == bindExternal {
		switch {
		case len(mechanisms) == 0:
			f.Errorf("bind", "sasl is supported with sasl_mechs = EXTERNAL only")
		case slices.ContainsFunc(mechanisms, func(m string) bool { return !strings.EqualFold(m, "EXTERNAL") }):
			f.Errorf("sasl_mechs", "is supported with EXTERNAL only; bind = yes needs a name and a password")
		case authz != "":
			f.Errorf("sasl_authz_id", "is not supported")
		case minimum > 0:
			f.Errorf("sasl_minssf", "is not supported; use ldaps:// with tls_require_cert = yes")
		}
	}
}

func (s *settings) readTLS(f *postfixcf.File) {
	s.startTLS = f.Bool("start_tls", false)
	s.tls = tlsFiles{
		verify: f.Bool("tls_require_cert", false),
		caFile: f.String("tls_ca_cert_file", ""), caDir: f.String("tls_ca_cert_dir", ""),
		cert: f.String("tls_cert", ""), key: f.String("tls_key", ""),
	}
	if f.String("tls_cipher_suite", "") != "" {
		f.Remarkf("tls_cipher_suite", "tls_cipher_suite is ignored: TLS 1.2 or later is spoken, with suites that are taken for safe")
	}
	used := s.startTLS
	for _, server := range s.servers {
		if server.secure && s.startTLS {
			f.Errorf("start_tls", "does not go with ldaps://: %s is encrypted from the start", server.name)
			return
		}
		used = used || server.secure
	}
	if !used {
		return
	}
	for name, path := range map[string]string{"tls_ca_cert_file": s.tls.caFile, "tls_ca_cert_dir": s.tls.caDir} {
		if _, err := os.Stat(path); path != "" && err != nil {
			f.Errorf(name, "%w", err)
		}
	}
	if _, err := s.tls.roots(); err != nil && s.tls.verify {
		name := "tls_ca_cert_file"
		if s.tls.caFile == "" {
			name = "tls_ca_cert_dir"
		}
		f.Errorf(name, "%w", err)
	}
	if (s.tls.cert == "") != (s.tls.key == "") {
		f.Errorf("tls_cert", "a certificate needs its key, and a key its certificate: set both tls_cert and tls_key")
	} else if _, err := s.tls.certificates(); err != nil {
		f.Errorf("tls_cert", "%w", err)
	}
}

// checkClearText remarks on a password that others may read.
func (s *settings) checkClearText(f *postfixcf.File) {
	if s.bind.how != bindSimple || s.bind.password == "" {
		return
	}
	for _, server := range s.servers {
		switch {
		case server.network == "unix" || backend.Loopback(server.host):
		case !server.secure && !s.startTLS:
			f.Remarkf("bind_pw", "the password goes to %s in clear text; use ldaps:// or start_tls = yes", server.name)
		case !s.tls.verify:
			f.Remarkf("bind_pw", "the password goes to whoever answers as %s: its certificate is not looked at; set tls_require_cert = yes", server.name)
		}
	}
}
