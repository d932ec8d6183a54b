use actix_web::{HttpRequest, HttpResponse, web};

use crate::content::{Content, DEFAULT_TOP, ShowList};
use crate::extract::filter_query::{FilterParameters, LimitParameter, SortParameter};
use crate::extract::path::show_id;
use crate::extract::query::{LimitQuery, NoParameters};
use crate::extract::shows_query::ShowsQuery;
use crate::problem::responses::{InvalidQuery, StoreUnavailable, UnknownParameter};
use crate::problem::{Problem, ProblemBody};
use crate::schemas::{CastRow, MultiCharacterActor, ShowStats, TopShow};
use crate::state::AppState;

/// List, search, filter and count the published shows
///
/// Omitted or empty filters are ignored; the rest are combined with AND. Texts match in any case, and `-` matches shows
/// without a value, as in `network=-`. To get the next page, repeat the query with
/// `next_cursor` as `cursor`. A show that does not change appears on exactly one page, even if an update is published
/// while you page through the list.
#[utoipa::path(
    get, path = "/shows", tag = "shows",
    params(
        FilterParameters,
        ("sort" = inline(Option<SortParameter>), Query, description = "`id` (the default), `name`, `rating`, `premiered`, `updated` or `weight`; prefix `-` for descending order. `relevance` is the default with `q`: shows whose name equals the text come first, then those whose name has its words, then those whose summary has them, each by weight. Shows without a value come last; ties are broken by id", example = "-rating"),
        ("limit" = inline(Option<LimitParameter>), Query, description = "The maximum number of shows; 50 by default"),
        ("cursor" = Option<String>, Query, pattern = "^[A-Za-z0-9_-]*$", description = "The `next_cursor` of a response to the same query; `limit`, `fields` and `facets` may differ"),
        ("fields" = Option<String>, Query, description = "The fields of each show to return, separated by commas; all by default", example = "id,name,rating"),
        ("facets" = Option<String>, Query, pattern = "^( *(genre|language|status|type|network|country|day) *(, *(genre|language|status|type|network|country|day) *)*)?$", description = "The facets to count, separated by commas: `genre`, `language`, `status`, `type`, `network`, `country`, `day`. A facet's own filter does not restrict its counts", example = "genre,language"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of an earlier response, to get 304 if the snapshot is unchanged"),
    ),
    responses(
        (status = 200, description = "The shows", body = ShowList<serde_json::Value>, headers(("ETag" = String, description = "The snapshot")),
            example = json!({"shows": [{"id": 82, "name": "Game of Thrones", "rating": {"average": 8.9}}], "total": 24861, "facets": {"genre": [{"value": "Drama", "count": 24861}, {"value": null, "count": 22780}]}, "next_cursor": "AUP2Yw-tP0YyAAAAUnJAIczMzMzMzQ"})),
        (status = 304, description = "The snapshot matches `If-None-Match`"),
        InvalidQuery,
        StoreUnavailable,
    )
)]
pub(crate) async fn list(
    state: web::Data<AppState>,
    query: web::Query<ShowsQuery>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let list = query.parse()?;
    state.responses.respond(&request, Content::List(Box::new(list))).await
}

/// Get counts of the published shows, for charts
#[utoipa::path(
    get, path = "/shows/stats", tag = "shows",
    params(("If-None-Match" = Option<String>, Header, description = "The ETag of an earlier response, to get 304 if the snapshot is unchanged")),
    responses(
        (status = 200, description = "The counts", body = ShowStats, headers(("ETag" = String, description = "The snapshot"))),
        (status = 304, description = "The snapshot matches `If-None-Match`"),
        UnknownParameter,
        StoreUnavailable,
    )
)]
pub(crate) async fn stats(
    state: web::Data<AppState>,
    _: web::Query<NoParameters>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    state.responses.respond(&request, Content::Stats).await
}

/// List the top shows, best first
///
/// The list is empty before the first update.
#[utoipa::path(
    get, path = "/shows/top_shows", tag = "shows",
    params(
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 1000, description = "The maximum number of shows; 10 by default. There are at most as many as the last update's `top`"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of an earlier response, to get 304 if the snapshot is unchanged"),
    ),
    responses(
        (status = 200, description = "The top shows", body = Vec<TopShow>, headers(("ETag" = String, description = "The snapshot"))),
        (status = 304, description = "The snapshot matches `If-None-Match`"),
        InvalidQuery,
        StoreUnavailable,
    )
)]
pub(crate) async fn top_shows(
    state: web::Data<AppState>,
    query: web::Query<LimitQuery>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let limit = query.limit(DEFAULT_TOP)?;
    state.responses.respond(&request, Content::TopShows { limit }).await
}

/// List the people who play several characters in the top shows, most characters first
///
/// The list is empty before the first update.
#[utoipa::path(
    get, path = "/shows/top_shows_multi_char_actors", tag = "shows",
    params(("If-None-Match" = Option<String>, Header, description = "The ETag of an earlier response, to get 304 if the snapshot is unchanged")),
    responses(
        (status = 200, description = "The people", body = Vec<MultiCharacterActor>, headers(("ETag" = String, description = "The snapshot"))),
        (status = 304, description = "The snapshot matches `If-None-Match`"),
        UnknownParameter,
        StoreUnavailable,
    )
)]
pub(crate) async fn multi_character_actors(
    state: web::Data<AppState>,
    _: web::Query<NoParameters>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    state.responses.respond(&request, Content::MultiCharacterActors).await
}

/// Get a show as TVmaze returns it
#[utoipa::path(
    get, path = "/shows/{id}", tag = "shows",
    params(
        ("id" = u32, Path, description = "The show's id at TVmaze", example = 82),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of an earlier response, to get 304 if the snapshot is unchanged"),
    ),
    responses(
        (status = 200, description = "The JSON object that TVmaze sent", body = serde_json::Value, headers(("ETag" = String, description = "The snapshot"))),
        (status = 304, description = "The snapshot matches `If-None-Match`"),
        (status = 404, description = "Show not found in the published snapshot", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "The id is not a number", body = ProblemBody, content_type = "application/problem+json"),
        UnknownParameter,
        StoreUnavailable,
    )
)]
pub(crate) async fn show(
    state: web::Data<AppState>,
    path: web::Path<String>,
    _: web::Query<NoParameters>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    state.responses.respond(&request, Content::Show(show_id(&path)?)).await
}

/// Get the stored cast of a show, in TVmaze's order
///
/// The top shows have one, and the shows that DETAILS chooses.
#[utoipa::path(
    get, path = "/shows/{id}/cast", tag = "shows",
    params(
        ("id" = u32, Path, description = "The show's id at TVmaze", example = 82),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of an earlier response, to get 304 if the snapshot is unchanged"),
    ),
    responses(
        (status = 200, description = "A row for each person in each character", body = Vec<CastRow>, headers(("ETag" = String, description = "The snapshot"))),
        (status = 304, description = "The snapshot matches `If-None-Match`"),
        (status = 404, description = "No cast is stored for the show", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "The id is not a number", body = ProblemBody, content_type = "application/problem+json"),
        UnknownParameter,
        StoreUnavailable,
    )
)]
pub(crate) async fn cast(
    state: web::Data<AppState>,
    path: web::Path<String>,
    _: web::Query<NoParameters>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    state.responses.respond(&request, Content::Cast(show_id(&path)?)).await
}

/// Get the stored episodes of a show, in TVmaze's order
///
/// The shows that DETAILS chooses have them. Specials are not among them.
#[utoipa::path(
    get, path = "/shows/{id}/episodes", tag = "shows",
    params(
        ("id" = u32, Path, description = "The show's id at TVmaze", example = 82),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of an earlier response, to get 304 if the snapshot is unchanged"),
    ),
    responses(
        (status = 200, description = "The JSON objects that TVmaze sent", body = Vec<serde_json::Value>, headers(("ETag" = String, description = "The snapshot"))),
        (status = 304, description = "The snapshot matches `If-None-Match`"),
        (status = 404, description = "No episodes are stored for the show", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "The id is not a number", body = ProblemBody, content_type = "application/problem+json"),
        UnknownParameter,
        StoreUnavailable,
    )
)]
pub(crate) async fn episodes(
    state: web::Data<AppState>,
    path: web::Path<String>,
    _: web::Query<NoParameters>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    state.responses.respond(&request, Content::Episodes(show_id(&path)?)).await
}
