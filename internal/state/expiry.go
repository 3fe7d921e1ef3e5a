package state

import "container/heap"

// expiry orders keys by when they end.
type expiry []ending

type ending struct {
	key   string
	until int64
}

func (x *expiry) push(key string, until int64) { heap.Push((*endings)(x), ending{key, until}) }
func (x *expiry) pop() ending                  { return heap.Pop((*endings)(x)).(ending) }

func (x *expiry) order() { heap.Init((*endings)(x)) }

// before calls visit for every place that ends before that time, in no order. A parent in the heap
// never ends after its children, so what is later is not looked at.
func (x expiry) before(until int64, visit func(ending)) {
	next := []int{0}
	for len(next) > 0 {
		i := next[len(next)-1]
		next = next[:len(next)-1]
		if i < len(x) && x[i].until < until {
			visit(x[i])
			next = append(next, 2*i+1, 2*i+2)
		}
	}
}

// endings is the heap behind expiry.
type endings []ending

func (x endings) Len() int           { return len(x) }
func (x endings) Less(i, j int) bool { return x[i].until < x[j].until }
func (x endings) Swap(i, j int)      { x[i], x[j] = x[j], x[i] }
func (x *endings) Push(v any)        { *x = append(*x, v.(ending)) }
func (x *endings) Pop() any {
	last := len(*x) - 1
	v := (*x)[last]
	(*x)[last] = ending{}
	*x = (*x)[:last]
	return v
}
