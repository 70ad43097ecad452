//! The official test suite against the verifier: each signed request is proven, and none with a byte changed is.

use std::path::{Path, PathBuf};

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::canonical::{Canonical, PathRules};
use crate::{Body, Head, KeyCache, Payload, Refusal, Secret, claim};

struct Case {
    name: String,
    method: String,
    target: String,
    headers: HeaderMap,
    body: Vec<u8>,
    secret: Secret,
    now: Timestamp,
    rules: PathRules,
    canonical: String,
}

impl Case {
    fn read(folder: &Path, placement: &str) -> Self {
        let file = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        let context: serde_json::Value = serde_json::from_str(&file("context.json")).unwrap();
        let request = file(&format!("{placement}-signed-request.txt"));
        let (head, body) = request.split_once("\n\n").unwrap_or((&request, ""));
        // The suite folds one value over several lines; what the fold means is all that a signature can see.
        let head = head.replace("\n ", " ");
        let mut lines = head.lines();
        let first = lines.next().unwrap();
        let (method, rest) = first.split_once(' ').unwrap();
        let (target, _) = rest.rsplit_once(' ').unwrap();
        let mut headers = HeaderMap::new();
        for line in lines.filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').unwrap();
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        Self {
            name: format!("{} {placement}", folder.file_name().unwrap().display()),
            method: method.to_owned(),
            target: target.to_owned(),
            headers,
            body: body.as_bytes().to_vec(),
            secret: Secret::new(context["credentials"]["secret_access_key"].as_str().unwrap().to_owned()),
            now: context["timestamp"].as_str().unwrap().parse().unwrap(),
            rules: PathRules { normalise: context["normalize"].as_bool().unwrap(), escape: true },
            canonical: file(&format!("{placement}-canonical-request.txt")),
        }
    }

    fn head(&self) -> Head<'_> {
        Head { method: &self.method, target: &self.target, authority: "", headers: &self.headers }
    }

    fn prove(&self) -> Result<(), Refusal> {
        let claimed = claim(&self.head(), self.now)?;
        let sha256 = Sha256::digest(&self.body).into();
        claimed
            .prove_by(
                self.rules,
                &KeyCache::new(),
                &self.secret,
                &self.head(),
                Body::Held { sha256: &sha256 },
            )
            .map(|_| ())
    }

    /// The canonical request, as the suite writes it down.
    fn canonical(&self) -> String {
        let claimed = claim(&self.head(), self.now).unwrap();
        let payload = match claimed.payload() {
            Payload::Undeclared => hex::encode(Sha256::digest(&self.body)),
            other => other.text().unwrap(),
        };
        let signed_headers = claimed.signed_headers().collect::<Vec<_>>().join(";");
        let canonical = Canonical {
            method: &self.method,
            path: self.head().path(),
            rules: self.rules,
            query: self.head().query(),
            host: self.headers["host"].as_bytes(),
            authority: self.headers["host"].as_bytes(),
            headers: &self.headers,
            signed_headers: &signed_headers,
            payload: &payload,
        };
        String::from_utf8(canonical.text().unwrap()).unwrap()
    }
}

fn folders() -> Vec<PathBuf> {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/v4");
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(suite).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

/// Tokens that are sent without being signed: the query form of such a case signs a query without the token, which
/// no service of AWS but one accepts, and neither do we.
fn signs_another_query(folder: &Path) -> bool {
    folder.ends_with("post-sts-header-after")
}

#[test]
fn every_signed_request_of_the_suite_is_proven() {
    let mut proven = 0;
    for folder in folders() {
        for placement in ["header", "query"] {
            let case = Case::read(&folder, placement);
            if placement == "query" && signs_another_query(&folder) {
                assert_eq!(case.prove(), Err(Refusal::SignatureMismatch), "{}", case.name);
                continue;
            }
            assert_eq!(case.canonical(), case.canonical, "{}", case.name);
            assert_eq!(case.prove(), Ok(()), "{}", case.name);
            proven += 1;
        }
    }
    assert_eq!(proven, 75);
}

#[test]
fn no_request_of_the_suite_is_proven_with_another_method_body_query_or_secret() {
    for folder in folders() {
        for placement in ["header", "query"] {
            let changed = |change: &dyn Fn(&mut Case)| {
                let mut case = Case::read(&folder, placement);
                change(&mut case);
                let refused = matches!(case.prove(), Err(Refusal::SignatureMismatch | Refusal::BodyMismatch));
                assert!(refused, "{}", case.name);
            };
            changed(&|case| case.method.push('X'));
            changed(&|case| case.body.push(b'x'));
            changed(&|case| case.target.push_str(if case.target.contains('?') { "&z=1" } else { "?z=1" }));
            changed(&|case| case.secret = Secret::new(format!("{}x", case.secret.expose())));
            changed(&|case| drop(case.headers.insert("host", HeaderValue::from_static("evil.example"))));
        }
    }
}
