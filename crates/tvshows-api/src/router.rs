use std::future::ready;

use actix_web::guard::{Get, Head};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Resource, Route};

use crate::dashboard;
use crate::problem::Problem;
use crate::routes::{
    docs, events, export, health, lookup, metrics, pipeline, plan, schedule, shows, tvmaze,
};
use crate::state::AppState;

pub(crate) fn routes(state: AppState) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        config
            .app_data(web::Data::new(state))
            .app_data(query_config())
            .service(post("/pipeline/update", web::to(pipeline::update)))
            .service(post("/pipeline/plan", web::to(plan::plan)))
            .service(get_and_head("/pipeline/runs", || web::to(pipeline::runs)))
            .service(get_and_head("/shows", || web::to(shows::list)))
            .service(get_and_head("/shows/stats", || web::to(shows::stats)))
            .service(get_and_head("/shows/top_shows", || web::to(shows::top_shows)))
            .service(get_and_head("/shows/top_shows_multi_char_actors", || {
                web::to(shows::multi_character_actors)
            }))
            .service(get_and_head("/lookup/shows", || web::to(lookup::shows)))
            .service(get_and_head("/schedule", || web::to(schedule::schedule)))
            .service(get_and_head("/calendar.ics", || web::to(schedule::calendar)))
            // Fixed paths come first because they are cheap to match, then the most requested patterns.
            .service(get_and_head("/pipeline/status/{request_id}", || web::to(pipeline::status)))
            .service(get_and_head("/shows/{id}", || web::to(shows::show)))
            .service(get_and_head("/pipeline/status/{request_id}/events", || {
                web::to(events::events)
            }))
            .service(get_and_head("/pipeline/status/{request_id}/log", || web::to(pipeline::log)))
            .service(post("/pipeline/cancel/{request_id}", web::to(pipeline::cancel)))
            .service(get_and_head("/shows/{id}/cast", || web::to(shows::cast)))
            .service(get_and_head("/shows/{id}/episodes", || web::to(shows::episodes)))
            .service(get_and_head("/export/tvshows.db", || web::to(export::database)))
            .service(get_and_head("/export/{table}.{format}", || web::to(export::table)))
            .service(tvmaze::routes())
            .configure(probes)
            .service(get_and_head("/", || web::to(dashboard::index)))
            .service(get_and_head("/dashboard/{file}", || web::to(dashboard::asset)))
            .service(get_and_head("/openapi.json", || web::to(docs::openapi_document)))
            .service(get_and_head("/docs/{file:.*}", || web::to(docs::swagger_ui)))
            // Relative, because a proxy may strip a path prefix.
            .service(get_and_head("/docs", || web::to(async || web::Redirect::to("docs/"))))
            .default_service(web::to(async || Err::<HttpResponse, _>(Problem::PathNotFound)));
    }
}

/// Only what monitoring requests.
pub(crate) fn health_routes(state: AppState) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        config
            .app_data(web::Data::new(state))
            .app_data(query_config())
            .configure(probes)
            .default_service(web::to(async || Err::<HttpResponse, _>(Problem::PathNotFound)));
    }
}

fn query_config() -> web::QueryConfig {
    web::QueryConfig::default().error_handler(|error, _| Problem::from(error).into())
}

fn probes(config: &mut ServiceConfig) {
    config
        .service(get_and_head("/health/live", || web::to(health::live)))
        .service(get_and_head("/health/ready", || web::to(health::ready)))
        .service(get_and_head("/metrics", || web::to(metrics::metrics)));
}

pub(crate) fn get_and_head(path: &str, route: impl Fn() -> Route) -> Resource {
    method_not_allowed_fallback(path, "GET, HEAD")
        .route(route().guard(Get()))
        .route(route().guard(Head()))
}

fn post(path: &str, route: Route) -> Resource {
    method_not_allowed_fallback(path, "POST").route(route.method(actix_web::http::Method::POST))
}

/// A resource that responds with 405 to every method without a route.
fn method_not_allowed_fallback(path: &str, allowed: &'static str) -> Resource {
    let reject = move || ready(Err::<HttpResponse, _>(Problem::MethodNotAllowed { allowed }));
    web::resource(path).default_service(web::to(reject))
}
