.DEFAULT_GOAL := help
.PHONY: help run demo test bench lint docker openapi

help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build-tools ## Build, serve http://localhost:8000 and begin an update from TVmaze
	cargo build --release --locked --bin tvshows
	./target/release/tvshows serve --update

demo: build-tools ## The same on the built-in simulator, without a network, into demo.db
	cargo build --release --locked --bin tvshows
	DATABASE_PATH=demo.db TVMAZE_BASE_URL=demo ./target/release/tvshows serve --update

test: lint ## Install what the tests need, then run the linters and every test
	cargo test --workspace --locked

bench: bench-tools ## Measure: a full run beside the download of the same pages
	cargo build --release --locked --bin tvshows
	benches/full-run.sh

lint: test-tools ## Check the format, the lints and the documentation
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --all-features --locked -- --deny warnings
	RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps --locked

docker: ## Build the image and serve http://localhost:8000 with Redis
	docker compose -f docker/compose.yaml up --build

openapi: ## Write the OpenAPI document anew, after a change of the API
	cargo run --locked --bin tvshows -- openapi > docs/openapi.json

.PHONY: build-tools test-tools bench-tools
build-tools:
	@scripts/setup.sh build
test-tools:
	@scripts/setup.sh test
bench-tools: build-tools
	@scripts/setup.sh bench
