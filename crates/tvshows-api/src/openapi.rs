use utoipa::openapi::RefOr;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::routes::{
    events, export, health, lookup, metrics, pipeline, plan, schedule, shows, tvmaze,
};

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
    modifiers(&BearerToken, &HeadOfExports),
    servers((url = "./", description = "This service")),
    tags(
        (name = "pipeline", description = "Start, monitor and cancel runs"),
        (name = "shows", description = "Read the published snapshot"),
        (name = "tvmaze", description = "TVmaze's own routes and shapes, from the published snapshot. Unknown parameters are ignored, and errors have TVmaze's form"),
        (name = "export", description = "Download the published tables"),
        (name = "health", description = "Probes and metrics"),
    ),
    paths(
        pipeline::update,
        plan::plan,
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
        shows::episodes,
        schedule::schedule,
        schedule::calendar,
        lookup::shows,
        tvmaze::show_index,
        tvmaze::updates,
        tvmaze::search,
        tvmaze::single_search,
        tvmaze::lookup,
        tvmaze::show,
        tvmaze::episodes,
        tvmaze::seasons,
        tvmaze::cast,
        tvmaze::episode_by_number,
        tvmaze::episodes_by_date,
        tvmaze::episode,
        tvmaze::season,
        tvmaze::season_episodes,
        tvmaze::schedule,
        tvmaze::web_schedule,
        tvmaze::full_schedule,
        export::table,
        export::database,
        health::live,
        health::ready,
        metrics::metrics,
    )
)]
struct Document;

/// HEAD, which every route with GET supports, is documented for exports: it returns the length of a file.
struct HeadOfExports;

impl Modify for HeadOfExports {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let paths = document.paths.paths.iter_mut();
        for (_, item) in paths.filter(|(path, _)| path.starts_with("/export/")) {
            let Some(mut head) = item.get.clone() else { continue };
            head.operation_id = head.operation_id.map(|id| format!("head_{id}"));
            head.summary = head.summary.map(|summary| format!("{summary}: header only"));
            for response in head.responses.responses.values_mut() {
                if let RefOr::T(response) = response {
                    response.content.clear();
                }
            }
            item.head = Some(head);
        }
    }
}

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
