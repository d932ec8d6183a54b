#!/bin/sh
# Lists what goes into the binary, as target/sbom/tvshows.cdx.json: CycloneDX, from Cargo.lock.
set -eu
cd "$(dirname "$0")/.."
folder=${CARGO_TARGET_DIR:-target}/sbom
name=bom-of-the-workspace.cdx

cargo cyclonedx --version
mkdir -p "$folder"
# It writes one list beside each manifest; only that of the executable is wanted.
trap 'rm -f crates/*/"$name.json" bins/*/"$name.json" benches/"$name.json"' EXIT INT TERM
cargo cyclonedx --quiet --format json --spec-version 1.5 --target all --override-filename "$name"
# The folder it was made in is nobody's business, and differs each time.
sed "s|$PWD|.|g" "bins/tvshows/$name.json" > "$folder/tvshows.cdx.json"
echo "$folder/tvshows.cdx.json"
