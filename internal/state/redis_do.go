package state

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/rueidis"
)

var opNames = [...]string{
	opPut: "put", opDelete: "delete", opSwap: "swap", opAdd: "add", opTouch: "touch", opRenew: "renew", opTally: "tally",
}

// Do sends the steps in one pipeline. Those of a person take a way of their own, to be sure of the
// disk.
func (r *Redis) Do(ctx context.Context, steps ...Step) ([]Result, error) {
	if err := ctx.Err(); err != nil {
		return Failed(steps, err)
	}
	b := &batch{proposals: proposals{steps, make([]Result, len(steps))}, redis: r, now: r.options.Clock().UnixMilli()}
	entered := false
	for i, s := range steps {
		err := s.check()
		if err == nil {
			err = r.backend.Lost(r.part(r.names.bucket(s.key)))
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
		b.direct(ctx)
	}
	b.tell()
	return b.results, firstError(b.results)
}

// batch is one call of Do.
type batch struct {
	proposals
	redis *Redis
	now   int64
	todo  []int // what was sent
}

// fail has steps fail, unless they have failed already.
func (b *batch) fail(err error, of ...int) {
	for _, i := range of {
		if b.results[i].Err == nil {
			b.results[i] = Result{Err: err}
		}
	}
}

// tell tells those who watch of what a person changed. What was sent and failed is looked at too,
// for the server may have done it without our hearing of it. One that hung does it when it wakes;
// then it says so, to us as to the other hosts.
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

// direct does the steps on the connection that all share.
func (b *batch) direct(ctx context.Context) {
	client, err := b.redis.client()
	if err != nil {
		for _, i := range b.todo {
			b.fail(b.redis.lose(err, b.part(i)), i)
		}
		return
	}
	b.run(ctx, client, b.todo)
}

// part is the part of the server that has the key of a step.
func (b *batch) part(i int) int { return b.redis.part(b.redis.names.bucket(b.steps[i].key)) }

// run does the steps of these numbers: those that update until nobody comes between.
func (b *batch) run(ctx context.Context, to rueidis.CoreClient, todo []int) {
	sent, todo := b.begin(todo)
	for len(todo) > 0 {
		b.round(ctx, to, sent, todo)
		todo = b.again(sent, todo)
	}
}

// round sends the steps of these numbers. A server that does not know the script yet gets its text.
func (b *batch) round(ctx context.Context, to rueidis.CoreClient, sent []Step, todo []int) {
	again := b.send(ctx, to, sent, todo, false)
	if len(again) == 0 {
		return
	}
	if again = b.send(ctx, to, sent, again, true); len(again) > 0 {
		b.fail(errors.New("state: the server takes no script"), again...)
	}
}

// send returns the steps that were not done because the script is unknown, and the reads after
// them.
func (b *batch) send(ctx context.Context, to rueidis.CoreClient, sent []Step, todo []int, withText bool) (again []int) {
	commands := make(rueidis.Commands, len(todo))
	for n, i := range todo {
		commands[n] = b.command(to.B(), sent[i], withText)
	}
	var answered []rueidis.RedisResult
	err := b.redis.backend.Bounded(ctx, func(ctx context.Context) error {
		answered = to.DoMulti(ctx, commands...)
		return nil
	})
	if err != nil {
		b.fail(err, todo...)
		return nil
	}
	for n, i := range todo {
		s := sent[i]
		failed := answered[n].Error()
		switch {
		case failed == nil:
			b.take(i, s, answered[n])
		case answers(failed, "NOSCRIPT"), len(again) > 0 && s.reads():
			again = append(again, i)
		case rueidis.IsRedisNil(failed): // Get of nothing
			b.results[i], _, _, _ = s.apply(row{}, false, b.now)
		case answers(failed, "NOTNUMBER"):
			b.fail(fmt.Errorf("state: %s holds no number to add to", s.key), i)
		default:
			b.fail(b.redis.lose(failed, b.part(i)), i)
		}
	}
	return again
}

func (b *batch) command(build rueidis.Builder, s Step, withText bool) rueidis.Completed {
	names := b.redis.names.of(s.key)
	if s.reads() {
		return build.Hget().Key(names.rows).Field(s.key).Build()
	}
	if withText {
		return build.Eval().Script(stepScript.text).Numkeys(int64(len(names.step))).Key(names.step...).Arg(b.args(s)...).Build()
	}
	return build.Evalsha().Sha1(stepScript.sum).Numkeys(int64(len(names.step))).Key(names.step...).Arg(b.args(s)...).Build()
}

// args are the arguments of the script, which copies nothing of what the caller may change
// meanwhile.
func (b *batch) args(s Step) []string {
	r, space := b.redis, spaceOf(s.key)
	bound := (r.options.Rows + redisBuckets - 1) / redisBuckets
	args := append(make([]string, 0, 14),
		opNames[s.op], number(b.now), s.key, string(s.value), number(s.ends(b.now)), number(int64(bound)), space, "", "")
	if s.entered {
		args[7], args[8] = r.channel(), r.origin
	}
	switch s.op {
	case opSwap:
		args = append(args, digit(s.old != nil), string(s.old))
	case opAdd:
		args = append(args, number(s.n))
	case opRenew:
		args = append(args, number(s.until(b.now)-s.slack.Milliseconds()))
	case opTally:
		first, part := s.tallied(b.now)
		args = append(args, number(s.n), number(s.limit), number(first), number(part))
	}
	return args
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

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
func (b *batch) take(i int, s Step, answer rueidis.RedisResult) {
	var err error
	if s.reads() {
		var raw string
		var found row
		if raw, err = answer.ToString(); err == nil {
			found, err = decodeText(raw)
		}
		if err == nil {
			b.results[i], _, _, err = s.apply(found, found.alive(b.now), b.now)
		}
	} else {
		b.results[i], err = scriptResult(answer)
	}
	if err != nil {
		b.fail(fmt.Errorf("state: %s: %w", s.key, err), i)
	}
}

// scriptResult reads what the script returns: done, found, and if found the value and the end, and
// the number.
func scriptResult(answer rueidis.RedisResult) (r Result, err error) {
	words, err := answer.ToArray()
	if err != nil || len(words) != 5 {
		return r, fmt.Errorf("the server's answer has %d words, not 5: %w", len(words), err)
	}
	var numbers [5]int64
	for _, i := range []int{0, 1, 3, 4} {
		if numbers[i], err = words[i].AsInt64(); err != nil {
			return r, err
		}
	}
	r = Result{Done: numbers[0] == 1, Found: numbers[1] == 1, N: numbers[4]}
	if r.Found {
		value, err := words[2].ToString()
		if err != nil {
			return r, err
		}
		r.Value, r.Until = []byte(value), timeOf(numbers[3])
	}
	return r, nil
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
