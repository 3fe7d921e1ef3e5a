package dialog

import (
	"fmt"
	"strings"

	"mailweir/test/testbed"
)

// peer is a server that mailweir asks, of a dialog's own.
type peer interface {
	// Stop ends it, Start starts it again as it was; Pause leaves its connections open and answers
	// nothing, until Resume.
	Stop() error
	Start()
	Pause()
	Resume()
	// Do carries out what its own client would be given: statements, entries.
	Do(text string) error
}

// peers start those that a dialog may need; what they say stands for the variables of its files.
var peers = map[string]func(testbed.TB) (p peer, variables []string){
	"clamd": func(tb testbed.TB) (peer, []string) {
		c := testbed.StartClamd(tb)
		return c, []string{"$CLAMD_TCP", c.TCP, "$CLAMD", c.Socket}
	},
	// One that reports what it has not scanned, and takes little.
	"strict-clamd": func(tb testbed.TB) (peer, []string) {
		c := testbed.StartClamd(tb, "AlertEncrypted yes", "AlertBrokenExecutables yes", "AlertExceedsMax yes", "ExtendedDetectionInfo yes",
			"MaxThreads 2", "MaxQueue 8", "StreamMaxLength 1M", "MaxFileSize 300K")
		return c, []string{"$STRICT_CLAMD", c.Socket}
	},
	"ldap": func(tb testbed.TB) (peer, []string) {
		s := testbed.StartSlapd(tb, "")
		return s, []string{"$LDAP_TLS", s.TLS, "$LDAPI", s.URL(), "$LDAP_CA", s.Authority, "$LDAP", s.Address}
	},
	"next-server": func(tb testbed.TB) (peer, []string) {
		s := testbed.StartNextServer(tb)
		return s, []string{"$NEXT", s.Address}
	},
	"lmtp": func(tb testbed.TB) (peer, []string) {
		m := testbed.StartMailboxes(tb)
		return m, []string{"$LMTP", m.LMTP}
	},
	"userdb": func(tb testbed.TB) (peer, []string) {
		m := testbed.StartMailboxes(tb)
		return m, []string{"$USERDB", m.Userdb}
	},
	"mariadb": func(tb testbed.TB) (peer, []string) {
		m := testbed.StartMariaDB(tb)
		return m, []string{"$MARIADB_SOCKET", m.Socket, "$MARIADB", m.Address}
	},
	"sqlite": func(tb testbed.TB) (peer, []string) {
		s := testbed.StartSQLite(tb)
		return s, []string{"$SQLITE", s.Path}
	},
	"tables": func(tb testbed.TB) (peer, []string) {
		t := testbed.StartTables(tb)
		return t, []string{"$TABLES", t.Address}
	},
	"postgres": func(tb testbed.TB) (peer, []string) {
		p := testbed.StartPostgres(tb)
		return p, []string{"$POSTGRES_SOCKET", p.Socket, "$POSTGRES", p.Address}
	},
	"rspamd": func(tb testbed.TB) (peer, []string) {
		r := testbed.StartRspamd(tb)
		return r, []string{"$RSPAMD_SOCKET", r.Socket, "$RSPAMD", r.Address}
	},
	"spamd": func(tb testbed.TB) (peer, []string) {
		s := testbed.StartSpamd(tb)
		return s, []string{"$SPAMD", s.Address}
	},
}

// peerActions are what a "peer" section may say.
var peerActions = []string{"do", "stop", "start", "pause", "resume"}

// startPeers starts those that the dialog needs and returns their variables.
func (r *run) startPeers(tb testbed.TB) []string {
	tb.Helper()
	r.peers = map[string]peer{}
	var variables []string
	for _, name := range r.script.Needs {
		if begin := peers[name]; begin != nil {
			p, own := begin(tb)
			r.peers[name] = p
			variables = append(variables, own...)
		}
	}
	return variables
}

// checkPeer looks at the words of a "peer" section.
func (s *Script) checkPeer(section *Section) error {
	name, action := section.Words[0], section.Words[1]
	switch {
	case peers[name] == nil || !includes(s.Needs, name):
		return fmt.Errorf("%d: no peer is named %q, or there is no line \"needs: %s\"", section.Line, name, name)
	case !includes(peerActions, action):
		return fmt.Errorf("%d: a peer can %s", section.Line, strings.Join(peerActions, ", "))
	}
	return nil
}

// peer does what a "peer" section says.
func (r *run) peer(s *Section) error {
	p := r.peers[s.Words[0]]
	switch s.Words[1] {
	case "do":
		return p.Do(r.vars.Replace(s.text()))
	case "stop":
		return p.Stop()
	case "start":
		p.Start()
	case "pause":
		p.Pause()
	case "resume":
		p.Resume()
	}
	return nil
}
