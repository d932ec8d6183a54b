use std::fmt;
use std::future::IntoFuture;

use futures::future::{BoxFuture, FutureExt};
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;

use crate::client::Client;
use crate::decode::{Recover, absent};
use crate::error::Error;
use crate::model::{Embed, EmbedMarker, Model, WithEmbedded};

impl Client {
    /// Gets a path of the API, for what has no method of its own, with the same retries, rate limit and
    /// errors. `path` starts with a slash and is relative to the base URL. If `T` is an `Option`, a 404 is
    /// `None`.
    ///
    /// ```no_run
    /// # async fn run() -> Result<(), tvmaze_client::Error> {
    /// #[derive(serde::Deserialize)]
    /// struct Seasons {
    ///     name: String,
    ///     #[serde(rename = "_embedded")]
    ///     embedded: serde_json::Value,
    /// }
    ///
    /// let client = tvmaze_client::Client::builder().build()?;
    /// let show = client.get::<Seasons>("/shows/1").query("embed", "seasons").await?;
    /// println!("{}: {}", show.name, show.embedded["seasons"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn get<T: DeserializeOwned + Send + 'static>(&self, path: impl Into<String>) -> Request<T> {
        Request::new(self, path)
    }
}

/// A request to TVmaze whose response decodes to `T`. It is sent when it is awaited.
///
/// If `T` is an `Option`, a 404 is `None`.
///
/// # Errors
///
/// Awaiting it returns an [`Error`] if the call fails.
#[must_use = "nothing is sent until it is awaited"]
pub struct Request<T> {
    client: Client,
    path: String,
    query: Vec<(String, String)>,
    rejects_moved: bool,
    recover: Recover<T>,
    body: BodyOptions,
}

/// How the body of a response is read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BodyOptions {
    /// The maximum size; `None` for the client's.
    pub(crate) max_bytes: Option<usize>,
    /// Whether it is decoded while it arrives, and never in memory as a whole.
    pub(crate) is_streamed: bool,
}

impl<T> Request<T> {
    pub(crate) fn new(client: &Client, path: impl Into<String>) -> Request<T> {
        let (client, path) = (client.clone(), path.into());
        let recover: Recover<T> = |_, error| Err(error);
        let body = BodyOptions::default();
        Request { client, path, query: Vec::new(), rejects_moved: false, recover, body }
    }

    /// Decodes the body while it arrives. The error of a body that cannot be decoded has no path, and
    /// [`recover_with`](Request::recover_with) has no effect.
    pub(crate) fn streamed(mut self) -> Request<T> {
        self.body.is_streamed = true;
        self
    }

    /// Sets the maximum size of the response body, decompressed, instead of
    /// [the client's](crate::ClientBuilder::max_body_bytes).
    pub fn max_body_bytes(mut self, bytes: usize) -> Request<T> {
        self.body.max_bytes = Some(bytes);
        self
    }

    /// Adds a query parameter, percent-encoded. TVmaze ignores unknown ones.
    pub fn query(mut self, name: impl Into<String>, value: impl fmt::Display) -> Request<T> {
        self.query.push((name.into(), value.to_string()));
        self
    }

    /// Embeds related objects in the same response: a marker of [`embed`](crate::embed), or a tuple of
    /// up to four.
    pub fn embed<E: EmbedMarker>(self, _: E) -> Request<T::Output>
    where
        T: Embeddable<E>,
    {
        let names = E::names();
        let key = if names.len() == 1 { "embed" } else { "embed[]" };
        let Request { client, path, mut query, rejects_moved, body, .. } = self;
        query.extend(names.into_iter().map(|name| (key.to_owned(), name.to_owned())));
        Request { client, path, query, rejects_moved, recover: |_, error| Err(error), body }
    }

    /// Decodes the response as another type, such as a struct of your own with fewer fields.
    ///
    /// ```no_run
    /// # async fn run() -> Result<(), tvmaze_client::Error> {
    /// #[derive(serde::Deserialize)]
    /// struct Named {
    ///     name: String,
    /// }
    ///
    /// let client = tvmaze_client::Client::builder().build()?;
    /// let page = client.show_page(tvmaze_client::PageIndex(0)).decode_as::<Option<Vec<Named>>>().await?;
    /// for Named { name } in page.unwrap_or_default() {
    ///     println!("{name}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn decode_as<U: DeserializeOwned + Send + 'static>(self) -> Request<U> {
        let Request { client, path, query, rejects_moved, body, .. } = self;
        Request { client, path, query, rejects_moved, recover: |_, error| Err(error), body }
    }

    /// Calls `recover` with a body that cannot be decoded and with the error, before the attempt
    /// counts as failed. It returns the error if the body is of no use to it either.
    ///
    /// Use it after [`decode_as`](Request::decode_as), for example to accept the intact objects of a
    /// list.
    pub fn recover_with(
        mut self,
        recover: fn(&[u8], serde_json::Error) -> Result<T, serde_json::Error>,
    ) -> Request<T> {
        self.recover = recover;
        self
    }

    /// Treats a redirect to the same path with another id like a 404.
    ///
    /// TVmaze redirects the id of a show that was merged into another one. Without this, the response is
    /// that of the other show.
    pub fn reject_moved(mut self) -> Request<T> {
        self.rejects_moved = true;
        self
    }
}

impl<T: DeserializeOwned + Send + 'static> Request<T> {
    /// Converts the request into a future, to be joined or spawned.
    #[must_use = "nothing is sent until it is awaited"]
    pub fn send(self) -> BoxFuture<'static, Result<T, Error>> {
        async move {
            if Handle::try_current().is_err() {
                return Err(Error::NoRuntime);
            }
            let mut url = self.client.inner.url(&self.path)?;
            if !self.query.is_empty() {
                url.query_pairs_mut().extend_pairs(&self.query);
            }
            let Request { rejects_moved, recover, body, .. } = self;
            match self.client.inner.execute(url, rejects_moved, recover, body).await {
                Err(error) if error.is_not_found() => absent().ok_or(error),
                result => result,
            }
        }
        .boxed()
    }
}

impl<T: DeserializeOwned + Send + 'static> IntoFuture for Request<T> {
    type Output = Result<T, Error>;
    type IntoFuture = BoxFuture<'static, Result<T, Error>>;

    fn into_future(self) -> Self::IntoFuture {
        self.send()
    }
}

impl<T> fmt::Debug for Request<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("path", &self.path)
            .field("query", &self.query)
            .finish_non_exhaustive()
    }
}

/// A response that can have `E` embedded, in each item if it is a list.
///
/// Only this crate implements it.
pub trait Embeddable<E> {
    /// The response with the embedded objects.
    type Output;
}

impl<T: Model, E: Embed<T>> Embeddable<E> for T {
    type Output = WithEmbedded<T, E>;
}

impl<T: Model, E: Embed<T>> Embeddable<E> for Option<T> {
    type Output = Option<WithEmbedded<T, E>>;
}

impl<T: Model, E: Embed<T>> Embeddable<E> for Vec<T> {
    type Output = Vec<WithEmbedded<T, E>>;
}
