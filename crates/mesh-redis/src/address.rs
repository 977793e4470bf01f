//! Which Redis is meant.
//!
//! Refuses URLs that do not parse, unknown parameters and fragments (`#insecure` would turn off the check of the
//! server's certificate).

use deadpool_redis::redis::{
    ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion, io::tcp::TcpSettings,
    parse_redis_url,
};
use mesh_core::error::{Origin, Retry};

const SCHEMES: [&str; 4] = ["redis", "rediss", "redis+unix", "unix"];

/// Why a text is no Redis URL. The fault of the settings. Never shows the URL: it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The scheme is another.
    #[error("a Redis URL begins with redis://, rediss://, redis+unix:// or unix://")]
    Scheme,
    /// The URL does not parse.
    #[error("the Redis URL is malformed: {0}")]
    Malformed(String),
    /// The URL has a fragment: certificates are always checked.
    #[error("a Redis URL has no fragment")]
    Fragment,
    /// The URL has a parameter that is not known.
    #[error("the Redis URL has an unknown parameter {0:?}")]
    UnknownParameter(String),
}

impl ConnectError {
    /// Whose fault it is.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        Origin::Mesh
    }

    /// Whether to try again.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        Retry::Never
    }
}

/// Reads `redis[s]://[user][:password@]host[:port][/database]` and `[redis+]unix:///path[?db=&user=&pass=]`.
pub(crate) fn parse(url: &str) -> Result<ConnectionInfo, ConnectError> {
    let malformed = |reason: &str| ConnectError::Malformed(reason.to_owned());
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    if !SCHEMES.contains(&scheme) {
        return Err(ConnectError::Scheme);
    }
    let parsed = parse_redis_url(url).ok_or_else(|| malformed("it does not parse"))?;
    if parsed.fragment().is_some() {
        return Err(ConnectError::Fragment);
    }
    let known: &[&str] = if scheme.ends_with("unix") { &["db", "user", "pass"] } else { &[] };
    if let Some((unknown, _)) = parsed.query_pairs().find(|(name, _)| !known.contains(&name.as_ref())) {
        return Err(ConnectError::UnknownParameter(unknown.into_owned()));
    }
    let info = url.into_connection_info().map_err(|error| {
        // "reason - kind: detail"; no reason and no detail of these errors quotes the URL's password.
        let text = error.to_string();
        malformed(text.split(" - ").next().unwrap_or_default())
    })?;
    let database = info.redis_settings().db();
    if database < 0 {
        return Err(malformed("a database is a number from 0"));
    }
    // Subscriptions are read as RESP2; one protocol for all.
    let redis = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP2);
    Ok(info.set_redis_settings(redis).set_tcp_settings(TcpSettings::default().set_nodelay(true)))
}

/// Whether connections to `address` are encrypted.
pub(crate) const fn is_tls(address: &ConnectionAddr) -> bool {
    matches!(address, ConnectionAddr::TcpTls { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(url: &str, expected: &ConnectError) {
        assert_eq!(parse(url).err().as_ref(), Some(expected), "{url}");
    }

    #[track_caller]
    fn malformed(url: &str) {
        assert!(matches!(parse(url), Err(ConnectError::Malformed(_))), "{url}: {:?}", parse(url));
    }

    #[test]
    fn a_url_names_host_port_database_and_user() {
        let info = parse("redis://me:se%20cret@redis.example:7000/3").unwrap();
        assert_eq!(*info.addr(), ConnectionAddr::Tcp("redis.example".into(), 7000));
        assert_eq!(info.redis_settings().db(), 3);
        assert_eq!(info.redis_settings().username(), Some("me"));
        assert_eq!(info.redis_settings().password(), Some("se cret"));
        assert_eq!(*parse("redis://[::1]").unwrap().addr(), ConnectionAddr::Tcp("::1".into(), 6379));
        assert!(is_tls(parse("rediss://redis.example").unwrap().addr()));
    }

    #[test]
    fn a_unix_socket_is_a_path() {
        for url in ["unix:///run/redis.sock?db=2", "redis+unix:///run/redis.sock?db=2"] {
            let info = parse(url).unwrap();
            assert_eq!(*info.addr(), ConnectionAddr::Unix("/run/redis.sock".into()));
            assert_eq!(info.redis_settings().db(), 2);
        }
    }

    #[test]
    fn what_is_no_redis_url_is_refused() {
        for url in ["", "127.0.0.1:6379", "http://127.0.0.1", "redis+cluster://a", "REDIS"] {
            refused(url, &ConnectError::Scheme);
        }
        for url in
            ["redis://", "redis://:6379", "redis://h:99999", "redis://h/x", "redis://h/-1", "unix://h/path"]
        {
            malformed(url);
        }
        refused("rediss://h/#insecure", &ConnectError::Fragment);
        refused("redis://h/?protocol=resp3", &ConnectError::UnknownParameter("protocol".into()));
        refused("unix:///s?password=x", &ConnectError::UnknownParameter("password".into()));
    }

    #[test]
    fn an_error_never_shows_the_password() {
        for url in
            ["redis://:hunter2@h/x", "redis://:hunter2@h:99999", "http://:hunter2@h", "redis://:hunter2@h/#a"]
        {
            let error = parse(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
