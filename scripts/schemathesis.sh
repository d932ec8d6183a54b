#!/bin/sh
# Tests the service against its OpenAPI document with schemathesis: every response must have a documented status and a
# body that matches the schema, and no 5xx may occur that is not documented.
set -eu
cd "$(dirname "$0")/.."
venv=${CARGO_TARGET_DIR:-target}/schemathesis
version=4.32.5

if ! [ -x "$venv/bin/schemathesis" ]; then
    if ! { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet "schemathesis==$version"; }; then
        echo "skipped: schemathesis (it cannot be installed)"
        exit 0
    fi
fi

cargo build --quiet --locked --bin tvshows
tvshows=$PWD/${CARGO_TARGET_DIR:-target}/debug/tvshows
folder=$(mktemp -d)
processes=
trap 'kill $processes 2>/dev/null || true; rm -rf "$folder"' EXIT INT TERM

# Prints the URL that a process writes to its output, as soon as it is there.
url_of() {
    until url=$(grep -o 'http://[^ ]*' "$1" | head -n 1) && [ -n "$url" ]; do kill -0 "$2"; done
    echo "$url"
}

"$tvshows" sim --shows 2000 --port 0 >"$folder/sim" &
processes=$!
upstream=$(url_of "$folder/sim" $!)
export DATABASE_PATH="$folder/tvshows.db" TVMAZE_BASE_URL="$upstream" POST_RATE_LIMIT=0
"$tvshows" update >/dev/null 2>&1
"$tvshows" serve --port 0 >"$folder/serve" 2>"$folder/log" &
processes="$processes $!"
service=$(url_of "$folder/serve" $!)

# On a slow machine, the queue of updates can be full. The resulting 503 is documented.
cat >"$folder/schemathesis.toml" <<'TOML'
[[operations]]
include-name = "POST /pipeline/update"
checks.not_a_server_error.expected-statuses = ["2xx", "4xx", 503]
TOML

# The base URL of the document is relative, and schemathesis would request `/./shows`. It would then not find its
# parameters in the URL of the response, and would report parameters as invalid that were omitted, or valid as sent.
#
# The event stream of a running update does not end. A schema cannot describe which strings are valid cursors, so a query
# that matches the schema may be rejected, as long as the rejection is documented.
"$venv/bin/schemathesis" --config-file "$folder/schemathesis.toml" run "$service/openapi.json" --url "$service" \
    --checks all --exclude-checks positive_data_acceptance --max-examples "${EXAMPLES:-50}" \
    --exclude-path-regex '/events$' --request-timeout 70 --seed 1 --report junit --report-dir "$folder/report"
