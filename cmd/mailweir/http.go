package main

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"mailweir/internal/connections"
)

// httpLimits bound what whoever can connect to --http makes the daemon hold.
type httpLimits struct {
	header, read, write, idle time.Duration
	connections               int
}

// defaultHTTPLimits leave a slow network time enough for the few kilobytes of /metrics, and all
// descriptors but a few to the MTAs.
func defaultHTTPLimits() httpLimits {
	return httpLimits{header: 5 * time.Second, read: 10 * time.Second, write: 10 * time.Second, idle: 30 * time.Second, connections: 32}
}

// httpServer serves metrics and health. A nil one serves nothing.
type httpServer struct {
	listener net.Listener
	server   *http.Server
	serving  sync.WaitGroup
	isReady  atomic.Bool
}

// openHTTP serves at an address; "off" serves nowhere.
func (s *sockets) openHTTP(address string, metrics *prometheus.Registry, inspect inspection) (*httpServer, error) {
	if address == "off" {
		return nil, nil
	}
	l, err := s.listenTCP(address)
	if err != nil {
		return nil, err
	}
	return startHTTP(l, metrics, inspect, defaultHTTPLimits()), nil
}

// inspection asks all that mail depends on.
type inspection = func(context.Context) []condition

// startHTTP serves on a listener. inspect is asked by /readyz?verbose.
func startHTTP(listener net.Listener, metrics *prometheus.Registry, inspect inspection, limits httpLimits) *httpServer {
	h := &httpServer{listener: listener}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { answer(w, true) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		answer(w, h.isReady.Load())
		if r.URL.Query().Has("verbose") {
			_ = writeConditions(w, inspect(r.Context()), time.Now()) // who asked has gone
		}
	})
	h.server = &http.Server{
		Handler: mux, ConnState: connections.NewBound(limits.connections).Changed, MaxHeaderBytes: 16 << 10,
		ReadHeaderTimeout: limits.header, ReadTimeout: limits.read, WriteTimeout: limits.write, IdleTimeout: limits.idle,
	}
	h.serving.Go(func() { _ = h.server.Serve(listener) }) // it ends with ErrServerClosed
	return h
}

func answer(w http.ResponseWriter, ok bool) {
	if !ok {
		http.Error(w, "not ready", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}

func (h *httpServer) ready(is bool) {
	if h != nil {
		h.isReady.Store(is)
	}
}

func (h *httpServer) address() string {
	if h == nil {
		return "off"
	}
	return h.listener.Addr().String()
}

func (h *httpServer) stop() {
	if h == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if h.server.Shutdown(ctx) != nil {
		_ = h.server.Close()
	}
	h.serving.Wait()
}
