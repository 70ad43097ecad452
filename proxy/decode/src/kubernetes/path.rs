//! What a path names: a resource by the grammar of the API, or one of a closed list of other paths.
//!
//! The API server splits the decoded path at its slashes and drops empty ends. A path that reads differently as it
//! stands is refused. Leaves out what is done there (`verb.rs`).

use ordain_action::Undecodable;

use crate::form::fields::clip;
use crate::form::percent;

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A resource, or a collection of them.
    Object(ObjectPath),
    /// Something that is no resource: health, discovery, metrics, logs.
    Url(String),
}

/// A resource path in its parts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct ObjectPath {
    /// The group as the path has it; empty for the core group.
    pub(super) group: String,
    /// The version, for example `v1`.
    pub(super) version: String,
    /// The namespace it lies in; none for what lies in the cluster. A namespace itself lies in none.
    pub(super) namespace: Option<String>,
    /// The resource, for example `pods`.
    pub(super) resource: String,
    /// The object's name, without the scheme and port of a proxied one.
    pub(super) name: Option<String>,
    /// The subresource, for example `exec`.
    pub(super) subresource: Option<String>,
    /// What follows `proxy`, exactly as received.
    pub(super) tail: Option<String>,
    /// It came by the old `/watch/` paths.
    pub(super) watch: bool,
}

/// Groups whose subresources are names of metrics, under which anything may stand.
const METRICS: [&str; 2] = ["custom.metrics.k8s.io", "external.metrics.k8s.io"];

/// Paths below which the server has pages of its own; they may end in a slash.
const URLS: [&str; 20] = [
    "/.well-known/openid-configuration",
    "/api",
    "/apis",
    "/healthz",
    "/livez",
    "/logs",
    "/metrics",
    "/metrics/cadvisor",
    "/metrics/probes",
    "/metrics/resource",
    "/metrics/slis",
    "/openapi/v2",
    "/openapi/v3",
    "/openid/v1/jwks",
    "/readyz",
    "/statusz",
    "/swagger-2.0.0.pb-v1",
    "/swagger.json",
    "/swaggerapi",
    "/version",
];

/// Of these, those that have pages below them.
const DEEP: [&str; 5] = ["/healthz", "/livez", "/logs", "/openapi/v3", "/readyz"];

/// Reads a path.
pub(super) fn read(path: &str) -> Result<Place, Undecodable> {
    if let Some(url) = url(path)? {
        return Ok(Place::Url(url));
    }
    let rest = path.strip_prefix("/api/v1/").map(|rest| (String::new(), "v1".to_owned(), rest));
    let (group, version, rest) = match rest {
        Some(core) => core,
        None => {
            let rest = path.strip_prefix("/apis/").ok_or_else(|| unknown(path))?;
            let (group, rest) = rest.split_once('/').ok_or_else(|| unknown(path))?;
            let (version, rest) = rest.split_once('/').ok_or_else(|| unknown(path))?;
            if !is_group(group) || !is_label(version) {
                return Err(unknown(path));
            }
            (group.to_owned(), version.to_owned(), rest)
        }
    };
    object(path, group, version, rest).map(Place::Object)
}

fn object(path: &str, group: String, version: String, rest: &str) -> Result<ObjectPath, Undecodable> {
    let (rest, watch) = match rest.strip_prefix("watch/") {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let mut parts: Vec<&str> = rest.split('/').collect();
    // The server takes both words for old forms of a path, whatever stands behind them.
    if matches!(parts.first(), Some(&("watch" | "proxy"))) {
        return Err(unknown(path));
    }
    let mut found = ObjectPath { group, version, watch, ..ObjectPath::default() };
    if let [first, namespace, third, ..] = parts.as_slice()
        && *first == "namespaces"
        && !matches!(*third, "status" | "finalize")
    {
        found.namespace = Some(name(path, namespace, false)?);
        parts.drain(..2);
    }
    let metrics = METRICS.contains(&found.group.as_str());
    let mut parts = parts.into_iter();
    let resource = parts.next().unwrap_or_default();
    if !(is_resource(resource) || (metrics && is_name(resource))) {
        return Err(unknown(path));
    }
    resource.clone_into(&mut found.resource);
    found.name = parts.next().map(|part| name(path, part, metrics)).transpose()?;
    if let Some(subresource) = parts.next() {
        if !(is_resource(subresource) || (metrics && is_name(subresource))) {
            return Err(unknown(path));
        }
        found.subresource = Some(subresource.to_owned());
    }
    let proxied = found.subresource.as_deref() == Some("proxy") && found.group.is_empty();
    let proxied = proxied && matches!(&*found.resource, "pods" | "services" | "nodes");
    if proxied {
        let tail: Vec<&str> = parts.collect();
        if !tail.is_empty() {
            let tail = tail.join("/");
            stays_below(path, &tail)?;
            found.tail = Some(tail);
        }
        found.name = found.name.map(|name| proxied_name(path, &name)).transpose()?;
    } else if parts.next().is_some() {
        return Err(unknown(path));
    }
    Ok(found)
}

/// One of the paths that are no resources, without a slash at its end.
fn url(path: &str) -> Result<Option<String>, Undecodable> {
    let plain = path.strip_suffix('/').unwrap_or(path);
    let deep = DEEP.iter().any(|url| plain.strip_prefix(url).is_some_and(|rest| rest.starts_with('/')));
    let discovery = match plain.strip_prefix("/apis/").map(|rest| rest.split('/').collect::<Vec<_>>()) {
        Some(parts) => match parts.as_slice() {
            [group] => is_group(group),
            [group, version] => is_group(group) && is_label(version),
            _ => false,
        },
        None => plain == "/api/v1",
    };
    if !(path == "/" || URLS.contains(&plain) || deep || discovery) {
        return Ok(None);
    }
    if plain.split('/').skip(1).any(|part| !is_name(part)) {
        return Err(unknown(path));
    }
    Ok(Some(if plain.is_empty() { "/".to_owned() } else { plain.to_owned() }))
}

/// Whether a path can only be meant for this plane, for requests of which nothing else says so.
pub(crate) fn is_ours(path: &str) -> bool {
    let below =
        |prefix: &str| path == prefix || path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'));
    below("/api") || below("/apis") || (path != "/" && matches!(url(path), Ok(Some(_))))
}

fn unknown(path: &str) -> Undecodable {
    Undecodable::new(
        "unknown_path",
        format!(
            "`{}` is no path of the Kubernetes API as it is written there; send it as the API has it",
            clip(path)
        ),
    )
}

/// A group by its name in a path. `core` is the name that rules know the group without one by.
fn is_group(text: &str) -> bool {
    text != "core" && text.split('.').all(is_label)
}

/// Letters in lower case, digits and `-`, which neither begins nor ends it.
pub(super) fn is_label(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty()
        && text.len() <= 63
        && text.bytes().all(plain)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// A resource or subresource; metrics name a resource together with its group.
fn is_resource(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label)
}

/// A name that stands for itself: in a path, in a pattern and in a message.
pub(super) fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:@!$&'()+,=".contains(&byte);
    !text.is_empty() && text.len() <= 253 && text.bytes().all(plain) && text != "." && text != ".."
}

/// A name as it is written in a path. Clients escape what need not be; letters, digits and slashes they do not.
fn name(path: &str, part: &str, metrics: bool) -> Result<String, Undecodable> {
    if metrics && matches!(part, "*" | "%2A") {
        return Ok("*".to_owned());
    }
    let decoded = percent::decode(part)?;
    if !is_name(&decoded) {
        return Err(Undecodable::new(
            "unusual_name",
            format!("`{}` is no name that is read here; use letters, digits, `-`, `.` and `:`", clip(part)),
        ));
    }
    let needless = part.split('%').skip(1).any(|escape| {
        let byte = escape.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        byte.is_none_or(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    });
    if needless {
        return Err(Undecodable::new(
            "bad_path",
            format!("the path `{}` escapes what needs none; send it in its normal form", clip(path)),
        ));
    }
    Ok(decoded.into_owned())
}

/// `name`, `name:port` or `scheme:name:port`, as the server takes them apart.
fn proxied_name(path: &str, name: &str) -> Result<String, Undecodable> {
    let parts: Vec<&str> = name.split(':').collect();
    let own = match parts.as_slice() {
        [own] | [own, _] | ["" | "http" | "https", own, _] => *own,
        _ => return Err(unknown(path)),
    };
    if is_name(own) { Ok(own.to_owned()) } else { Err(unknown(path)) }
}

/// What is behind a proxy reads this part as it likes, but nobody before it may read it as leading out of there.
fn stays_below(path: &str, tail: &str) -> Result<(), Undecodable> {
    let once = percent::decode(tail)?;
    let twice = percent::decode(&once).unwrap_or_else(|_| once.clone());
    for text in [tail, &once, &twice] {
        if text.bytes().any(|byte| byte.is_ascii_control())
            || text.split(['/', '\\', ';']).any(|part| part == "." || part == "..")
        {
            return Err(Undecodable::new(
                "bad_path",
                format!("the path `{}` leads elsewhere; send the path in its normal form", clip(path)),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(path: &str) -> String {
        match read(path) {
            Ok(Place::Url(url)) => format!("url {url}"),
            Ok(Place::Object(object)) => {
                let or = |part: &Option<String>| part.clone().unwrap_or_else(|| "-".to_owned());
                let (namespace, name) = (or(&object.namespace), or(&object.name));
                let (sub, tail) = (or(&object.subresource), or(&object.tail));
                format!(
                    "{}/{} {namespace} {} {name} {sub} {tail}",
                    object.group, object.version, object.resource
                )
            }
            Err(why) => why.reason_code.to_owned(),
        }
    }

    #[test]
    fn the_grammar_is_that_of_the_server() {
        for (path, expected) in [
            ("/api/v1/pods", "/v1 - pods - - -"),
            ("/api/v1/namespaces", "/v1 - namespaces - - -"),
            ("/api/v1/namespaces/n", "/v1 - namespaces n - -"),
            ("/api/v1/namespaces/n/status", "/v1 - namespaces n status -"),
            ("/api/v1/namespaces/n/finalize", "/v1 - namespaces n finalize -"),
            ("/api/v1/namespaces/n/pods", "/v1 n pods - - -"),
            ("/api/v1/namespaces/n/pods/p/exec", "/v1 n pods p exec -"),
            ("/api/v1/watch/namespaces/n/pods/p", "/v1 n pods p - -"),
            ("/apis/apps/v1/namespaces/n/deployments/d/scale", "apps/v1 n deployments d scale -"),
            (
                "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Aa",
                "rbac.authorization.k8s.io/v1 - clusterroles system:a - -",
            ),
            ("/api/v1/namespaces/n/services/https:s:443/proxy/A/../b", "bad_path"),
            ("/api/v1/namespaces/n/services/https:s:443/proxy/A//%20b/", "/v1 n services s proxy A//%20b/"),
            ("/api/v1/nodes/n:10250/proxy", "/v1 - nodes n proxy -"),
            ("/api/v1/nodes/ftp:n:1/proxy/x", "unknown_path"),
            (
                "/apis/custom.metrics.k8s.io/v1beta1/namespaces/n/pods/%2A/HTTP_requests",
                "custom.metrics.k8s.io/v1beta1 n pods * HTTP_requests -",
            ),
            ("/version/", "url /version"),
            ("/apis/apps/v1/", "url /apis/apps/v1"),
            ("/api/v1", "url /api/v1"),
            ("/readyz/poststarthook/x", "url /readyz/poststarthook/x"),
            ("/", "url /"),
        ] {
            assert_eq!(show(path), expected, "{path}");
        }
    }

    #[test]
    fn what_two_readers_could_take_for_two_paths_is_refused() {
        for path in [
            "/api/v1/namespaces/n/pods/",
            "/api/v1/namespaces//pods",
            "/api/v1//pods",
            "//api/v1/pods",
            "/api/v1/namespaces/n/pods/../secrets",
            "/api/v1/namespaces/n/pods/%2e%2e",
            "/api/v1/namespaces/n/pods%2Fx",
            "/api/v1/namespaces/n/pods/x%2Fexec",
            "/api/v1/namespaces/n/%70ods/x",
            "/api/v1/namespaces/n/pods/%78",
            "/api/v1/namespaces/n/pods/x;y",
            "/api/v1/namespaces/n/Pods",
            "/api/V1/pods",
            "/API/v1/pods",
            "/apis/Apps/v1/deployments",
            "/apis/core/v1/pods",
            "/api/v2/pods",
            "/api/v1/proxy/namespaces/n/pods/x",
            "/api/v1/watch/watch/pods",
            "/api/v1/namespaces/n/pods/x/log/y",
            "/api/v1/namespaces/n/pods/x*",
            "/api/v1/namespaces/n/services/s/proxy/%2e%2e/x",
            "/api/v1/namespaces/n/services/s/proxy/%252e%252e/x",
            "/api/v1/namespaces/n/services/s/proxy/a%2f..%2fx",
            "/api/v1/namespaces/n/services/s/proxy/..",
            "/debug/pprof/profile",
            "/healthz/../api/v1/pods",
            "/logs/%2e%2e",
            "/apis/apps/v1//",
            "",
        ] {
            let read = read(path);
            assert!(read.is_err(), "{path}: {read:?}");
        }
    }

    #[test]
    fn only_paths_of_this_plane_are_taken_for_ours() {
        for path in ["/api", "/api/v1/pods", "/apis/apps/v1", "/version", "/readyz", "/openapi/v2", "/apis"] {
            assert!(is_ours(path), "{path}");
        }
        for path in ["/", "/apix", "/v2/apis", "/2015-03-31/functions", "/version2", "/bucket/key"] {
            assert!(!is_ours(path), "{path}");
        }
    }
}
