use std::collections::BTreeMap;
use std::path::Path;

use toml::{Spanned, Value};

use super::Setting;

/// Keys that are less similar than this are not suggested. clap suggests flags from 0.7 on, which is too generous for a
/// dozen keys.
const MIN_SIMILARITY: f64 = 0.8;

/// Reads the settings in a TOML file. Empty ones count as unset, as in the environment.
pub(super) fn read(path: &Path, keys: &[String]) -> Result<Vec<Setting>, String> {
    let invalid = |problem: String| format!("invalid settings file {}: {problem}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| invalid(error.to_string()))?;
    parse(&text, path, keys).map_err(invalid)
}

fn parse(text: &str, path: &Path, keys: &[String]) -> Result<Vec<Setting>, String> {
    let line = |at: usize| format!("line {}", text[..at].matches('\n').count() + 1);
    let table: BTreeMap<Spanned<String>, Spanned<Value>> =
        toml::from_str(text).map_err(|error| {
            // Without the line itself, which may contain a secret.
            let line = line(error.span().map_or(0, |span| span.start));
            format!("{line}: {}", error.message())
        })?;
    let mut settings = Vec::new();
    for (key, value) in table {
        let line = line(key.span().start);
        let key = key.into_inner();
        if !keys.contains(&key) {
            return Err(format!("{line}: unknown key `{key}`; {}", advice(&key, keys)));
        }
        let value = match value.into_inner() {
            Value::String(text) => text,
            Value::Integer(number) => number.to_string(),
            _ => return Err(format!("{line}: `{key}` must be a string or an integer")),
        };
        if !value.is_empty() {
            let source = format!("{key} ({line} of {})", path.display());
            settings.push(Setting { key, value: value.into(), source });
        }
    }
    Ok(settings)
}

fn advice(unknown: &str, keys: &[String]) -> String {
    let unknown = unknown.to_lowercase().replace('-', "_");
    let similarity = |key: &&String| strsim::jaro_winkler(&unknown, key);
    let nearest = keys.iter().max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
    match nearest.filter(|key| similarity(key) >= MIN_SIMILARITY) {
        Some(key) => format!("did you mean `{key}`?"),
        None => format!("valid keys are {}", keys.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli;

    fn parsed(text: &str) -> Result<Vec<Setting>, String> {
        parse(text, Path::new("tvshows.toml"), &crate::config::keys(&cli::command()))
    }

    #[test]
    fn a_setting_knows_its_line() {
        let settings = parsed("# A comment.\nport = 9000\n\nhost = \"::1\"\n").unwrap();
        let settings: Vec<_> =
            settings.iter().map(|each| (each.value.to_str().unwrap(), &*each.source)).collect();
        let expected =
            [("::1", "host (line 4 of tvshows.toml)"), ("9000", "port (line 2 of tvshows.toml)")];
        assert_eq!(settings, expected);
    }

    #[test]
    fn an_empty_setting_counts_as_unset() {
        assert!(parsed("host = \"\"\nschedule = ''").unwrap().is_empty());
    }

    #[test]
    fn a_misspelled_key_gets_a_suggestion() {
        for (text, suggestion) in [
            ("prot = 1", "line 1: unknown key `prot`; did you mean `port`?"),
            ("\nPORT = 1", "line 2: unknown key `PORT`; did you mean `port`?"),
            ("databse_path = 'x'", "did you mean `database_path`?"),
            ("tvmaze-base-url = 'x'", "did you mean `tvmaze_base_url`?"),
            ("tvmaze_url = 'x'", "did you mean `tvmaze_base_url`?"),
            ("redis = 'x'", "did you mean `redis_url`?"),
            ("colour = 'x'", "valid keys are schedule, schedule_timezone, updates,"),
        ] {
            let error = parsed(text).unwrap_err();
            assert!(error.contains(suggestion), "{error}");
        }
    }

    #[test]
    fn an_invalid_file_is_refused_without_showing_its_text() {
        for (text, problem) in [
            ("host = 'x'\nport = [1]", "line 2: `port` must be a string or an integer"),
            ("[serve]\nport = 1", "line 1: unknown key `serve`"),
            ("port = 1\napi_token = \"hunter2", "line 2: "),
            ("port = 1\nport = 2", "line 2: "),
        ] {
            let error = parsed(text).unwrap_err();
            assert!(error.contains(problem) && !error.contains("hunter2"), "{error}");
        }
    }
}
