#!/bin/sh
# Packs tvmaze-client as for crates.io, unpacks it outside of the workspace, and builds and tests it there, as
# somebody who depends on it would get it; then checks it with the oldest compiler that it promises.
set -eu
cd "$(dirname "$0")/.."
name=tvmaze-client
target=${CARGO_TARGET_DIR:-$PWD/target}

# The build below is the verification, with the compiled dependencies of the workspace at hand.
cargo package --quiet --package $name --no-verify --allow-dirty
version=$(cargo pkgid --package $name | sed 's/.*[#@]//')
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
tar -xzf "$target/package/$name-$version.crate" -C "$folder"
cd "$folder/$name-$version"
CARGO_TARGET_DIR=$target cargo test --locked

oldest=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
if rustup run "$oldest" cargo --version >/dev/null 2>&1 ||
    rustup toolchain install "$oldest" --profile minimal --no-self-update >/dev/null 2>&1; then
    echo "checking $name with Rust $oldest"
    CARGO_TARGET_DIR=$target/msrv rustup run "$oldest" cargo check --locked
else
    echo "skipped: no check of $name with Rust $oldest, which rustup cannot fetch here"
fi
