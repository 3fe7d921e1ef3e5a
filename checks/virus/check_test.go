package virus

import (
	"slices"
	"strings"
	"testing"

	"mailweir/internal/clamd/clamdtest"
	"mailweir/internal/policytest"
)

const (
	refused  = "end 554 5.7.1 Email rejected due to security policies (Test.Virus.UNOFFICIAL)"
	deferred = "end 451 4.3.0 Unable to process email at this time"
	infected = "hello " + clamdtest.Virus + "\r\n"
)

func unscanned(name string) string {
	return "end 554 5.7.1 Email rejected due to security policies (" + name + ")"
}

// broken is a scanner that cannot scan.
func broken() *clamdtest.Fake {
	return &clamdtest.Fake{Answer: "stream: Can't allocate memory ERROR\x00"}
}

func says(signature string) *clamdtest.Fake {
	return &clamdtest.Fake{Answer: "stream: " + signature + " FOUND\x00"}
}

func TestVirus(t *testing.T) {
	large := policytest.Letter{Body: strings.Repeat("0123456789abcd\r\n", 10_000)}
	largeVirus := policytest.Letter{Body: infected + large.Body}
	virusBehind := policytest.Letter{Body: large.Body + infected}
	small := "--virus-max-size=64KiB"
	out := func(to ...string) policytest.Letter { return policytest.Letter{Login: "alice", To: to} }
	const ours, elsewhere = "user@ours.example", "user@else.example"
	for _, c := range []struct {
		policytest.Scenario
		fake *clamdtest.Fake
	}{
		{policytest.Scenario{Name: "clean"}, nil},
		{policytest.Scenario{Name: "infected", Mail: policytest.Letter{Body: infected}, Said: refused, Cause: ": Test.Virus.UNOFFICIAL, 27 octets in "}, nil},
		{policytest.Scenario{Name: "in the header", Mail: policytest.Letter{Header: []string{"Subject: " + clamdtest.Virus}}, Said: refused}, nil},
		{policytest.Scenario{Name: "outbound", Mail: policytest.Letter{Login: "alice", To: []string{elsewhere}, Body: infected}, Said: refused}, nil},
		{policytest.Scenario{Name: "local submission", Mail: policytest.Letter{Client: "none", To: []string{elsewhere}, Body: infected}, Said: refused}, nil},
		{policytest.Scenario{Name: "re-injected", Mail: policytest.Letter{Door: "10026", Body: infected}}, nil},
		{policytest.Scenario{Name: "permits let none past", Flags: []string{
			"--permit-clients=inline:{192.0.2.1=OK}", "--permit-senders=inline:{{sender@else.example=OK unverified}}", "--inbound-relays=inline:{192.0.2.1=x}",
		}, Mail: policytest.Letter{Body: infected}, Said: refused}, nil},
		{policytest.Scenario{Name: "nor is postmaster", Mail: policytest.Letter{To: []string{"postmaster@ours.example"}, Body: infected}, Said: refused}, nil},
		{policytest.Scenario{Name: "monitored", Flags: []string{"--virus=monitor"}, Mail: policytest.Letter{Body: infected}, Events: "virus would_refuse"}, nil},
		{policytest.Scenario{Name: "deferred", Flags: []string{"--virus=defer"}, Mail: policytest.Letter{Body: infected}, Said: "end 451 4.7.1 Email rejected due to security policies (Test.Virus.UNOFFICIAL)"}, nil},
		{policytest.Scenario{Name: "pilot, one is not in it", Flags: []string{"--enforce-for=inline:{user@ours.example=x}"}, Mail: policytest.Letter{To: []string{ours, "b@ours.example"}, Body: infected}, Events: "virus would_refuse"}, nil},
		{policytest.Scenario{Name: "pilot, all are in it", Flags: []string{"--enforce-for=inline:{user@ours.example=x}"}, Mail: policytest.Letter{Body: infected}, Said: refused}, nil},
		{policytest.Scenario{Name: "name that no line may have", Said: unscanned("Evil (x) (mw-12345678) ?y")}, says("Evil\t[x] [mw-12345678]\r\xffy")},

		{policytest.Scenario{Name: "scanner fails", Said: deferred, Cause: "Can't allocate memory"}, broken()},
		{policytest.Scenario{Name: "scanner fails, accept", Flags: []string{"--virus-on-error=accept"}, Events: "virus check_error"}, broken()},
		{policytest.Scenario{Name: "outbound deferred", Flags: []string{"--virus-on-error=accept", "--virus-on-error-outbound=defer"}, Mail: out(elsewhere), Said: deferred}, broken()},
		{policytest.Scenario{Name: "inbound beside it", Flags: []string{"--virus-on-error=accept", "--virus-on-error-outbound=defer"}, Events: "virus check_error"}, broken()},
		{policytest.Scenario{Name: "outbound accepted", Flags: []string{"--virus-on-error-outbound=accept"}, Mail: out(elsewhere), Events: "virus check_error"}, broken()},
		{policytest.Scenario{Name: "internal is not outbound", Flags: []string{"--virus-on-error-outbound=accept"}, Mail: out(ours), Said: deferred}, broken()},
		{policytest.Scenario{Name: "mixed, outbound accepted", Flags: []string{"--virus-on-error-outbound=accept"}, Mail: out(elsewhere, ours), Said: deferred}, broken()},
		{policytest.Scenario{Name: "mixed, outbound deferred", Flags: []string{"--virus-on-error=accept", "--virus-on-error-outbound=defer"}, Mail: out(ours, elsewhere), Said: deferred}, broken()},
		{policytest.Scenario{Name: "mixed, both accepted", Flags: []string{"--virus-on-error=accept", "--virus-on-error-outbound=accept"}, Mail: out(ours, elsewhere), Events: "virus check_error"}, broken()},
		{policytest.Scenario{Name: "unnamed signature", Said: deferred, Cause: "without a name"}, says("(null)")},

		{policytest.Scenario{Name: "too large", Flags: []string{small}, Mail: large, Reached: "limits reached: SCANNER: only the first 65536 octets were scanned"}, nil},
		{policytest.Scenario{Name: "too large, reject", Flags: []string{small, "--virus-oversize=reject"}, Mail: large, Said: unscanned("Too large to scan"), Cause: "160002 octets, more than --virus-max-size=64KiB"}, nil},
		{policytest.Scenario{Name: "just as large as may be", Flags: []string{small, "--virus-oversize=reject"}, Mail: policytest.Letter{Body: large.Body[:65_534]}}, nil},
		{policytest.Scenario{Name: "just as large, with a virus", Flags: []string{small}, Mail: policytest.Letter{Body: large.Body[:65_534-len(infected)] + infected}, Said: refused}, nil},
		{policytest.Scenario{Name: "too large by one octet", Flags: []string{small, "--virus-oversize=reject"}, Mail: policytest.Letter{Body: large.Body[:65_535]}, Said: unscanned("Too large to scan"), Cause: "65537 octets, more than --virus-max-size=64KiB"}, nil},
		{policytest.Scenario{Name: "too large by one octet, accept", Flags: []string{small}, Mail: policytest.Letter{Body: large.Body[:65_535]}, Reached: "limits reached: SCANNER: only the first 65536 octets were scanned"}, nil},
		{policytest.Scenario{Name: "just as large as is ever sent", Flags: []string{"--virus-oversize=reject"}, Mail: policytest.Letter{Body: strings.Repeat("x", maxSent-2)}, Said: unscanned("Too large to scan"), Cause: "and more follows"}, nil},
		{policytest.Scenario{Name: "too large for the scanner, reject", Flags: []string{"--virus-oversize=reject"}, Mail: large, Said: unscanned("Too large to scan")}, &clamdtest.Fake{MaxSize: 100_000}},
		{policytest.Scenario{Name: "a virus in what is scanned", Flags: []string{small}, Mail: largeVirus, Said: refused}, nil},
		{policytest.Scenario{Name: "a virus behind it", Flags: []string{small}, Mail: virusBehind, Reached: "limits reached: SCANNER: only the first 65536 octets were scanned"}, nil},
		{policytest.Scenario{Name: "limit of the scanner", Reached: "limits reached: SCANNER: Heuristics.Limits.Exceeded.MaxFileSize"}, says("Heuristics.Limits.Exceeded.MaxFileSize")},
		{policytest.Scenario{Name: "limit of the scanner, reject", Flags: []string{"--virus-oversize=reject"}, Said: unscanned("Heuristics.Limits.Exceeded.MaxFileSize"), Cause: "--virus-oversize=reject"}, says("Heuristics.Limits.Exceeded.MaxFileSize")},
		{policytest.Scenario{Name: "encrypted", Flags: []string{"--virus-broken=reject"}, Reached: "limits reached: SCANNER: Heuristics.Encrypted.Zip"}, says("Heuristics.Encrypted.Zip")},
		{policytest.Scenario{Name: "encrypted, reject", Flags: []string{"--virus-encrypted=reject"}, Said: unscanned("Heuristics.Encrypted.Zip")}, says("Heuristics.Encrypted.Zip")},
		{policytest.Scenario{Name: "encrypted, reject, monitored", Flags: []string{"--virus-encrypted=reject", "--virus=monitor"}, Events: "virus would_refuse"}, says("Heuristics.Encrypted.Zip")},
		{policytest.Scenario{Name: "broken", Flags: []string{"--virus-encrypted=reject"}, Reached: "limits reached: SCANNER: Heuristics.Broken.Executable"}, says("Heuristics.Broken.Executable")},
		{policytest.Scenario{Name: "broken, reject", Flags: []string{"--virus-broken=reject"}, Said: unscanned("Heuristics.Broken.Executable")}, says("Heuristics.Broken.Executable")},
		{policytest.Scenario{Name: "broken and too large", Flags: []string{small}, Mail: large, Reached: "limits reached: SCANNER: Heuristics.Broken.X, SCANNER: only the first 65536 octets were scanned"}, says("Heuristics.Broken.X")},
		{policytest.Scenario{Name: "heuristics of the scanner's own", Flags: []string{}, Said: unscanned("Heuristics.OLE2.ContainsMacros")}, says("Heuristics.OLE2.ContainsMacros")},
	} {
		t.Run(c.Name, func(t *testing.T) {
			if c.fake == nil {
				c.fake = &clamdtest.Fake{}
			}
			f := clamdtest.Start(t, c.fake)
			c.Reached = strings.ReplaceAll(c.Reached, "SCANNER", f.Spec())
			p, err := policytest.Only(Check).Build(policytest.NewWorld(), append(c.Flags, "--virus-scanner="+f.Spec())...)
			if err != nil {
				t.Fatal(err)
			}
			c.Check(t, p)
		})
	}
}

// Bad values get an error that names the flag.
func TestBuildErrors(t *testing.T) {
	const scanner = "--virus-scanner=clamd:unix:/run/clamd.ctl"
	for _, c := range []struct{ flags, want string }{
		{"--virus-scanner=/run/clamd.ctl", "--virus-scanner: \"/run/clamd.ctl\": the only scanner that is known is clamd"},
		{scanner + " " + scanner, "--virus-scanner: \"clamd:unix:/run/clamd.ctl\" is given twice"},
		{scanner + " --virus-oversize=defer", "--virus-oversize: \"defer\" is neither accept nor reject"},
		{scanner + " --virus-encrypted=yes", "--virus-encrypted: \"yes\" is neither"},
		{scanner + " --virus-broken=no", "--virus-broken: \"no\" is neither"},
		{scanner + " --virus-on-error-outbound=refuse", "--virus-on-error-outbound: \"refuse\" is neither accept nor defer"},
		{scanner + " --virus-max-size=1KiB", "--virus-max-size: 1KiB is too little"},
	} {
		_, err := policytest.Only(Check).Build(policytest.NewWorld(), strings.Fields(c.flags)...)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v", c.flags, err)
		}
	}
}

// Without scanners nothing is kept and nothing asked, and the check says why.
func TestOff(t *testing.T) {
	f := clamdtest.Start(t, &clamdtest.Fake{})
	for _, c := range []struct {
		flags []string
		tried bool // by explain --no-scanners
		want  string
	}{
		{nil, false, "no --virus-scanner"},
		{[]string{"--virus-scanner=" + f.Spec()}, true, "--no-scanners"},
	} {
		world := policytest.NewWorld()
		world.NoScanners = c.tried
		p, err := policytest.Only(Check).Build(world, c.flags...)
		if err != nil {
			t.Fatal(err)
		}
		if off := p.Checks()[1].Off; off != c.want {
			t.Errorf("off: %q, want %q", off, c.want)
		}
		policytest.Scenario{Mail: policytest.Letter{Body: infected}}.Check(t, p)
	}
	if len(f.Seen()) > 0 {
		t.Error("the scanner was asked")
	}
}

// What could not be kept is no fault of the scanner, and no way past it: the message is deferred
// whatever --virus-on-error says.
func TestSpoolIsFull(t *testing.T) {
	f := clamdtest.Start(t, &clamdtest.Fake{})
	policytest.Only(Check).Play(t, []string{"--virus-scanner=" + f.Spec(), "--scan-spool-max=100KiB"}, []policytest.Scenario{
		{Name: "deferred", Mail: policytest.Letter{Body: strings.Repeat("0123456789abcd\r\n", 10_000)}, Said: deferred, Cause: "--scan-spool-max"},
		{Name: "not accepted", Flags: []string{"--virus-on-error=accept"}, Mail: policytest.Letter{Body: strings.Repeat("0123456789abcd\r\n", 10_000)}, Said: deferred},
		{Name: "header too long", Flags: []string{"--virus-on-error=accept"}, Mail: policytest.Letter{Header: slices.Repeat([]string{"X: y"}, 10_001), Body: infected}, Said: deferred, Cause: "header section is too long"},
		{Name: "monitored", Flags: []string{"--virus=monitor"}, Mail: policytest.Letter{Header: slices.Repeat([]string{"X: y"}, 10_001)}, Events: "virus would_refuse"},
		{Name: "small", Mail: policytest.Letter{Body: infected}, Said: refused},
	})
	if n := len(f.Seen()); n != 1 {
		t.Errorf("%d messages were shown", n)
	}
}
