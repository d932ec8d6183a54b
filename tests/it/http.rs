//! `tvshows serve` as HTTP clients see it: one file per resource, and files about all of them.

mod api;
mod caches;
mod connections;
mod dashboard;
mod events;
mod export;
mod head;
mod health;
mod http10;
mod invalid_http;
mod logs;
mod lookup;
mod malformed_requests;
mod metrics;
mod pipeline;
mod proxies;
mod ranges;
mod raw;
mod schedule;
mod shows;
mod systemd;
mod tvmaze;
