use actix_web::{HttpResponse, web};
use tvshows_core::{MultiCharacterActor, ShowId, TopShow};

use crate::Services;
use crate::problem::{Problem, ProblemBody, StoreUnavailable, WrongQuery};
use crate::query::LimitQuery;

const DEFAULT_TOP: u32 = 10;

/// Lists the top shows, best first
///
/// Empty before the first run.
#[utoipa::path(
    get, path = "/shows/top_shows", tag = "shows",
    params(("limit" = Option<u16>, Query, minimum = 1, maximum = 1000, description = "How many; 10 by default, never more than the last run kept")),
    responses(
        (status = 200, description = "The top shows", body = Vec<TopShow>),
        WrongQuery,
        StoreUnavailable,
    )
)]
pub(crate) async fn top_shows(
    services: web::Data<Services>,
    query: web::Query<LimitQuery>,
) -> Result<HttpResponse, Problem> {
    let shows = services.store.top_shows(query.limit(DEFAULT_TOP)?).await?;
    Ok(HttpResponse::Ok().json(shows))
}

/// Lists the people who play several characters in the top shows, most characters first
///
/// Empty before the first run.
#[utoipa::path(
    get, path = "/shows/top_shows_multi_char_actors", tag = "shows",
    responses(
        (status = 200, description = "The people", body = Vec<MultiCharacterActor>),
        StoreUnavailable,
    )
)]
pub(crate) async fn multi_character_actors(
    services: web::Data<Services>,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(services.store.multi_character_actors().await?))
}

/// Gives a show as TVmaze sends it
#[utoipa::path(
    get, path = "/shows/{id}", tag = "shows",
    params(("id" = u32, Path, description = "TVmaze's number for the show")),
    responses(
        (status = 200, description = "The object that TVmaze sent, key for key", body = serde_json::Value),
        (status = 404, description = "There is no such show in the last snapshot", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "The id is not a number", body = ProblemBody, content_type = "application/problem+json"),
        StoreUnavailable,
    )
)]
pub(crate) async fn show(
    services: web::Data<Services>,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let wrong =
        |_| Problem::Parameter { name: "id", reason: "must be the number of a show".into() };
    let id = ShowId(path.parse().map_err(wrong)?);
    let show = services.store.show(id).await?.ok_or(Problem::NoSuchShow(id))?;
    Ok(HttpResponse::Ok().json(show))
}
