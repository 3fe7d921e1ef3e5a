package checks

import "testing"

func TestSenderLogin(t *testing.T) {
	const owner = "mail 553 5.7.1 Sender address rejected: not owned by user"
	only(SenderLogin).play(t, []string{"--sender-login-map=inline:{ {alice@ours.example=Alice, bob} {shop.example=bob} {@post.example=carl} }"}, []scenario{
		{name: "own", mail: letter{login: "alice", from: "alice@ours.example"}},
		{name: "own with an extension", mail: letter{login: "alice", from: "alice+x@ours.example"}},
		{name: "domain", mail: letter{login: "bob", from: "any@shop.example"}},
		{name: "domain as Postfix writes it", mail: letter{login: "carl", from: "any@post.example"}},
		{name: "somebody else's", mail: letter{login: "alice", from: "any@shop.example"}, said: owner, cause: `"alice"`},
		{name: "nobody's", mail: letter{login: "alice", from: "x@else.example"}, said: owner},
		{name: "null sender", mail: letter{login: "alice", from: "<>"}},
		{name: "no login", mail: letter{from: "alice@ours.example"}},
	})
}
