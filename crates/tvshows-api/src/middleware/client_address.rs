//! Which address a request comes from, directly or through proxies.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The networks of the proxies whose `X-Forwarded-For` and `Forwarded` headers are believed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrustedProxies(Vec<IpNet>);

/// The text is not a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseNetworkError(String);

impl fmt::Display for ParseNetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is neither an address nor a network; list the proxies as in 10.0.0.0/8,192.0.2.7,::1",
            self.0
        )
    }
}

impl std::error::Error for ParseNetworkError {}

impl FromStr for TrustedProxies {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<TrustedProxies, ParseNetworkError> {
        if text.trim().is_empty() {
            return Ok(TrustedProxies::default());
        }
        text.split(',')
            .map(|item| parse_network(item.trim()))
            .collect::<Result<_, _>>()
            .map(TrustedProxies)
    }
}

fn parse_network(text: &str) -> Result<IpNet, ParseNetworkError> {
    let address = text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
    address.or_else(|_| text.parse()).map_err(|_| ParseNetworkError(text.to_owned()))
}

impl TrustedProxies {
    /// The address of the client: the last one that is not a trusted proxy, read from the service outwards.
    ///
    /// What a client claims about itself comes before what a trusted proxy adds, so it is never reached. If a proxy
    /// does not name the address that it forwards for, the proxy counts as the client. `Forwarded` is only read if there
    /// is no `X-Forwarded-For`: proxies that add one of them pass on the other as they receive it.
    pub(crate) fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.ip().to_canonical();
        let name = if headers.contains_key(X_FORWARDED_FOR) { X_FORWARDED_FOR } else { FORWARDED };
        if !self.contains(client) || !headers.contains_key(&name) {
            return client;
        }
        let fields: Vec<_> = headers.get_all(&name).map(|field| field.to_str()).collect();
        let hops = fields.iter().rev().flat_map(|field| match field {
            Ok(field) if name == X_FORWARDED_FOR => field.rsplit(',').map(parse_address).collect(),
            Ok(field) => forwarded_for(field).into_iter().rev().collect(),
            Err(_) => vec![None],
        });
        for hop in hops {
            let Some(hop) = hop else { break };
            client = hop;
            if !self.contains(client) {
                break;
            }
        }
        client
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// Parses an address, with or without a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`.
fn parse_address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address = text.parse().ok();
    let address = address.or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    address.or_else(in_brackets).map(|address: IpAddr| address.to_canonical())
}

/// The addresses in the `for` parameters of a `Forwarded` field (RFC 7239); `None` for hops that do not have one.
fn forwarded_for(field: &str) -> Vec<Option<IpAddr>> {
    let mut hops = Vec::new();
    for element in split_unquoted(field, ',') {
        let mut values = split_unquoted(element, ';').into_iter().filter_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("for").then(|| unquote(value.trim()))
        });
        hops.push(match (values.next(), values.next()) {
            (Some(value), None) => parse_address(&value),
            _ => None,
        });
    }
    hops
}

/// Splits text at a separator, except in quoted strings.
fn split_unquoted(text: &str, separator: char) -> Vec<&str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(|character: char| {
        let was_escaped = std::mem::take(&mut is_escaped);
        match character {
            '\\' if is_quoted => is_escaped = !was_escaped,
            '"' if !was_escaped => is_quoted = !is_quoted,
            _ => {}
        }
        character == separator && !is_quoted
    })
    .collect()
}

fn unquote(text: &str) -> String {
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(quoted) => quoted.replace('\\', ""),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    const TRUSTED: &str = "10.0.0.0/8, 127.0.0.1, ::1, fd00::/8";

    /// The client of a request from `peer` with these fields.
    fn client(peer: &str, fields: &[(&str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            let name = name.parse::<HeaderName>().unwrap();
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let trusted: TrustedProxies = TRUSTED.parse().unwrap();
        trusted.client(SocketAddr::new(peer.parse().unwrap(), 1234), &headers).to_string()
    }

    #[test]
    fn the_client_is_the_last_address_that_is_no_trusted_proxy() {
        for (field, expected) in [
            ("192.0.2.1", "192.0.2.1"),
            ("203.0.113.9, 192.0.2.1", "192.0.2.1"),
            ("192.0.2.1, 10.1.2.3,10.4.5.6", "192.0.2.1"),
            ("192.0.2.1:8080", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]:80, fd12::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("10.1.1.1, 10.2.2.2", "10.1.1.1"),
            // What is before a hop without an address could be anything.
            ("192.0.2.1, unknown", "127.0.0.1"),
            ("192.0.2.1, unknown, 10.2.2.2", "10.2.2.2"),
            ("192.0.2.1,", "127.0.0.1"),
            ("", "127.0.0.1"),
            ("192.0.2.1.5", "127.0.0.1"),
            ("<script>", "127.0.0.1"),
        ] {
            assert_eq!(client("127.0.0.1", &[("x-forwarded-for", field)]), expected, "{field}");
        }
    }

    #[test]
    fn forwarded_is_parsed_with_quotes_and_ports() {
        for (field, expected) in [
            ("for=192.0.2.1", "192.0.2.1"),
            ("For=192.0.2.1;proto=http;by=203.0.113.43", "192.0.2.1"),
            ("proto=https; for=\"192.0.2.1:47011\"", "192.0.2.1"),
            ("for=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
            ("for=\"[2001:db8:cafe::17]\"", "2001:db8:cafe::17"),
            ("for=203.0.113.9, for=192.0.2.1;by=10.0.0.1, for=10.0.0.1", "192.0.2.1"),
            ("for=192.0.2.1;host=\"a, for=203.0.113.9\"", "192.0.2.1"),
            ("for=192.0.2.1;host=\"a\\\", for=203.0.113.9\"", "192.0.2.1"),
            ("for=_hidden", "127.0.0.1"),
            ("for=192.0.2.1, for=unknown", "127.0.0.1"),
            ("for=192.0.2.1, proto=http", "127.0.0.1"),
            ("for=192.0.2.1;for=203.0.113.9", "127.0.0.1"),
            ("for=\"192.0.2.1", "127.0.0.1"),
            ("192.0.2.1", "127.0.0.1"),
        ] {
            assert_eq!(client("127.0.0.1", &[("forwarded", field)]), expected, "{field}");
        }
    }

    #[test]
    fn several_fields_are_one_list() {
        let fields =
            [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "192.0.2.1, 10.0.0.1")];
        assert_eq!(client("::1", &fields), "192.0.2.1");
        let fields = [("forwarded", "for=192.0.2.1"), ("forwarded", "for=10.0.0.1")];
        assert_eq!(client("::1", &fields), "192.0.2.1");
        let fields = [("x-forwarded-for", "192.0.2.1"), ("x-forwarded-for", "\u{e9}")];
        assert_eq!(client("::1", &fields), "::1");
    }

    #[test]
    fn a_field_that_the_proxy_passes_on_is_ignored_next_to_the_one_that_it_sets() {
        let fields = [("forwarded", "for=203.0.113.9"), ("x-forwarded-for", "192.0.2.1")];
        assert_eq!(client("127.0.0.1", &fields), "192.0.2.1");
    }

    #[test]
    fn only_a_trusted_peer_is_believed() {
        for name in ["x-forwarded-for", "forwarded"] {
            for peer in ["192.0.2.7", "2001:db8::7", "11.0.0.1"] {
                assert_eq!(client(peer, &[(name, "for=203.0.113.9")]), peer);
                assert_eq!(client(peer, &[(name, "203.0.113.9")]), peer);
            }
        }
        assert_eq!(client("::ffff:10.0.0.1", &[("x-forwarded-for", "192.0.2.1")]), "192.0.2.1");
        assert_eq!(client("::ffff:192.0.2.7", &[]), "192.0.2.7");
    }

    #[test]
    fn proxies_are_addresses_and_networks() {
        assert_eq!("".parse(), Ok(TrustedProxies::default()));
        assert_eq!("10.0.0.0/8 ,::1".parse::<TrustedProxies>().unwrap().0.len(), 2);
        for invalid in ["10.0.0.0/33", "10.0.0.0/8,", "localhost", "10.0.0.0-10.0.0.9", "::1/129"] {
            let error = invalid.parse::<TrustedProxies>().unwrap_err();
            assert!(error.to_string().contains("10.0.0.0/8,192.0.2.7,::1"), "{invalid}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_field_makes_parsing_panic(field in r"[ -~é]{0,60}") {
            client("127.0.0.1", &[("x-forwarded-for", &field)]);
            client("127.0.0.1", &[("forwarded", &field)]);
        }

        #[test]
        fn what_a_client_claims_never_matters(claim in r"[ -~]{0,40}") {
            let field = format!("{claim}, 192.0.2.1");
            prop_assert_eq!(client("127.0.0.1", &[("x-forwarded-for", &field)]), "192.0.2.1");
            let fields = [("forwarded", claim.as_str()), ("forwarded", "for=192.0.2.1")];
            prop_assert_eq!(client("127.0.0.1", &fields), "192.0.2.1");
        }
    }
}
