//! A show as a row of `_show_versions`.

use std::borrow::Cow;
use std::sync::LazyLock;

use aws_lc_rs::digest::SHA256;
use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};
use tvshows_core::{RawJson, Show, ShowId, StoredShow};

use crate::error::{Error, corrupt};
use crate::nul::{self, ExactTexts};

/// The columns that hold text that may have a NUL character.
const TEXT_COLUMNS: [&str; 10] = [
    "name",
    "type",
    "language",
    "genres",
    "status",
    "premiered",
    "ended",
    "summary",
    "url",
    "official_site",
];
/// The columns that hold JSON, which escapes NUL characters.
const JSON_COLUMNS: [&str; 8] =
    ["schedule", "network", "web_channel", "dvd_country", "externals", "image", "links", "extra"];
const INTEGER_COLUMNS: [&str; 4] = ["updated", "runtime", "average_runtime", "weight"];
/// How many bytes of a digest are stored: enough to tell versions of one show apart.
const DIGEST_LENGTH: usize = 16;

/// The columns that [`read`] expects, in their order.
pub(crate) static COLUMNS: LazyLock<String> = LazyLock::new(|| columns(|_| true));

/// The same without the values of some columns.
pub(crate) fn columns(is_read: impl Fn(&str) -> bool) -> String {
    let texts = TEXT_COLUMNS.iter().chain(&JSON_COLUMNS).map(|column| (column, "text"));
    let columns = texts.chain(INTEGER_COLUMNS.iter().map(|column| (column, "bigint")));
    let columns =
        columns.map(
            |(column, name)| {
                if is_read(column) { format!("v.{column}") } else { format!("NULL::{name}") }
            },
        );
    let columns: Vec<_> = columns.collect();
    format!("v.id, v.processed_at, v.exact_texts, v.rating_average, {}", columns.join(", "))
}

/// Inserts rows with the snapshot number `$1` as `since` and the time `$2`. The arrays have the same length. As functions
/// in `FROM`, which have the same result, each would first be copied into a table of its own.
static INSERT: LazyLock<String> = LazyLock::new(|| {
    let columns = TEXT_COLUMNS.iter().chain(&JSON_COLUMNS).chain(&INTEGER_COLUMNS);
    let columns = columns.copied().collect::<Vec<_>>().join(", ");
    let types =
        [("text", TEXT_COLUMNS.len() + JSON_COLUMNS.len()), ("bigint", INTEGER_COLUMNS.len())];
    let types = types.iter().flat_map(|(name, count)| std::iter::repeat_n(*name, *count));
    let arrays = (7..).zip(types).map(|(n, name)| format!("unnest(${n}::{name}[])"));
    let arrays: Vec<_> = arrays.collect();
    format!(
        "INSERT INTO _show_versions \
         (since, processed_at, id, digest, exact_texts, rating_average, {columns}) \
         SELECT $1, $2, unnest($3::bigint[]), unnest($4::bytea[]), unnest($5::text[]), unnest($6::float8[]), {}",
        arrays.join(", ")
    )
});

/// A show with what is derived from it for its row.
pub(crate) struct ShowRow<'a> {
    pub(crate) show: &'a Show,
    genres: String,
    extra: Option<String>,
    pub(crate) digest: Vec<u8>,
}

impl<'a> ShowRow<'a> {
    pub(crate) fn new(show: &'a Show) -> ShowRow<'a> {
        let extra = (!show.extra.is_empty()).then(|| Value::Object(show.extra.clone()).to_string());
        let genres = show.genres.join(",");
        let mut row = ShowRow { show, genres, extra, digest: Vec::new() };
        row.digest = row.compute_digest();
        row
    }

    fn texts(&self) -> [Option<&str>; TEXT_COLUMNS.len()] {
        let show = self.show;
        [
            Some(&show.name),
            show.kind.as_deref(),
            show.language.as_deref(),
            Some(&self.genres),
            show.status.as_deref(),
            show.premiered.as_deref(),
            show.ended.as_deref(),
            show.summary.as_deref(),
            show.url.as_deref(),
            show.official_site.as_deref(),
        ]
    }

    fn jsons(&self) -> [Option<&str>; JSON_COLUMNS.len()] {
        let show = self.show;
        let json = |value: &'a Option<RawJson>| value.as_ref().map(RawJson::as_str);
        [
            json(&show.schedule),
            json(&show.network),
            json(&show.web_channel),
            json(&show.dvd_country),
            json(&show.externals),
            json(&show.image),
            json(&show.links),
            self.extra.as_deref(),
        ]
    }

    fn integers(&self) -> [Option<i64>; INTEGER_COLUMNS.len()] {
        let show = self.show;
        [show.updated, show.runtime, show.average_runtime, show.weight]
    }

    /// Equal for rows that differ in nothing but the time when they were fetched.
    fn compute_digest(&self) -> Vec<u8> {
        // One buffer: hashing each value by itself takes twice as long.
        let mut bytes = Vec::with_capacity(2048);
        for text in self.texts().into_iter().chain(self.jsons()) {
            let Some(text) = text else {
                bytes.push(0);
                continue;
            };
            bytes.push(1);
            bytes.extend_from_slice(&text.len().to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        // Adding 0 makes -0 equal to 0, as it is to the database.
        let rating = self.show.rating_average.map(|rating| (rating + 0.0).to_bits().to_le_bytes());
        let integers = self.integers().map(|integer| integer.map(i64::to_le_bytes));
        for number in integers.into_iter().chain([rating]) {
            bytes.push(number.is_some().into());
            bytes.extend_from_slice(&number.unwrap_or_default());
        }
        digest(&bytes)
    }
}

/// Tells versions of one show apart.
pub(crate) fn digest(bytes: &[u8]) -> Vec<u8> {
    aws_lc_rs::digest::digest(&SHA256, bytes).as_ref()[..DIGEST_LENGTH].to_vec()
}

/// Rows to insert, by column.
pub(crate) struct ShowRows<'a> {
    ids: Vec<i64>,
    digests: Vec<&'a [u8]>,
    exact_texts: Vec<Option<String>>,
    ratings: Vec<Option<f64>>,
    texts: Vec<Vec<Option<Cow<'a, str>>>>,
    integers: Vec<Vec<Option<i64>>>,
}

impl<'a> ShowRows<'a> {
    pub(crate) fn new(rows: &[&'a ShowRow<'a>]) -> ShowRows<'a> {
        let mut texts =
            vec![Vec::with_capacity(rows.len()); TEXT_COLUMNS.len() + JSON_COLUMNS.len()];
        let mut integers = vec![Vec::with_capacity(rows.len()); INTEGER_COLUMNS.len()];
        for row in rows {
            let visible = row.texts().into_iter().map(|text| text.map(nul::visible));
            let jsons = row.jsons().into_iter().map(|json| json.map(Cow::Borrowed));
            for (column, text) in texts.iter_mut().zip(visible.chain(jsons)) {
                column.push(text);
            }
            for (column, integer) in integers.iter_mut().zip(row.integers()) {
                column.push(integer);
            }
        }
        let exact_texts =
            |row: &&ShowRow<'_>| nul::exact_texts(TEXT_COLUMNS.into_iter().zip(row.texts()));
        ShowRows {
            ids: rows.iter().map(|row| row.show.id.0.into()).collect(),
            digests: rows.iter().map(|row| row.digest.as_slice()).collect(),
            exact_texts: rows.iter().map(exact_texts).collect(),
            ratings: rows.iter().map(|row| row.show.rating_average).collect(),
            texts,
            integers,
        }
    }

    /// Inserts the rows as versions of the snapshot `since`.
    pub(crate) async fn insert(
        &self,
        connection: &tokio_postgres::Client,
        since: i64,
        at: Timestamp,
    ) -> Result<(), Error> {
        if self.ids.is_empty() {
            return Ok(());
        }
        let mut parameters: Vec<(&(dyn ToSql + Sync), Type)> = vec![
            (&since, Type::INT8),
            (&at, Type::TIMESTAMPTZ),
            (&self.ids, Type::INT8_ARRAY),
            (&self.digests, Type::BYTEA_ARRAY),
            (&self.exact_texts, Type::TEXT_ARRAY),
            (&self.ratings, Type::FLOAT8_ARRAY),
        ];
        let texts = self.texts.iter().map(|column| (column as _, Type::TEXT_ARRAY));
        let integers = self.integers.iter().map(|column| (column as _, Type::INT8_ARRAY));
        parameters.extend(texts.chain(integers));
        connection.execute_typed(&INSERT, &parameters).await?;
        Ok(())
    }
}

/// Reads a row with the columns [`COLUMNS`].
pub(crate) fn read(row: &Row) -> Result<StoredShow, Error> {
    let exact_texts = ExactTexts::parse(row.try_get(2)?)?;
    let text = |index: usize| -> Result<Option<String>, Error> {
        let text: Option<String> = row.try_get(4 + index)?;
        Ok(text.map(|text| exact_texts.restore(TEXT_COLUMNS[index], text)))
    };
    let json = |index: usize| -> Result<Option<RawJson>, Error> {
        let json: Option<String> = row.try_get(4 + TEXT_COLUMNS.len() + index)?;
        let json = json.map(RawJson::parse).transpose();
        json.map_err(|error| corrupt(format!("{}: {error}", JSON_COLUMNS[index])))
    };
    let integer = |index: usize| -> Result<Option<i64>, Error> {
        Ok(row.try_get(4 + TEXT_COLUMNS.len() + JSON_COLUMNS.len() + index)?)
    };
    let genres = text(3)?.unwrap_or_default();
    let extra = match json(7)? {
        Some(json) => serde_json::from_str(json.as_str())
            .map_err(|error| corrupt(format!("extra: {error}")))?,
        None => Map::new(),
    };
    let show = Show {
        id: show_id(row.try_get(0)?)?,
        name: text(0)?.unwrap_or_default(),
        kind: text(1)?,
        language: text(2)?,
        genres: genres.split(',').filter(|genre| !genre.is_empty()).map(str::to_owned).collect(),
        status: text(4)?,
        premiered: text(5)?,
        ended: text(6)?,
        rating_average: row.try_get(3)?,
        summary: text(7)?,
        updated: integer(0)?,
        url: text(8)?,
        runtime: integer(1)?,
        average_runtime: integer(2)?,
        official_site: text(9)?,
        weight: integer(3)?,
        schedule: json(0)?,
        network: json(1)?,
        web_channel: json(2)?,
        dvd_country: json(3)?,
        externals: json(4)?,
        image: json(5)?,
        links: json(6)?,
        extra,
    };
    Ok(StoredShow { show, processed_at: row.try_get(1)? })
}

pub(crate) fn show_id(id: i64) -> Result<ShowId, Error> {
    u32::try_from(id).map(ShowId).map_err(|_| corrupt(format!("the show id {id}")))
}

#[cfg(test)]
mod tests {
    use tvshows_core::Table;

    use super::*;

    #[test]
    fn every_column_is_stored() {
        let columns = TEXT_COLUMNS.iter().chain(&JSON_COLUMNS).chain(&INTEGER_COLUMNS).copied();
        let mut columns: Vec<_> = columns.chain(["id", "processed_at", "rating_average"]).collect();
        let mut expected: Vec<_> = Table::AllShows.column_names().collect();
        columns.sort_unstable();
        expected.sort_unstable();
        assert_eq!(columns, expected);
    }

    #[test]
    fn a_digest_tells_values_and_columns_apart() {
        let show = |name: &str, kind: Option<&str>| Show {
            name: name.into(),
            kind: kind.map(str::to_owned),
            ..Show::default()
        };
        let shows = [show("ab", None), show("a", Some("b")), show("a", None), show("ab", Some(""))];
        let mut digests: Vec<_> = shows.iter().map(|show| ShowRow::new(show).digest).collect();
        assert_eq!(digests[0], ShowRow::new(&shows[0]).digest);
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), shows.len());
    }
}
