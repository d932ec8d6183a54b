#!/bin/sh
# Packages tvmaze-client as for crates.io, unpacks it outside of the workspace, and builds and tests it there, as a
# dependent would. Then checks it with its minimum supported Rust version.
set -eu
cd "$(dirname "$0")/.."
name=tvmaze-client
target=${CARGO_TARGET_DIR:-$PWD/target}

# The build below verifies the package, and reuses the workspace's compiled dependencies.
cargo package --quiet --package $name --no-verify --allow-dirty
version=$(cargo pkgid --package $name | sed 's/.*[#@]//')
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
tar -xzf "$target/package/$name-$version.crate" -C "$folder"
cd "$folder/$name-$version"
CARGO_TARGET_DIR=$target cargo test --locked

msrv=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
if rustup run "$msrv" cargo --version >/dev/null 2>&1 ||
    rustup toolchain install "$msrv" --profile minimal --no-self-update >/dev/null 2>&1; then
    echo "checking $name with Rust $msrv"
    CARGO_TARGET_DIR=$target/msrv rustup run "$msrv" cargo check --locked
else
    echo "skipped: check of $name with Rust $msrv (rustup cannot install it)"
fi
