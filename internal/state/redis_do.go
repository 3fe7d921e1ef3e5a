package state

import (
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

var opNames = [...]string{opPut: "put", opDelete: "delete", opSwap: "swap", opAdd: "add", opTouch: "touch"}

// Do sends the steps in one pipeline. Those of a person take a way of their own, to be sure of the disk.
func (r *Redis) Do(ctx context.Context, steps ...Step) ([]Result, error) {
	if len(steps) == 0 {
		return nil, ctx.Err()
	}
	b := &batch{redis: r, steps: steps, results: make([]Result, len(steps)), now: r.options.Clock().UnixMilli()}
	entered := false
	for i, s := range steps {
		if err := s.check(); err != nil {
			return nil, err
		}
		if err := r.breakers.cause(r.part(bucketOf(s.key))); err != nil {
			b.fail(err) // the others are done all the same
			continue
		}
		b.todo = append(b.todo, i)
		entered = entered || s.entered && !s.reads()
	}
	if entered {
		b.enter(ctx)
	} else {
		b.run(ctx, r.client.Pipelined, b.todo)
	}
	if b.err != nil {
		b.doubt()
		return nil, b.err
	}
	r.watchers.tell(enteredKeys(steps, b.results)...)
	return b.results, nil
}

// batch is one call of Do.
type batch struct {
	redis   *Redis
	steps   []Step
	results []Result
	now     int64
	todo    []int
	err     error // the first
}

func (b *batch) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// doubt has those who watch look at what a person wanted to change: it was sent and failed, and the server may have done it without our
// hearing of it. One that hung does it when it wakes; then it says so, to us as to the other hosts.
func (b *batch) doubt() {
	for _, i := range b.todo {
		if s := b.steps[i]; s.entered && !s.reads() {
			b.redis.doubtful.Store(true)
			b.redis.watchers.tell(s.key)
		}
	}
}

// pipelined sends what it is given in one go: a client's method, or a connection's.
type pipelined func(context.Context, func(redis.Pipeliner) error) ([]redis.Cmder, error)

// run does the steps of these numbers. A server that does not know the script yet gets its text.
func (b *batch) run(ctx context.Context, send pipelined, todo []int) {
	again := b.send(ctx, send, todo, stepScript.EvalSha)
	if len(again) == 0 || b.err != nil {
		return
	}
	if again = b.send(ctx, send, again, stepScript.Eval); len(again) > 0 {
		b.fail(errors.New("state: the server takes no script"))
	}
}

type eval func(ctx context.Context, c redis.Scripter, keys []string, args ...any) *redis.Cmd

// send returns the steps that were not done because the script is unknown, and the reads after them.
func (b *batch) send(ctx context.Context, send pipelined, todo []int, eval eval) (again []int) {
	if len(todo) == 0 {
		return nil
	}
	call, cancel := context.WithTimeout(ctx, redisCall)
	defer cancel()
	commands := make([]redis.Cmder, len(todo))
	begun := time.Now()
	_, _ = send(call, func(p redis.Pipeliner) error {
		for n, i := range todo {
			commands[n] = b.command(call, p, b.steps[i], eval)
		}
		return nil
	})
	if left(ctx, begun) {
		b.fail(ctx.Err())
		return nil
	}
	for n, i := range todo {
		s := b.steps[i]
		failed := commands[n].Err()
		switch {
		case redis.HasErrorPrefix(failed, "NOSCRIPT"), len(again) > 0 && s.reads():
			again = append(again, i)
		case errors.Is(failed, redis.Nil): // Get of nothing
		case redis.HasErrorPrefix(failed, "NOTNUMBER"):
			b.fail(fmt.Errorf("state: %s holds no number to add to", s.key))
		case failed != nil:
			b.fail(b.redis.breakers.trip(failed, b.redis.part(bucketOf(s.key))))
		default:
			b.take(i, commands[n])
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
	return eval(ctx, p, keys, opNames[s.op], b.now, s.key, s.value, s.until(b.now), s.n, s.limit, digit(s.entered),
		bound, space, digit(s.old != nil), s.old, r.channel(), r.origin)
}

func digit(yes bool) string {
	if yes {
		return "1"
	}
	return "0"
}

// take reads an answer.
func (b *batch) take(i int, command redis.Cmder) {
	var err error
	switch c := command.(type) {
	case *redis.StringCmd:
		var found row
		if found, err = decodeText(c.Val()); err == nil {
			b.results[i], _, _, _ = b.steps[i].apply(found, found.alive(b.now), b.now)
		}
	case *redis.Cmd:
		b.results[i], err = scriptResult(c)
	}
	if err != nil {
		b.fail(fmt.Errorf("state: %s: %w", b.steps[i].key, err))
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
