//! Answers that may hold a credential of the cluster: an independent reader finds none in what is shown of one, however
//! it arrives, and what holds none is shown as it is.

use http::HeaderMap;
use ordain_action::Plane;
use ordain_decode::{Head, WayIn, Withholding};
use serde_json::Value;

use crate::room::rooms;

/// What is withheld: no answer of a fuzzer's has it elsewhere.
const CREDENTIAL: &str = "a-credential-that-must-never-be-shown";

/// Passes an answer on, in pieces whose size the second byte says.
pub fn check(data: &[u8]) {
    let [what, size, text @ ..] = data else { return };
    let (target, watches) = match what % 4 {
        0 => ("/api/v1/secrets", false),
        1 => ("/api/v1/secrets?watch=1", true),
        2 => ("/apis/certificates.k8s.io/v1/certificatesigningrequests/a", false),
        _ => ("/apis/certificates.k8s.io/v1/certificatesigningrequests?watch=1", true),
    };
    let secrets = what % 4 < 2;
    // Where a credential may stand is for the fuzzer to say.
    let text = String::from_utf8_lossy(text).replace('@', CREDENTIAL);
    let Some(shown) = shown(target, text.as_bytes(), usize::from(*size).max(1)) else { return };
    let shown = String::from_utf8(shown).expect("what is shown is text");
    let mut whole = 0;
    for value in serde_json::Deserializer::from_str(&shown).into_iter::<Value>() {
        // What was taken is an object, or several where it is a watch. The other reader looks at more of it than is looked
        // at here, and takes less.
        let Ok(value) = value else { return };
        assert!(value.is_object(), "{value}");
        whole += 1;
        search(&value, secrets);
    }
    assert!(watches || whole <= 1, "one answer is several");
    // Names may be written in other ways.
    if !text.contains('\\')
        && !text.contains(CREDENTIAL)
        && !text.contains("token")
        && !text.contains("certificate")
    {
        assert_eq!(shown, text, "what holds no credential is another");
    }
}

fn shown(target: &str, text: &[u8], size: usize) -> Option<Vec<u8>> {
    let headers = HeaderMap::new();
    let head = Head {
        method: "GET",
        target,
        authority: "gate.internal:8080",
        headers: &headers,
        way_in: WayIn::Reverse,
        plane: Some(Plane::Kubernetes),
        upstream: None,
    };
    let claim = rooms().claim(&head).expect("whatever comes to a cluster's place is claimed");
    let mut room: Withholding = claim.withholding().expect("something is withheld there");
    let mut out = Vec::new();
    for chunk in text.chunks(size) {
        if room.take(chunk, &mut out).is_err() {
            // What was shown before is no whole answer, and nobody's credential either.
            return None;
        }
    }
    room.end().is_ok().then_some(out)
}

/// Looks for a credential wherever the server puts objects: alone, in a list, in a table, in an event.
fn search(value: &Value, secrets: bool) {
    for list in ["items", "rows"] {
        value[list].as_array().into_iter().flatten().for_each(|item| search(item, secrets));
    }
    if value["object"].is_object() {
        search(&value["object"], secrets);
    }
    let held = if secrets {
        let name = match value["type"].as_str() {
            Some("kubernetes.io/service-account-token") => "token",
            Some("bootstrap.kubernetes.io/token") => "token-secret",
            _ => return,
        };
        [&value["data"][name], &value["stringData"][name]]
    } else {
        let signer = value["spec"]["signerName"].as_str().unwrap_or_default();
        if signer == "kubernetes.io/kubelet-serving"
            || !(signer.is_empty() || signer.starts_with("kubernetes.io/"))
        {
            return;
        }
        [&value["status"]["certificate"], &value["status"]["certificateChain"]]
    };
    for held in held {
        let text = held.as_str().unwrap_or_default();
        assert!(text.is_empty() || text.starts_with("d2l0aGhlbGQgYnkg"), "a credential is shown: {value}");
    }
}
