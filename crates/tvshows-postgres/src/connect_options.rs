use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;
use tvshows_core::StoreError;

/// The time limit for connecting to a host, so that another can be tried before an operation times out.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT_OF_SEVERAL: Duration = Duration::from_secs(2);
/// How long a connection may be silent before the system checks it; its default is two hours.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_RETRIES: u32 = 3;
/// How long sent data may be unacknowledged.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(5);

/// What a URL says.
pub(crate) struct ConnectOptions {
    pub(crate) config: Config,
    pub(crate) tls: MakeRustlsConnect,
    pub(crate) backend: String,
}

impl ConnectOptions {
    /// Parses a URL. No error contains it, since it may hold a password.
    pub(crate) fn parse(url: &str) -> Result<ConnectOptions, StoreError> {
        // The password would end at the first one, and the rest of it become part of the host, which is logged.
        if url.starts_with("postgres") && url.matches('@').count() > 1 {
            return Err(invalid(
                "DATABASE_URL has several @; escape @ in the password as %40".into(),
            ));
        }
        let (url, ssl_mode) = split_ssl_mode(url);
        let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            invalid(format!(
                "DATABASE_URL is invalid ({}); it has the form postgres://USER:PASSWORD@HOST:5432/DATABASE",
                cause.unwrap_or_else(|| error.to_string())
            ))
        })?;
        let addresses = addresses(&config);
        if addresses.is_empty() {
            return Err(invalid("DATABASE_URL names no host".into()));
        }
        let backend = format!("PostgreSQL at {}", addresses.join(", "));
        let is_local = config.get_hosts().iter().all(is_loopback);
        config.ssl_mode(resolve_ssl_mode(ssl_mode.as_deref(), is_local)?);
        let is_tls = config.get_ssl_mode() == SslMode::Require;
        set_defaults(&mut config);
        Ok(ConnectOptions { config, tls: connector(is_tls)?, backend })
    }
}

fn invalid(reason: String) -> StoreError {
    StoreError::InvalidDatabase { reason }
}

/// Takes the parameter `sslmode` from a URL, because [`Config`] knows only some of its values.
fn split_ssl_mode(url: &str) -> (String, Option<String>) {
    let Some((base, query)) = url.split_once('?') else { return (url.to_owned(), None) };
    let (modes, others): (Vec<_>, Vec<_>) =
        query.split('&').partition(|parameter| parameter.starts_with("sslmode="));
    let mode = modes.last().and_then(|mode| mode.split_once('='));
    let query = others.join("&");
    let url = if query.is_empty() { base.to_owned() } else { format!("{base}?{query}") };
    (url, mode.map(|(_, mode)| mode.to_owned()))
}

/// The default is TLS with a verified certificate, or no TLS on this machine. A mode that protects from nobody, since
/// anybody in between can choose not to offer TLS, is refused. On a private network, such as that of containers, TLS
/// can be disabled explicitly.
fn resolve_ssl_mode(mode: Option<&str>, is_local: bool) -> Result<SslMode, StoreError> {
    match (mode, is_local) {
        (Some("disable"), _) | (None | Some("allow" | "prefer"), true) => Ok(SslMode::Disable),
        (None | Some("require" | "verify-ca" | "verify-full"), _) => Ok(SslMode::Require),
        (Some(mode @ ("allow" | "prefer")), false) => Err(invalid(format!(
            "sslmode={mode} in DATABASE_URL does not protect the connection; use sslmode=verify-full, or \
             sslmode=disable on a private network"
        ))),
        (Some(_), _) => {
            Err(invalid("sslmode in DATABASE_URL must be verify-full or disable".into()))
        }
    }
}

fn set_defaults(config: &mut Config) {
    let is_one = config.get_hosts().len() == 1;
    let connect_timeout = if is_one { CONNECT_TIMEOUT } else { CONNECT_TIMEOUT_OF_SEVERAL };
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(connect_timeout);
    }
    if config.get_application_name().is_none() {
        config.application_name("tvshows");
    }
    config.keepalives_idle(KEEPALIVE_IDLE);
    config.keepalives_interval(KEEPALIVE_INTERVAL);
    config.keepalives_retries(KEEPALIVE_RETRIES);
    config.tcp_user_timeout(TCP_USER_TIMEOUT);
}

/// Trusts the certificates of the system, or those in `SSL_CERT_FILE`.
fn connector(is_used: bool) -> Result<MakeRustlsConnect, StoreError> {
    let mut roots = RootCertStore::empty();
    if is_used {
        let found = rustls_native_certs::load_native_certs();
        if found.certs.is_empty() {
            let cause = found.errors.first().map_or_else(String::new, |error| format!(": {error}"));
            return Err(invalid(format!("the system's certificates cannot be read{cause}")));
        }
        roots.add_parsable_certificates(found.certs);
    }
    // Explicit, because rustls panics if its features allow several.
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let builder = ClientConfig::builder_with_provider(provider.into());
    let builder = builder
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::Unavailable { source: error.into() })?;
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn addresses(config: &Config) -> Vec<String> {
    let ports = config.get_ports();
    let port = |index: usize| ports.get(index).or(ports.first()).copied().unwrap_or(5432);
    let hosts = config.get_hosts().iter().enumerate();
    hosts.map(|(index, host)| format!("{}:{}", host_name(host), port(index))).collect()
}

fn host_name(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(folder) => folder.display().to_string(),
    }
}

fn is_loopback(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost"
                || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(url: &str) -> String {
        ConnectOptions::parse(url).err().expect("it is refused").to_string()
    }

    #[test]
    fn a_connection_to_another_machine_is_encrypted_unless_that_is_disabled() {
        for (url, mode) in [
            ("postgres://u@db.example/d", SslMode::Require),
            ("postgres://u@db.example/d?sslmode=verify-full&connect_timeout=3", SslMode::Require),
            ("postgres://u@db.example/d?sslmode=disable", SslMode::Disable),
            ("postgres://u@localhost/d", SslMode::Disable),
            ("postgres://u@127.0.0.1,[::1]/d?sslmode=prefer", SslMode::Disable),
            ("postgres://u@localhost,db.example/d", SslMode::Require),
            ("postgres://u@localhost/d?sslmode=require", SslMode::Require),
        ] {
            let options = ConnectOptions::parse(url).unwrap();
            assert_eq!(options.config.get_ssl_mode(), mode, "{url}");
        }
        let refused = error("postgres://u:secret@db.example/d?sslmode=prefer");
        assert!(refused.contains("sslmode=verify-full") && !refused.contains("secret"));
        assert!(error("postgres://u@localhost/d?sslmode=yes").contains("must be verify-full"));
    }

    #[test]
    fn an_invalid_url_is_refused_without_repeating_it() {
        for url in [
            "postgres://u:secret@host:port/d",
            "postgres://u:secret@host/d?x=1",
            "postgres://u:begin@secret@host/d",
            "postgres://u:begin@host,secret@host/d",
            "postgresql://u:begin@host/secret@host/d",
            "http://secret",
            "secret",
            "",
        ] {
            let refused = error(url);
            assert!(refused.contains("DATABASE_URL"), "{refused}");
            assert!(!refused.contains("secret"), "{refused}");
        }
    }

    #[test]
    fn a_password_may_have_any_escaped_character() {
        let options = ConnectOptions::parse("postgres://u:a%40b%2Fc@host/d").unwrap();
        assert_eq!(options.config.get_password(), Some(b"a@b/c".as_slice()));
        assert!(error("postgres://u:a@b@host/d").contains("escape @ in the password as %40"));
    }

    #[test]
    fn the_server_is_named_with_all_of_its_addresses() {
        let options =
            ConnectOptions::parse("postgres://u:secret@a:1,b:2/d?target_session_attrs=read-write");
        assert_eq!(options.unwrap().backend, "PostgreSQL at a:1, b:2");
    }
}
