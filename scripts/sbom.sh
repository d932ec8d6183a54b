#!/bin/sh
# Writes a CycloneDX SBOM of the executable to target/sbom/tvshows.cdx.json, from Cargo.lock.
set -eu
cd "$(dirname "$0")/.."
folder=${CARGO_TARGET_DIR:-target}/sbom
name=bom-of-the-workspace.cdx

cargo cyclonedx --version
mkdir -p "$folder"
# cargo-cyclonedx writes one file next to each manifest, but only the one for the executable is needed.
trap 'rm -f crates/*/"$name.json" bins/*/"$name.json" benches/"$name.json"' EXIT INT TERM
cargo cyclonedx --quiet --format json --spec-version 1.5 --target all --override-filename "$name"
# Remove the absolute path, which differs between machines.
sed "s|$PWD|.|g" "bins/tvshows/$name.json" > "$folder/tvshows.cdx.json"
echo "$folder/tvshows.cdx.json"
