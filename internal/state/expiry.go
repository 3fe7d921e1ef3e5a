package state

import (
	"container/heap"
	"time"
)

// expiry orders keys by when they end.
type expiry []ending

type ending struct {
	key   string
	until time.Time
}

func (x *expiry) push(key string, until time.Time) { heap.Push((*endings)(x), ending{key, until}) }
func (x *expiry) pop()                             { heap.Pop((*endings)(x)) }

func (x *expiry) order() { heap.Init((*endings)(x)) }

// endings is the heap behind expiry.
type endings []ending

func (x endings) Len() int           { return len(x) }
func (x endings) Less(i, j int) bool { return x[i].until.Before(x[j].until) }
func (x endings) Swap(i, j int)      { x[i], x[j] = x[j], x[i] }
func (x *endings) Push(v any)        { *x = append(*x, v.(ending)) }
func (x *endings) Pop() any {
	last := len(*x) - 1
	v := (*x)[last]
	(*x)[last] = ending{}
	*x = (*x)[:last]
	return v
}
