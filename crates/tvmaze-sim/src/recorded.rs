use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::Error;

/// Answers read from files, held in memory as they were.
#[derive(Debug)]
pub(crate) struct Recorded {
    pages: BTreeMap<u32, Bytes>,
    /// Slices of `pages`.
    shows: BTreeMap<u32, Bytes>,
    casts: BTreeMap<u32, Bytes>,
    updated: BTreeMap<u32, u64>,
}

#[derive(Deserialize)]
struct Head {
    id: u32,
    updated: u64,
}

impl Recorded {
    pub(crate) fn read(directory: &Path) -> Result<Self, Error> {
        let mut recorded = Self {
            pages: BTreeMap::new(),
            shows: BTreeMap::new(),
            casts: BTreeMap::new(),
            updated: BTreeMap::new(),
        };
        recorded.read_pages(&directory.join("pages"))?;
        recorded.read_casts(&directory.join("cast"))?;
        recorded.read_updates(&directory.join("updates.json"))?;
        Ok(recorded)
    }

    pub(crate) fn last_page(&self) -> u32 {
        self.pages.last_key_value().map_or(0, |(&n, _)| n)
    }

    pub(crate) fn page(&self, n: u32) -> Bytes {
        self.pages.get(&n).cloned().unwrap_or(Bytes::from_static(b"[]"))
    }

    pub(crate) fn show(&self, id: u32) -> Option<Bytes> {
        self.shows.get(&id).cloned()
    }

    pub(crate) fn cast(&self, id: u32) -> Option<Bytes> {
        let nobody = || self.shows.contains_key(&id).then_some(Bytes::from_static(b"[]"));
        self.casts.get(&id).cloned().or_else(nobody)
    }

    pub(crate) fn updated(&self) -> Vec<(u32, u64)> {
        self.updated.iter().map(|(&id, &time)| (id, time)).collect()
    }

    fn read_pages(&mut self, directory: &Path) -> Result<(), Error> {
        for (n, path) in numbered_files(directory)? {
            let page = read(&path)?;
            self.split(&page).map_err(|source| Error::Malformed { path, source })?;
            self.pages.insert(n, page);
        }
        if self.pages.is_empty() {
            return Err(Error::NoPages { directory: directory.to_owned() });
        }
        Ok(())
    }

    fn split(&mut self, page: &Bytes) -> serde_json::Result<()> {
        let shows: Vec<&RawValue> = serde_json::from_slice(page)?;
        for show in shows {
            let head: Head = serde_json::from_str(show.get())?;
            self.shows.insert(head.id, page.slice_ref(show.get().as_bytes()));
            self.updated.insert(head.id, head.updated);
        }
        Ok(())
    }

    fn read_casts(&mut self, directory: &Path) -> Result<(), Error> {
        if !directory.exists() {
            return Ok(());
        }
        for (id, path) in numbered_files(directory)? {
            let cast = read(&path)?;
            serde_json::from_slice::<Vec<IgnoredAny>>(&cast)
                .map_err(|source| Error::Malformed { path, source })?;
            self.casts.insert(id, cast);
        }
        Ok(())
    }

    fn read_updates(&mut self, path: &Path) -> Result<(), Error> {
        if path.exists() {
            self.updated = serde_json::from_slice(&read(path)?)
                .map_err(|source| Error::Malformed { path: path.to_owned(), source })?;
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<Bytes, Error> {
    let bytes = fs::read(path).map_err(|source| unreadable(path, source))?;
    Ok(bytes.into())
}

/// The `NUMBER.json` files of a folder; files of other kinds may lie beside them.
fn numbered_files(directory: &Path) -> Result<Vec<(u32, PathBuf)>, Error> {
    let entries = fs::read_dir(directory).map_err(|source| unreadable(directory, source))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|source| unreadable(directory, source))?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        match path.file_stem().and_then(|stem| stem.to_str()?.parse().ok()) {
            Some(number) => files.push((number, path)),
            None => return Err(Error::FileName { path }),
        }
    }
    Ok(files)
}

fn unreadable(path: &Path, source: io::Error) -> Error {
    Error::Unreadable { path: path.to_owned(), source }
}
