use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::routes::{events, export, health, metrics, pipeline, shows};

/// The OpenAPI document of the service.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "tvshows-pipeline",
        description = "Mirrors TVmaze's catalog of TV shows and serves it. Data: TVmaze (https://www.tvmaze.com), licensed CC BY-SA 4.0.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
        contact(name = "tvshows-pipeline"),
    ),
    modifiers(&BearerToken),
    servers((url = "./", description = "This service")),
    tags(
        (name = "pipeline", description = "Start, monitor and cancel runs"),
        (name = "shows", description = "Read the published snapshot"),
        (name = "export", description = "Download the published tables"),
        (name = "health", description = "Probes and metrics"),
    ),
    paths(
        pipeline::update,
        pipeline::status,
        events::events,
        pipeline::log,
        pipeline::cancel,
        pipeline::runs,
        shows::list,
        shows::stats,
        shows::cast,
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

/// The only authentication scheme.
struct BearerToken;

impl Modify for BearerToken {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let description = "The API token. Required to start and cancel runs if the service has one";
        let scheme =
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme.build()));
    }
}
