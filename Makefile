.DEFAULT_GOAL := help
.PHONY: help run demo test browser-test schemathesis calendar package bench fuzz fuzz-lock lint deny audit sbom docker docker-demo openapi configuration

help: ## List the available targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build-tools ## Build, serve http://localhost:8000, and start an update from TVmaze
	cargo build --release --locked --bin tvshows
	./target/release/tvshows serve --update

# Shows that have episodes every week, so that the schedule is not empty.
DEMO_DETAILS := language=English&status=Running&min_rating=8

demo: build-tools ## Like run, but with the built-in simulator and demo.db; needs no network
	cargo build --release --locked --bin tvshows
	DATABASE_PATH=demo.db TVMAZE_BASE_URL=demo DETAILS='$(DEMO_DETAILS)' ./target/release/tvshows serve --update

test: lint package client-tools ## Install the test dependencies, then run the linters and all tests
	cargo test --workspace --locked
	$(MAKE) browser-test schemathesis calendar

browser-test: browser-tools ## Test the dashboard in Debian's Chromium (or CHROMIUM=/path/to/another)
	cargo build --locked --bin tvshows
	cd tests/browser && node --test

schemathesis: test-tools ## Check the service against its OpenAPI document
	scripts/schemathesis.sh

calendar: test-tools ## Check the calendar with iCalendar libraries
	scripts/calendar.sh

package: test-tools ## Package tvmaze-client as for crates.io, then build and test the package
	scripts/package.sh

bench: bench-tools ## Run the benchmarks and update docs/performance.md (BENCH=serving runs only one)
	cargo build --release --locked --bin tvshows --bin tvshows-benches
	./target/release/tvshows-benches $(BENCH)
	cargo bench --locked --package tvmaze-client --bench rate_limit

fuzz: ## Fuzz the parsers for eight minutes (needs a nightly compiler and cargo-fuzz)
	cd fuzz && mkdir -p corpus/decode corpus/plain_text corpus/retry_after corpus/query corpus/cursor
	cargo +nightly fuzz run decode fuzz/corpus/decode fuzz/seeds/decode -- -max_total_time=240 -max_len=4096
	cargo +nightly fuzz run plain_text fuzz/corpus/plain_text fuzz/seeds/plain_text -- -max_total_time=60
	cargo +nightly fuzz run retry_after fuzz/corpus/retry_after fuzz/seeds/retry_after -- -max_total_time=60
	cargo +nightly fuzz run query fuzz/corpus/query fuzz/seeds/query -- -max_total_time=60
	cargo +nightly fuzz run cursor fuzz/corpus/cursor fuzz/seeds/cursor -- -max_total_time=60

fuzz-lock: ## Update fuzz/Cargo.lock after a change of Cargo.lock
	cp Cargo.lock fuzz/Cargo.lock
	cargo metadata --manifest-path fuzz/Cargo.toml --format-version 1 >/dev/null

lint: test-tools ## Check formatting, lints, and rustdoc
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --all-features --locked -- --deny warnings
	RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps --locked
	@if cargo deny --version >/dev/null 2>&1; then $(MAKE) deny; \
	else echo "skipped: make deny (run cargo install --locked cargo-deny to enable it)"; fi

deny: ## Check the dependencies for disallowed licenses and sources, and for duplicates (needs cargo-deny)
	cargo deny --locked check bans licenses sources

audit: ## Check the dependencies for known vulnerabilities (needs cargo-deny and a network)
	@cargo deny --version
	@cargo deny fetch db || { echo "cannot fetch the advisory database; nothing was checked"; exit 1; } >&2
	cargo deny --locked check --disable-fetch advisories

sbom: ## Write a CycloneDX SBOM to target/sbom/tvshows.cdx.json (needs cargo-cyclonedx)
	scripts/sbom.sh

docker: ## Build the image and serve http://localhost:8000, with Redis
	REVISION=$$(git rev-parse HEAD) docker compose -f docker/compose.yaml up --build

docker-demo: ## Like docker, but with the simulator instead of TVmaze
	docker compose -f docker/compose.demo.yaml up --build

openapi: ## Update docs/openapi.json after a change of the API
	cargo run --locked --bin tvshows -- openapi > docs/openapi.json

configuration: ## Update docs/configuration.md after a change of a setting or flag
	UPDATE_DOCS=1 cargo test --locked --package tvshows --lib reference

.PHONY: build-tools test-tools browser-tools client-tools bench-tools
build-tools:
	@scripts/setup.sh build
test-tools:
	@scripts/setup.sh test
browser-tools:
	@scripts/setup.sh browser
client-tools:
	@scripts/setup.sh clients
bench-tools: build-tools
	@scripts/setup.sh bench
