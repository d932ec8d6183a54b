//! The query of `GET /shows`.

use serde::Deserialize;
use tvshows_core::{KeysetCursor, Show, ShowFilter, ShowQuery, Sort, SortBy};

use crate::cursor;
use crate::problem::Problem;
use crate::query::parse;

const DEFAULT_LIMIT: u32 = 50;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShowsQuery {
    q: Option<String>,
    language: Option<String>,
    genre: Option<String>,
    status: Option<String>,
    r#type: Option<String>,
    network: Option<String>,
    premiered_from: Option<String>,
    premiered_to: Option<String>,
    min_rating: Option<String>,
    sort: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
    fields: Option<String>,
}

impl ShowsQuery {
    /// What to ask the store.
    pub(crate) fn query(&self) -> Result<ShowQuery, Problem> {
        let filter = ShowFilter {
            text: parse("q", self.q.as_deref().filter(|text| !text.trim().is_empty()))?,
            language: given(self.language.as_ref()),
            genre: given(self.genre.as_ref()),
            status: given(self.status.as_ref()),
            kind: given(self.r#type.as_ref()),
            network: given(self.network.as_ref()),
            premiered_from: parse("premiered_from", self.premiered_from.as_deref().filter(filled))?,
            premiered_to: parse("premiered_to", self.premiered_to.as_deref().filter(filled))?,
            min_rating: parse("min_rating", self.min_rating.as_deref().filter(filled))?,
        };
        let sort = parse("sort", self.sort.as_deref().filter(filled))?;
        let by_default = if filter.text.is_some() { SortBy::Relevance } else { SortBy::Id };
        let sort = sort.unwrap_or(Sort { by: by_default, descending: false });
        if sort.by == SortBy::Relevance && filter.text.is_none() {
            let reason = "can be relevance only beside a searched text `q`";
            return Err(Problem::Parameter { name: "sort", reason: reason.into() });
        }
        let limit = crate::query::limit(self.limit.as_deref(), DEFAULT_LIMIT)?;
        Ok(ShowQuery { filter, sort, after: self.position(sort)?, limit })
    }

    fn position(&self, sort: Sort) -> Result<Option<KeysetCursor>, Problem> {
        let Some(text) = self.cursor.as_deref().filter(filled) else { return Ok(None) };
        let reason =
            "must be the `next_cursor` of an answer to the same query; leave it out to begin anew";
        let wrong = || Problem::Parameter { name: "cursor", reason: reason.into() };
        cursor::decode(&self.list(sort), text).map(Some).ok_or_else(wrong)
    }

    /// The cursor that goes on after `position`.
    pub(crate) fn cursor(&self, sort: Sort, position: &KeysetCursor) -> String {
        cursor::encode(&self.list(sort), position)
    }

    /// What tells this list from others: all but how much of it is asked for.
    fn list(&self, sort: Sort) -> String {
        let filters = [
            &self.q,
            &self.language,
            &self.genre,
            &self.status,
            &self.r#type,
            &self.network,
            &self.premiered_from,
            &self.premiered_to,
            &self.min_rating,
        ];
        let filters = filters.map(|filter| filter.as_deref().unwrap_or_default());
        format!("{sort} {filters:?}")
    }

    /// The keys of each show to send; `None` for all.
    pub(crate) fn fields(&self) -> Result<Option<Vec<String>>, Problem> {
        let Some(fields) = self.fields.as_deref().filter(filled) else { return Ok(None) };
        let keys: Vec<String> = fields.split(',').map(|key| key.trim().to_owned()).collect();
        match keys.iter().find(|key| !Show::KEYS.contains(&key.as_str())) {
            None => Ok(Some(keys)),
            Some(unknown) => Err(Problem::Parameter {
                name: "fields",
                reason: format!("has {unknown:?}, which is none of {}", Show::KEYS.join(", ")),
            }),
        }
    }
}

/// Forms send what was left empty as an empty text.
fn given(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

fn filled(text: &&str) -> bool {
    !text.is_empty()
}

#[cfg(test)]
mod tests {
    use actix_web::web::Query;
    use tvshows_core::{ShowId, SortValue};

    use super::*;

    fn read(text: &str) -> ShowsQuery {
        Query::<ShowsQuery>::from_query(text).unwrap().into_inner()
    }

    fn query(text: &str) -> Result<ShowQuery, String> {
        read(text).query().map_err(|problem| problem.to_string())
    }

    #[test]
    fn an_empty_query_is_all_shows_by_id() {
        let all = query("").unwrap();
        assert_eq!((all.filter, all.sort, all.limit), (ShowFilter::default(), Sort::default(), 50));
        assert_eq!(query("q=+&language=&sort=&cursor=").unwrap(), query("").unwrap());
    }

    #[test]
    fn a_searched_text_sorts_by_relevance_unless_something_else_is_asked_for() {
        assert_eq!(query("q=x").unwrap().sort.by, SortBy::Relevance);
        assert_eq!(query("q=x&sort=-rating").unwrap().sort.by, SortBy::Rating);
        assert!(query("sort=relevance").unwrap_err().contains("`q`"));
    }

    #[test]
    fn a_cursor_goes_with_its_list_whatever_the_limit() {
        let list = read("language=English&sort=name");
        let sort = list.query().unwrap().sort;
        let position = KeysetCursor { value: SortValue::Text("B".into()), id: ShowId(3) };
        let cursor = list.cursor(sort, &position);
        let after = |text: &str| query(&format!("{text}&cursor={cursor}")).map(|query| query.after);
        assert_eq!(after("sort=name&language=English&limit=7&fields=id"), Ok(Some(position)));
        for other in
            ["language=English", "language=English&sort=-name", "language=French&sort=name"]
        {
            assert!(after(other).unwrap_err().contains("the same query"), "{other}");
        }
    }

    #[test]
    fn unknown_keys_are_named() {
        let fields = |text: &str| ShowsQuery { fields: Some(text.into()), ..ShowsQuery::default() };
        assert_eq!(fields("id, name").fields().unwrap(), Some(vec!["id".into(), "name".into()]));
        assert!(fields("id,nme").fields().unwrap_err().to_string().contains("\"nme\""));
    }
}
