package main

import (
	"fmt"
	"slices"
	"strings"
)

// part is one subject of the bench; the name of its file ends in its name.
type part struct {
	name  string
	about string
	run   func(*bench) error          // prints its long tables; nil if it has none
	aims  func(*bench) ([]aim, error) // its rows of the table of aims; nil if it has none
}

// parts are all of them, in the order in which they run.
func parts() []part {
	return []part{
		{name: "wire", about: "CPU a message over the milter protocol", run: (*bench).wire},
		{name: "postfix", about: "messages a second through Postfix", run: (*bench).postfix, aims: (*bench).postfixAims},
		{name: "memory", about: "peak memory with large messages", run: (*bench).memory},
		{name: "idle", about: "memory of a connection that stays open", run: (*bench).idle, aims: (*bench).idleAims},
		{name: "policy", about: "the whole default policy on each state", run: (*bench).policy, aims: (*bench).policyAims},
		{name: "switches", about: "what turning a check off saves", run: (*bench).switches},
		{name: "lists", about: "DNS lists", run: (*bench).lists},
		{name: "recipients", about: "whether a recipient exists", run: (*bench).recipients},
		{name: "content", about: "phrases and patterns", run: (*bench).content},
		{name: "redis", about: "greylisting on Redis", run: (*bench).redis},
		{name: "reads", about: "reads of the Redis server a message", run: (*bench).reads},
		{name: "traffic", about: "what a message asks of Redis and of a cluster", run: (*bench).traffic},
		{name: "lost", about: "answers while a Redis or a node of a cluster hangs", run: (*bench).lost},
		{name: "remember", about: "rows and octets of a thousand users on Redis", run: (*bench).remember},
		{name: "tables", about: "tables in databases", run: (*bench).tables},
		{name: "spam", about: "a spam scanner", run: (*bench).spam},
		{name: "site", about: "the policy of a real site, beside rspamd", run: (*bench).site, aims: (*bench).siteAims},
		{name: "start", about: "start and reload of a large site", run: (*bench).startAndReload, aims: (*bench).startAims},
		{name: "virus", about: "a virus scanner", run: (*bench).scan},
		{name: "state", about: "greylisting on the embedded store with millions of triplets", run: (*bench).state, aims: (*bench).stateAims},
		{name: "record", about: "the record of decisions", run: (*bench).record},
		{name: "postgres", about: "the record of decisions in PostgreSQL", run: (*bench).recordShared},
	}
}

// namesOf are those of the parts that have what is asked for.
func namesOf(list []part, has func(part) bool) []string {
	var names []string
	for _, p := range list {
		if has(p) {
			names = append(names, p.name)
		}
	}
	return names
}

func (p part) hasRun() bool  { return p.run != nil }
func (p part) hasAims() bool { return p.aims != nil }

// chosen are the names in a comma-separated list, or all of known for "all".
func chosen(list string, known []string) ([]string, error) {
	if list == "all" {
		return known, nil
	}
	names := strings.Split(list, ",")
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("no part %q; there are %s", name, strings.Join(known, ", "))
		}
	}
	return names, nil
}
