use std::future::ready;

use futures::{Stream, StreamExt, stream};
use serde::de::DeserializeOwned;

use crate::{Client, Error, PageIndex, Person, Request, Show};

/// A page of the show index.
#[derive(Debug, Clone, PartialEq)]
pub struct ShowPage {
    /// The page's number.
    pub index: PageIndex,
    /// Up to 250 shows, ordered by id; empty if all of the page's ids were deleted.
    pub shows: Vec<Show>,
}

/// A page of the people index.
#[derive(Debug, Clone, PartialEq)]
pub struct PeoplePage {
    /// The page's number.
    pub index: PageIndex,
    /// Up to 1000 people, ordered by id; empty if all of the page's ids were deleted.
    pub people: Vec<Person>,
}

/// The indexes of all shows and people, page by page.
///
/// TVmaze caches a page for up to 24 hours. A stream keeps as many requests in flight as the client's
/// concurrency allows, so it may send up to `concurrency - 1` requests beyond the last page. It ends
/// after the first error.
impl Client {
    /// Gets a page of the show index; `None` past the end.
    pub fn show_page(&self, page: PageIndex) -> Request<Option<Vec<Show>>> {
        Request::new(self, "/shows").query("page", page)
    }

    /// Streams the pages of the show index in order, from `from` to the end.
    pub fn show_pages(
        &self,
        from: PageIndex,
    ) -> impl Stream<Item = Result<ShowPage, Error>> + Send + use<> {
        pages(self, from, Client::show_page, |index, shows| ShowPage { index, shows })
    }

    /// Gets a page of the people index; `None` past the end.
    pub fn people_page(&self, page: PageIndex) -> Request<Option<Vec<Person>>> {
        Request::new(self, "/people").query("page", page)
    }

    /// Streams the pages of the people index in order, from `from` to the end.
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
            let response = request(&client, index).send();
            async move { response.await.transpose().map(|items| items.map(|items| page(index, items))) }
        })
        .buffered(concurrency)
        .scan(false, |failed, page| {
            let ended = *failed;
            *failed = matches!(page, Some(Err(_)));
            ready(page.filter(|_| !ended))
        })
}
