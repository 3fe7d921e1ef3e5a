package state_test

import (
	"fmt"
	"testing"

	"mailweir/internal/state"
	"mailweir/internal/state/contract"
	"mailweir/test/testbed"
)

// redisSlack: the bound of a space is divided among the buckets.
const redisSlack = 40

// openRedis opens a store that is closed with the test.
func openRedis(t *testing.T, spec string, options state.Options) *state.Redis {
	t.Helper()
	r, err := state.OpenRedis(t.Context(), spec, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// shared returns stores on one server, each under a prefix of its own.
func shared(spec string) func(*testing.T, *contract.Clock, int) state.Store {
	n := 0
	return func(t *testing.T, clock *contract.Clock, rows int) state.Store {
		t.Helper()
		n++
		return openRedis(t, fmt.Sprintf("%sprefix=t%d", spec, n), state.Options{Clock: clock.Now, Rows: rows})
	}
}

func TestRedisContract(t *testing.T) {
	server := testbed.StartRedis(t)
	open := shared("redis://" + server.Address + "/3?")
	contract.Run(t, contract.Suite{Open: open, Slack: redisSlack})
	t.Run("copy", func(t *testing.T) { contract.Run(t, contract.Suite{Open: copyOf(open), Trial: true}) })
}

func TestSentinelContract(t *testing.T) {
	set := testbed.StartSentinel(t)
	contract.Run(t, contract.Suite{Open: shared("redis://" + set.Sentinels[0].Address + "?master=mw&"), Slack: redisSlack})
}

func TestClusterContract(t *testing.T) {
	cluster := testbed.StartRedisCluster(t)
	contract.Run(t, contract.Suite{Open: shared("redis://" + cluster.Nodes[0].Address + "?cluster=yes&"), Slack: redisSlack})
}
