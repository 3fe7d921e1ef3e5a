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
)

// httpServer serves metrics and health. A nil one serves nothing.
type httpServer struct {
	listener net.Listener
	server   *http.Server
	serving  sync.WaitGroup
	isReady  atomic.Bool
}

// startHTTP listens at an address; "off" listens nowhere.
func startHTTP(address string, metrics *prometheus.Registry) (*httpServer, error) {
	if address == "off" {
		return nil, nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	h := &httpServer{listener: listener}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { answer(w, true) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { answer(w, h.isReady.Load()) })
	h.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	h.serving.Go(func() { _ = h.server.Serve(listener) }) // it ends with ErrServerClosed
	return h, nil
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
