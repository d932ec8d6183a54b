use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use actix_web::HttpRequest;
use jiff::civil::Date;
use tvshows_core::SearchText;

use super::content::Since;
use crate::excerpt::excerpt;
use crate::extract::query::parse;
use crate::problem::Problem;

/// The parameters of a query, as TVmaze reads them: unknown ones are ignored, and the last of repeated ones counts.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn from_request(request: &HttpRequest) -> Parameters {
        Parameters::parse(request.query_string())
    }

    pub(super) fn parse(query: &str) -> Parameters {
        Parameters(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().rev();
        values.find_map(|(key, value)| (key == name).then_some(value.as_str()))
    }

    fn required(&self, name: &str) -> Result<&str, Problem> {
        let missing = || Problem::InvalidQuery(format!("Missing required parameters: {name}"));
        self.get(name).ok_or_else(missing)
    }

    /// A number; `None` if it is missing or empty.
    pub(super) fn number(&self, name: &'static str) -> Result<Option<u32>, Problem> {
        let text = self.get(name).filter(|text| !text.is_empty());
        text.map(|text| whole_number(name, text)).transpose()
    }

    pub(super) fn required_number(&self, name: &'static str) -> Result<i64, Problem> {
        whole_number(name, self.required(name)?)
    }

    pub(super) fn search_text(&self) -> Result<SearchText, Problem> {
        parse("q", Some(self.required("q")?)).map(|text| text.expect("it is given"))
    }

    pub(super) fn since(&self) -> Result<Option<Since>, Problem> {
        let since = |text: &str| match text {
            "day" => Ok(Since::Day),
            "week" => Ok(Since::Week),
            "month" => Ok(Since::Month),
            _ => Err(invalid("since", "must be day, week, or month")),
        };
        self.get("since").map(since).transpose()
    }

    pub(super) fn date(&self) -> Result<Option<Date>, Problem> {
        self.get("date").filter(|text| !text.is_empty()).map(parse_date).transpose()
    }

    pub(super) fn required_date(&self) -> Result<Date, Problem> {
        parse_date(self.required("date")?)
    }

    /// A country code in upper case. It may be empty.
    pub(super) fn country(&self) -> Result<Option<String>, Problem> {
        let country = |code: &str| {
            let is_code = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic());
            if is_code || code.is_empty() {
                Ok(code.to_ascii_uppercase())
            } else {
                Err(invalid("country", "is not a valid ISO country code, such as US"))
            }
        };
        self.get("country").map(country).transpose()
    }

    /// What `embed`, `embed[]` and, as some clients write it, `embed[0]` name.
    pub(super) fn embeds<Embed: FromStr<Err = ()> + Ord>(
        &self,
    ) -> Result<BTreeSet<Embed>, Problem> {
        let is_embed = |key: &str| {
            let index = key.strip_prefix("embed[").and_then(|rest| rest.strip_suffix(']'));
            let is_index = |index: &str| index.bytes().all(|byte| byte.is_ascii_digit());
            key == "embed" || index.is_some_and(is_index)
        };
        let names = self.0.iter().filter(|(key, _)| is_embed(key)).map(|(_, name)| name);
        let unknown =
            |name: &str| Problem::InvalidQuery(format!("Invalid embed type {:?}", excerpt(name)));
        names.map(|name| name.parse().map_err(|()| unknown(name))).collect()
    }
}

fn whole_number<T: FromStr<Err: Display>>(name: &'static str, text: &str) -> Result<T, Problem> {
    text.parse().map_err(|_| invalid(name, "must be a whole number"))
}

fn parse_date(text: &str) -> Result<Date, Problem> {
    let date = text.parse().ok().filter(|date: &Date| date.to_string() == text);
    date.ok_or_else(|| invalid("date", "must be a day such as 2026-12-01"))
}

fn invalid(name: &'static str, reason: &str) -> Problem {
    Problem::Parameter { name, reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::routes::tvmaze::embed::{Embed, EpisodeEmbed};

    fn code<T: std::fmt::Debug>(result: Result<T, Problem>) -> &'static str {
        result.unwrap_err().code()
    }

    #[test]
    fn embeds_are_written_in_three_ways() {
        let embeds = |query: &str| Parameters::parse(query).embeds().unwrap();
        let both = BTreeSet::from([Embed::Episodes, Embed::Cast]);
        for query in [
            "embed[]=episodes&embed[]=cast",
            "embed%5B%5D=cast&embed%5B%5D=episodes&embed[]=cast",
            "embed[0]=episodes&embed[1]=cast",
            "embed=episodes&embed=cast&embedded=weather&embed[x]=weather",
        ] {
            assert_eq!(embeds(query), both, "{query}");
        }
        assert_eq!(embeds("q=x"), BTreeSet::new());
        for query in ["embed=weather", "embed[]=Cast", "embed="] {
            assert_eq!(
                code(Parameters::parse(query).embeds::<Embed>()),
                "invalid_query",
                "{query}"
            );
        }
        let embeds = Parameters::parse("embed=show").embeds::<EpisodeEmbed>().unwrap();
        assert_eq!(embeds, BTreeSet::from([EpisodeEmbed::Show]));
    }

    #[test]
    fn invalid_values_are_refused() {
        let number = |query: &str| Parameters::parse(query).number("page");
        assert_eq!(number("page=").unwrap(), None);
        assert_eq!(number("page=1&x=%ff&page=7").unwrap(), Some(7));
        for query in ["page=-1", "page=seven", "page=4294967296", "page=1.0"] {
            assert_eq!(code(number(query)), "invalid_parameter", "{query}");
        }
        let date = |query: &str| Parameters::parse(query).date();
        assert_eq!(date("date=2026-12-01").unwrap().unwrap().day(), 1);
        for query in ["date=2026-02-29", "date=2026", "date=20261201", "date=2026-12-01T00:00"] {
            assert_eq!(code(date(query)), "invalid_parameter", "{query}");
        }
        let country = |query: &str| Parameters::parse(query).country();
        assert_eq!(country("country=gb").unwrap(), Some("GB".to_owned()));
        assert_eq!(country("country=").unwrap(), Some(String::new()));
        assert_eq!(code(country("country=USA")), "invalid_parameter");
        assert_eq!(code(Parameters::parse("since=year").since()), "invalid_parameter");
        assert_eq!(code(Parameters::parse("").search_text()), "invalid_query");
        let long = format!("q={}", "a".repeat(257));
        assert_eq!(code(Parameters::parse(&long).search_text()), "invalid_parameter");
    }

    proptest! {
        #[test]
        fn no_query_makes_it_panic(query in "([a-z]{0,9}(=|%|&|\\[|[0-9+-]){0,3}){0,8}", any in any::<String>()) {
            for query in [query, any] {
                let parameters = Parameters::parse(&query);
                let _ = (parameters.embeds::<Embed>(), parameters.date(), parameters.country());
                let _ = (parameters.search_text(), parameters.since(), parameters.number("page"));
            }
        }
    }
}
