//! Where a command writes its result: a file that appears once it is complete, or a stream.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// As many as Linux follows.
const MAX_LINKS: usize = 40;

/// Where an output path leads.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    Stdout,
    /// A pipe, a device, or a descriptor that the process was started with: written as it is.
    Stream(PathBuf),
    /// A regular file, or nothing yet, after all links: replaced once the new content is complete.
    File(PathBuf),
}

impl Destination {
    /// Follows links, also one to a file that does not exist yet. `-` is stdout.
    pub(crate) fn from_path(path: &Path) -> io::Result<Destination> {
        if path == Path::new("-") {
            return Ok(Destination::Stdout);
        }
        if let Some(descriptor) = descriptor(path) {
            let is_stdout = descriptor.file_name().is_some_and(|number| number == "1");
            return Ok(if is_stdout {
                Destination::Stdout
            } else {
                Destination::Stream(descriptor)
            });
        }
        match path.metadata() {
            Ok(file) if file.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            Ok(file) if file.is_file() => Ok(Destination::File(path.canonicalize()?)),
            Ok(_) => Ok(Destination::Stream(path.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                links(path).last().map(Destination::File).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) fn open(self) -> io::Result<OutputFile> {
        match self {
            Destination::Stdout => Ok(OutputFile::Stdout),
            Destination::Stream(path) => {
                // The file behind a descriptor may have content, as after `>>`.
                let is_descriptor = descriptor(&path).is_some();
                let stream = OpenOptions::new().write(true).append(is_descriptor).open(path)?;
                Ok(OutputFile::Stream(stream))
            }
            Destination::File(path) => {
                let temp_file = temp_file_for(&path)?;
                Ok(OutputFile::Replacement { temp_file, path })
            }
        }
    }
}

/// Creates a file next to the one that it is to become, with the same owner and mode.
fn temp_file_for(path: &Path) -> io::Result<NamedTempFile> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let prefix = format!(".{name}-");
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(".unfinished");
    let Ok(replaced) = path.metadata() else {
        permit_everybody(&mut builder);
        return builder.tempfile_in(folder);
    };
    // A write-protected file is not replaced.
    OpenOptions::new().append(true).open(path)?;
    let temp_file = builder.tempfile_in(folder)?;
    copy_owner_and_mode(&replaced, temp_file.as_file())?;
    Ok(temp_file)
}

/// An output that has been opened. Dropping it before [`finish`](Self::finish) leaves a file as it was.
pub(crate) enum OutputFile {
    Stdout,
    Stream(File),
    Replacement { temp_file: NamedTempFile, path: PathBuf },
}

impl OutputFile {
    pub(crate) fn writer(&self) -> io::Result<Box<dyn Write + Send>> {
        Ok(match self {
            OutputFile::Stdout => Box::new(BufWriter::new(io::stdout())),
            OutputFile::Stream(stream) => Box::new(BufWriter::new(stream.try_clone()?)),
            OutputFile::Replacement { temp_file, .. } => {
                Box::new(BufWriter::new(temp_file.as_file().try_clone()?))
            }
        })
    }

    /// Makes a complete file appear.
    pub(crate) fn finish(self) -> io::Result<()> {
        if let OutputFile::Replacement { temp_file, path } = self {
            temp_file.as_file().sync_all()?;
            temp_file.persist(path)?;
        }
        Ok(())
    }
}

/// The path itself, and where each link leads.
fn links(path: &Path) -> impl Iterator<Item = PathBuf> {
    let follow = |path: &PathBuf| {
        let target = fs::read_link(path).ok()?;
        Some(path.parent().unwrap_or(Path::new("")).join(target))
    };
    std::iter::successors(Some(path.to_owned()), follow).take(MAX_LINKS)
}

/// The path of an open descriptor of this process, such as `/proc/self/fd/1` for `/dev/stdout`. What it leads to need
/// not be reachable by a path.
fn descriptor(path: &Path) -> Option<PathBuf> {
    links(path).find(|path| {
        let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
        folder.is_some_and(|folder| folder.starts_with("/proc") || folder == Path::new("/dev/fd"))
    })
}

/// Gives a new file the mode that files usually have: everything that the umask permits.
#[cfg(unix)]
fn permit_everybody(builder: &mut tempfile::Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(fs::Permissions::from_mode(0o666));
}

#[cfg(not(unix))]
fn permit_everybody(_: &mut tempfile::Builder<'_, '_>) {}

#[cfg(unix)]
fn copy_owner_and_mode(from: &fs::Metadata, to: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    // Only root may give a file away; others may have replaced a file of their group.
    let _ = fchown(to, Some(from.uid()), Some(from.gid()));
    to.set_permissions(from.permissions())
}

#[cfg(not(unix))]
fn copy_owner_and_mode(from: &fs::Metadata, to: &File) -> io::Result<()> {
    to.set_permissions(from.permissions())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn only_regular_files_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let file = folder.join("file");
        fs::write(&file, "").unwrap();
        symlink("file", folder.join("link")).unwrap();
        symlink("link", folder.join("link to link")).unwrap();
        symlink("missing", folder.join("dangling")).unwrap();
        symlink("/dev/stdout", folder.join("descriptor")).unwrap();
        symlink("loop", folder.join("loop")).unwrap();
        for (name, expected) in [
            ("file", Destination::File(file.clone())),
            ("link", Destination::File(file.clone())),
            ("link to link", Destination::File(file)),
            ("missing", Destination::File(folder.join("missing"))),
            ("dangling", Destination::File(folder.join("missing"))),
            ("descriptor", Destination::Stdout),
            ("-", Destination::File(folder.join("-"))),
        ] {
            assert_eq!(Destination::from_path(&folder.join(name)).unwrap(), expected, "{name}");
        }
        assert!(Destination::from_path(&folder).is_err(), "a folder");
        assert!(Destination::from_path(&folder.join("loop")).is_err());
        for (path, expected) in [
            ("-", Destination::Stdout),
            ("/dev/stdout", Destination::Stdout),
            ("/dev/fd/1", Destination::Stdout),
            ("/dev/null", Destination::Stream("/dev/null".into())),
        ] {
            assert_eq!(Destination::from_path(Path::new(path)).unwrap(), expected, "{path}");
        }
    }

    #[test]
    fn a_file_is_replaced_at_the_end_and_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let write = |text: &str, finishes: bool| {
            let output = Destination::from_path(&path).unwrap().open().unwrap();
            let mut writer = output.writer().unwrap();
            writer.write_all(text.as_bytes()).unwrap();
            writer.flush().unwrap();
            if finishes {
                output.finish().unwrap();
            }
        };
        write("one", false);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        write("one", true);
        let mode = || path.metadata().unwrap().permissions().mode() & 0o777;
        assert!(mode() & 0o044 != 0, "{:o}: as usual for a new file", mode());
        for private in [0o600, 0o664] {
            fs::set_permissions(&path, fs::Permissions::from_mode(private)).unwrap();
            write("two", true);
            assert_eq!(mode(), private);
        }
        write("three", false);
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }
}
