package checks

import (
	"testing"

	"mailweir/internal/policytest"
)

// TestOrder has two checks object to one message: the first of them in the printed order answers.
func TestOrder(t *testing.T) {
	const tooLarge = "end 554 5.3.4 Maximum email size exceeded"
	hello := []string{"--content-definition=" + policytest.File(t, "c", "!activation 1\n1 hello\n")}
	cut := policytest.Letter{Header: []string{"Content-Type: multipart/mixed; boundary=b"}, Body: "--b\r\n\r\nhello\r\n"}
	whole().Play(t, nil, []policytest.Scenario{
		{Name: "hops before header-from", Flags: []string{"--hops-max=1", "--header-from-list=static:REJECT"}, Mail: policytest.Letter{Header: []string{"Received: x", "From: a@b.example"}}, Said: "end 554 5.4.6 Mail loop detected"},
		{Name: "size before content", Flags: append(hello, "--size-max=10"), Mail: policytest.Letter{Body: "hello hello\r\n"}, Said: tooLarge},
		{Name: "size before truncated", Flags: []string{"--truncated=enforce", "--size-max=10"}, Mail: cut, Said: tooLarge},
		{Name: "truncated before content", Flags: append(hello, "--truncated=enforce"), Mail: cut, Said: "end 451 4.6.0 Message ended early"},
	})
}

// What asks lists is no reason to wait where a table has refused.
func TestOrderOfLists(t *testing.T) {
	world := policytest.NewWorld()
	world.DNS, world.Lists, _ = policytest.Names{"1.2.0.192.bl.example A": "127.0.0.2"}.Serve(t)
	p, err := whole().Build(world, "--rbl-zone=bl.example", "--rbl-untested-zone=bl.example", "--sender-block-list=static:REJECT")
	if err != nil {
		t.Fatal(err)
	}
	policytest.Scenario{Said: "rcpt 550 5.7.1 Administrative prohibition - envelope blocked"}.Check(t, p)
}

// TestSignatureAndContent shares one walk over the message between two checks.
func TestSignatureAndContent(t *testing.T) {
	refused := func(name string) string {
		return "end 554 5.7.1 Email rejected due to security policies (" + name + ")"
	}
	byHash := "--signature-hashes=inline:{900150983cd24fb0d6963f7d28e17f72=Test.Abc}"
	byName := "--signature-names=inline:{{.scr=Screen saver}}"
	whole().Play(t, nil, []policytest.Scenario{
		{Name: "before content", Flags: []string{byHash, "--content-definition=" + policytest.File(t, "c", "!activation 1\n1 abc\n")}, Mail: policytest.Attachment("a", "abc"), Said: refused("Test.Abc")},
		{Name: "content when there is no signature", Flags: []string{byHash, "--content-definition=" + policytest.File(t, "c", "!activation 1\n1 abd\n")}, Mail: policytest.Attachment("a", "abd"), Said: "end 550 5.7.1 Message bounced due to Content Examination Policy"},
		{Name: "content bypassed", Flags: []string{byName, "--content-definition=" + policytest.File(t, "c", "!activation 1\n1 abd\n"), "--content-bypass=inline:{else.example=OK}"}, Mail: policytest.Attachment("a.scr", "abd"), Said: refused("Screen saver")},
		{Name: "signature bypassed", Flags: []string{byName, "--content-definition=" + policytest.File(t, "c", "!activation 1\n1 abd\n"), "--signature-bypass=inline:{ {else.example=OK unverified} }"}, Mail: policytest.Attachment("a.scr", "abd"), Said: "end 550 5.7.1 Message bounced due to Content Examination Policy"},
		{Name: "no memory", Flags: []string{"--truncated=off", byHash, "--content-definition=" + policytest.File(t, "c", "!activation 1\n1 abd\n"), "--content-memory=1"}, Mail: policytest.Attachment("a", "abc"), Events: "signature check_error\ncontent check_error"},
	})
}
