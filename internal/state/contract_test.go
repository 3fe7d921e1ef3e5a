package state_test

import (
	"testing"

	"mailweir/internal/state"
	"mailweir/internal/state/contract"
)

func TestMemoryContract(t *testing.T) {
	contract.Run(t, contract.Suite{Open: func(_ *testing.T, clock *contract.Clock, rows int) state.Store {
		return state.NewMemory(clock.Now, rows)
	}})
}

func TestCopyContract(t *testing.T) {
	contract.Run(t, contract.Suite{Trial: true, Open: func(_ *testing.T, clock *contract.Clock, rows int) state.Store {
		return state.NewCopy(state.NewMemory(clock.Now, rows), clock.Now)
	}})
}
