//! `tvshows serve` as HTTP clients see it.

mod head;
mod http10;
mod invalid_http;
mod proxies;
mod raw;
mod systemd;
