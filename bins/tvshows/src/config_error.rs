/// An invalid setting that only the component that uses it can detect.
#[derive(Debug, thiserror::Error)]
#[error("{setting}: {problem}")]
pub(crate) struct ConfigError {
    pub(crate) setting: &'static str,
    pub(crate) problem: String,
}
