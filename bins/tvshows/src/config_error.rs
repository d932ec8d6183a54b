/// An invalid setting that only the component that uses it can detect.
#[derive(Debug, thiserror::Error)]
#[error("{setting}: {problem}")]
pub(crate) struct ConfigError {
    /// The key of the setting in the file, or the name of a variable that is not a setting.
    pub(crate) setting: &'static str,
    pub(crate) problem: String,
}
