package dns

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAnswersInPrint(t *testing.T) {
	for _, a := range []Answer{
		{Status: NoName},
		{Status: NoData},
		{Status: Found, Addrs: []netip.Addr{netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("2001:db8::1")}},
		{Status: Found, Texts: []string{"a \"b\" \n", ""}},
		{Err: &Error{Failure: Refused, Detail: "REFUSED", Server: "127.0.0.1:53"}},
		{Err: &Error{Failure: Timeout}},
	} {
		got, err := ParseAnswer(a.String())
		if d := cmp.Diff(fmt.Sprintf("%#v", a), fmt.Sprintf("%#v", got)); d != "" && (a.Err == nil || *a.Err != *got.Err) || err != nil {
			t.Error(d, err)
		}
	}
	for _, bad := range []string{"", "x", `"x`, "127.0.0.2 y"} {
		if _, err := ParseAnswer(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}
