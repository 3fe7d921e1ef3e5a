package main

import "time"

// The day. Measured nowhere: a billion is what the question asks for, the curve is that of business
// mail in one time zone.
const (
	messagesADay = 1_000_000_000
	mean         = messagesADay / 86_400.0 // messages a second

	night       = 0.35 // of the mean
	busiestHour = 1.8
	burstOfDay  = 2.6 // the busiest minute

	// Mail comes in bursts: for a tenth of each second the rate is so many times what it is else.
	burstFactor = 1.8
	burstEvery  = time.Second
	burstFrom   = 400 * time.Millisecond
	burstLasts  = 100 * time.Millisecond
)

// mixture is what mail comes: shares of messages.
type mixture struct {
	fresh     float64 // the first of a triplet, which comes back
	returning float64 // that comes back
	spam      float64 // the first of a triplet, which never comes back
	others    float64 // that have another recipient
	another   float64 // that have another message behind them on the connection
	managed   float64 // of recipients: those who block or permit senders for themselves
}

// usualMail is modelled: shares as logs of sites with greylisting tell them. It has 1.33 recipients
// a message and 1.5 messages a connection.
var usualMail = mixture{fresh: 0.10, returning: 0.10, spam: 0.15, others: 0.25, another: 0.33, managed: 0.02}

// The pace of mail, modelled.
const (
	shareRenewed    = 0.05            // of known triplets: once a day each
	floodHolds      = 3 * time.Second // on average: how long one of a flood stays
	beforeRcpt      = 100 * time.Millisecond
	dataTakes       = 300 * time.Millisecond
	betweenMessages = 50 * time.Millisecond
)

// The program. Limits as in the code, named there.
const (
	buckets      = 16                     // redisBuckets, internal/state/redis.go
	callTimeout  = time.Second            // redisCall, internal/state/redis_spec.go
	firstProbe   = 100 * time.Millisecond // internal/backend/backend.go
	lastProbe    = time.Second
	loadSessions = 1000 // --load-sessions

	recordQueue = 10_000 // internal/record/sink.go
	recordBatch = 1000
	recordEvery = time.Second

	rowsOfASpace = 10_000_000     // defaultRows, internal/state/options.go
	pendingLives = 13 * time.Hour // --greylist-window and an hour, checks/greylist/memory.go
)

// When mail comes back that had to wait: no sooner than a mail server tries again, and at random
// after that. Modelled after Postfix, minimal_backoff_time and what doubles it.
const (
	firstRetry   = 5 * time.Minute
	retriesAfter = 15 * time.Minute
)

// What a message does to the state under the whole default policy, each check enforced. Counted
// with MONITOR under `go run ./bench -only policy -states redis`, and in the code.
const (
	readsOfTriplet    = 3 // known, pending, the net's
	readsOfReputation = 2 // once a connection: history, known net
	readsOfManaged    = 4 // address, domain and what stands above it
	leasesOfMessage   = 2 // of the client, of the recipient's domain
	stepsOfTempblock  = 3 // good ones, for each span of the rules
	readsOfTempblock  = 3
)

// What mailweir takes for a message on Redis: `go run ./bench -only policy -states redis`, 8
// sessions, one message a connection. The division is modelled.
const (
	cpuMessage  = 488 * time.Microsecond
	cpuRcpt     = cpuMessage * 4 / 10 // up to the answer to the first recipient
	cpuAnother  = cpuMessage / 20     // each further recipient
	cpuEnd      = cpuMessage * 6 / 10
	cpuRefused  = cpuMessage / 10 // what is learned of one who is deferred
	clientWrite = 5 * time.Microsecond
)

// shardCosts is what a shard takes and sends.
type shardCosts struct {
	wake       time.Duration // from sleep, which a server without work falls into
	turn, read time.Duration // once round; each connection that has sent something, answer included
	of         [kinds]time.Duration
	octets     [kinds]int // in and out
}

// idleCosts are of Redis 7.0 on a core of an AMD EPYC, otherwise idle: redis-benchmark with 1 and
// 16 commands in a pipeline and 1, 50 and 400 connections; redis-cli -i 0.002 for what waking up
// takes; processor time from INFO. The octets, in and out, are those of `go run ./bench -only
// traffic`, divided by what commands look like.
var idleCosts = shardCosts{
	wake: 30 * time.Microsecond, turn: 6 * time.Microsecond, read: 11 * time.Microsecond,
	of: [kinds]time.Duration{
		get: 1200 * time.Nanosecond, step: 17 * time.Microsecond, lease: 7500 * time.Nanosecond, giveUp: time.Microsecond,
	},
	octets: [kinds]int{get: 130, step: 520, lease: 240, giveUp: 90},
}

// busyMachine is how many times as long everything takes on a machine that has other work: by it
// the model meets the processor time in docs/measurements/redis.md (comparison.go). With 64
// messages at a time, which is what bounds a shard, it takes a little more than was measured, with
// one at a time less. On a machine that is otherwise idle it would be 1.
const busyMachine = 2

// redisCosts are what the model reckons with.
var redisCosts = idleCosts.times(busyMachine)

func (c shardCosts) times(by float64) shardCosts {
	longer := func(d time.Duration) time.Duration { return time.Duration(by * float64(d)) }
	c.wake, c.turn, c.read = longer(c.wake), longer(c.turn), longer(c.read)
	for k := range c.of {
		c.of[k] = longer(c.of[k])
	}
	return c
}

// networkDelay is one way within a building. Modelled.
const networkDelay = 100 * time.Microsecond

// What PostgreSQL takes for a commit and for each entry in it, by one writer: `go run ./bench -only
// postgres`.
const (
	recordCommit = time.Millisecond
	recordEntry  = 90 * time.Microsecond
	recordOctets = 1308
)
