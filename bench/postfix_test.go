package main

import "testing"

// Each aim is ours over the yardstick on the same socket; a Postfix without a milter has none.
func TestAimsOfRoutes(t *testing.T) {
	routes := []*mailRoute{{milter: noMilter, single: sample{100}, many: sample{200}}}
	for i, milter := range []string{endFilter, allFilter, ourMilter} {
		for j, socket := range []string{"unix", "inet"} {
			rate := float64(20 + 20*i + 10*j)
			routes = append(routes, &mailRoute{milter: milter, socket: socket, single: sample{rate}, many: sample{2 * rate}})
		}
	}
	var got []float64
	for _, a := range aimsOfRoutes(routes) {
		got = append(got, a.Got.median())
	}
	want := []float64{0.6, 1.5, 0.7, 1.4, 0.6, 1.5, 0.7, 1.4}
	if len(got) != len(want) {
		t.Fatalf("%v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("aim %d is %v, want %v", i, got[i], want[i])
		}
	}
}
