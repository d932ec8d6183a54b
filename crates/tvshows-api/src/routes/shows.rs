use actix_web::{HttpRequest, HttpResponse, web};
use tvshows_core::{MultiCharacterActor, ShowId, TopShow};

use crate::Services;
use crate::answers::{Answers, json};
use crate::problem::{Problem, ProblemBody, StoreUnavailable, WrongQuery};
use crate::query::LimitQuery;

const DEFAULT_TOP: u32 = 10;

/// Lists the top shows, best first
///
/// Empty before the first run.
#[utoipa::path(
    get, path = "/shows/top_shows", tag = "shows",
    params(
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 1000, description = "How many; 10 by default, never more than the last run kept"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of an earlier answer: 304 while the snapshot is the same"),
    ),
    responses(
        (status = 200, description = "The top shows", body = Vec<TopShow>, headers(("ETag" = String, description = "The snapshot"))),
        (status = 304, description = "The snapshot is that of `If-None-Match`"),
        WrongQuery,
        StoreUnavailable,
    )
)]
pub(crate) async fn top_shows(
    services: web::Data<Services>,
    answers: web::Data<Answers>,
    query: web::Query<LimitQuery>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let limit = query.limit(DEFAULT_TOP)?;
    let store = &services.store;
    answers.answer(store, &request, async { Ok(json(&store.top_shows(limit).await?)) }).await
}

/// Lists the people who play several characters in the top shows, most characters first
///
/// Empty before the first run.
#[utoipa::path(
    get, path = "/shows/top_shows_multi_char_actors", tag = "shows",
    params(("If-None-Match" = Option<String>, Header, description = "The ETag of an earlier answer: 304 while the snapshot is the same")),
    responses(
        (status = 200, description = "The people", body = Vec<MultiCharacterActor>, headers(("ETag" = String, description = "The snapshot"))),
        (status = 304, description = "The snapshot is that of `If-None-Match`"),
        StoreUnavailable,
    )
)]
pub(crate) async fn multi_character_actors(
    services: web::Data<Services>,
    answers: web::Data<Answers>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let store = &services.store;
    answers
        .answer(store, &request, async { Ok(json(&store.multi_character_actors().await?)) })
        .await
}

/// Gives a show as TVmaze sends it
#[utoipa::path(
    get, path = "/shows/{id}", tag = "shows",
    params(
        ("id" = u32, Path, description = "TVmaze's number for the show", example = 82),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of an earlier answer: 304 while the snapshot is the same"),
    ),
    responses(
        (status = 200, description = "The object that TVmaze sent, key for key", body = serde_json::Value, headers(("ETag" = String, description = "The snapshot"))),
        (status = 304, description = "The snapshot is that of `If-None-Match`"),
        (status = 404, description = "There is no such show in the last snapshot", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "The id is not a number", body = ProblemBody, content_type = "application/problem+json"),
        StoreUnavailable,
    )
)]
pub(crate) async fn show(
    services: web::Data<Services>,
    answers: web::Data<Answers>,
    path: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id = show_id(&path)?;
    let store = &services.store;
    let show = async { Ok(json(&store.show(id).await?.ok_or(Problem::NoSuchShow(id))?)) };
    answers.answer(store, &request, show).await
}

pub(super) fn show_id(path: &str) -> Result<ShowId, Problem> {
    let wrong =
        |_| Problem::Parameter { name: "id", reason: "must be the number of a show".into() };
    path.parse().map(ShowId).map_err(wrong)
}
