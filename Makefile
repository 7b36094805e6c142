# The two that matter: make demo (from nothing to a bootable ISO), make test.

GO       ?= go
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
ARCH     := $(shell $(GO) env GOARCH)
CACHE    := .cache
LDFLAGS  := -s -w -X main.version=$(VERSION)

# What stands in for a registry and for release downloads, which may both be
# out of reach: a base image from the distro's mirror, components built here.
CONTEXTS := --build-context debian:12-slim=oci-layout://$(CACHE)/base/debian-12-$(ARCH) \
            --build-context kairos-agent=$(CACHE)/components/$(ARCH)/kairos-agent \
            --build-context immucore=$(CACHE)/components/$(ARCH)/immucore

.PHONY: help
help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Build a bootable Debian 12 ISO from nothing, into dist/
	hack/deps.sh build boot
	$(MAKE) build base components
	bin/flavorkit build testdata/demo --target iso -o dist $(CONTEXTS)
	@echo
	@echo "Boot it here:     bin/flavorkit boot dist/kairos-debian-12-core-$(ARCH)-generic-v1.0.0.iso"
	@echo "Change it:        edit testdata/demo/kairos.spec, and make demo again"
	@echo "What was built:   bin/flavorkit plan -f testdata/demo/kairos.spec"

# Lanes of tests. Each test of test/integration is in one of them, by its name.
E2E       := ^Test(Machine|DiskRecovery)
SCHEDULED := ^Test(PowerCut|Foreign|BoardDisk|AllStandIns)
# What needs root, or a network.
NEED_ROOT := /client/engine$$|/internal/qemu$$|/test/testkit$$|/test/integration$$

.PHONY: test-unit
test-unit: ## Run the tests that need neither root nor a network
	$(GO) test $$($(GO) list ./... | grep -vE '$(NEED_ROOT)')

.PHONY: test
test: ## Run what a change needs: unit, golden, integration on real BuildKit, boots
	hack/deps.sh build boot test standins
	$(MAKE) tools base components frontend-image lint
	hack/lane.sh unit -timeout 20m $$($(GO) list ./... | grep -v /test/integration)
	hack/lane.sh integration -timeout 60m -parallel 2 -skip '$(E2E)|$(SCHEDULED)' ./test/integration

.PHONY: e2e
e2e: ## Follow machines: installation, upgrade, rollback, recovery, reset
	hack/deps.sh build boot test standins
	$(MAKE) base components
	hack/lane.sh e2e -timeout 70m -parallel 2 -run '$(E2E)' ./test/integration

.PHONY: e2e-powercut
e2e-powercut: ## Cut the power of a machine at twenty moments of an upgrade
	hack/deps.sh build boot test
	$(MAKE) base components
	hack/lane.sh e2e-powercut -timeout 120m -run '^TestPowerCut' ./test/integration

.PHONY: e2e-foreign
e2e-foreign: ## Build for arm64 through an emulator, and boot it
	hack/deps.sh build boot test foreign
	$(MAKE) base components
	hack/lane.sh e2e-foreign -timeout 120m -run '^Test(Foreign|BoardDisk)' ./test/integration

.PHONY: test-matrix
test-matrix: ## Build every entry of the matrix for amd64, on stand-ins
	hack/deps.sh build boot test standins
	$(MAKE) base components
	hack/lane.sh matrix -timeout 120m -run '^TestAllStandIns' ./test/integration

.PHONY: build
build: ## Build the CLI into bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/flavorkit ./cmd/flavorkit

.PHONY: base
base: ## Make the Debian base image from the distro's mirror
	hack/base.sh debian-12

.PHONY: components
components: ## Build kairos-agent and immucore from their Go modules
	hack/components.sh kairos-agent immucore

.PHONY: tools
tools: ## Build buildkitd and buildx, for the tests
	hack/tools.sh

.PHONY: frontend-image
frontend-image: ## Build the frontend image, as an OCI layout
	hack/frontend.sh

.PHONY: lint
lint: ## Check formatting and run go vet
	@test -z "$$(gofmt -l $$(git ls-files -co --exclude-standard "*.go"))" || { gofmt -l $$(git ls-files -co --exclude-standard "*.go"); exit 1; }
	$(GO) vet ./...

.PHONY: fmt
fmt: ## Format Go files and scripts
	gofmt -w $$(git ls-files '*.go')
	$(GO) tool -modfile=hack/lint/files/go.mod shfmt -w $$(git ls-files '*.sh')

.PHONY: generate
generate: ## Generate the JSON schemas, the spec reference and the pages about flavors and targets
	$(GO) generate ./...

.PHONY: update-goldens
update-goldens: ## Rewrite the golden plans and graphs
	$(GO) test ./plan ./frontend -update

# GoReleaser and what it calls, at the versions of hack/release/go.mod.
RELEASE_TOOLS := $(abspath $(CACHE)/release)

.PHONY: release-tools
release-tools:
	mkdir -p $(RELEASE_TOOLS)
	$(GO) -C hack/release build -o $(RELEASE_TOOLS)/ tool

.PHONY: release-snapshot
release-snapshot: release-tools ## Build what a release has into dist/, without publishing
	PATH="$(RELEASE_TOOLS):$$PATH" goreleaser check
	PATH="$(RELEASE_TOOLS):$$PATH" goreleaser release --snapshot --clean --skip=sign,docker,ko

.PHONY: release
release: release-tools ## Publish the release of the tag that is checked out
	hack/release/notes.sh "$$(git describe --exact-match --tags)" >$(RELEASE_TOOLS)/notes.md
	PATH="$(RELEASE_TOOLS):$$PATH" goreleaser release --clean --release-notes $(RELEASE_TOOLS)/notes.md

.PHONY: clean
clean: ## Remove what was built; .cache is kept
	rm -rf bin dist
