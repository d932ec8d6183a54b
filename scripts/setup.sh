#!/bin/sh
# Installs what is missing on a Debian machine: `setup.sh build` for building and running, `setup.sh test` for
# the tests as well, `setup.sh bench` for the benchmarks. Says what to install where there is no apt-get.
set -eu

missing=
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }

need cc gcc
[ -e /usr/include/stdlib.h ] || need no-such-command libc6-dev
# The HTTP client does not start without the system's certificates, even for plain http.
[ -e /etc/ssl/certs/ca-certificates.crt ] || missing="$missing ca-certificates"
case ${1:-build} in
test)
    need redis-server redis-server
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
    cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
    cargo clippy --version >/dev/null 2>&1 || rustup component add clippy
    ;;
bench)
    need curl curl
    [ -e /usr/bin/time ] || missing="$missing time"
    ;;
esac

[ -z "$missing" ] && exit 0
if ! command -v apt-get >/dev/null 2>&1; then
    case $(uname) in Linux) echo "please install:$missing" >&2; exit 1 ;; *) exit 0 ;; esac
fi
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
echo "installing:$missing"
$sudo apt-get update -qq
# RUNLEVEL=1 keeps redis-server from being started as a service: the tests start their own.
# shellcheck disable=SC2086
$sudo env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
