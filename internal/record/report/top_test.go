package report

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestTopKeepsTheMostFrequent(t *testing.T) {
	top := newTop(50)
	random := rand.New(rand.NewPCG(1, 2))
	exact := map[string]int{}
	total := 0
	add := func(name string) {
		top.add(name, Tally{Refused: 1})
		exact[name]++
		total++
	}
	for i := range 20_000 {
		add(fmt.Sprintf("made-up-%d", i)) // a name of its own each
		if random.IntN(20) == 0 {
			add(fmt.Sprintf("often-%d", random.IntN(5)))
		}
	}
	if len(top.at) != 50 || len(top.heap) != 50 {
		t.Fatalf("%d names and %d places are kept of 50", len(top.at), len(top.heap))
	}
	list := top.rows(10)
	if !list.Full || list.Names != 50 || list.More != len(top.heap)-10+top.gone {
		t.Errorf("%+v", list)
	}
	found := map[string]bool{}
	for _, row := range list.Rows {
		found[row.Name] = true
		if row.Refused > exact[row.Name] || row.Refused+row.Lacks < exact[row.Name] {
			t.Errorf("%s has %d and lacks at most %d; it came %d times", row.Name, row.Refused, row.Lacks, exact[row.Name])
		}
	}
	for name, n := range exact {
		if n > total/50 && !found[name] {
			t.Errorf("%s came %d times of %d and is not there", name, n, total)
		}
	}
}

func TestTopInOrder(t *testing.T) {
	top := newTop(10)
	top.add("b", Tally{Accepted: 2})
	top.add("a", Tally{Refused: 2})
	top.add("c", Tally{Would: 1, Other: 1, Deferred: 1})
	list := top.rows(2)
	if list.Full || list.More != 1 || len(list.Rows) != 2 || list.Rows[0].Name != "c" || list.Rows[1].Name != "a" {
		t.Errorf("%+v", list)
	}
}
