use std::future::IntoFuture;

use jiff::civil::Date;

use crate::{Client, Request, ScheduledEpisode};

type Schedule = Request<Vec<ScheduledEpisode>>;

/// What is broadcast.
impl Client {
    /// What is broadcast on a day in a country, in the order of time; today and in the United States
    /// unless the request says otherwise.
    pub fn schedule(&self) -> ScheduleRequest {
        ScheduleRequest(Request::new(self, "/schedule"))
    }

    /// What streaming services release on a day; today and everywhere unless the request says
    /// otherwise.
    pub fn web_schedule(&self) -> WebScheduleRequest {
        WebScheduleRequest(Request::new(self, "/schedule/web"))
    }

    /// Every episode to come that TVmaze knows of: several MB, up to 24 hours old.
    pub fn full_schedule(&self) -> Request<Vec<ScheduledEpisode>> {
        Request::new(self, "/schedule/full")
    }
}

/// A [schedule](Client::schedule) of a country's broadcasters.
#[derive(Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct ScheduleRequest(Schedule);

impl ScheduleRequest {
    /// The country, in two letters of ISO 3166-1; TVmaze answers 422 to others.
    pub fn country(self, code: &str) -> ScheduleRequest {
        ScheduleRequest(self.0.query("country", code))
    }

    /// The day, in the country's time zone.
    pub fn date(self, date: Date) -> ScheduleRequest {
        ScheduleRequest(self.0.query("date", date))
    }
}

impl IntoFuture for ScheduleRequest {
    type Output = <Schedule as IntoFuture>::Output;
    type IntoFuture = <Schedule as IntoFuture>::IntoFuture;

    fn into_future(self) -> Self::IntoFuture {
        self.0.into_future()
    }
}

/// A [schedule](Client::web_schedule) of streaming services.
#[derive(Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct WebScheduleRequest(Schedule);

impl WebScheduleRequest {
    /// Only services of this country, in two letters of ISO 3166-1; TVmaze answers 422 to others.
    pub fn country(self, code: &str) -> WebScheduleRequest {
        WebScheduleRequest(self.0.query("country", code))
    }

    /// Only services of the whole world.
    pub fn global(self) -> WebScheduleRequest {
        self.country("")
    }

    /// The day.
    pub fn date(self, date: Date) -> WebScheduleRequest {
        WebScheduleRequest(self.0.query("date", date))
    }
}

impl IntoFuture for WebScheduleRequest {
    type Output = <Schedule as IntoFuture>::Output;
    type IntoFuture = <Schedule as IntoFuture>::IntoFuture;

    fn into_future(self) -> Self::IntoFuture {
        self.0.into_future()
    }
}
