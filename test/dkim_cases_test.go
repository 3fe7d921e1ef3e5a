package test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"mailweir/internal/mailauth/dkimtest"
)

// dkimCase is a signed message with the keys that are in the DNS for it.
type dkimCase struct {
	name    string
	text    string
	records []string // TXT records at the key's name
	alias   bool     // the key's name is an alias of the one with the records
	valid   bool
	// Why a verifier says something else than we do, "" if it does not; "any: …" if it may.
	openDKIM, dkimpy string
}

// dkimKeys are the keys that the cases are signed with.
type dkimKeys struct{ rsa, other, ed dkimtest.Key }

const dkimDate = "Date:  Mon, 23 Nov 2026 12:00:00 +0000\r\n" // OpenDKIM wants one

// dkimSpecial are messages that are odd in one way each.
func dkimSpecial(t *testing.T, k dkimKeys) (cases []dkimCase) {
	const plain = "From: alice@one.example\r\n" + dkimDate + "Subject: hello\r\nX-A: 1\r\nX-A: 2\r\n\r\nhello\r\n"
	const end = "h=from:subject; bh=BH; b=SIGNATURE"
	record := k.rsa.Record()
	add := func(c dkimCase, field string) {
		selector := fmt.Sprintf("s%d", len(cases))
		if c.text == "" {
			c.text = plain
		}
		c.text = k.rsa.Sign(t, c.text, " v=1; a=rsa-sha256; d=one.example; s="+selector+"; "+field)
		if c.records == nil {
			c.records = []string{record}
		}
		cases = append(cases, c)
	}
	// What the wire of the milter protocol must not change.
	for _, field := range []string{"Subject:hello", "Subject:\thello", "Subject:", "Subject: ", "Subject:  hello ", "Subject:\r\n hello", "Subject:\r\n\thello\r\n  world", "Message-ID:\r\n <1@one.example>", "X-A: \xc3\xbc \xff", "X-A:\u00a0x\u00a0"} {
		name, _, _ := strings.Cut(field, ":")
		for _, way := range []string{"", "c=relaxed/simple; "} {
			add(dkimCase{name: way + field, text: "From: alice@one.example\r\n" + dkimDate + field + "\r\n\r\nhello\r\n", valid: true}, way+"h=from:"+name+"; bh=BH; b=SIGNATURE")
		}
	}
	// What stands before the colon no MTA tells, so not with simple.
	add(dkimCase{name: "blank before the colon", text: "From: alice@one.example\r\n" + dkimDate + "X-A : x\r\n\r\nhello\r\n", valid: true, dkimpy: "reads no such message"}, "c=relaxed; h=from:x-a; bh=BH; b=SIGNATURE")
	add(dkimCase{name: "folded", valid: true}, "\r\n\th = From :\r\n\tSubject; bh=\r\n BH ;\r\n b=\r\n SIGNATURE")
	add(dkimCase{name: "b= in z=", valid: true}, "z=Subject:bob=20b=20x; "+end)
	add(dkimCase{name: "tags not known", valid: true}, "r=y; foo=1; "+end+";")
	add(dkimCase{name: "capitals", valid: true, dkimpy: "takes c= by case"}, "c=Relaxed/RELAXED; i=@ONE.example; "+end)
	add(dkimCase{name: "tag twice", openDKIM: "takes the one, where the RFC wants none"}, "i=@one.example; i=@one.example; "+end)
	add(dkimCase{name: "not there and over-signed", valid: true}, "h=from:from:subject:subject:x-none; bh=BH; b=SIGNATURE")
	add(dkimCase{name: "repeated name", valid: true}, "h=x-a:from:x-a; bh=BH; b=SIGNATURE")
	add(dkimCase{name: "From not signed", dkimpy: "does not ask for it"}, "h=subject; bh=BH; b=SIGNATURE")

	add(dkimCase{name: "l= of all", valid: true}, "l=SIZE; "+end)
	add(dkimCase{name: "l= of all, relaxed", valid: true}, "c=relaxed/relaxed; l=SIZE; "+end)
	add(dkimCase{name: "l= of a part", openDKIM: "anybody may add to it, so it vouches for nothing here", dkimpy: "as OpenDKIM"}, "l=3; "+end)
	add(dkimCase{name: "l= of more", dkimpy: "takes it for the whole"}, "l=70; "+end)

	add(dkimCase{name: "i= below", valid: true}, "i=a@mail.one.example; "+end)
	add(dkimCase{name: "i= of another"}, "i=a@evil-one.example; "+end)
	add(dkimCase{name: "t=s", records: []string{record + "; t=s"}, valid: true}, "i=a@one.example; "+end)
	add(dkimCase{name: "t=s, i= below", records: []string{record + "; t=s"}, dkimpy: "does not know t=s"}, "i=a@mail.one.example; "+end)
	add(dkimCase{name: "t=y", records: []string{record + "; t=y"}, valid: true}, end)
	add(dkimCase{name: "expired"}, "t=1000000000; x=1000000001; "+end)
	add(dkimCase{name: "not yet expired", valid: true}, "t=1000000000; x=99999999999; "+end)

	add(dkimCase{name: "key by alias", alias: true, valid: true}, end)
	add(dkimCase{name: "no key", records: []string{}}, end)
	add(dkimCase{name: "revoked", records: []string{"v=DKIM1; p="}}, end)
	add(dkimCase{name: "key of another", records: []string{k.other.Record()}}, end)
	add(dkimCase{name: "key of another kind", records: []string{k.ed.Record()}}, end)
	add(dkimCase{name: "key for mail", records: []string{record + "; s=email"}, valid: true}, end)
	add(dkimCase{name: "key for no mail", records: []string{record + "; s=web"}}, end)
	add(dkimCase{name: "key for sha1", records: []string{record + "; h=sha1"}, dkimpy: "does not know the key's h="}, end)
	add(dkimCase{name: "key for sha256", records: []string{record + "; h=sha1:sha256"}, valid: true}, end)
	add(dkimCase{name: "key alone", records: []string{"p=" + k.rsa.Public}, valid: true}, end)
	add(dkimCase{name: "blanks in the key", records: []string{"k=rsa ; p= " + k.rsa.Public[:9] + " " + k.rsa.Public[9:] + ";"}, valid: true}, end)
	add(dkimCase{name: "two records", records: []string{"v=spf1 -all", record}, valid: true, openDKIM: "wants one record", dkimpy: "any: reads the first, whichever that is"}, end)
	add(dkimCase{name: "three keys", records: []string{k.other.Record(), k.ed.Record(), record}, valid: true, openDKIM: "wants one record", dkimpy: "any: reads the first, whichever that is"}, end)
	return cases
}

// dkimGenerated are messages put together at random, the same at each run: each canonicalization
// and algorithm over fields and bodies of all sorts, some changed after they were signed.
func dkimGenerated(t *testing.T, k dkimKeys, count int) (cases []dkimCase) {
	random := rand.New(rand.NewPCG(14, 6376))
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	some := func(most int, list ...string) (s string) {
		for range random.IntN(most + 1) {
			s += pick(list...)
		}
		return s
	}
	for i := range count {
		key, algorithm := k.rsa, "rsa-sha256"
		if random.IntN(3) == 0 {
			key, algorithm = k.ed, "ed25519-sha256"
		}
		text := "From:" + pick("", " ", "\t", "\r\n ") + "alice@one.example\r\n" + dkimDate +
			"Subject:" + pick("", " ", "  ", "\t", "\r\n\t") + some(4, "word", " ", "\t", "\r\n ", "\xc3\xa4", ":", ";") + "x\r\n" +
			some(3, "X-A: one\r\n", "X-A:two \r\n", "x-a:\r\n", "X-B:\t\r\n three\t \r\n", "Keywords: \r\n", "Received: a\r\n\tb\r\n") + "\r\n" +
			some(9, "line", " ", "\t", "\r\n", "\r\n", ". dot", "\r\n.\r\n", "\xe4", strings.Repeat("long ", 190)) + "\r\n"
		tags := fmt.Sprintf(" v=1; a=%s;%sd=one.example; s=g%d; ", algorithm, pick(" ", "\r\n\t", " c=simple; ", " c=relaxed;", " c=simple/relaxed; ", " c=relaxed/simple;\r\n ", " c=relaxed/relaxed; "), i) +
			pick("", "", "l=SIZE; ", "i=@one.example; ", "q=dns/txt; ", "t=1700000000; ") +
			pick("h=from:subject", "h=From:Subject:X-A", "h=from:x-a:x-a:x-a:X-B", "h=Keywords:From:received:subject:subject;\r\n\tbh=BH; b=\r\n\tSIGNATURE", "h=date:From : x-b")
		if !strings.Contains(tags, "BH") {
			tags += "; bh=BH; b=SIGNATURE"
		}
		c := dkimCase{name: fmt.Sprintf("%d: %s", i, tags), text: key.Sign(t, text, tags), records: []string{key.Record()}, valid: true}
		if random.IntN(5) == 0 {
			c.text, c.valid = strings.Replace(c.text, "From:", "From:new", 1), false
		}
		cases = append(cases, c)
	}
	return cases
}
