# Everything a newcomer types. Each target says what it needs when that is missing.
.DEFAULT_GOAL := help
.PHONY: help demo build test format vet lint unit bench schema pictures clean

GOLANGCI := go tool -modfile=tools.mod golangci-lint

help: ## say what there is
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: ## everything on this machine: database, simulated providers, sample merchants; Ctrl-C ends it
	@scripts/ensure-postgres
	@$(MAKE) --no-print-directory build
	@exec bin/web demo

build: ## bin/web
	go build -o bin/web ./cmd/web

test: ## every check and every test: real PostgreSQL, real browser, race detector
	@scripts/ensure-test-tools
	@$(MAKE) --no-print-directory format vet lint unit

format: ## refuse files that gofmt would change
	@files=$$(gofmt -l cmd internal migrations static templates); \
	if [ -n "$$files" ]; then echo "gofmt would change:"; echo "$$files"; exit 1; fi

vet:
	go vet ./...

lint: ## golangci-lint, of the version in tools.mod
	$(GOLANGCI) run

unit: ## the Go tests alone, browser tests among them
	scripts/test go test -race -timeout 40m ./...

bench: ## benchmarks, with allocations
	@scripts/ensure-postgres
	scripts/test go test -run '^$$' -bench . -benchmem ./...

schema: ## write migrations/schema.sql after a change of the migrations
	@scripts/ensure-postgres
	scripts/test go test ./internal/database -count=1 -run TestSchema_DumpIsCommitted -update

pictures: ## photograph every page into ./pictures: both languages, phone and desktop, light and dark
	@scripts/ensure-test-tools
	PICTURES=$(CURDIR)/pictures scripts/test go test -tags pictures -count=1 -run TestPictures ./cmd/web

clean: ## remove what was built; ./data stays
	rm -rf bin node_modules
