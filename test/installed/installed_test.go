package installed_test

import (
	"strings"
	"testing"

	"mailweir/test/installed"
)

// TestMachine sees that both machines are whole: their MTA answers clients of any address.
func TestMachine(t *testing.T) {
	for mta, unit := range map[string]string{"postfix": "postfix@-.service", "sendmail": "sendmail.service"} {
		t.Run(mta, func(t *testing.T) {
			m := installed.Boot(t, mta)
			c := m.Talk(t, "192.0.2.7")
			for _, say := range []struct{ command, want string }{
				{"EHLO client.example", "250"},
				{"MAIL FROM:<a@b.example>", "250"},
				{"RCPT TO:<root@mx.test.example>", "250"},
				{"RCPT TO:<other@elsewhere.example>", "4,5"}, // a foreign client may not relay
			} {
				reply, err := c.Ask(say.command)
				if err != nil || !strings.ContainsAny(reply.Code()[:1], say.want) {
					t.Fatalf("%s: %q, %v", say.command, reply, err)
				}
			}
			m.Write(t, "/srv/a/b", "hello\n", 0o640)
			if got := m.Must(t, "stat -c %a /srv/a/b; cat /srv/a/b"); got != "640\nhello\n" {
				t.Errorf("written: %q", got)
			}
			if got := m.Run(t, "sh", "-c", "echo out; echo err >&2; exit 3"); got != (installed.Result{Stdout: "out\n", Stderr: "err\n", Exit: 3}) {
				t.Errorf("run: %+v", got)
			}
			m.AwaitJournal(t, unit, "192.0.2.7")
		})
	}
}
