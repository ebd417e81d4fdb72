# Everything that can be done here; `make` lists it. What tests need is installed by these targets, pinned.

GO      ?= go
PACKAGES = ./...
# Flags of every release binary: small, and the same bytes for the same source.
export CGO_ENABLED = 0

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## the whole system on this machine, with a receiver that shows verified webhooks (needs only Go)
	@echo "Building; the first time this takes about a minute on two cores …" >&2
	@mkdir -p build
	@$(GO) build -o build/nepenthes ./local
	@exec ./build/nepenthes $(ARGS)

.PHONY: test
test: lint ## everything that CI runs
	$(GO) test $(PACKAGES)

.PHONY: lint
lint: ## formatting, vet and staticcheck
	@unformatted="$$($(GO) tool gofumpt -l events functions infra local shared web 2>/dev/null)"; \
	if [ -n "$$unformatted" ]; then echo "not formatted (run: make format):"; echo "$$unformatted"; exit 1; fi
	$(GO) vet $(PACKAGES)
	$(GO) tool staticcheck $(PACKAGES)

.PHONY: format
format: ## format all Go code
	$(GO) tool gofumpt -w events functions infra local shared web

.PHONY: bench
bench: ## the figures of docs/performance.md, with their floors, in one run
	$(GO) test -run '^$$' -bench . -benchtime 1x ./shared/webhook ./shared/fanout ./shared/sender ./local

.PHONY: fuzz
fuzz: ## every fuzz target for 30 s
	@for target in $$(grep -rl --include='*_test.go' '^func Fuzz' events shared | xargs grep -ho '^func Fuzz[A-Za-z0-9]*' -H | sed 's/func //' ); do \
		package=./$$(dirname "$${target%%:*}"); name=$${target##*:}; \
		echo "$$package $$name"; $(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime 30s $$package || exit 1; \
	done
