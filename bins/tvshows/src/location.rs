use std::fmt;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use crate::config_error::ConfigError;

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// Where a database is.
#[derive(Debug, Clone)]
pub(crate) enum Location {
    File(PathBuf),
    Shared(SharedDatabase),
}

/// A PostgreSQL database.
#[derive(Debug, Clone)]
pub(crate) struct SharedDatabase {
    pub(crate) url: SecretString,
    /// The setting or flag that the URL comes from.
    pub(crate) setting: &'static str,
    /// The local copy of its published shows; `None` for a temporary one.
    pub(crate) copy: Option<PathBuf>,
}

impl Location {
    /// Parses a file or a URL.
    pub(crate) fn parse(
        setting: &'static str,
        text: &SecretString,
    ) -> Result<Location, ConfigError> {
        let exposed = text.expose_secret();
        if exposed.is_empty() || (exposed.contains("://") && !has_scheme(exposed)) {
            let problem = "must be a file, or postgres://user:password@host[:port]/database";
            return Err(ConfigError { setting, problem: problem.into() });
        }
        if has_scheme(exposed) {
            return Location::shared(setting, text, None);
        }
        Ok(Location::File(exposed.into()))
    }

    /// A PostgreSQL database with a local copy.
    pub(crate) fn shared(
        setting: &'static str,
        url: &SecretString,
        copy: Option<PathBuf>,
    ) -> Result<Location, ConfigError> {
        if !has_scheme(url.expose_secret()) {
            let problem = "must be postgres://user:password@host[:port]/database";
            return Err(ConfigError { setting, problem: problem.into() });
        }
        Ok(Location::Shared(SharedDatabase { url: url.clone(), setting, copy }))
    }

    pub(crate) fn with_temporary_copy(self) -> Location {
        match self {
            Location::Shared(shared) => Location::Shared(SharedDatabase { copy: None, ..shared }),
            file @ Location::File(_) => file,
        }
    }
}

fn has_scheme(text: &str) -> bool {
    SCHEMES.iter().any(|scheme| text.starts_with(scheme))
}

/// Names the file, or the server and the database without the user and the password.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::File(path) => path.display().fmt(f),
            Location::Shared(shared) => f.write_str(&public_part(shared.url.expose_secret())),
        }
    }
}

fn public_part(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let address = rest.split('?').next().unwrap_or_default();
    match address.rsplit_once('@') {
        Some((_, address)) => format!("postgres://{address}"),
        // A password with an unescaped `?`.
        None if rest.contains('@') => "PostgreSQL".into(),
        None => format!("postgres://{address}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_named_without_its_user_and_password() {
        for (url, name) in [
            ("postgres://me:hunter2@db.example.org/shows", "postgres://db.example.org/shows"),
            ("postgres://me:hunt@er2@db,b:1/shows?sslmode=require", "postgres://db,b:1/shows"),
            ("postgres://db/shows?password=hunter2", "postgres://db/shows"),
            ("postgresql://me:hunt?er2@db/shows", "PostgreSQL"),
        ] {
            let location = Location::parse("--from", &url.into()).unwrap();
            assert_eq!(location.to_string(), name);
        }
        let location = Location::parse("--from", &"data/tvshows.db".into()).unwrap();
        assert_eq!(location.to_string(), "data/tvshows.db");
    }

    #[test]
    fn a_url_of_something_else_is_refused_without_showing_it() {
        for invalid in ["", "mysql://me:hunter2@db/shows", "postgres:/db://x"] {
            let error = Location::parse("--to", &invalid.into()).unwrap_err().to_string();
            assert!(error.starts_with("--to: must be") && !error.contains("hunter2"), "{error}");
        }
        assert!(Location::shared("database_url", &"tvshows.db".into(), None).is_err());
    }
}
