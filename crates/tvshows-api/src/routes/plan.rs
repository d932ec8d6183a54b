use actix_web::{HttpResponse, web};
use serde::Serialize;
use tvshows_core::FetchMode;
use tvshows_pipeline::RunPlan;

use crate::extract::query::UpdateQuery;
use crate::problem::responses::{AccessDenied, InvalidQuery};
use crate::problem::{Problem, ProblemBody};
use crate::schemas;
use crate::state::AppState;

/// What a run would fetch now. It can be a few requests more, for what only the responses show.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct RunPlanBody {
    /// `full` if the whole index would be fetched.
    #[schema(value_type = schemas::FetchMode)]
    mode: FetchMode,
    /// Index pages; `null` if the length of the index is unknown.
    #[schema(example = 3)]
    index_pages: Option<u32>,
    /// Shows to fetch individually.
    #[schema(example = 121)]
    shows: u32,
    /// Shows whose episodes and cast would be fetched, with one request each; `null` if their number is unknown until the
    /// shows are fetched.
    #[schema(example = 14)]
    details: Option<u32>,
    /// Casts of top shows.
    #[schema(example = 1)]
    casts: u32,
    /// Published shows that would be deleted, without a request.
    #[schema(example = 2)]
    deletions: u32,
    /// All requests, but not those for an unknown number of details.
    #[schema(example = 140)]
    requests: u64,
    /// How long these requests take at TVmaze's limit.
    #[schema(example = 70)]
    seconds: u64,
}

impl From<RunPlan> for RunPlanBody {
    fn from(plan: RunPlan) -> RunPlanBody {
        let RunPlan { mode, index_pages, shows, details, casts, deletions, requests, seconds } =
            plan;
        RunPlanBody { mode, index_pages, shows, details, casts, deletions, requests, seconds }
    }
}

/// Plan an update
///
/// Returns what a run with these parameters would fetch, without fetching it. Plans within a minute share one request to
/// TVmaze, unless an update publishes a change in between. If it fails, plans within ten seconds fail, too.
#[utoipa::path(
    post, path = "/pipeline/plan", tag = "pipeline", security((), ("token" = [])),
    params(
        ("years" = Option<u16>, Query, minimum = 0, maximum = 200, description = "How many calendar years ago a top show may have premiered; 10 by default"),
        ("top" = Option<u16>, Query, minimum = 1, maximum = 1000, description = "The number of top shows to store; 10 by default"),
        ("mode" = Option<schemas::FetchMode>, Query, description = "`full` plans to fetch everything; `auto`, the default, what is new, changed or expired"),
    ),
    responses(
        (status = 200, description = "OK", body = RunPlanBody),
        InvalidQuery,
        AccessDenied,
        (status = 503, description = "TVmaze or the database is unavailable, or updates are off", body = ProblemBody, content_type = "application/problem+json", headers(("Retry-After" = u32, description = "Seconds"))),
    )
)]
pub(crate) async fn plan(
    state: web::Data<AppState>,
    query: web::Query<UpdateQuery>,
) -> Result<HttpResponse, Problem> {
    let plan = state.runner.plan(query.parameters()?).await?;
    Ok(HttpResponse::Ok().json(RunPlanBody::from(plan)))
}
