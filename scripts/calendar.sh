#!/bin/sh
# Tests /calendar.ics with two iCalendar libraries.
set -eu
cd "$(dirname "$0")/.."
venv=${CARGO_TARGET_DIR:-target}/icalendar

if ! "$venv/bin/python" -c 'import icalendar, vobject' 2>/dev/null; then
    if ! { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet icalendar==7.3.2 vobject==0.9.9; }; then
        echo "skipped: the calendar test (icalendar and vobject cannot be installed)"
        exit 0
    fi
fi

cargo build --quiet --locked --bin tvshows
tvshows=${CARGO_TARGET_DIR:-$PWD/target}/debug/tvshows
folder=$(mktemp -d)
processes=
trap 'kill $processes 2>/dev/null || true; rm -rf "$folder"' EXIT INT TERM

# Prints the URL that a process writes to its output, as soon as it is there.
url_of() {
    until url=$(grep -o 'http://[^ ]*' "$1" | head -n 1) && [ -n "$url" ]; do kill -0 "$2"; done
    echo "$url"
}

"$tvshows" sim --shows 2000 --date 2026-07-01 --port 0 >"$folder/sim" &
processes=$!
upstream=$(url_of "$folder/sim" $!)
export DATABASE_PATH="$folder/tvshows.db" TVMAZE_BASE_URL="$upstream"
"$tvshows" update --details 'min_rating=1' >/dev/null 2>&1
"$tvshows" serve --port 0 >"$folder/serve" 2>"$folder/log" &
processes="$processes $!"
"$venv/bin/python" scripts/check-calendar.py "$(url_of "$folder/serve" $!)"
