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
	@exec env -u AWS_ENDPOINT_URL ./build/nepenthes $(ARGS)

FUNCTIONS = settings webhooks oauth console fanout sender sweeper
BUILD     = build
# Small, and the same bytes for the same source, wherever and by whom it is built.
RELEASE   = -tags lambda.norpc -trimpath -buildvcs=false
LINK      = -s -w

.PHONY: build
build: ## the functions for AWS (arm64), into build/<function>/bootstrap
	@mkdir -p $(BUILD)/.linked $(FUNCTIONS:%=$(BUILD)/%)
	GOOS=linux GOARCH=arm64 $(GO) build $(RELEASE) -ldflags "$(LINK)" -o $(BUILD)/.linked/ $(FUNCTIONS:%=./functions/%)
	@for f in $(FUNCTIONS); do ln -f $(BUILD)/.linked/$$f $(BUILD)/$$f/bootstrap || exit 1; done

# A story's receivers are on this machine. Only these binaries may call it, and only infra's "assets=local", for
# emulators, takes them. Functions in containers reach this machine by another address: RECEIVER_HOST.
RECEIVER_HOST ?= 127.0.0.1
EMULATED   = $(LINK) -X nepenthes/shared/outbound.loopback=allowed
EMULATED_OS   = $(shell $(GO) env GOHOSTOS)
ifneq ($(RECEIVER_HOST),127.0.0.1)
EMULATED  += -X nepenthes/shared/outbound.gateway=$(RECEIVER_HOST)
EMULATED_OS   = linux
endif

.PHONY: build-local
build-local: ## the functions for emulators on this machine, into build/local/<function>/bootstrap
	@mkdir -p $(BUILD)/local/.linked $(FUNCTIONS:%=$(BUILD)/local/%)
	GOOS=$(EMULATED_OS) GOARCH=$$($(GO) env GOHOSTARCH) $(GO) build $(RELEASE) -ldflags "$(EMULATED)" -o $(BUILD)/local/.linked/ $(FUNCTIONS:%=./functions/%)
	@for f in $(FUNCTIONS); do ln -f $(BUILD)/local/.linked/$$f $(BUILD)/local/$$f/bootstrap || exit 1; done

RUN  ?= .run
PORT ?=
REHEARSE = $(GO) run ./infra/rehearse -run $(RUN)
export RECEIVER_HOST

.PHONY: local-up
local-up: .venv/.installed ## start a local AWS endpoint; its variables come into .run/env
	@$(REHEARSE) -port "$(PORT)" up

.PHONY: deploy-local
deploy-local: node_modules/.installed ## deploy the stack to the local AWS endpoint; its outputs come into .run/out.json
	@$(REHEARSE) deploy

.PHONY: smoke
smoke: node_modules/.installed ## play the life of an event against the deployed stack, then remove it
	@$(REHEARSE) smoke

.PHONY: local-down
local-down: ## stop the local AWS endpoint
	@$(REHEARSE) down

.PHONY: rehearsal
rehearsal: tools ## deploy to a local AWS endpoint (its own, or AWS_ENDPOINT_URL), then the cases of the API, the console, the story
	CI=true CHROMIUM="$$(command -v chromium)" REHEARSAL_ENDPOINT="$(AWS_ENDPOINT_URL)" $(GO) test -count 1 -v -timeout 30m -run '^TestRehearsal$$' ./infra

STAGE ?= dev

.PHONY: cost
cost: node_modules/.installed ## count what deliveries cost on AWS, by list price (needs Java 17)
	@CI=true $(GO) test -count 1 -v -run TestCost ./infra/cost

.PHONY: preflight
preflight: ## check that the account can reserve what the synthesised stack wants (STAGE=dev)
	@$(GO) run ./infra/operate preflight -stage $(STAGE)

.PHONY: redrive
redrive: ## move dead letters back to their lane (STAGE=dev LANE=events)
	@$(GO) run ./infra/operate redrive -stage $(STAGE) -lane "$(LANE)"

.PHONY: rotate-keys
rotate-keys: ## add a key pair (STAGE=dev PURPOSE=webhook-secrets or token-signing)
	@$(GO) run ./infra/operate rotate-keys -stage $(STAGE) -purpose "$(PURPOSE)"

.PHONY: test
test: tools lint unit browser ## everything that CI runs; installs what it needs

.PHONY: unit
unit: tools ## the Go tests, with the emulators that they start themselves
	CI=true CHROMIUM="$$(command -v chromium)" $(GO) test -timeout 30m $(PACKAGES)

.PHONY: browser
browser: tools ## the console and the documentation page in a real Chromium
	CHROMIUM="$$(command -v chromium)" npx playwright test --config web/test/playwright.config.mjs --project "with script" --project "without script"

.PHONY: screenshots
screenshots: tools ## pictures of the console for README and docs, from a seeded state, into docs/images
	CHROMIUM="$$(command -v chromium)" npx playwright test --config web/test/playwright.config.mjs --project screenshots

.PHONY: tools
tools: node_modules/.installed .venv/.installed ## what tests need, pinned: npm and Python packages, Chromium
	@command -v java >/dev/null || { echo "Java 17 is missing: DynamoDB Local runs on it. Install openjdk-17-jre-headless." >&2; exit 1; }
	@command -v chromium >/dev/null || { echo "Installing Chromium …"; apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } || \
		{ echo "Chromium is missing and cannot be installed from here: install the package chromium." >&2; exit 1; }

node_modules/.installed: package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing: install Node.js 20." >&2; exit 1; }
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

.venv/.installed: requirements.txt
	@command -v python3 >/dev/null || { echo "python3 is missing: install Python 3.11." >&2; exit 1; }
	python3 -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

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
	$(GO) test -run '^$$' -bench . -benchtime 1x ./shared/webhook ./shared/catalogue ./shared/sender ./shared/outbound ./shared/rest ./local

.PHONY: fuzz
fuzz: ## every fuzz target for 30 s
	@grep -rHo --include='*_test.go' '^func Fuzz[A-Za-z0-9]*' events shared | sed 's/:func / /' | while read -r file name; do \
		echo "$$(dirname $$file) $$name"; \
		$(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime 30s -fuzzminimizetime 100x "./$$(dirname $$file)" || exit 1; \
	done
