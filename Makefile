.DEFAULT_GOAL := help
.PHONY: help run demo test browser-test schemathesis package bench fuzz lint deny audit sbom docker docker-demo openapi configuration

help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build-tools ## Build, serve http://localhost:8000 and begin an update from TVmaze
	cargo build --release --locked --bin tvshows
	./target/release/tvshows serve --update

demo: build-tools ## The same on the built-in simulator, without a network, into demo.db
	cargo build --release --locked --bin tvshows
	DATABASE_PATH=demo.db TVMAZE_BASE_URL=demo ./target/release/tvshows serve --update

test: lint package ## Install what the tests need, then run the linters and every test
	cargo test --workspace --locked
	$(MAKE) browser-test schemathesis

browser-test: browser-tools ## Try the page in Debian's Chromium (CHROMIUM=/path/to/another)
	cargo build --locked --bin tvshows
	cd tests/browser && node --test

schemathesis: test-tools ## Hold the service to its OpenAPI document
	scripts/schemathesis.sh

package: test-tools ## Pack tvmaze-client as for crates.io, and build and test it where it is unpacked
	scripts/package.sh

bench: bench-tools ## Measure, and write docs/performance.md: BENCH=serving for a part of it
	cargo build --release --locked --bin tvshows --bin tvshows-benches
	./target/release/tvshows-benches $(BENCH)
	cargo bench --locked --package tvmaze-client --bench rate_limit

fuzz: ## Fuzz what reads answers and requests for eight minutes (needs a nightly compiler and cargo-fuzz)
	cd fuzz && mkdir -p corpus/decode corpus/plain_text corpus/retry_after corpus/query corpus/cursor
	cargo +nightly fuzz run decode fuzz/corpus/decode fuzz/seeds/decode -- -max_total_time=240 -max_len=4096
	cargo +nightly fuzz run plain_text fuzz/corpus/plain_text fuzz/seeds/plain_text -- -max_total_time=60
	cargo +nightly fuzz run retry_after fuzz/corpus/retry_after fuzz/seeds/retry_after -- -max_total_time=60
	cargo +nightly fuzz run query fuzz/corpus/query fuzz/seeds/query -- -max_total_time=60
	cargo +nightly fuzz run cursor fuzz/corpus/cursor fuzz/seeds/cursor -- -max_total_time=60

lint: test-tools ## Check the format, the lints and the documentation
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --all-features --locked -- --deny warnings
	RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps --locked
	@if cargo deny --version >/dev/null 2>&1; then $(MAKE) deny; \
	else echo "not checked: make deny, which needs cargo install --locked cargo-deny"; fi

deny: ## Check licenses, sources and duplicates of the dependencies (needs cargo-deny)
	cargo deny --locked check bans licenses sources

audit: ## Check the dependencies for known vulnerabilities (needs cargo-deny and the network)
	@cargo deny --version
	@cargo deny fetch db || { echo "nothing was checked: the database of advisories cannot be reached"; exit 1; } >&2
	cargo deny --locked check --disable-fetch advisories

sbom: ## List what is in the binary as target/sbom/tvshows.cdx.json, in CycloneDX (needs cargo-cyclonedx)
	scripts/sbom.sh

docker: ## Build the image and serve http://localhost:8000 with Redis
	REVISION=$$(git rev-parse HEAD) docker compose -f docker/compose.yaml up --build

docker-demo: ## The same on the simulator, without TVmaze
	docker compose -f docker/compose.demo.yaml up --build

openapi: ## Write the OpenAPI document anew, after a change of the API
	cargo run --locked --bin tvshows -- openapi > docs/openapi.json

configuration: ## Write the reference of settings anew, after a change of a setting or a flag
	UPDATE_DOCS=1 cargo test --locked --package tvshows --lib reference

.PHONY: build-tools test-tools browser-tools bench-tools
build-tools:
	@scripts/setup.sh build
test-tools:
	@scripts/setup.sh test
browser-tools:
	@scripts/setup.sh browser
bench-tools: build-tools
	@scripts/setup.sh bench
