//! TVmaze's own routes and shapes, served from the published snapshot. Nothing is requested from TVmaze.

pub(crate) mod content;
mod embed;
pub(crate) mod error;
mod parameters;
mod schedule;
mod season;

use actix_web::dev::HttpServiceFactory;
use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::middleware::from_fn;
use actix_web::{HttpRequest, HttpResponse, web};
use tvshows_core::{ExternalDatabase, ExternalId, ShowId};

use self::content::TvmazeContent;
use self::error::{TvmazeError, in_tvmaze_form};
use self::parameters::Parameters;
use self::schedule::ScheduleRequest;
use crate::content::Content;
use crate::excerpt::excerpt;
use crate::extract::filter_query::PageParameter;
use crate::problem::Problem;
use crate::router::get_and_head;
use crate::routes::schedule::today;
use crate::state::AppState;

type Response = Result<HttpResponse, Problem>;
type State = web::Data<AppState>;

pub(crate) fn routes() -> impl HttpServiceFactory {
    web::scope("/tvmaze")
        .wrap(from_fn(in_tvmaze_form))
        .service(get_and_head("/shows", || web::to(show_index)))
        .service(get_and_head("/updates/shows", || web::to(updates)))
        .service(get_and_head("/search/shows", || web::to(search)))
        .service(get_and_head("/singlesearch/shows", || web::to(single_search)))
        .service(get_and_head("/lookup/shows", || web::to(lookup)))
        .service(get_and_head("/schedule", || web::to(schedule)))
        .service(get_and_head("/schedule/web", || web::to(web_schedule)))
        .service(get_and_head("/schedule/full", || web::to(full_schedule)))
        .service(get_and_head("/shows/{id}", || web::to(show)))
        .service(get_and_head("/shows/{id}/episodes", || web::to(episodes)))
        .service(get_and_head("/shows/{id}/seasons", || web::to(seasons)))
        .service(get_and_head("/shows/{id}/cast", || web::to(cast)))
        .service(get_and_head("/shows/{id}/episodebynumber", || web::to(episode_by_number)))
        .service(get_and_head("/shows/{id}/episodesbydate", || web::to(episodes_by_date)))
        .service(get_and_head("/episodes/{id}", || web::to(episode)))
        .service(get_and_head("/seasons/{id}", || web::to(season)))
        .service(get_and_head("/seasons/{id}/episodes", || web::to(season_episodes)))
        .default_service(web::to(not_mirrored))
}

async fn respond(state: &AppState, request: &HttpRequest, content: TvmazeContent) -> Response {
    state.responses.respond(request, Content::Tvmaze(content)).await
}

/// What TVmaze has and the mirror does not, and what neither has.
async fn not_mirrored(request: HttpRequest) -> Response {
    Err(unknown_path(&request))
}

fn unknown_path(request: &HttpRequest) -> Problem {
    let path = request.path();
    content::not_mirrored(&excerpt(path.strip_prefix("/tvmaze").unwrap_or(path)))
}

/// An id that is not a number is that of no object.
fn id_in(path: &str, request: &HttpRequest) -> Result<u32, Problem> {
    path.parse().map_err(|_| unknown_path(request))
}

fn show_id(path: &str, request: &HttpRequest) -> Result<ShowId, Problem> {
    id_in(path, request).map(ShowId)
}

/// TVmaze: a page of the show index
///
/// Page `n` has the shows with the ids from 250 × `n` to 250 × `n` + 249. The page after the last one is a 404.
#[utoipa::path(
    get, path = "/tvmaze/shows", tag = "tvmaze",
    params(("page" = inline(Option<PageParameter>), Query, description = "0 by default")),
    responses(
        (status = 200, description = "The shows, by id", body = Vec<serde_json::Value>, headers(("ETag" = String, description = "The snapshot"))),
        (status = 404, description = "No such page", body = TvmazeError),
        (status = 422, description = "The page is not a number", body = TvmazeError),
        (status = 503, description = "The database is unavailable", body = TvmazeError),
    )
)]
pub(crate) async fn show_index(state: State, request: HttpRequest) -> Response {
    let page = Parameters::from_request(&request).number("page")?.unwrap_or_default();
    respond(&state, &request, TvmazeContent::Page(page)).await
}

/// TVmaze: when each show last changed
#[utoipa::path(
    get, path = "/tvmaze/updates/shows", tag = "tvmaze",
    params(("since" = Option<String>, Query, pattern = "^(day|week|month)$", description = "`day`, `week`, or `month`: only shows that changed within that time before the snapshot was published")),
    responses(
        (status = 200, description = "The Unix time of each show's last change", body = std::collections::BTreeMap<String, i64>, headers(("ETag" = String, description = "The snapshot"))),
        (status = 422, description = "`since` is invalid", body = TvmazeError),
        (status = 503, description = "The database is unavailable", body = TvmazeError),
    )
)]
pub(crate) async fn updates(state: State, request: HttpRequest) -> Response {
    let since = Parameters::from_request(&request).since()?;
    respond(&state, &request, TvmazeContent::Updates(since)).await
}

/// TVmaze: search shows by name
///
/// Unlike TVmaze, it tolerates no typos, and the score says nothing but the order.
#[utoipa::path(
    get, path = "/tvmaze/search/shows", tag = "tvmaze",
    params(("q" = String, Query, max_length = 256, description = "Words of the name. All must match; the last one may be a prefix")),
    responses(
        (status = 200, description = "Up to ten shows with scores, best match first", body = Vec<serde_json::Value>, headers(("ETag" = String, description = "The snapshot"))),
        (status = 400, description = "`q` is missing", body = TvmazeError),
        (status = 422, description = "`q` is too long", body = TvmazeError),
        (status = 503, description = "The database is unavailable", body = TvmazeError),
    )
)]
pub(crate) async fn search(state: State, request: HttpRequest) -> Response {
    let text = Parameters::from_request(&request).search_text()?;
    respond(&state, &request, TvmazeContent::Search(text)).await
}

/// TVmaze: the show that best matches a name
#[utoipa::path(
    get, path = "/tvmaze/singlesearch/shows", tag = "tvmaze",
    params(
        ("q" = String, Query, max_length = 256, description = "Words of the name"),
        ("embed" = Option<String>, Query, pattern = "^(episodes|cast|seasons|nextepisode|previousepisode)$", description = "As in `/tvmaze/shows/{id}`"),
    ),
    responses(
        (status = 200, description = "The show", body = serde_json::Value, headers(("ETag" = String, description = "The snapshot"))),
        (status = 400, description = "`q` is missing, or an embed is unknown", body = TvmazeError),
        (status = 404, description = "No show matches (the body is `null`), or the mirror does not hold an embed", body = Option<TvmazeError>),
        (status = 422, description = "`q` is too long", body = TvmazeError),
        (status = 503, description = "The database is unavailable", body = TvmazeError),
    )
)]
pub(crate) async fn single_search(state: State, request: HttpRequest) -> Response {
    let parameters = Parameters::from_request(&request);
    let (text, embeds) = (parameters.search_text()?, parameters.embeds()?);
    respond(&state, &request, TvmazeContent::SingleSearch(text, embeds)).await
}

/// TVmaze: find a show by its id in another database
#[utoipa::path(
    get, path = "/tvmaze/lookup/shows", tag = "tvmaze",
    params(
        ("imdb" = Option<String>, Query, description = "The id at IMDb", example = "tt0944947"),
        ("thetvdb" = Option<String>, Query, description = "The id at TheTVDB", example = "121361"),
        ("tvrage" = Option<String>, Query, description = "The id at TVRage", example = "24493"),
    ),
    responses(
        (status = 301, description = "Found", headers(("Location" = String, description = "The URL of the show, relative to the request's"))),
        (status = 400, description = "No id is given", body = TvmazeError),
        (status = 404, description = "No show has the id: the body is `null`", body = Option<TvmazeError>),
        (status = 503, description = "The database is unavailable", body = TvmazeError),
    )
)]
pub(crate) async fn lookup(state: State, request: HttpRequest) -> Response {
    let parameters = Parameters::from_request(&request);
    let mut given = ExternalDatabase::ALL
        .into_iter()
        .filter_map(|database| Some((database, parameters.get(database.name())?)));
    let Some((database, id)) = given.next() else {
        let reason = "Missing required parameter: imdb, thetvdb, or tvrage";
        return Err(Problem::InvalidQuery(reason.into()));
    };
    // A text that cannot be an id is that of no show.
    let id = ExternalId::parse(database, id).map_err(|_| Problem::NoMatch)?;
    let show = state.catalog.show(id.into()).await?.ok_or(Problem::NoMatch)?;
    let mut response = HttpResponse::MovedPermanently();
    // Relative to `/tvmaze/lookup/shows`, because a proxy may strip a path prefix.
    response.insert_header((LOCATION, format!("../shows/{}", show.id)));
    // The next snapshot may know better.
    response.insert_header((CACHE_CONTROL, "no-cache"));
    Ok(response.content_type("application/json").body("null"))
}

/// TVmaze: a show
#[utoipa::path(
    get, path = "/tvmaze/shows/{id}", tag = "tvmaze",
    params(
        ("id" = u32, Path, description = "The show's id", example = 82),
        ("embed" = Option<String>, Query, pattern = "^(episodes|cast|seasons|nextepisode|previousepisode)$", description = "`episodes`, `cast`, `seasons`, `nextepisode`, or `previousepisode`; several as `embed[]`", example = "episodes"),
    ),
    responses(
        (status = 200, description = "The JSON object that TVmaze sent", body = serde_json::Value, headers(("ETag" = String, description = "The snapshot"))),
        (status = 400, description = "An embed is unknown", body = TvmazeError),
        (status = 404, description = "The mirror does not hold the show or an embed", body = TvmazeError),
        (status = 503, description = "The database is unavailable", body = TvmazeError),
    )
)]
pub(crate) async fn show(state: State, path: web::Path<String>, request: HttpRequest) -> Response {
    let id = show_id(&path, &request)?;
    let embeds = Parameters::from_request(&request).embeds()?;
    respond(&state, &request, TvmazeContent::Show(id, embeds)).await
}

macro_rules! part_of_show {
    ($name:ident, $path:literal, $content:ident, $summary:literal) => {
        #[doc = concat!("TVmaze: ", $summary)]
        #[utoipa::path(
            get, path = $path, tag = "tvmaze",
            params(("id" = u32, Path, description = "The show's id", example = 82)),
            responses(
                (status = 200, description = "The list", body = Vec<serde_json::Value>, headers(("ETag" = String, description = "The snapshot"))),
                (status = 404, description = "The mirror does not hold it", body = TvmazeError),
                (status = 503, description = "The database is unavailable", body = TvmazeError),
            )
        )]
        pub(crate) async fn $name(
            state: State,
            path: web::Path<String>,
            request: HttpRequest,
        ) -> Response {
            let id = show_id(&path, &request)?;
            respond(&state, &request, TvmazeContent::$content(id)).await
        }
    };
}

part_of_show!(episodes, "/tvmaze/shows/{id}/episodes", Episodes, "the episodes of a show");
part_of_show!(seasons, "/tvmaze/shows/{id}/seasons", Seasons, "the seasons of a show");
part_of_show!(cast, "/tvmaze/shows/{id}/cast", Cast, "the cast of a show");

/// TVmaze: an episode by its number
#[utoipa::path(
    get, path = "/tvmaze/shows/{id}/episodebynumber", tag = "tvmaze",
    params(
        ("id" = u32, Path, description = "The show's id", example = 82),
        ("season" = i64, Query, description = "The number of the season", example = 1),
        ("number" = i64, Query, description = "The number in the season", example = 1),
    ),
    responses(
        (status = 200, description = "The episode", body = serde_json::Value, headers(("ETag" = String, description = "The snapshot"))),
        (status = 400, description = "A parameter is missing", body = TvmazeError),
        (status = 404, description = "The mirror does not hold the episode", body = TvmazeError),
        (status = 422, description = "A parameter is not a number", body = TvmazeError),
        (status = 503, description = "The database is unavailable", body = TvmazeError),
    )
)]
pub(crate) async fn episode_by_number(
    state: State,
    path: web::Path<String>,
    request: HttpRequest,
) -> Response {
    let parameters = Parameters::from_request(&request);
    let show = show_id(&path, &request)?;
    let [season, number] = ["season", "number"].map(|name| parameters.required_number(name));
    let content = TvmazeContent::EpisodeByNumber { show, season: season?, number: number? };
    respond(&state, &request, content).await
}

/// TVmaze: the episodes of a day
#[utoipa::path(
    get, path = "/tvmaze/shows/{id}/episodesbydate", tag = "tvmaze",
    params(
        ("id" = u32, Path, description = "The show's id", example = 82),
        ("date" = String, Query, format = Date, description = "The day", example = "2011-04-17"),
    ),
    responses(
        (status = 200, description = "The episodes", body = Vec<serde_json::Value>, headers(("ETag" = String, description = "The snapshot"))),
        (status = 400, description = "The date is missing", body = TvmazeError),
        (status = 404, description = "The mirror holds no episode of that day", body = TvmazeError),
        (status = 422, description = "The date is invalid", body = TvmazeError),
        (status = 503, description = "The database is unavailable", body = TvmazeError),
    )
)]
pub(crate) async fn episodes_by_date(
    state: State,
    path: web::Path<String>,
    request: HttpRequest,
) -> Response {
    let show = show_id(&path, &request)?;
    let date = Parameters::from_request(&request).required_date()?;
    respond(&state, &request, TvmazeContent::EpisodesByDate { show, date }).await
}

/// TVmaze: an episode by its id
#[utoipa::path(
    get, path = "/tvmaze/episodes/{id}", tag = "tvmaze",
    params(
        ("id" = u32, Path, description = "The episode's id", example = 4952),
        ("embed" = Option<String>, Query, pattern = "^show$", description = "`show`", example = "show"),
    ),
    responses(
        (status = 200, description = "The episode", body = serde_json::Value, headers(("ETag" = String, description = "The snapshot"))),
        (status = 400, description = "An embed is unknown", body = TvmazeError),
        (status = 404, description = "The mirror does not hold the episode or an embed", body = TvmazeError),
        (status = 503, description = "The database is unavailable", body = TvmazeError),
    )
)]
pub(crate) async fn episode(
    state: State,
    path: web::Path<String>,
    request: HttpRequest,
) -> Response {
    let id = id_in(&path, &request)?;
    let embeds = Parameters::from_request(&request).embeds()?;
    respond(&state, &request, TvmazeContent::Episode(id, embeds)).await
}

/// TVmaze: a season
#[utoipa::path(
    get, path = "/tvmaze/seasons/{id}", tag = "tvmaze",
    params(("id" = u32, Path, description = "The id from `/tvmaze/shows/{id}/seasons`; not TVmaze's", example = 1_000_820_001)),
    responses(
        (status = 200, description = "The season", body = serde_json::Value, headers(("ETag" = String, description = "The snapshot"))),
        (status = 404, description = "The mirror does not hold the season", body = TvmazeError),
        (status = 503, description = "The database is unavailable", body = TvmazeError),
    )
)]
pub(crate) async fn season(
    state: State,
    path: web::Path<String>,
    request: HttpRequest,
) -> Response {
    let id = id_in(&path, &request)?;
    respond(&state, &request, TvmazeContent::Season(id)).await
}

/// TVmaze: the episodes of a season
#[utoipa::path(
    get, path = "/tvmaze/seasons/{id}/episodes", tag = "tvmaze",
    params(("id" = u32, Path, description = "The id from `/tvmaze/shows/{id}/seasons`; not TVmaze's", example = 1_000_820_001)),
    responses(
        (status = 200, description = "The episodes", body = Vec<serde_json::Value>, headers(("ETag" = String, description = "The snapshot"))),
        (status = 404, description = "The mirror does not hold the season", body = TvmazeError),
        (status = 503, description = "The database is unavailable", body = TvmazeError),
    )
)]
pub(crate) async fn season_episodes(
    state: State,
    path: web::Path<String>,
    request: HttpRequest,
) -> Response {
    let id = id_in(&path, &request)?;
    respond(&state, &request, TvmazeContent::SeasonEpisodes(id)).await
}

/// TVmaze: the episodes that air on the networks of a country on a day
#[utoipa::path(
    get, path = "/tvmaze/schedule", tag = "tvmaze",
    params(
        ("country" = Option<String>, Query, description = "An ISO 3166-1 code; `US` by default", example = "GB"),
        ("date" = Option<String>, Query, description = "The day, in the time zone of the network; today in UTC by default", example = "2026-12-01"),
    ),
    responses(
        (status = 200, description = "The stored episodes, each with its `show`, by time", body = Vec<serde_json::Value>),
        (status = 422, description = "A parameter is invalid", body = TvmazeError),
        (status = 503, description = "The database is unavailable", body = TvmazeError),
    )
)]
pub(crate) async fn schedule(state: State, request: HttpRequest) -> Response {
    let parameters = Parameters::from_request(&request);
    let country = parameters.country()?.filter(|code| !code.is_empty());
    let country = country.unwrap_or_else(|| "US".to_owned());
    let day = parameters.date()?.unwrap_or_else(today);
    let schedule = ScheduleRequest::Networks { day, country };
    respond(&state, &request, TvmazeContent::Schedule(schedule)).await
}

/// TVmaze: the episodes that web channels release on a day
#[utoipa::path(
    get, path = "/tvmaze/schedule/web", tag = "tvmaze",
    params(
        ("country" = Option<String>, Query, description = "An ISO 3166-1 code: only the channels of that country; empty: only the global ones. All by default", example = "GB"),
        ("date" = Option<String>, Query, description = "The day; today in UTC by default", example = "2026-12-01"),
    ),
    responses(
        (status = 200, description = "The stored episodes, each with its show in `_embedded`, by time", body = Vec<serde_json::Value>),
        (status = 422, description = "A parameter is invalid", body = TvmazeError),
        (status = 503, description = "The database is unavailable", body = TvmazeError),
    )
)]
pub(crate) async fn web_schedule(state: State, request: HttpRequest) -> Response {
    let parameters = Parameters::from_request(&request);
    let country = parameters.country()?;
    let day = parameters.date()?.unwrap_or_else(today);
    let schedule = ScheduleRequest::WebChannels { day, country };
    respond(&state, &request, TvmazeContent::Schedule(schedule)).await
}

/// TVmaze: all stored episodes from today on
#[utoipa::path(
    get, path = "/tvmaze/schedule/full", tag = "tvmaze",
    responses(
        (status = 200, description = "The stored episodes, each with its show in `_embedded`, by time", body = Vec<serde_json::Value>),
        (status = 503, description = "The database is unavailable", body = TvmazeError),
    )
)]
pub(crate) async fn full_schedule(state: State, request: HttpRequest) -> Response {
    let schedule = ScheduleRequest::From(today());
    respond(&state, &request, TvmazeContent::Schedule(schedule)).await
}
