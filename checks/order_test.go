package checks

import (
	"encoding/base64"
	"testing"
)

// TestOrder has two checks object to one message: the first of them in the printed order answers.
func TestOrder(t *testing.T) {
	const tooLarge = "end 554 5.3.4 Maximum email size exceeded"
	hello := []string{"--content-definition=" + file(t, "c", "!activation 1\n1 hello\n")}
	cut := letter{header: []string{"Content-Type: multipart/mixed; boundary=b"}, body: "--b\r\n\r\nhello\r\n"}
	whole().play(t, nil, []scenario{
		{name: "hops before header-from", flags: []string{"--hops-max=1", "--header-from-list=static:REJECT"}, mail: letter{header: []string{"Received: x", "From: a@b.example"}}, said: "end 554 5.4.6 Mail loop detected"},
		{name: "size before content", flags: append(hello, "--size-max=10"), mail: letter{body: "hello hello\r\n"}, said: tooLarge},
		{name: "size before truncated", flags: []string{"--truncated=enforce", "--size-max=10"}, mail: cut, said: tooLarge},
		{name: "truncated before content", flags: append(hello, "--truncated=enforce"), mail: cut, said: "end 451 4.6.0 Message ended early"},
	})
}

// What asks lists is no reason to wait where a table has refused.
func TestOrderOfLists(t *testing.T) {
	world := newWorld()
	world.DNS, world.Lists, _ = names{"1.2.0.192.bl.example A": "127.0.0.2"}.serve(t)
	p, err := whole().build(world, "--rbl-zone=bl.example", "--rbl-untested-zone=bl.example", "--sender-block-list=static:REJECT")
	if err != nil {
		t.Fatal(err)
	}
	scenario{said: "rcpt 550 5.7.1 Administrative prohibition - envelope blocked"}.check(t, p)
}

// TestSignatureAndContent shares one walk over the message between two checks.
func TestSignatureAndContent(t *testing.T) {
	const contentRefused = "end 550 5.7.1 Message bounced due to Content Examination Policy"
	refused := func(name string) string {
		return "end 554 5.7.1 Email rejected due to security policies (" + name + ")"
	}
	attached := func(name, text string) letter {
		return letter{
			header: []string{"Content-Type: application/octet-stream", "Content-Transfer-Encoding: base64", "Content-Disposition: attachment; filename=\"" + name + "\""},
			body:   base64.StdEncoding.EncodeToString([]byte(text)) + "\r\n",
		}
	}
	byHash := "--signature-hashes=inline:{900150983cd24fb0d6963f7d28e17f72=Test.Abc}"
	byName := "--signature-names=inline:{{.scr=Screen saver}}"
	whole().play(t, nil, []scenario{
		{name: "before content", flags: []string{byHash, "--content-definition=" + file(t, "c", "!activation 1\n1 abc\n")}, mail: attached("a", "abc"), said: refused("Test.Abc")},
		{name: "content when there is no signature", flags: []string{byHash, "--content-definition=" + file(t, "c", "!activation 1\n1 abd\n")}, mail: attached("a", "abd"), said: "end 550 5.7.1 Message bounced due to Content Examination Policy"},
		{name: "content bypassed", flags: []string{byName, "--content-definition=" + file(t, "c", "!activation 1\n1 abd\n"), "--content-bypass=inline:{else.example=OK}"}, mail: attached("a.scr", "abd"), said: refused("Screen saver")},
		{name: "signature bypassed", flags: []string{byName, "--content-definition=" + file(t, "c", "!activation 1\n1 abd\n"), "--signature-bypass=inline:{else.example=OK}"}, mail: attached("a.scr", "abd"), said: "end 550 5.7.1 Message bounced due to Content Examination Policy"},
		{name: "no memory", flags: []string{"--truncated=off", byHash, "--content-definition=" + file(t, "c", "!activation 1\n1 abd\n"), "--content-memory=1"}, mail: attached("a", "abc"), events: "signature could not tell\ncontent could not tell"},
	})
}
