package replay

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"mailweir/internal/policytest"
)

// everything is a policy of nearly all checks.
var everything = []string{
	"--local-domains=inline:{ours.example=x}", "--rbl-zone=bl.example", "--greylist=enforce", "--tempblock=enforce", "--reputation=enforce",
	"--lockout=enforce", "--rcpt-limit=enforce", "--rcpt-limit-max=3", "--sender-block-list=inline:{bad@else.example=REJECT}",
	"--permit-senders=inline:{friend@spf.example=OK}", "--client-block-list=inline:{192.0.2.9=REJECT}", "--hops-max=3",
	"--header-from-list=inline:{evil@else.example=REJECT}", "--recipient-source=*=inline:{a@ours.example=x,b@ours.example=x}",
	"--size-max=1000", "--outbound-limit=enforce", "--outbound-limit-rate=3/1h", "--concurrency=enforce",
}

var zone = names{
	reversed("192.0.2.2", "bl.example"): "127.0.0.2",
	"TXT spf.example":                   `"v=spf1 ip4:192.0.2.3 ip4:192.0.2.2 -all"`,
}

func anyLetter() *rapid.Generator[policytest.Letter] {
	return rapid.Custom(func(t *rapid.T) policytest.Letter {
		pick := func(label string, from ...string) string { return rapid.SampledFrom(from).Draw(t, label) }
		l := policytest.Letter{
			Client: pick("client", "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.9", "127.0.0.1", "none"),
			Helo:   "helo.example", Login: pick("login", "", "", "", "bob@ours.example"),
			From: pick("from", "<>", "a@else.example", "bad@else.example", "friend@spf.example", "x@ours.example"),
			To:   rapid.SliceOfN(rapid.SampledFrom([]string{"a@ours.example", "b@ours.example", "nobody@ours.example", "x@third.example", "postmaster"}), 1, 5).Draw(t, "to"),
			Size: rapid.SampledFrom([]int64{0, 500, 5000}).Draw(t, "size"),
			Body: pick("body", "hello", strings.Repeat("x", 2000)),
			Header: []string{
				"From: " + pick("author", "a@else.example", "evil@else.example", "friend@spf.example"), "Subject: hello", "Message-Id: <1@else.example>",
			},
		}
		for range rapid.IntRange(0, 4).Draw(t, "hops") {
			l.Header = append(l.Header, "Received: x")
		}
		return l
	})
}

// Under the policy that judged then, nothing changes, whatever came in whatever order.
func TestSamePolicyChangesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRecorder(t, zone, everything...)
		for i := range rapid.IntRange(1, 12).Draw(rt, "letters") {
			r.clock.Move(time.Duration(rapid.IntRange(0, 3600).Draw(rt, fmt.Sprint("pause ", i))) * time.Second)
			r.send(anyLetter().Draw(rt, "letter"))
		}
		sums, all := r.replay(t, everything...)
		if sums.changed() > 0 || sums.Kinds[CannotTell] > 0 {
			var lines []string
			for _, one := range all {
				lines = append(lines, lineOf(one))
			}
			rt.Fatalf("%+v\n%s", sums, strings.Join(lines, "\n"))
		}
	})
}
