package events

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"

	"mailweir/internal/backend"
)

// backends are the metrics of what mail is asked about outside: directories, databases, scanners.
type backends struct {
	mu   sync.Mutex
	open map[string]int // by name; a reload may open one before it closes another

	// parts are the domains for which a backend is used for nothing, by its name.
	parts map[string]map[string]bool
	// states are what people are told.
	states map[string]*BackendState

	up        *prometheus.GaugeVec
	suspended *prometheus.GaugeVec
	calls     *prometheus.CounterVec
	took      *prometheus.HistogramVec
	made      *prometheus.GaugeVec
}

// Observe returns an observer that shows how backends fare in the metrics, and says so in the log
// when one goes and when it returns. mask hides the secrets of errors; a name has none.
func (m *Metrics) Observe(log *logrus.Logger, mask func(string) string) *backend.Observer {
	b := &backends{
		open: map[string]int{}, parts: map[string]map[string]bool{}, states: map[string]*BackendState{},
		up: backendUp.NewGauges(), suspended: backendSuspended.NewGauges(), calls: backendCalls.NewCounters(), took: backendDuration.NewHistograms(),
	}
	b.made = m.scans.made
	m.scans.backends = b
	m.Registry.MustRegister(b.up, b.suspended, b.calls, b.took, b.made)
	return &backend.Observer{
		Opened: b.opened,
		Closed: b.closed,
		Down: func(name string, err error) {
			b.set(name, 0, mask(err.Error()))
			log.WithFields(logrus.Fields{"backend": name, "error": mask(err.Error())}).Error("backend unavailable; checks that need it do as their on-error says")
		},
		Up: func(name string) {
			b.set(name, 1, "")
			log.WithField("backend", name).Info("backend available again")
		},
		Suspended: func(name, part, why string) {
			b.suspend(name, part, why != "")
			entry := log.WithFields(logrus.Fields{"backend": name, "domain": part})
			if why != "" {
				entry.WithField("why", mask(why)).Warn("backend used for nothing for this domain")
			} else {
				entry.Info("backend used for this domain again")
			}
		},
		Call: b.called,
	}
}

// BackendState is how something fares that mail is asked about outside.
type BackendState struct {
	Name string `json:"name"`
	// Up says that it answers, Since when it went or returned, or was opened, and Err why it went.
	Up    bool      `json:"up"`
	Since time.Time `json:"since"`
	Err   string    `json:"error,omitempty"`
	// Calls are the questions, Errors those without an answer.
	Calls  uint64 `json:"calls"`
	Errors uint64 `json:"errors"`
	// Unused are the domains for which its answers mean nothing.
	Unused []string `json:"unused,omitempty"`
}

// Backends are those that are in use, by name.
func (m *Metrics) Backends() []BackendState {
	b := m.scans.backends
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []BackendState
	for _, name := range slices.Sorted(maps.Keys(b.states)) {
		state := *b.states[name]
		state.Unused = slices.Sorted(maps.Keys(b.parts[name]))
		list = append(list, state)
	}
	return list
}

// ObserveRecord is the observer of the database that the record is kept in, after Observe: no check
// needs it.
func (m *Metrics) ObserveRecord(log *logrus.Logger, mask func(string) string) *backend.Observer {
	b := m.scans.backends
	return &backend.Observer{
		Opened: b.opened,
		Closed: b.closed,
		Down: func(name string, err error) {
			b.set(name, 0, mask(err.Error()))
			log.WithFields(logrus.Fields{"backend": name, "error": mask(err.Error())}).Error("the record is unavailable; what is decided waits in memory, and is dropped when there is too much of it; mail is not concerned")
		},
		Up: func(name string) {
			b.set(name, 1, "")
			log.WithField("backend", name).Info("the record is available again")
		},
		Call: b.called,
	}
}

// set shows whether a backend answers. A call that was under way when it was closed shows nothing.
func (b *backends) set(name string, up float64, why string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open[name] > 0 {
		b.up.WithLabelValues(name).Set(up)
		state := b.states[name]
		state.Up, state.Since, state.Err = up == 1, time.Now(), why
	}
}

func (b *backends) opened(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open[name]++; b.states[name] == nil {
		b.states[name] = &BackendState{Name: name, Up: true, Since: time.Now()}
	}
	b.up.WithLabelValues(name).Set(1)
}

// closed forgets a backend that nobody uses any more, so that no alarm speaks of it for ever.
func (b *backends) closed(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open[name]--; b.open[name] > 0 {
		return
	}
	delete(b.open, name)
	delete(b.parts, name)
	delete(b.states, name)
	b.up.DeleteLabelValues(name)
	b.suspended.DeleteLabelValues(name)
	b.took.DeleteLabelValues(name)
	b.made.DeleteLabelValues(name)
	b.calls.DeletePartialMatch(prometheus.Labels{"backend": name})
}

// suspend shows for how many parts a backend is used for nothing.
func (b *backends) suspend(name, part string, suspended bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open[name] == 0 {
		return
	}
	if b.parts[name] == nil {
		b.parts[name] = map[string]bool{}
	}
	if suspended {
		b.parts[name][part] = true
	} else {
		delete(b.parts[name], part)
	}
	b.suspended.WithLabelValues(name).Set(float64(len(b.parts[name])))
}

func (b *backends) called(name string, took time.Duration, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open[name] == 0 {
		return
	}
	result := "ok"
	state := b.states[name]
	if state.Calls++; err != nil {
		result = "error"
		state.Errors++
	}
	b.calls.WithLabelValues(name, result).Inc()
	b.took.WithLabelValues(name).Observe(took.Seconds())
}
