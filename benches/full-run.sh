#!/bin/sh
# A full run from the simulator to published tables, beside a reference of the same moment: the download alone
# of the same index pages with curl. Prints seconds, peak memory and the ratio of each of several rounds.
# Usage: benches/full-run.sh [SHOWS [ROUNDS]]
set -eu
cd "$(dirname "$0")/.."
shows=${1:-84670} rounds=${2:-3}
tvshows=target/release/tvshows
folder=$(mktemp -d)
"$tvshows" sim --shows "$shows" --port 0 >"$folder/sim" &
simulator=$!
trap 'kill $simulator; rm -rf "$folder"' EXIT INT TERM
until grep -q http "$folder/sim"; do kill -0 $simulator; sleep 0.1; done
base_url=$(sed 's/.* //' "$folder/sim")

# Seconds and KiB of a command.
measure() { /usr/bin/env bash -c 'TIMEFORMAT=%R; time "$@" >/dev/null 2>"$0"' "$folder/err" "$@" 2>&1; }
pages=$((shows * 107 / 100 / 250))
download() { curl -sf --compressed --parallel --parallel-max 8 "$base_url/shows?page=[0-$pages]" -o /dev/null; }
download || true # The simulator makes a page when it is first asked for.
echo "$shows shows; seconds of a full run, of the download alone, their ratio"
for _ in $(seq "$rounds"); do
    rm -f "$folder"/tvshows.db*
    run=$(measure "$tvshows" update --base-url "$base_url" --database-path "$folder/tvshows.db")
    alone=$(measure curl -s --compressed --parallel --parallel-max 8 "$base_url/shows?page=[0-$pages]" -o /dev/null)
    awk -v run="$run" -v alone="$alone" 'BEGIN {printf "%6.2f %6.2f %6.1f\n", run, alone, run / alone}'
done
