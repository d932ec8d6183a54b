use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::content::Content;
use crate::extract::filter_query::{DaysParameter, FilterParameters};
use crate::extract::schedule_query::{CalendarQuery, DaysQuery};
use crate::problem::Problem;
use crate::problem::responses::{InvalidQuery, StoreUnavailable};
use crate::state::AppState;

/// List the episodes that air on some days
///
/// Only the episodes of the shows that DETAILS chooses are stored. The days are those of the network's time
/// zone. The list is in the order of `airdate`, then of `airstamp`.
#[utoipa::path(
    get, path = "/schedule", tag = "shows",
    params(
        ("date" = Option<String>, Query, pattern = r"^([0-9]{4}-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31|02-29))?$", description = "The first day; today in UTC by default", example = "2026-11-27"),
        ("days" = inline(Option<DaysParameter>), Query, description = "How many days; 1 by default"),
        FilterParameters,
        ("If-None-Match" = Option<String>, Header, description = "The ETag of an earlier response, to get 304 if the snapshot is unchanged"),
    ),
    responses(
        (status = 200, description = "The episodes as TVmaze sends them, each with its show", body = Vec<serde_json::Value>, headers(("ETag" = String, description = "The snapshot and the first day")),
            example = json!([{"id": 4952, "season": 1, "number": 1, "name": "Winter is Coming", "airdate": "2011-04-17", "airstamp": "2011-04-18T01:00:00+00:00", "show": {"id": 82, "name": "Game of Thrones"}}])),
        (status = 304, description = "The snapshot and the first day match `If-None-Match`"),
        InvalidQuery,
        StoreUnavailable,
    )
)]
pub(crate) async fn schedule(
    state: web::Data<AppState>,
    query: web::Query<DaysQuery>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let schedule = Box::new(query.parse(today())?);
    state.responses.respond(&request, Content::Schedule(schedule)).await
}

/// Subscribe to the episodes of shows in a calendar program
///
/// iCalendar (RFC 5545) with the stored episodes from 30 days ago on. An episode without a known time takes a whole day.
/// Only the episodes of the shows that DETAILS chooses are stored.
#[utoipa::path(
    get, path = "/calendar.ics", tag = "shows",
    params(
        FilterParameters,
        ("If-None-Match" = Option<String>, Header, description = "The ETag of an earlier response, to get 304 if the snapshot and the day are unchanged"),
    ),
    responses(
        (status = 200, description = "The calendar", body = String, content_type = "text/calendar", headers(("ETag" = String, description = "The snapshot and the day"))),
        (status = 304, description = "The snapshot and the day match `If-None-Match`"),
        InvalidQuery,
        StoreUnavailable,
    )
)]
pub(crate) async fn calendar(
    state: web::Data<AppState>,
    query: web::Query<CalendarQuery>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let schedule = Box::new(query.parse(today())?);
    state.responses.respond(&request, Content::Calendar(schedule)).await
}

pub(crate) fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}
