//! The runs in a database or of a running service.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::{Client, Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tvshows_core::{RunId, RunQueue, RunStatus};

use crate::cli::Database;
use crate::{database, http_client};

const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) enum RunSource {
    Database(Arc<dyn RunQueue>),
    Service(ServiceClient),
}

impl RunSource {
    /// A service if its URL is given, otherwise the database.
    pub(crate) async fn open(
        service: Option<&Url>,
        database: &Database,
    ) -> anyhow::Result<RunSource> {
        Ok(match service {
            Some(url) => RunSource::Service(ServiceClient::new(url)?),
            None => RunSource::Database(database::open_history(&database.location()?).await?),
        })
    }

    /// The status of a run, or of the newest one.
    pub(crate) async fn status(&self, run: Option<RunId>) -> anyhow::Result<Option<RunStatus>> {
        match (self, run) {
            (RunSource::Database(queue), Some(run)) => Ok(queue.get(run).await?),
            (RunSource::Service(service), Some(run)) => service.status(run).await,
            (_, None) => Ok(self.runs(1).await?.pop()),
        }
    }

    /// The last `limit` runs, newest first.
    pub(crate) async fn runs(&self, limit: u32) -> anyhow::Result<Vec<RunStatus>> {
        match self {
            RunSource::Database(queue) => Ok(queue.list(limit).await?),
            RunSource::Service(service) => service.runs(limit).await,
        }
    }
}

/// A client of the API of a service.
pub(crate) struct ServiceClient {
    client: Client,
    url: Url,
}

#[derive(Deserialize)]
struct StatusResponse {
    status: RunStatus,
}

#[derive(Deserialize)]
struct RunsResponse {
    runs: Vec<RunStatus>,
}

/// The part of a problem document that is for people.
#[derive(Deserialize)]
struct Problem {
    detail: String,
}

impl ServiceClient {
    pub(crate) fn new(url: &Url) -> anyhow::Result<ServiceClient> {
        Ok(ServiceClient { client: http_client::build(url, REQUEST_TIMEOUT)?, url: url.clone() })
    }

    async fn status(&self, run: RunId) -> anyhow::Result<Option<RunStatus>> {
        let path = format!("pipeline/status/{run}");
        let response: Option<StatusResponse> = self
            .get(&path)
            .await
            .with_context(|| format!("cannot get the status from {}", self.url))?;
        Ok(response.map(|response| response.status))
    }

    async fn runs(&self, limit: u32) -> anyhow::Result<Vec<RunStatus>> {
        let path = format!("pipeline/runs?limit={limit}");
        let response: anyhow::Result<Option<RunsResponse>> = self.get(&path).await;
        let response =
            response.with_context(|| format!("cannot list the updates of {}", self.url))?;
        let response = response.with_context(|| format!("{} is not this service", self.url))?;
        Ok(response.runs)
    }

    /// Cancels a run.
    pub(crate) async fn cancel(
        &self,
        run: RunId,
        token: Option<&SecretString>,
    ) -> anyhow::Result<()> {
        let mut request = self.client.post(self.path(&format!("pipeline/cancel/{run}")));
        if let Some(token) = token {
            request = request.bearer_auth(token.expose_secret());
        }
        let sent = request.send().await.map_err(reqwest::Error::without_url);
        let response = sent.with_context(|| format!("cannot cancel the update at {}", self.url))?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let body = response.bytes().await.unwrap_or_default();
        match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => bail!("{}", problem.detail),
            Err(_) => bail!("{} returned {status}", self.url),
        }
    }

    /// The body of a response, or `None` for 404.
    async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<Option<T>> {
        let response = self.client.get(self.path(path)).send().await;
        let response = response.map_err(reqwest::Error::without_url)?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let response = Response::error_for_status(response).map_err(reqwest::Error::without_url)?;
        Ok(Some(serde_json::from_slice(&response.bytes().await?)?))
    }

    fn path(&self, path: &str) -> String {
        format!("{}/{path}", self.url.as_str().trim_end_matches('/'))
    }
}
