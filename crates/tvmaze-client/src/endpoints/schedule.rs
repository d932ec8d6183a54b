use std::future::IntoFuture;

use jiff::civil::Date;

use crate::{Client, Request, ScheduledEpisode};

type EpisodesRequest = Request<Vec<ScheduledEpisode>>;

/// Schedules.
impl Client {
    /// Lists the broadcasts of a day in a country, ordered by time. Default: today, in the United
    /// States.
    pub fn schedule(&self) -> ScheduleRequest {
        ScheduleRequest(Request::new(self, "/schedule"))
    }

    /// Lists the releases of streaming services on a day. Default: today, in all countries.
    pub fn web_schedule(&self) -> WebScheduleRequest {
        WebScheduleRequest(Request::new(self, "/schedule/web"))
    }

    /// Lists all future episodes known to TVmaze: several MB, up to 24 hours old.
    pub fn full_schedule(&self) -> Request<Vec<ScheduledEpisode>> {
        Request::new(self, "/schedule/full")
    }
}

/// A request for a [broadcast schedule](Client::schedule).
#[derive(Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct ScheduleRequest(EpisodesRequest);

impl ScheduleRequest {
    /// Sets the country: an ISO 3166-1 alpha-2 code. TVmaze returns 422 for unknown codes.
    pub fn country(self, code: &str) -> ScheduleRequest {
        ScheduleRequest(self.0.query("country", code))
    }

    /// Sets the day, in the country's time zone.
    pub fn date(self, date: Date) -> ScheduleRequest {
        ScheduleRequest(self.0.query("date", date))
    }
}

impl IntoFuture for ScheduleRequest {
    type Output = <EpisodesRequest as IntoFuture>::Output;
    type IntoFuture = <EpisodesRequest as IntoFuture>::IntoFuture;

    fn into_future(self) -> Self::IntoFuture {
        self.0.into_future()
    }
}

/// A request for a [schedule of streaming services](Client::web_schedule).
#[derive(Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct WebScheduleRequest(EpisodesRequest);

impl WebScheduleRequest {
    /// Selects the services of a country: an ISO 3166-1 alpha-2 code. TVmaze returns 422 for unknown
    /// codes.
    pub fn country(self, code: &str) -> WebScheduleRequest {
        WebScheduleRequest(self.0.query("country", code))
    }

    /// Selects global services only.
    pub fn global(self) -> WebScheduleRequest {
        self.country("")
    }

    /// Sets the day.
    pub fn date(self, date: Date) -> WebScheduleRequest {
        WebScheduleRequest(self.0.query("date", date))
    }
}

impl IntoFuture for WebScheduleRequest {
    type Output = <EpisodesRequest as IntoFuture>::Output;
    type IntoFuture = <EpisodesRequest as IntoFuture>::IntoFuture;

    fn into_future(self) -> Self::IntoFuture {
        self.0.into_future()
    }
}
