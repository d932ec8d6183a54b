use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use tempfile::TempDir;

use crate::cli::Copy;
use crate::database::{self, Need, Stores};
use crate::location::Location;
use crate::output::{self, count};
use crate::{signals, transfer};

pub(crate) async fn run(options: &Copy) -> anyhow::Result<ExitCode> {
    let (from, to) = options.locations()?;
    let started = Instant::now();
    let signal = signals::shutdown_signal();
    let source = database::open_reader(&from, Need::Shows).await?;
    let target = Target::open(&to).await?;
    output::eprint_line(format!("Copying {from} to {to}"));
    let bar = progress_bar();
    let copied = transfer::copy(&source, &target.stores, &bar, signal).await;
    bar.finish_and_clear();
    let copied = copied.with_context(|| format!("nothing was published in {to}"))?;
    target.finish().await?;
    let cast_rows = count(copied.cast_rows, "cast row", "cast rows");
    let details = match copied.episodes {
        0 => format!(" with {cast_rows}"),
        episodes => format!(", {cast_rows}, {}", count(episodes, "episode", "episodes")),
    };
    output::print_line(format!(
        "Copied {}, {}{details}, and {} ({:.1} s).",
        count(copied.shows, "show", "shows"),
        count(copied.top_shows, "top show", "top shows"),
        count(copied.runs, "update", "updates"),
        started.elapsed().as_secs_f64()
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Drawn on a terminal only.
fn progress_bar() -> ProgressBar {
    let style =
        ProgressStyle::with_template("{bar:30.cyan/blue} {percent:>3} %  {human_pos} shows");
    // The template is a constant, so the fallback is never used.
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─");
    ProgressBar::new(0).with_style(style)
}

/// The database to fill.
struct Target {
    stores: Stores,
    /// A file that is filled under another name, so that it appears once it is complete.
    new_file: Option<NewFile>,
}

struct NewFile {
    folder: TempDir,
    name: PathBuf,
    path: PathBuf,
}

impl Target {
    async fn open(to: &Location) -> anyhow::Result<Target> {
        let new_file = match to {
            Location::File(path) if !path.exists() => Some(NewFile::next_to(path)?),
            _ => None,
        };
        let location = new_file.as_ref().map(NewFile::location);
        let stores = database::open(location.as_ref().unwrap_or(to)).await?;
        Ok(Target { stores, new_file })
    }

    async fn finish(self) -> anyhow::Result<()> {
        self.stores.close().await;
        match self.new_file {
            Some(NewFile { folder, name, path }) => {
                std::fs::rename(folder.path().join(name), &path)
                    .with_context(|| format!("cannot create {}", path.display()))
            }
            None => Ok(()),
        }
    }
}

impl NewFile {
    fn next_to(path: &Path) -> anyhow::Result<NewFile> {
        let cannot_create = || format!("cannot create {}", path.display());
        let name = path.file_name().with_context(cannot_create)?.into();
        let mut builder = tempfile::Builder::new();
        builder.prefix(".tvshows-copy-");
        let folder = builder.tempdir_in(database::folder(path)).with_context(cannot_create)?;
        Ok(NewFile { folder, name, path: path.to_owned() })
    }

    fn location(&self) -> Location {
        Location::File(self.folder.path().join(&self.name))
    }
}
