use std::collections::BTreeMap;
use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;

use futures::future::{BoxFuture, FutureExt};
use serde::de::DeserializeOwned;

use crate::model::{Embed, Model, With};
use crate::{Client, Error, Updates};

/// A question to TVmaze whose answer is a `T`. Nothing is sent until it is awaited.
///
/// An `Option` is `None` where TVmaze answers 404.
///
/// # Errors
///
/// Awaiting it gives whatever [`Error`] names.
#[must_use = "nothing is sent until it is awaited"]
pub struct Request<T> {
    client: Client,
    path: String,
    query: Vec<(&'static str, String)>,
    answer: PhantomData<fn() -> T>,
}

impl<T> Request<T> {
    pub(crate) fn new(client: &Client, path: impl Into<String>) -> Request<T> {
        let (path, query) = (path.into(), Vec::new());
        Request { client: client.clone(), path, query, answer: PhantomData }
    }

    pub(crate) fn query(mut self, name: &'static str, value: impl fmt::Display) -> Request<T> {
        self.query.push((name, value.to_string()));
        self
    }

    /// Asks for more in the same answer: one of the markers of [`embed`](crate::embed), or a tuple of
    /// up to four.
    pub fn embed<E>(self, _: E) -> Request<T::With>
    where
        T: Embeds<E>,
    {
        let names = T::names();
        let key = if names.len() == 1 { "embed" } else { "embed[]" };
        let Request { client, path, mut query, .. } = self;
        query.extend(names.into_iter().map(|name| (key, name.to_owned())));
        Request { client, path, query, answer: PhantomData }
    }
}

impl<T> Request<T> {
    /// The same question, its answer decoded as another type: one of your own, say, that has less than the
    /// model, or has it in another form.
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
    pub fn decode_as<U: Answer>(self) -> Request<U> {
        let Request { client, path, query, .. } = self;
        Request { client, path, query, answer: PhantomData }
    }
}

impl<T: Answer> Request<T> {
    /// The future that awaiting the request makes, for those who join or spawn it.
    #[must_use = "nothing is sent until it is awaited"]
    pub fn send(self) -> BoxFuture<'static, Result<T, Error>> {
        async move {
            let mut url = self.client.inner.url(&self.path)?;
            if !self.query.is_empty() {
                url.query_pairs_mut().extend_pairs(&self.query);
            }
            match self.client.inner.call(url).await {
                Err(error) if error.is_not_found() => T::missing().ok_or(error),
                answer => answer,
            }
        }
        .boxed()
    }
}

impl<T: Answer> IntoFuture for Request<T> {
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

/// What a request can be answered with. This crate alone implements it.
pub trait Answer: DeserializeOwned + Send + 'static {
    /// What a 404 means, unless it is an error.
    #[doc(hidden)]
    fn missing() -> Option<Self> {
        None
    }
}

impl<T: Model + DeserializeOwned + Send + 'static> Answer for T {}

impl<T, E> Answer for With<T, E>
where
    T: Model + DeserializeOwned + Send + 'static,
    E: Embed<T> + 'static,
    E::Output: Send,
{
}

impl<T: DeserializeOwned + Send + 'static> Answer for Vec<T> {}

impl<I> Answer for Updates<I> where Updates<I>: DeserializeOwned + Send + 'static {}

impl<K, V> Answer for BTreeMap<K, V> where BTreeMap<K, V>: DeserializeOwned + Send + 'static {}

impl<T: DeserializeOwned + Send + 'static> Answer for Option<T> {
    fn missing() -> Option<Option<T>> {
        Some(None)
    }
}

/// An answer that can have `E` embedded, in each of its items if they are several.
///
/// This crate alone implements it.
pub trait Embeds<E> {
    /// The answer with it.
    type With;

    /// The names that the query has.
    #[doc(hidden)]
    fn names() -> Vec<&'static str>;
}

impl<T: Model, E: Embed<T>> Embeds<E> for T {
    type With = With<T, E>;

    fn names() -> Vec<&'static str> {
        E::names()
    }
}

impl<T: Model, E: Embed<T>> Embeds<E> for Option<T> {
    type With = Option<With<T, E>>;

    fn names() -> Vec<&'static str> {
        E::names()
    }
}

impl<T: Model, E: Embed<T>> Embeds<E> for Vec<T> {
    type With = Vec<With<T, E>>;

    fn names() -> Vec<&'static str> {
        E::names()
    }
}
