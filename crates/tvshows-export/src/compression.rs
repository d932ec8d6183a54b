use std::io::{self, Write};

use flate2::write::GzEncoder;

/// A compression of the whole file.
///
/// No zstd: its C library would lengthen a first build by half a minute, and Parquet is as small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    #[default]
    None,
    Gzip,
}

/// A destination that is complete only after `finish`.
pub(crate) enum Output {
    Plain(Box<dyn Write + Send>),
    /// The encoder writes to memory, and its output is copied to the file. Dropping an encoder writes the end
    /// of the gzip stream, which would make an interrupted export look complete.
    Gzip {
        encoder: GzEncoder<Vec<u8>>,
        file: Box<dyn Write + Send>,
    },
}

impl Output {
    pub(crate) fn new(compression: Compression, file: Box<dyn Write + Send>) -> Output {
        match compression {
            Compression::None => Output::Plain(file),
            Compression::Gzip => {
                let encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
                Output::Gzip { encoder, file }
            }
        }
    }

    pub(crate) fn finish(self) -> io::Result<()> {
        match self {
            Output::Plain(mut file) => file.flush(),
            Output::Gzip { encoder, mut file } => {
                file.write_all(&encoder.finish()?)?;
                file.flush()
            }
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Output::Plain(file) => file.write(bytes),
            Output::Gzip { encoder, file } => {
                let accepted = encoder.write(bytes)?;
                file.write_all(encoder.get_ref())?;
                encoder.get_mut().clear();
                Ok(accepted)
            }
        }
    }

    /// Does nothing: flushing a gzip stream early costs bytes, and `finish` flushes the file.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;
    use proptest::prelude::*;

    use crate::shared_buffer::SharedBuffer;

    use super::*;

    fn gunzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        GzDecoder::new(bytes).read_to_end(&mut content)?;
        Ok(content)
    }

    #[test]
    fn an_interrupted_gzip_file_does_not_look_complete() {
        let file = SharedBuffer::default();
        let mut output = Output::new(Compression::Gzip, Box::new(file.clone()));
        output.write_all(&vec![7; 1_000_000]).unwrap();
        drop(output);
        let error = gunzip(&file.bytes()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn an_error_of_the_file_is_passed_on() {
        for compression in [Compression::None, Compression::Gzip] {
            let mut output = Output::new(compression, Box::new(BrokenPipe));
            let written = output.write_all(&[7]).and_then(|()| output.finish());
            assert_eq!(written.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        }
    }

    struct BrokenPipe;

    impl Write for BrokenPipe {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    proptest! {
        #[test]
        fn gzip_is_decompressed_to_what_was_written(chunks: Vec<Vec<u8>>) {
            let file = SharedBuffer::default();
            let mut output = Output::new(Compression::Gzip, Box::new(file.clone()));
            for chunk in &chunks {
                output.write_all(chunk).unwrap();
            }
            output.finish().unwrap();
            prop_assert_eq!(gunzip(&file.bytes()).unwrap(), chunks.concat());
        }
    }
}
