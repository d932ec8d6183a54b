#!/bin/sh
# A full run from the simulator to published tables, beside a reference of the same moment: the download alone
# of the same index pages with curl, gzipped as the run gets them.
# Usage: benches/full-run.sh [SHOWS [ROUNDS]]
set -eu
cd "$(dirname "$0")/.."
shows=${1:-84670} rounds=${2:-5}
tvshows=target/release/tvshows
folder=$(mktemp -d)
"$tvshows" sim --shows "$shows" --port 0 >"$folder/sim" &
simulator=$!
trap 'kill $simulator; rm -rf "$folder"' EXIT INT TERM
until grep -q http "$folder/sim"; do kill -0 $simulator; sleep 0.1; done
base_url=$(sed 's/.* //' "$folder/sim")
last_page=0
while curl -sf --compressed "$base_url/shows?page=$last_page" -o /dev/null; do last_page=$((last_page + 1)); done
last_page=$((last_page - 1))

echo "$shows shows on $((last_page + 1)) pages"
echo "  run s  CPU s  peak MB  download s  run/download"
for _ in $(seq "$rounds"); do
    rm -f "$folder"/tvshows.db*
    /usr/bin/time -f '%e %U %S %M' -o "$folder/run" \
        "$tvshows" update --base-url "$base_url" --database-path "$folder/tvshows.db" >"$folder/out" 2>&1
    /usr/bin/time -f '%e' -o "$folder/download" \
        curl -sf --compressed --parallel --parallel-max 8 "$base_url/shows?page=[0-$last_page]" -o /dev/null 2>"$folder/err"
    paste -d ' ' "$folder/run" "$folder/download" |
        awk '{printf "%7.2f %6.2f %8.0f %11.2f %13.1f\n", $1, $2 + $3, $4 / 1024, $5, $1 / $5}'
done
