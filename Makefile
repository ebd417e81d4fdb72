# All commands of this repository; `make` lists them. Targets install the pinned tools that they need.

GO       ?= go
PACKAGES  = ./...
export CGO_ENABLED = 0

.DEFAULT_GOAL := help

.PHONY: help
help: ## list these commands
	@awk -F ':.*## ' '/^##@ / { printf "\n%s\n", substr($$0, 5) } /^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo

##@ Run it

.PHONY: run
run: ## run the whole system on this machine, with a receiver that shows verified webhooks (needs only Go)
	@echo "Building; the first time this takes about a minute on two cores …" >&2
	@mkdir -p build
	@$(GO) build -o build/nepenthes ./local
	@exec env -u AWS_ENDPOINT_URL ./build/nepenthes $(ARGS)

##@ Test it

.PHONY: test
test: tools lint unit browser ## run everything that CI runs, and install what it needs

.PHONY: unit
unit: tools ## run the Go tests; they start the emulators that they need
	CI=true CHROMIUM="$$(command -v chromium)" $(GO) test -timeout 30m $(PACKAGES)

.PHONY: browser
browser: tools ## test the console and the documentation page in Chromium
	CHROMIUM="$$(command -v chromium)" npx playwright test --config web/test/playwright.config.mjs --project "with script" --project "without script"

.PHONY: lint
lint: ## check formatting, and run vet and staticcheck
	@unformatted="$$($(GO) tool gofumpt -l events functions infra local shared web 2>/dev/null)"; \
	if [ -n "$$unformatted" ]; then echo "not formatted (run: make format):"; echo "$$unformatted"; exit 1; fi
	$(GO) vet $(PACKAGES)
	$(GO) tool staticcheck $(PACKAGES)

.PHONY: format
format: ## format all Go code
	$(GO) tool gofumpt -w events functions infra local shared web

.PHONY: fuzz
fuzz: ## run every fuzz target for 30 s
	@grep -rHo --include='*_test.go' '^func Fuzz[A-Za-z0-9]*' events shared | sed 's/:func / /' | while read -r file name; do \
		echo "$$(dirname $$file) $$name"; \
		$(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime 30s -fuzzminimizetime 100x "./$$(dirname $$file)" || exit 1; \
	done

.PHONY: tools
tools: node_modules/.installed .venv/.installed ## install what tests need, pinned: npm and Python packages, Chromium
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

##@ Build and deploy

FUNCTIONS = settings webhooks oauth console fanout sender sweeper
BUILD     = build
# Release binaries are small, and the same source gives the same bytes on every machine.
RELEASE   = -tags lambda.norpc -trimpath -buildvcs=false
LINK      = -s -w
STAGE    ?= dev

.PHONY: build
build: ## build the functions for AWS (arm64) into build/<function>/bootstrap
	@mkdir -p $(BUILD)/.linked $(FUNCTIONS:%=$(BUILD)/%)
	GOOS=linux GOARCH=arm64 $(GO) build $(RELEASE) -ldflags "$(LINK)" -o $(BUILD)/.linked/ $(FUNCTIONS:%=./functions/%)
	@for f in $(FUNCTIONS); do ln -f $(BUILD)/.linked/$$f $(BUILD)/$$f/bootstrap || exit 1; done

.PHONY: preflight
preflight: ## check that the account has the concurrency that the synthesised stack reserves (STAGE=dev)
	@$(GO) run ./infra/operate preflight -stage $(STAGE)

##@ Operate a deployed stage (STAGE=dev)

.PHONY: redrive
redrive: ## move dead letters back to their lane (LANE=events, deliveries or retries)
	@$(GO) run ./infra/operate redrive -stage $(STAGE) -lane "$(LANE)"

.PHONY: rotate-keys
rotate-keys: ## add a key pair (PURPOSE=webhook-secrets or token-signing)
	@$(GO) run ./infra/operate rotate-keys -stage $(STAGE) -purpose "$(PURPOSE)"

##@ Rehearse on a local AWS endpoint

RUN      ?= .run
PORT     ?=
REHEARSE  = $(GO) run ./infra/rehearse -run $(RUN)

# The receivers of a rehearsal are on this machine, which release binaries refuse to call. Binaries for emulators may
# call it. Only a stack with "assets=local" uses them, which is refused for every account except that of emulators. Functions in
# containers reach this machine at another address: set RECEIVER_HOST.
RECEIVER_HOST ?= 127.0.0.1
export RECEIVER_HOST
EMULATED      = $(LINK) -X nepenthes/shared/outbound.loopback=allowed
EMULATED_OS   = $(shell $(GO) env GOHOSTOS)
ifneq ($(RECEIVER_HOST),127.0.0.1)
EMULATED     += -X nepenthes/shared/outbound.gateway=$(RECEIVER_HOST)
EMULATED_OS   = linux
endif

.PHONY: local-up
local-up: .venv/.installed ## start a local AWS endpoint and write its variables to .run/env
	@$(REHEARSE) -port "$(PORT)" up

.PHONY: deploy-local
deploy-local: node_modules/.installed ## deploy the stack to the local AWS endpoint and write its outputs to .run/out.json
	@$(REHEARSE) deploy

.PHONY: smoke
smoke: node_modules/.installed ## play the life of an event against the deployed stack, then remove the stack
	@$(REHEARSE) smoke

.PHONY: local-down
local-down: ## stop the local AWS endpoint
	@$(REHEARSE) down

.PHONY: rehearsal
rehearsal: tools ## do all of this in one test, with the cases of the API and the console (AWS_ENDPOINT_URL=… for another endpoint)
	CI=true CHROMIUM="$$(command -v chromium)" REHEARSAL_ENDPOINT="$(AWS_ENDPOINT_URL)" $(GO) test -count 1 -v -timeout 30m -run '^TestRehearsal$$' ./infra

.PHONY: build-local
build-local: ## build the functions for emulators on this machine into build/local/<function>/bootstrap
	@mkdir -p $(BUILD)/local/.linked $(FUNCTIONS:%=$(BUILD)/local/%)
	GOOS=$(EMULATED_OS) GOARCH=$$($(GO) env GOHOSTARCH) $(GO) build $(RELEASE) -ldflags "$(EMULATED)" -o $(BUILD)/local/.linked/ $(FUNCTIONS:%=./functions/%)
	@for f in $(FUNCTIONS); do ln -f $(BUILD)/local/.linked/$$f $(BUILD)/local/$$f/bootstrap || exit 1; done

##@ Measure it and picture it

.PHONY: bench
bench: ## measure the figures of docs/performance.md and their floors in one run
	$(GO) test -run '^$$' -bench . -benchtime 1x ./shared/webhook ./shared/catalogue ./shared/sender ./shared/outbound ./shared/rest ./local

.PHONY: cost
cost: node_modules/.installed ## count what deliveries cost on AWS, by list price (needs Java 17)
	@CI=true $(GO) test -count 1 -v -run TestCost ./infra/cost

.PHONY: screenshots
screenshots: tools ## take the pictures of the console for README and docs into docs/images
	CHROMIUM="$$(command -v chromium)" npx playwright test --config web/test/playwright.config.mjs --project screenshots
