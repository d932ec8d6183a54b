#!/bin/sh
# Installs missing packages on Debian: `setup.sh build` for building and running, `setup.sh test` for the tests,
# `setup.sh browser` for the browser tests, `setup.sh clients` for the tests with packages from PyPI and npm (TVmaze clients,
# and programs that read the database or the exports), `setup.sh bench` for the benchmarks. Without apt-get, lists what is
# missing.
set -eu

missing=
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }

need cc gcc
[ -e /usr/include/stdlib.h ] || need no-such-command libc6-dev
# The HTTP client needs the system's CA certificates, even for plain HTTP.
[ -e /etc/ssl/certs/ca-certificates.crt ] || missing="$missing ca-certificates"
case ${1:-build} in
test)
    need redis-server redis-server
    # Debian puts servers where only root's PATH has them, and those of PostgreSQL in a directory for each version.
    PATH="$PATH:/usr/sbin:$(echo /usr/lib/postgresql/*/bin | tr ' ' ':')"
    need initdb postgresql
    need pgrep procps
    need sqlite3 sqlite3
    need curl curl
    need openssl openssl
    need nginx nginx
    need pgbouncer pgbouncer
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
    cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
    cargo clippy --version >/dev/null 2>&1 || rustup component add clippy
    ;;
browser)
    [ -n "${CHROMIUM:-}" ] || need chromium chromium
    need node nodejs
    need npm npm
    ;;
clients)
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
    need node nodejs
    need npm npm
    ;;
bench)
    need curl curl
    need redis-server redis-server
    need sqlite3 sqlite3
    need wrk wrk
    [ -e /usr/bin/time ] || missing="$missing time"
    ;;
esac

install_packages() {
    if ! command -v apt-get >/dev/null 2>&1; then
        case $(uname) in Linux) echo "please install: $*" >&2; exit 1 ;; *) return 0 ;; esac
    fi
    sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    echo "installing: $*"
    $sudo apt-get update -qq
    # The tests start their own servers. RUNLEVEL=1 prevents those of the system from being started, and without
    # this file, PostgreSQL would also get a cluster.
    case " $* " in *" postgresql "*)
        printf '%s\n' '# The tests of tvshows-pipeline need only the programs.' 'create_main_cluster = false' |
            $sudo install -D -m 644 /dev/stdin /etc/postgresql-common/createcluster.d/tvshows.conf
        ;;
    esac
    $sudo env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# Installs the packages of a requirements file in a virtual environment, unless it has them.
install_python_packages() {
    if ! [ "$1/installed" -nt "$2" ]; then
        python3 -m venv "$1"
        "$1/bin/pip" install --quiet --requirement "$2"
        touch "$1/installed"
    fi
}

# shellcheck disable=SC2086
[ -z "$missing" ] || install_packages $missing
cd "$(dirname "$0")/.."
case ${1:-build} in
browser)
    cd tests/browser
    # Reinstall if the lock file is newer than the installed modules.
    [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --silent --no-audit --no-fund
    ;;
clients)
    clients=${CARGO_TARGET_DIR:-target}/clients
    mkdir -p "$clients/node"
    install_python_packages "$clients/python" tests/clients/requirements.txt
    install_python_packages "$clients/readers" tests/clients/readers.txt
    if ! [ "$clients/node/node_modules/.package-lock.json" -nt tests/clients/package-lock.json ]; then
        cp tests/clients/package.json tests/clients/package-lock.json tests/clients/.npmrc "$clients/node"
        npm ci --prefix "$clients/node" --silent --no-audit --no-fund
    fi
    "$clients/python/bin/python" -c 'import tvmaze.api, pytvmaze'
    "$clients/readers/bin/python" -c 'import aiohttp, datasette, fsspec, polars, sqlite_utils'
    (cd "$clients/node" && node --eval "require('node-tvmaze'); require('tvmaze-api-ts')")
    ;;
esac
