use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::routes::{catalogue, events, export, health, metrics, pipeline, shows};

/// The OpenAPI document of every route.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "tvshows-pipeline",
        description = "Mirrors TVmaze's catalogue of TV shows and serves it. Data: TVmaze (https://www.tvmaze.com), licensed CC BY-SA 4.0.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
        contact(name = "tvshows-pipeline"),
    ),
    modifiers(&Token),
    servers((url = "/", description = "This service")),
    tags(
        (name = "pipeline", description = "Runs: start, watch, cancel"),
        (name = "shows", description = "The last published snapshot"),
        (name = "export", description = "The published tables, to take away"),
        (name = "health", description = "Probes and metrics"),
    ),
    paths(
        pipeline::update,
        pipeline::status,
        events::events,
        pipeline::cancel,
        pipeline::runs,
        catalogue::list,
        catalogue::stats,
        catalogue::cast,
        shows::top_shows,
        shows::multi_character_actors,
        shows::show,
        export::table,
        export::database,
        health::live,
        health::ready,
        metrics::metrics,
    )
)]
struct Document;

/// The one way to say who one is.
struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let description =
            "The service's API token, where it has one: needed for what changes something";
        let scheme =
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme.build()));
    }
}
