// The program simulate plays a site that is larger than any test bed: many hosts with mailweir, a
// Redis Cluster, a PostgreSQL, and a billion messages a day.
//
// It is a discrete simulation: a clock with a queue of events, no sleeping, no wall clock, one
// stream of random numbers for each scenario, so that the same seed gives the same table. It does
// not play a day. It plays windows of some seconds, each message of them, at four rates of a day.
//
// What is modelled, each after the code that it stands for:
//
//   - A message (message.go): connection, MAIL, RCPT and the end, with the questions that the whole
//     enforced default policy puts to the state at each, and what is learned after the reply.
//   - A host (host.go): some processors, first come, first served; a bound of open sessions; the
//     breaker of internal/backend, with a part for each bucket of a cluster, and its prober.
//   - A connection of a host to a shard (link.go): what is asked at the same time goes out in one
//     go, as the client library has it. A question (question.go) fails after a second.
//   - A shard (shard.go): one thread that goes round its connections, reads what each has sent,
//     executes it, and answers when it has been round, as Redis does.
//   - The record (record.go): a queue of bounded length on each host, a commit each second or 1,000
//     entries, a database that writes some at once.
//
// What is not: packets that are lost, TLS, a network that is full, DNS, scanners, clients that are
// slow with DATA, what a primary does for its replicas, a failover (a dead shard stays dead), a
// client library whose own queue of 1,024 calls is full, and rows that are evicted: what the bound
// of ten million rows does is computed and not played (rows.go). Keys are spread evenly: a site
// with one busy domain has more on one shard.
//
// All figures that the model rests on are in parameters.go, each with where it comes from.
package main
