package senderlogin

import (
	"testing"

	"mailweir/internal/policytest"
)

func TestSenderLogin(t *testing.T) {
	const owner = "mail 553 5.7.1 Sender address rejected: not owned by user"
	policytest.Only(Check).Play(t, []string{"--sender-login-map=inline:{ {alice@ours.example=Alice, bob} {shop.example=bob} {@post.example=carl} }"}, []policytest.Scenario{
		{Name: "own", Mail: policytest.Letter{Login: "alice", From: "alice@ours.example"}},
		{Name: "own with an extension", Mail: policytest.Letter{Login: "alice", From: "alice+x@ours.example"}},
		{Name: "domain", Mail: policytest.Letter{Login: "bob", From: "any@shop.example"}},
		{Name: "domain as Postfix writes it", Mail: policytest.Letter{Login: "carl", From: "any@post.example"}},
		{Name: "somebody else's", Mail: policytest.Letter{Login: "alice", From: "any@shop.example"}, Said: owner, Cause: `"alice"`},
		{Name: "nobody's", Mail: policytest.Letter{Login: "alice", From: "x@else.example"}, Said: owner},
		{Name: "null sender", Mail: policytest.Letter{Login: "alice", From: "<>"}},
		{Name: "no login", Mail: policytest.Letter{From: "alice@ours.example"}},
	})
}
