package handover

// The successor leads the conversation. It asks for the [Offer], loads, and says so by
// [MethodLoaded]: then the old process gives up the record. When it has that, it says [MethodTake],
// and the old process gives up the state, which keeps everybody waiting from here on. When it has
// that, too, it says [MethodServing], and is the one that serves as soon as it has an answer.
// Afterwards the old process asks it, under the methods of packages state and record.
const (
	MethodOffer   = "offer"
	MethodLoaded  = "loaded"
	MethodTake    = "take"
	MethodRows    = "rows"
	MethodServing = "serving"
	MethodFailed  = "failed"
)

// Offer is what the old process has.
type Offer struct {
	Version string `json:"version"`
	PID     int    `json:"pid"`
	// State and Record name what only one process can hold, as --state and --record do; "" is none.
	State  string `json:"state,omitempty"`
	Record string `json:"record,omitempty"`
	// Sockets are those that the successor was started with, in this order.
	Sockets []Socket `json:"sockets,omitempty"`
}

// Socket is one that is listened on.
type Socket struct {
	// Address is as the flag says it. With Name it is systemd's, which calls it so.
	Address string `json:"address,omitempty"`
	Name    string `json:"name,omitempty"`
}

// Loaded is what the successor says when it has loaded all but what it wants to take over.
type Loaded struct {
	Version string `json:"version"`
	PID     int    `json:"pid"`
	State   bool   `json:"state,omitempty"`
	Record  bool   `json:"record,omitempty"`
}

// Taken is the answer to [MethodTake].
type Taken struct {
	// Held are keys of places in the state that the old process holds, each as often as it does.
	Held [][]byte `json:"held,omitempty"`
	// Rows says that the state is in memory: its rows are to be fetched by [MethodRows] until there
	// are no more.
	Rows bool `json:"rows,omitempty"`
}

// Row is one of the state in memory.
type Row struct {
	Key     []byte `json:"key"`
	Value   []byte `json:"value"`
	Until   int64  `json:"until,omitempty"` // Unix milliseconds, 0 is never
	Entered bool   `json:"entered,omitempty"`
}

// Failed is why there will be no successor.
type Failed struct {
	Error string `json:"error"`
	Code  int    `json:"code,omitempty"` // of sysexits(3)
}
