package state

import (
	"bytes"
	"context"
	_ "embed" // the script
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed redis_step.lua
var stepSource string

var stepScript = redis.NewScript(stepSource)

var opNames = [...]string{
	opPut: "put", opDelete: "delete", opSwap: "swap", opAdd: "add", opTouch: "touch", opRenew: "renew", opTally: "tally",
}

// Do sends the steps in one pipeline. Those of a person take a way of their own, to be sure of the disk.
func (r *Redis) Do(ctx context.Context, steps ...Step) ([]Result, error) {
	if err := ctx.Err(); err != nil {
		return failed(steps, err)
	}
	b := &batch{redis: r, steps: steps, results: make([]Result, len(steps)), now: r.options.Clock().UnixMilli()}
	entered := false
	for i, s := range steps {
		err := s.check()
		if err == nil {
			err = r.breakers.cause(r.part(bucketOf(s.key)))
		}
		if err != nil {
			b.results[i].Err = err
			continue
		}
		b.todo = append(b.todo, i)
		entered = entered || s.entered && !s.reads()
	}
	switch {
	case len(b.todo) == 0:
	case entered:
		b.enter(ctx)
	default:
		b.run(ctx, r.client.Pipelined, b.todo)
	}
	b.tell()
	return b.results, firstError(b.results)
}

// batch is one call of Do.
type batch struct {
	redis   *Redis
	steps   []Step
	results []Result
	now     int64
	todo    []int // what was sent
}

// fail has steps fail, unless they have failed already.
func (b *batch) fail(err error, of ...int) {
	for _, i := range of {
		if b.results[i].Err == nil {
			b.results[i] = Result{Err: err}
		}
	}
}

// tell tells those who watch of what a person changed. What was sent and failed is looked at too, for the server may have done it
// without our hearing of it. One that hung does it when it wakes; then it says so, to us as to the other hosts.
func (b *batch) tell() {
	for _, i := range b.todo {
		s := b.steps[i]
		if !s.entered || s.reads() {
			continue
		}
		if b.results[i].Err != nil {
			b.redis.doubtful.Store(true)
		} else if !b.results[i].Done {
			continue
		}
		b.redis.watchers.tell(s.key)
	}
}

// pipelined sends what it is given in one go: a client's method, or a connection's.
type pipelined func(context.Context, func(redis.Pipeliner) error) ([]redis.Cmder, error)

// run does the steps of these numbers: those that update until nobody comes between.
func (b *batch) run(ctx context.Context, send pipelined, todo []int) {
	sent := make([]Step, len(b.steps))
	for _, i := range todo {
		sent[i] = b.steps[i]
		if sent[i].op == opUpdate {
			b.propose(sent, i, sent[i].hint)
		}
	}
	for len(todo) > 0 {
		b.round(ctx, send, sent, todo)
		var again []int
		for _, i := range todo {
			if b.steps[i].op == opUpdate && b.lost(sent, i) {
				again = append(again, i)
			}
		}
		todo = again
	}
}

// propose makes a swap of an update, on what it would replace.
func (b *batch) propose(sent []Step, i int, was Result) {
	swap, err := b.steps[i].swap(was)
	if err != nil {
		b.fail(err, i)
		swap = Get(b.steps[i].key)
	}
	sent[i] = swap
}

// lost says that something else was there than what the update would replace, and proposes anew.
func (b *batch) lost(sent []Step, i int) bool {
	s, r := b.steps[i], &b.results[i]
	if r.Err != nil || !sent[i].reads() && r.Done {
		return false
	}
	now := Result{Found: r.Found, Value: r.Value, Until: r.Until}
	if sent[i].reads() && now.Found == s.hint.Found && bytes.Equal(now.Value, s.hint.Value) {
		r.Done = false // it is to stay as it is
		return false
	}
	b.steps[i].hint = now
	b.propose(sent, i, now)
	return r.Err == nil
}

// round sends the steps of these numbers. A server that does not know the script yet gets its text.
func (b *batch) round(ctx context.Context, send pipelined, sent []Step, todo []int) {
	again := b.send(ctx, send, sent, todo, stepScript.EvalSha)
	if len(again) == 0 {
		return
	}
	if again = b.send(ctx, send, sent, again, stepScript.Eval); len(again) > 0 {
		b.fail(errors.New("state: the server takes no script"), again...)
	}
}

type eval func(ctx context.Context, c redis.Scripter, keys []string, args ...any) *redis.Cmd

// send returns the steps that were not done because the script is unknown, and the reads after them.
func (b *batch) send(ctx context.Context, send pipelined, sent []Step, todo []int, eval eval) (again []int) {
	call, cancel := context.WithTimeout(ctx, redisCall)
	defer cancel()
	commands := make([]redis.Cmder, len(todo))
	begun := time.Now()
	_, _ = send(call, func(p redis.Pipeliner) error {
		for n, i := range todo {
			commands[n] = b.command(call, p, sent[i], eval)
		}
		return nil
	})
	if left(ctx, begun) {
		b.fail(ctx.Err(), todo...)
		return nil
	}
	for n, i := range todo {
		s := sent[i]
		failed := commands[n].Err()
		switch {
		case redis.HasErrorPrefix(failed, "NOSCRIPT"), len(again) > 0 && s.reads():
			again = append(again, i)
		case errors.Is(failed, redis.Nil): // Get of nothing
			b.results[i], _, _, _ = s.apply(row{}, false, b.now)
		case redis.HasErrorPrefix(failed, "NOTNUMBER"):
			b.fail(fmt.Errorf("state: %s holds no number to add to", s.key), i)
		case failed != nil:
			b.fail(b.redis.breakers.trip(failed, b.redis.part(bucketOf(s.key))), i)
		default:
			b.take(i, s, commands[n])
		}
	}
	return again
}

// left says that the caller's leaving, and not the server, ended a call. A caller who has waited long has been kept waiting.
func left(ctx context.Context, begun time.Time) bool {
	err := ctx.Err()
	return err != nil && (errors.Is(err, context.Canceled) || time.Since(begun) < redisCall/4)
}

func (b *batch) command(ctx context.Context, p redis.Pipeliner, s Step, eval eval) redis.Cmder {
	r, space, bucket := b.redis, spaceOf(s.key), bucketOf(s.key)
	rows := r.key(bucket, "rows", space)
	if s.reads() {
		return p.HGet(ctx, rows, s.key)
	}
	keys := []string{
		rows, r.key(bucket, "ends", space), r.key(bucket, "names", space),
		r.key(bucket, "spaces", ""), r.key(bucket, "evicted", ""),
	}
	bound := (r.limits.of(space) + redisBuckets - 1) / redisBuckets
	args := []any{
		opNames[s.op], b.now, s.key, s.value, s.ends(b.now), digit(s.entered), bound, space, r.channel(), r.origin,
	}
	switch s.op {
	case opSwap:
		args = append(args, digit(s.old != nil), s.old)
	case opAdd:
		args = append(args, s.n, s.limit)
	case opRenew:
		args = append(args, s.until(b.now)-s.slack.Milliseconds())
	case opTally:
		first, part := s.tallied(b.now)
		args = append(args, s.n, s.limit, first, part)
	}
	return eval(ctx, p, keys, args...)
}

// ends is when what the step writes ends.
func (s Step) ends(now int64) int64 {
	if s.op == opTally {
		return now + tallyLife(s.span).Milliseconds()
	}
	return s.until(now)
}

func digit(yes bool) string {
	if yes {
		return "1"
	}
	return "0"
}

// take reads an answer.
func (b *batch) take(i int, s Step, command redis.Cmder) {
	var err error
	switch c := command.(type) {
	case *redis.StringCmd:
		var found row
		if found, err = decodeText(c.Val()); err == nil {
			b.results[i], _, _, err = s.apply(found, found.alive(b.now), b.now)
		}
	case *redis.Cmd:
		b.results[i], err = scriptResult(c)
	}
	if err != nil {
		b.fail(fmt.Errorf("state: %s: %w", s.key, err), i)
	}
}

func scriptResult(c *redis.Cmd) (Result, error) {
	words, err := c.Slice()
	if err != nil || len(words) != 5 {
		return Result{}, fmt.Errorf("the server's answer is %v", c.Val())
	}
	r := Result{Done: words[0] == int64(1), Found: words[1] == int64(1)}
	r.N, err = strconv.ParseInt(fmt.Sprint(words[4]), 10, 64)
	if r.Found {
		r.Value = []byte(fmt.Sprint(words[2]))
		until, wrong := strconv.ParseInt(fmt.Sprint(words[3]), 10, 64)
		r.Until, err = timeOf(until), errors.Join(err, wrong)
	}
	return r, err
}

// errDamaged is a row that this program has not written so. The server is well, and other rows are.
var errDamaged = errors.New("a row on the server is damaged")

// decodeText reads a row as the server has it: e (entered) or c, the end, a blank, the value.
func decodeText(raw string) (row, error) {
	head, value, found := strings.Cut(raw, " ")
	if !found || head == "" {
		return row{}, errDamaged
	}
	until, err := strconv.ParseInt(head[1:], 10, 64)
	if err != nil {
		return row{}, fmt.Errorf("%w: %w", errDamaged, err)
	}
	return row{entered: head[0] == 'e', until: until, value: []byte(value)}, nil
}

// cutOrigin splits a message to those who watch: the process that wrote, and the key.
func cutOrigin(payload string) (origin, key string, found bool) { return strings.Cut(payload, " ") }
