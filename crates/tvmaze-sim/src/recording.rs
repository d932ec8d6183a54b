use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::Error;
use crate::source::Source;

/// Recorded responses, read into memory unchanged.
#[derive(Debug)]
pub(crate) struct Recording {
    pages: BTreeMap<u32, Bytes>,
    /// Slices of `pages`.
    shows: BTreeMap<u32, Bytes>,
    casts: BTreeMap<u32, Bytes>,
    episodes: BTreeMap<u32, Bytes>,
    seasons: BTreeMap<u32, Bytes>,
    update_times: BTreeMap<u32, u64>,
}

#[derive(Deserialize)]
struct ShowHeader {
    id: u32,
    /// A Unix time, except in a malformed show.
    updated: Value,
}

impl Recording {
    pub(crate) fn read(directory: &Path) -> Result<Self, Error> {
        let mut recording = Self {
            pages: BTreeMap::new(),
            shows: BTreeMap::new(),
            casts: read_lists(&directory.join("cast"))?,
            episodes: read_lists(&directory.join("episodes"))?,
            seasons: read_lists(&directory.join("seasons"))?,
            update_times: BTreeMap::new(),
        };
        recording.read_pages(&directory.join("pages"))?;
        recording.read_updates(&directory.join("updates.json"))?;
        Ok(recording)
    }

    fn read_pages(&mut self, directory: &Path) -> Result<(), Error> {
        for (n, path) in numbered_files(directory)? {
            let page = read(&path)?;
            self.index_shows(&page).map_err(|source| Error::InvalidResponse { path, source })?;
            self.pages.insert(n, page);
        }
        if self.pages.is_empty() {
            return Err(Error::NoPages(directory.to_owned()));
        }
        Ok(())
    }

    fn index_shows(&mut self, page: &Bytes) -> serde_json::Result<()> {
        let shows: Vec<&RawValue> = serde_json::from_slice(page)?;
        for show in shows {
            let header: ShowHeader = serde_json::from_str(show.get())?;
            self.shows.insert(header.id, page.slice_ref(show.get().as_bytes()));
            self.update_times.insert(header.id, header.updated.as_u64().unwrap_or_default());
        }
        Ok(())
    }

    fn read_updates(&mut self, path: &Path) -> Result<(), Error> {
        if path.exists() {
            self.update_times = serde_json::from_slice(&read(path)?)
                .map_err(|source| Error::InvalidResponse { path: path.to_owned(), source })?;
        }
        Ok(())
    }

    fn empty_list(&self, show: u32) -> Option<Bytes> {
        self.shows.contains_key(&show).then_some(Bytes::from_static(b"[]"))
    }
}

/// The lists in the `ID.json` files of a directory, which need not exist.
fn read_lists(directory: &Path) -> Result<BTreeMap<u32, Bytes>, Error> {
    let mut lists = BTreeMap::new();
    if !directory.exists() {
        return Ok(lists);
    }
    for (id, path) in numbered_files(directory)? {
        let list = read(&path)?;
        serde_json::from_slice::<Vec<IgnoredAny>>(&list)
            .map_err(|source| Error::InvalidResponse { path, source })?;
        lists.insert(id, list);
    }
    Ok(lists)
}

impl Source for Recording {
    fn page_count(&self) -> u32 {
        self.pages.last_key_value().map_or(0, |(&n, _)| n + 1)
    }

    fn page(&self, n: u32) -> Bytes {
        self.pages.get(&n).cloned().unwrap_or(Bytes::from_static(b"[]"))
    }

    fn show(&self, id: u32) -> Option<Bytes> {
        self.shows.get(&id).cloned()
    }

    fn cast(&self, id: u32) -> Option<Bytes> {
        self.casts.get(&id).cloned().or_else(|| self.empty_list(id))
    }

    fn episodes(&self, id: u32) -> Option<Bytes> {
        self.episodes.get(&id).cloned().or_else(|| self.empty_list(id))
    }

    fn seasons(&self, id: u32) -> Option<Bytes> {
        self.seasons.get(&id).cloned().or_else(|| self.empty_list(id))
    }

    fn update_times(&self) -> Vec<(u32, u64)> {
        self.update_times.iter().map(|(&id, &time)| (id, time)).collect()
    }

    /// The day of the newest change, in UTC.
    fn today(&self) -> Date {
        let newest = self.update_times.values().max().copied().unwrap_or_default();
        let seconds = i64::try_from(newest).unwrap_or_default();
        let newest = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
        newest.to_zoned(TimeZone::UTC).date()
    }
}

fn read(path: &Path) -> Result<Bytes, Error> {
    let bytes = fs::read(path).map_err(|source| read_error(path, source))?;
    Ok(bytes.into())
}

/// The `NUMBER.json` files of a directory; files with other extensions are ignored.
fn numbered_files(directory: &Path) -> Result<Vec<(u32, PathBuf)>, Error> {
    let entries = fs::read_dir(directory).map_err(|source| read_error(directory, source))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|source| read_error(directory, source))?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        match path.file_stem().and_then(|stem| stem.to_str()?.parse().ok()) {
            Some(number) => files.push((number, path)),
            None => return Err(Error::InvalidFileName(path)),
        }
    }
    Ok(files)
}

fn read_error(path: &Path, source: io::Error) -> Error {
    Error::Read { path: path.to_owned(), source }
}
