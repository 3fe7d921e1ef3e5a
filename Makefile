# make           build bin/mailweir, a static binary
# make quick     vet, and every test that needs nothing but Go: a minute when all is compiled
# make test      install what the tests need (Debian, root), then run them all
# make package   deb and rpm for amd64 and arm64, in bin/package
# make bench     measure, beside other filters, what it costs
# make benchmem  what a message leaves to the garbage collector: seconds
# make demo      see it work: a private Postfix with mailweir attached
GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  = -s -w -X main.version=$(VERSION)

.PHONY: build package run demo test quick test-next decisions lint vuln docs docs-check templ bench benchmem faults fuzz mutate clean

build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/mailweir ./cmd/mailweir

# The same commit gives the same packages to the octet.
package:
	contrib/package/build bin/package

run: build
	bin/mailweir serve

demo: build
	$(GO) build -o bin/demo ./demo
	bin/demo

test:
	test/run

quick:
	test/quick

# The dialogs on the MTAs of Debian 13, in a root that is made once; not part of test.
test-next:
	test/next/run

# What this mailweir decides, beside what another did (see test/README.md):
# make decisions OUT=DIR [BIN=PROGRAM] [AGAINST=DIR]
BIN ?= bin/mailweir
decisions: build
	test/decisions/run $(BIN) $(OUT)
	$(if $(AGAINST),$(GO) run ./test/decisions -diff $(if $(RENAMES),-renames $(RENAMES)) $(AGAINST) $(OUT))

lint:
	test/lint

# Known vulnerabilities in what we depend on; needs the database of vuln.go.dev.
vuln:
	$(GO) run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./...

# The generated pages of docs/reference, and the dashboard.
docs: build
	bin/mailweir reference docs/reference
	$(GO) run ./contrib/grafana >contrib/grafana/mailweir.json

docs-check: build
	rm -rf bin/reference && mkdir -p bin/reference && bin/mailweir reference bin/reference
	diff -r docs/reference bin/reference || { echo "docs/reference is stale: run make docs"; exit 1; }

# What the pages of the console are made of, from their templates.
templ:
	$(GO) run github.com/a-h/templ/cmd/templ@v0.3.1118 generate -path internal/web -log-level error
	$(GO) run mvdan.cc/gofumpt@v0.12.0 -w internal/web/view/*_templ.go

# The table of aims, beside the peers, into docs/measurements/aims.md: a quarter of an hour on a
# machine that does nothing else. The first run fills /var/tmp/mailweir-bench, which is kept.
bench:
	test/install.sh bench
	$(GO) run ./bench -write docs/measurements

# What a message leaves to the garbage collector, on the wire, in the runner, under the default
# policy and where content is examined. It is built as "build" builds, so most of it is there.
benchmem:
	CGO_ENABLED=0 $(GO) test -trimpath -run '^$$' -bench '^Benchmark(Message|DefaultPolicy|Usual)$$' -benchmem -benchtime 1000x \
		./milter ./internal/runner ./checks ./internal/content

# Every server that mailweir asks fails in every way, under load (see test/faults): half an hour.
faults:
	test/install.sh
	$(GO) run ./test/faults $(if $(PEERS),-peers $(PEERS))

# Which changes of a package's code do its tests not notice? make mutate PKG=./internal/address
mutate:
	GOFLAGS=-short $(GO) run github.com/go-gremlins/gremlins/cmd/gremlins@v0.5.0 unleash --workers 2 \
		--timeout-coefficient 5 $(PKG)

# A minute for every fuzz target.
fuzz:
	test/fuzz 60s

clean:
	rm -rf bin
