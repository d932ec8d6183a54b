use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, web};

use crate::extract::query::LookupQuery;
use crate::problem::responses::StoreUnavailable;
use crate::problem::{Problem, ProblemBody};
use crate::state::AppState;

/// Find a show by its id at IMDb, TheTVDB, or TVRage
///
/// Exactly one of the parameters must be given. If several shows have the same id, the one with the lowest TVmaze id is
/// found.
#[utoipa::path(
    get, path = "/lookup/shows", tag = "shows",
    params(
        ("imdb" = Option<String>, Query, pattern = "^tt[0-9]{7,12}$", description = "The id at IMDb", example = "tt0944947"),
        ("thetvdb" = Option<u32>, Query, description = "The id at TheTVDB", example = 121_361),
        ("tvrage" = Option<u32>, Query, description = "The id at TVRage", example = 24_493),
    ),
    responses(
        (status = 302, description = "Found", headers(("Location" = String, description = "The URL of the show, relative to the request's"))),
        (status = 400, description = "A parameter is unknown, repeated, or invalid, or not exactly one is given", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No show in the published snapshot has this id", body = ProblemBody, content_type = "application/problem+json"),
        StoreUnavailable,
    )
)]
pub(crate) async fn shows(
    state: web::Data<AppState>,
    query: web::Query<LookupQuery>,
) -> Result<HttpResponse, Problem> {
    let id = query.external_id()?;
    let show = state.catalog.show(id.clone().into()).await?;
    let show = show.ok_or(Problem::ExternalIdNotFound(id))?;
    // Relative to `/lookup/shows`, because a proxy may strip a path prefix.
    let location = format!("../shows/{}", show.id);
    Ok(HttpResponse::Found().insert_header((LOCATION, location)).finish())
}
