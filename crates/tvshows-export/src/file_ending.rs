use std::path::Path;

use crate::{Compression, Format};

const ENDINGS: [(&str, Format); 5] = [
    (".csv", Format::Csv),
    (".ndjson", Format::Ndjson),
    (".jsonl", Format::Ndjson),
    (".parquet", Format::Parquet),
    (".pq", Format::Parquet),
];

/// A file name whose extension is not that of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown file extension: use .csv, .ndjson, .jsonl, .csv.gz, .ndjson.gz, .jsonl.gz, .parquet or .pq"
)]
pub struct UnknownEndingError;

impl Format {
    /// The format and compression that the extension of a file name stands for, in upper or lower case.
    ///
    /// Parquet is compressed already: `.parquet.gz`, which Parquet readers cannot read, is rejected.
    pub fn from_path(path: &Path) -> Result<(Format, Compression), UnknownEndingError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let (name, compression) = match name.strip_suffix(".gz") {
            Some(name) => (name, Compression::Gzip),
            None => (&*name, Compression::None),
        };
        match ENDINGS.into_iter().find(|(ending, _)| name.ends_with(ending)) {
            Some((_, Format::Parquet)) if compression != Compression::None => {
                Err(UnknownEndingError)
            }
            Some((_, format)) => Ok((format, compression)),
            None => Err(UnknownEndingError),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_endings_choose_format_and_compression() {
        for (name, expected) in [
            ("shows.csv", (Format::Csv, Compression::None)),
            ("out/SHOWS.CSV", (Format::Csv, Compression::None)),
            ("shows.ndjson", (Format::Ndjson, Compression::None)),
            ("2026.11.22.jsonl", (Format::Ndjson, Compression::None)),
            ("shows.parquet", (Format::Parquet, Compression::None)),
            ("shows.pq", (Format::Parquet, Compression::None)),
            ("shows.csv.gz", (Format::Csv, Compression::Gzip)),
            ("shows.Jsonl.GZ", (Format::Ndjson, Compression::Gzip)),
        ] {
            assert_eq!(Format::from_path(Path::new(name)), Ok(expected), "{name}");
        }
    }

    #[test]
    fn other_endings_are_refused() {
        for name in [
            "shows.xlsx",
            "shows.json",
            "shows.csv.zst",
            "shows.parquet.gz",
            "shows.pq.gz",
            "shows.csv.gz.gz",
            "shows.csv ",
            "shows.gz",
            "shows",
            "csv",
            "shows.csv/x",
            "..",
            "/",
            "",
        ] {
            assert_eq!(Format::from_path(Path::new(name)), Err(UnknownEndingError), "{name}");
        }
    }

    #[test]
    fn the_error_lists_exactly_the_known_endings() {
        let message = UnknownEndingError.to_string();
        let mut listed: Vec<_> =
            message.split([' ', ',']).filter(|word| word.starts_with('.')).collect();
        listed.sort_unstable();
        let known = ENDINGS.iter().map(|(ending, _)| (*ending).to_owned());
        let mut accepted: Vec<_> = known
            .flat_map(|ending| [format!("{ending}.gz"), ending])
            .filter(|ending| Format::from_path(Path::new(&format!("x{ending}"))).is_ok())
            .collect();
        accepted.sort_unstable();
        assert_eq!(listed, accepted);
    }

    proptest! {
        #[test]
        fn only_the_ending_counts(stem in "[^/\0]{1,20}", ending in 0..ENDINGS.len()) {
            let (ending, format) = ENDINGS[ending];
            let path = format!("{stem}{ending}");
            prop_assert_eq!(Format::from_path(Path::new(&path)), Ok((format, Compression::None)));
        }
    }
}
