# planeproof: `make help` says what there is.

RUNTIME     ?= auto
TAGS        ?=
CONCURRENCY ?= 8
SEED        ?= 0
REPORT      ?=
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: help fmt lint test test-short conformance bite bite-all clients bench clean

help: ## say what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  make conformance takes RUNTIME=auto|docker|process, TAGS='@bearer', CONCURRENCY=8, SEED=1, REPORT=out"

fmt: ## format the Go files
	gofmt -w $$(git ls-files '*.go')

lint: ## gofmt, go vet, staticcheck
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$unformatted" ]; then echo "not formatted: $$unformatted" >&2; exit 1; fi
	go vet ./...
	go run $(STATICCHECK) ./...

test: ## all tests, with the race detector, in random order; says what could not be checked here
	go test -race -shuffle=on ./...
	@[ -n "$$OPENAPI_FILE" ] || [ -f ../shared/openapi/braintrust-api.subset.json ] || \
		echo "NOT CHECKED: answers against the published API description; name its file in OPENAPI_FILE"
	@docker info >/dev/null 2>&1 || echo "NOT CHECKED: containers; no docker engine answers"

test-short: ## what needs no container, no build of the program and no race detector
	go test -short ./...

bin/planeproof: FORCE
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o $@ ./cmd/planeproof

.PHONY: FORCE
FORCE:

conformance: bin/planeproof ## run the conformance suite and say yes or no
	bin/planeproof run --runtime $(RUNTIME) --tags "$(TAGS)" --concurrency $(CONCURRENCY) --seed $(SEED) $(if $(REPORT),--report "$(REPORT)")

clients: ## run the official and other OpenAI libraries, unmodified, against the fakes; they are a module of their own
	cd conformance/testdata/clients && go test -count=1 ./...

bite: ## run the suite on systems broken on purpose: what must fail of it, and a sample that must not
	go test ./conformance -run 'Bite|Sabotages' -bite listed -count 1 -timeout 60m -v

bite-all: ## the same with every scenario
	go test ./conformance -run 'Bite|Sabotages' -bite all -count 1 -timeout 60m -v

bench: bin/planeproof ## measure what docs/testing.md tells figures of; nothing is asserted
	sh scripts/bench.sh

clean: ## remove what was built, the image of the fakes included
	rm -rf bin out
	@if command -v docker >/dev/null && docker info >/dev/null 2>&1; then \
		docker image ls --quiet --filter label=io.planeproof | sort -u | xargs -r docker image rm --force; fi
