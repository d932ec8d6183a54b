use std::future::ready;

use futures::{Stream, StreamExt, stream};
use serde::de::DeserializeOwned;

use crate::{Client, Error, PageIndex, Person, Request, Show};

/// A page of the index of shows.
#[derive(Debug, Clone, PartialEq)]
pub struct ShowPage {
    /// Its place in the index.
    pub index: PageIndex,
    /// Up to 250 shows, by id; none where every id of the page was deleted.
    pub shows: Vec<Show>,
}

/// A page of the index of people.
#[derive(Debug, Clone, PartialEq)]
pub struct PeoplePage {
    /// Its place in the index.
    pub index: PageIndex,
    /// Up to 1000 people, by id; none where every id of the page was deleted.
    pub people: Vec<Person>,
}

/// Everything there is, page by page.
///
/// TVmaze serves a page for up to 24 hours from a cache. A stream fetches as many pages ahead as the
/// client's concurrency, so up to that many requests less one go beyond the end. Its first error is
/// its last item.
impl Client {
    /// A page of the index of shows; `None` past its end.
    pub fn show_page(&self, page: PageIndex) -> Request<Option<Vec<Show>>> {
        Request::new(self, "/shows").query("page", page)
    }

    /// The pages of the index of shows from `from` to its end, in order.
    pub fn show_pages(
        &self,
        from: PageIndex,
    ) -> impl Stream<Item = Result<ShowPage, Error>> + Send + use<> {
        pages(self, from, Client::show_page, |index, shows| ShowPage { index, shows })
    }

    /// A page of the index of people; `None` past its end.
    pub fn people_page(&self, page: PageIndex) -> Request<Option<Vec<Person>>> {
        Request::new(self, "/people").query("page", page)
    }

    /// The pages of the index of people from `from` to its end, in order.
    pub fn people_pages(
        &self,
        from: PageIndex,
    ) -> impl Stream<Item = Result<PeoplePage, Error>> + Send + use<> {
        pages(self, from, Client::people_page, |index, people| PeoplePage { index, people })
    }
}

fn pages<T, P>(
    client: &Client,
    from: PageIndex,
    request: fn(&Client, PageIndex) -> Request<Option<T>>,
    page: fn(PageIndex, T) -> P,
) -> impl Stream<Item = Result<P, Error>> + Send + use<T, P>
where
    T: DeserializeOwned + Send + 'static,
    P: Send,
{
    let client = client.clone();
    let concurrency = client.concurrency();
    stream::iter(from.0..)
        .map(move |number| {
            let index = PageIndex(number);
            let answer = request(&client, index).send();
            async move { answer.await.transpose().map(|items| items.map(|items| page(index, items))) }
        })
        .buffered(concurrency)
        .scan(false, |failed, page| {
            let ended = *failed;
            *failed = matches!(page, Some(Err(_)));
            ready(page.filter(|_| !ended))
        })
}
