use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use tvshows_core::{CastRow, ShowStats, SparseShow};

use super::shows::show_id;
use crate::Services;
use crate::answers::{Answers, json};
use crate::problem::{Problem, ProblemBody, StoreUnavailable, WrongQuery};
use crate::shows_query::ShowsQuery;

/// A page of shows.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ShowList<T> {
    /// Each as `/shows/{id}` gives it, or the keys of it that `fields` names.
    #[schema(value_type = Vec<serde_json::Value>)]
    shows: Vec<T>,
    /// Where the next page begins; null on the last.
    next_cursor: Option<String>,
}

/// Lists the published shows: searched, filtered, sorted, a page at a time
///
/// A condition that is left out or empty does not count. With `next_cursor` as `cursor`, the same query goes on
/// where the answer ended. While nothing else is changed, each show comes exactly once, even when an update
/// publishes between two pages: then this holds for the shows that did not change.
#[utoipa::path(
    get, path = "/shows", tag = "shows",
    params(
        ("q" = Option<String>, Query, max_length = 256, description = "Words that the name and the summary must have, the last of them perhaps cut short; case and accents do not count, and nothing in the text is an operator", example = "game of thr"),
        ("language" = Option<String>, Query, description = "The language, exactly", example = "English"),
        ("genre" = Option<String>, Query, description = "One of the genres, exactly", example = "Drama"),
        ("status" = Option<String>, Query, description = "The status, exactly", example = "Running"),
        ("type" = Option<String>, Query, description = "The type, exactly", example = "Scripted"),
        ("network" = Option<String>, Query, description = "The name of the network, or of the web channel where there is no network, exactly", example = "HBO"),
        ("premiered_from" = Option<String>, Query, pattern = r"^([0-9]{4}(-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|-(0[13-9]|1[0-2])-(29|30)|-(0[13578]|1[02])-31|-02-29)?)?$", description = "The first day of the premiere: a year or a day", example = "2010"),
        ("premiered_to" = Option<String>, Query, pattern = r"^([0-9]{4}(-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|-(0[13-9]|1[0-2])-(29|30)|-(0[13578]|1[02])-31|-02-29)?)?$", description = "The last day of the premiere: a day, or a year with all its days", example = "2019-06-30"),
        ("min_rating" = Option<f64>, Query, minimum = 0, maximum = 10, description = "The least average rating", example = 7.5),
        ("sort" = inline(Option<SortName>), Query, description = "`id`, `name`, `rating`, `premiered`, `updated` or `weight`, with `-` in front for the greatest first; or `relevance`, the default beside `q` (the name is the text, the name has its words, the summary has them; then by weight). Else `id` is the default. Shows without a value come last; ties go by id", example = "-rating"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 1000, description = "How many; 50 by default"),
        ("cursor" = Option<String>, Query, pattern = "^[A-Za-z0-9_-]*$", description = "The `next_cursor` of an answer to the same query; `limit` and `fields` may differ"),
        ("fields" = Option<String>, Query, description = "The keys of each show to send, with commas between; all by default", example = "id,name,rating"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of an earlier answer: 304 while the snapshot is the same"),
    ),
    responses(
        (status = 200, description = "The shows", body = ShowList<serde_json::Value>, headers(("ETag" = String, description = "The snapshot")),
            example = json!({"shows": [{"id": 82, "name": "Game of Thrones", "rating": {"average": 8.9}}], "next_cursor": "AUP2Yw-tP0YyAAAAUnJAIczMzMzMzQ"})),
        (status = 304, description = "The snapshot is that of `If-None-Match`"),
        WrongQuery,
        StoreUnavailable,
    )
)]
pub(crate) async fn list(
    services: web::Data<Services>,
    answers: web::Data<Answers>,
    query: web::Query<ShowsQuery>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (asked, fields) = (query.query()?, query.fields()?);
    let sort = asked.sort;
    let store = &services.store;
    let list = async {
        let page = store.shows(asked).await?;
        let next_cursor = page.next.map(|position| query.cursor(sort, &position));
        let Some(keys) = &fields else {
            return json(&ShowList { shows: page.shows, next_cursor });
        };
        let shows = page.shows.iter().map(|show| SparseShow { show, keys }).collect();
        json(&ShowList { shows, next_cursor })
    };
    answers.answer(store, &request, list).await
}

/// Counts the published shows, for charts
#[utoipa::path(
    get, path = "/shows/stats", tag = "shows",
    params(("If-None-Match" = Option<String>, Header, description = "The ETag of an earlier answer: 304 while the snapshot is the same")),
    responses(
        (status = 200, description = "The counts", body = ShowStats, headers(("ETag" = String, description = "The snapshot"))),
        (status = 304, description = "The snapshot is that of `If-None-Match`"),
        StoreUnavailable,
    )
)]
pub(crate) async fn stats(
    services: web::Data<Services>,
    answers: web::Data<Answers>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let store = &services.store;
    answers.answer(store, &request, async { json(&store.stats().await?) }).await
}

/// Gives the stored cast of a show, in TVmaze's order
///
/// Only the top shows have one.
#[utoipa::path(
    get, path = "/shows/{id}/cast", tag = "shows",
    params(
        ("id" = u32, Path, description = "TVmaze's number for the show", example = 82),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of an earlier answer: 304 while the snapshot is the same"),
    ),
    responses(
        (status = 200, description = "A row for each person in each character", body = Vec<CastRow>, headers(("ETag" = String, description = "The snapshot"))),
        (status = 304, description = "The snapshot is that of `If-None-Match`"),
        (status = 404, description = "No cast of the show is stored", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "The id is not a number", body = ProblemBody, content_type = "application/problem+json"),
        StoreUnavailable,
    )
)]
pub(crate) async fn cast(
    services: web::Data<Services>,
    answers: web::Data<Answers>,
    path: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id = show_id(&path)?;
    let store = &services.store;
    let cast = async {
        let cast = store.cast(id).await?;
        if cast.is_empty() { Err(Problem::NoCast(id)) } else { json(&cast) }
    };
    answers.answer(store, &request, cast).await
}

/// An order of a list; `-` puts the greatest first.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "orders are read by their own type")]
pub(crate) enum SortName {
    #[schema(rename = "id")]
    Id,
    #[schema(rename = "-id")]
    IdDescending,
    #[schema(rename = "name")]
    Name,
    #[schema(rename = "-name")]
    NameDescending,
    #[schema(rename = "rating")]
    Rating,
    #[schema(rename = "-rating")]
    RatingDescending,
    #[schema(rename = "premiered")]
    Premiered,
    #[schema(rename = "-premiered")]
    PremieredDescending,
    #[schema(rename = "updated")]
    Updated,
    #[schema(rename = "-updated")]
    UpdatedDescending,
    #[schema(rename = "weight")]
    Weight,
    #[schema(rename = "-weight")]
    WeightDescending,
    #[schema(rename = "relevance")]
    Relevance,
}
