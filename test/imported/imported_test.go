package imported

import (
	"testing"

	"mailweir/test/testbed"
)

// TestImported imports five configurations as they have grown in many years, each of another kind
// of house, and compares what their mail server decides before and after.
func TestImported(t *testing.T) {
	needed(t)
	binary := testbed.BuildMailweir(t)
	for _, c := range []configuration{
		{
			name: "debian", postscreen: true, seed: 1, random: 150, peers: greylisting, before: postgrey,
			table: "postfix/sender_access", entry: "pills4you.example\t\tREJECT we are healthy, thanks\n", instead: "pills5you.example\t\tREJECT\n",
		},
		{
			name: "iredmail", postscreen: true, seed: 2, random: 150, peers: harbour,
			table: "postfix/sender_access.pcre", entry: "/@mailer\\d+\\.example$/              REJECT Bulk\n", instead: "/@mailer\\d+\\.example$/ REJECT\n",
		},
		{
			name: "dockermail", postscreen: true, seed: 3, random: 150, peers: orchard, before: rspamd, beside: scanner,
			table: "postfix/maps/sender_access.pcre", entry: "/^[a-f0-9]{16}@/                         REJECT\n", instead: "/^[a-f0-9]{17}@/ REJECT\n",
		},
		{
			name: "isp", seed: 4, random: 250,
			table: "postfix/access/senders", entry: "phisher@bank.example    REJECT Forged\n", instead: "fisher@bank.example REJECT\n",
		},
		{
			name: "company", seed: 5, random: 200,
			table: "postfix/header_checks", entry: "/^From:.*@.*\\.casino/                           REJECT\n", instead: "/^From:.*@.*\\.kasino/ REJECT\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, c, binary)
			t.Run("report", func(t *testing.T) { t.Parallel(); b.report(t) })
			t.Run("decisions", func(t *testing.T) { t.Parallel(); b.decisions(t) })
		})
	}
}
