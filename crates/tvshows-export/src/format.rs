use schemars::JsonSchema;
use strum::{Display, EnumString, VariantNames};
use tvshows_core::ParseEnumError;

/// A file format for a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[derive(Display, EnumString, VariantNames)]
#[schemars(inline, rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
#[strum(parse_err_ty = ParseEnumError, parse_err_fn = ParseEnumError::new::<Format>)]
pub enum Format {
    /// RFC 4180, UTF-8, with a header.
    Csv,
    /// One JSON object per line.
    Ndjson,
    /// Typed columns in row groups.
    Parquet,
}

impl Format {
    pub const ALL: [Format; 3] = [Format::Csv, Format::Ndjson, Format::Parquet];

    /// The media type.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Csv => "text/csv; charset=utf-8; header=present",
            Format::Ndjson => "application/x-ndjson",
            Format::Parquet => "application/vnd.apache.parquet",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_named_as_it_is_written() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        let error = "xlsx".parse::<Format>().unwrap_err();
        assert_eq!(error.to_string(), "must be one of csv, ndjson, parquet");
    }
}
