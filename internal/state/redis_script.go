package state

import (
	"context"
	"crypto/sha1" // the server's name for a script
	_ "embed"     // the scripts
	"encoding/hex"

	"github.com/redis/rueidis"
)

//go:embed redis_step.lua
var stepText string

//go:embed redis_lease.lua
var leaseText string

//go:embed redis_list.lua
var listText string

var stepScript, leaseScript, listScript = newScript(stepText), newScript(leaseText), newScript(listText)

// script is a Lua script that runs on the server.
type script struct{ text, sum string }

func newScript(text string) script {
	sum := sha1.Sum([]byte(text))
	return script{text, hex.EncodeToString(sum[:])}
}

// run runs the script; a server that does not know it gets its text.
func (s script) run(ctx context.Context, on rueidis.CoreClient, keys, args []string) rueidis.RedisResult {
	n := int64(len(keys))
	answer := on.Do(ctx, on.B().Evalsha().Sha1(s.sum).Numkeys(n).Key(keys...).Arg(args...).Build())
	if answers(answer.Error(), "NOSCRIPT") {
		answer = on.Do(ctx, on.B().Eval().Script(s.text).Numkeys(n).Key(keys...).Arg(args...).Build())
	}
	return answer
}
