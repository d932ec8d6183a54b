//! The commands that move a database or upgrade its schema.

use clap::Args;
use secrecy::SecretString;

use crate::cli::settings::Database;
use crate::config_error::ConfigError;
use crate::location::Location;

#[derive(Args)]
#[command(
    after_help = "Examples:\n  tvshows copy --from tvshows.db --to copy.db\n  DATABASE_URL=postgres://me:secret@db.example.org/tvshows tvshows copy --from tvshows.db\n  DATABASE_URL_FILE=/run/secrets/database tvshows copy --to back.db"
)]
pub(crate) struct Copy {
    /// Database to copy: a file, or a postgres:// URL. Defaults to the database in the settings, which keeps the
    /// password of a URL out of the command line
    #[arg(long, value_name = "FILE|URL")]
    from: Option<SecretString>,

    /// Database to fill, which must be missing or empty: a file, or a postgres:// URL. Defaults to the database in the
    /// settings
    #[arg(long, value_name = "FILE|URL")]
    to: Option<SecretString>,

    #[command(flatten)]
    database: Database,
}

impl Copy {
    /// Returns the database to copy, and the one to fill.
    pub(crate) fn locations(&self) -> Result<(Location, Location), ConfigError> {
        // Not over the file at DATABASE_PATH, which may be the one to fill.
        let configured = || Ok(self.database.location()?.with_temporary_copy());
        match (&self.from, &self.to) {
            (Some(from), Some(to)) => {
                Ok((Location::parse("--from", from)?, Location::parse("--to", to)?))
            }
            (Some(from), None) => Ok((Location::parse("--from", from)?, configured()?)),
            (None, Some(to)) => Ok((configured()?, Location::parse("--to", to)?)),
            (None, None) => {
                let problem =
                    "give --from, --to, or both: the database to copy, and the one to fill";
                Err(ConfigError { setting: "--from", problem: problem.into() })
            }
        }
    }
}

#[derive(Args)]
#[command(after_help = "Examples:\n  tvshows migrate\n  tvshows migrate --check && echo current")]
pub(crate) struct Migrate {
    /// Change nothing; exit with 1 unless the schema is current
    #[arg(long)]
    pub(crate) check: bool,

    #[command(flatten)]
    pub(crate) database: Database,
}
