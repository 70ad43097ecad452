//! What is withheld and what is not, in every form in which the server shows an object.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;

const TOKEN: &str = "ZXlKaGJHY2lPaUpTVXpJMU5pSXMucmVhbC50b2tlbg==";

fn secret_of(kind: &str, data: &str) -> String {
    format!(
        "{{\"kind\":\"Secret\",\"apiVersion\":\"v1\",\"metadata\":{{\"name\":\"s\"}},\"data\":{data},\"type\":\"{kind}\"}}"
    )
}

fn token() -> String {
    secret_of(
        "kubernetes.io/service-account-token",
        &format!("{{\"ca.crt\":\"Y2E=\",\"token\":\"{TOKEN}\"}}"),
    )
}

fn shown(objects: Objects, watches: bool, text: &str, size: usize) -> Result<String, String> {
    let mut withholding = Withholding { objects, pieces: Pieces::new(watches), watches };
    let mut out = Vec::new();
    for chunk in text.as_bytes().chunks(size) {
        withholding.take(chunk, &mut out).map_err(|why| why.reason_code.to_owned())?;
    }
    withholding.end().map_err(|why| why.reason_code.to_owned())?;
    Ok(String::from_utf8(out).unwrap())
}

/// Only the credential is another, however it arrives.
#[track_caller]
fn withheld(objects: Objects, watches: bool, text: &str, credential: &str) {
    assert!(text.contains(credential));
    for size in [1, 7, 64, text.len()] {
        assert_eq!(shown(objects, watches, text, size).unwrap(), text.replace(credential, WRITTEN));
    }
}

#[test]
fn what_stands_instead_says_so_where_it_is_decoded() {
    assert_eq!(STANDARD.encode(INSTEAD), WRITTEN);
}

#[test]
fn a_token_is_withheld_in_every_form_of_an_answer() {
    let (one, other) = (token(), secret_of("Opaque", "{\"token\":\"bWluZQ==\"}"));
    let list = format!("{{\"kind\":\"SecretList\",\"metadata\":{{}},\"items\":[{other},{one}]}}\n");
    let table = format!(
        "{{\"kind\":\"Table\",\"metadata\":{{}},\"columnDefinitions\":[{{\"type\":\"string\"}}],\"rows\":[{{\"cells\":[\"s\",\"t\",2],\"object\":{one}}}]}}"
    );
    let pretty = one.replace(",\"", ",\n  \"").replace("\":", "\": ");
    let copied = one.replace(
        "\"name\":\"s\"",
        &format!("\"name\":\"s\",\"annotations\":{{\"a\":\"{{\\\"token\\\":\\\"{TOKEN}\\\"}}\"}}"),
    );
    let odd = one.replace("\"items\"", "\"\\u0069tems\"").replace("\"token\"", "\"to\\u006ben\"");
    for text in [&one, &list, &table, &pretty, &copied, &odd] {
        withheld(Objects::Secrets, false, text, TOKEN);
    }
    let events = format!(
        "{{\"type\":\"ADDED\",\"object\":{one}}}\n{{\"type\":\"MODIFIED\",\"object\":{other}}}\n{{\"type\":\"BOOKMARK\",\"object\":{table}}}\n"
    );
    withheld(Objects::Secrets, true, &events, TOKEN);
    let bootstrap =
        secret_of("bootstrap.kubernetes.io/token", "{\"token-id\":\"YQ==\",\"token-secret\":\"c2hvcnQ=\"}");
    withheld(Objects::Secrets, false, &bootstrap, "c2hvcnQ=");
}

#[test]
fn everything_else_passes_as_it_is() {
    for text in [
        secret_of("Opaque", "{\"token\":\"bWluZQ==\"}"),
        secret_of("kubernetes.io/service-account-token", "null"),
        secret_of("kubernetes.io/service-account-token", "{\"token\":\"\"}"),
        "{\"kind\":\"Status\",\"status\":\"Success\",\"details\":{\"name\":\"s\"}}".to_owned(),
        "{\"kind\":\"PartialObjectMetadataList\",\"items\":[{\"metadata\":{\"name\":\"s\"}}]}".to_owned(),
        "{\"kind\":\"SecretList\",\"items\":null}".to_owned(),
        String::new(),
    ] {
        for size in [1, 1024] {
            assert_eq!(shown(Objects::Secrets, false, &text, size).unwrap(), text);
            assert_eq!(shown(Objects::Certificates, false, &text, size).unwrap(), text);
        }
    }
}

#[test]
fn what_cannot_be_read_exactly_goes_nowhere() {
    let one = token();
    for text in [
        one.replace("\"type\"", "\"kind2\""),
        one.replace("\"type\":", "\"type\":\"Opaque\",\"type\":"),
        one.replace(&format!("\"{TOKEN}\""), "{\"a\":1}"),
        one.replace("\"data\":{", "\"data\":[").replace("},\"type\"", "],\"type\""),
        one.replacen('}', "", 1),
        one.replace("\"kind\"", "\"ki\u{1}nd\""),
        format!("{{\"data\":{{\"token\":\"{TOKEN}\"}},\"items\":[]}}"),
        format!("{{\"items\":[],\"object\":{one}}}"),
        format!("{{\"items\":[],\"rows\":[{one}]}}"),
        format!("[{one}]"),
        "k8s\0\u{a}".to_owned(),
    ] {
        for size in [1, 1024] {
            let said = shown(Objects::Secrets, false, &text, size);
            assert_eq!(said.unwrap_err(), "credentials_not_found", "{text}");
        }
    }
    let mut headers = HeaderMap::new();
    let (mut withholding, mut out) =
        (Withholding { objects: Objects::Secrets, pieces: Pieces::new(false), watches: false }, Vec::new());
    withholding.take(b"{\"data\"", &mut out).unwrap();
    assert!(out.is_empty(), "nothing of an object is shown before all of it was read");
    for (media, encoding, well) in [
        ("application/json", "", true),
        ("application/json;charset=utf-8", "identity", true),
        ("application/json", "gzip", false),
        ("application/vnd.kubernetes.protobuf", "", false),
        ("", "", false),
    ] {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        let begun = withholding.begin(&AnswerHead { status: 200, headers: &headers });
        assert_eq!(begun.is_ok(), well, "{media} {encoding}");
    }
}

#[test]
fn a_certificate_for_a_client_of_the_cluster_is_withheld() {
    let request = |signer: &str| {
        format!(
            "{{\"kind\":\"CertificateSigningRequest\",\"spec\":{{\"request\":\"cmVx\"{signer}}},\"status\":{{\"certificate\":\"{TOKEN}\"}}}}"
        )
    };
    for signer in [
        ",\"signerName\":\"kubernetes.io/kube-apiserver-client\"",
        ",\"signerName\":\"kubernetes.io/kube-apiserver-client-kubelet\"",
        ",\"signerName\":\"kubernetes.io/legacy-unknown\"",
        ",\"signerName\":\"\"",
        "",
    ] {
        withheld(Objects::Certificates, false, &request(signer), TOKEN);
        let list = format!("{{\"items\":[{}]}}", request(signer));
        withheld(Objects::Certificates, false, &list, TOKEN);
    }
    withheld(
        Objects::Certificates,
        false,
        &request("").replace("certificate\"", "certificateChain\""),
        TOKEN,
    );
    for signer in ["kubernetes.io/kubelet-serving", "example.com/mesh"] {
        let text = request(&format!(",\"signerName\":\"{signer}\""));
        assert_eq!(shown(Objects::Certificates, false, &text, 9).unwrap(), text);
    }
}

#[test]
fn an_answer_is_asked_for_in_json_as_it_was_asked_for() {
    let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
    for (asked, kept) in [
        ("application/vnd.kubernetes.protobuf,application/json", "application/json".to_owned()),
        ("application/vnd.kubernetes.protobuf, */*", "application/json".to_owned()),
        ("application/cbor;q=0.9", "application/json".to_owned()),
        ("", "application/json".to_owned()),
        (
            &format!("{table}, application/vnd.kubernetes.protobuf;as=Table, application/json"),
            format!("{table},application/json"),
        ),
    ] {
        let mut headers = HeaderMap::new();
        headers.append(header::ACCEPT, HeaderValue::from_str(asked).unwrap());
        headers.append(header::ACCEPT, HeaderValue::from_static("application/json;as=Other"));
        assert_eq!(accept(&headers), kept, "{asked}");
    }
}

#[test]
fn what_stands_instead_is_not_written_back() {
    assert!(writes_back(token().replace(TOKEN, WRITTEN).as_bytes()));
    assert!(writes_back(&[b"k8s\0".as_slice(), INSTEAD, b"\0"].concat()));
    assert!(!writes_back(token().as_bytes()));
}

#[test]
fn a_patch_that_may_move_a_credential_is_known() {
    let patch = |media: &'static str, method: &str, body: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
        let head = crate::Head {
            method,
            target: "/api/v1/namespaces/n/secrets/s",
            authority: "h",
            headers: &headers,
            way_in: crate::WayIn::Reverse,
            plane: None,
            upstream: None,
        };
        moves(&Request::read(&head).unwrap(), body.as_bytes())
    };
    let json = "application/json-patch+json";
    let op = |op: &str| {
        format!(
            "[{{\"op\":\"test\",\"path\":\"/a\"}},{{\"op\":{op},\"from\":\"/data/token\",\"path\":\"/data/mine\"}}]"
        )
    };
    for told in ["\"move\"", "\"copy\"", "\"m\\u006fve\"", "\"add\",\"op\":\"move\"", "1", ""] {
        assert!(patch(json, "PATCH", &op(told)), "{told}");
        // What the server takes for such a patch, and we do not.
        assert!(patch("application/json-patch+json;a=b", "PATCH", &op(told)), "{told}");
    }
    assert!(patch(json, "PATCH", "{}") && patch(json, "PATCH", "") && patch(json, "PATCH", "[{}]"));
    for told in ["\"add\"", "\"remove\"", "\"replace\""] {
        assert!(!patch(json, "PATCH", &op(told)), "{told}");
    }
    assert!(!patch("application/merge-patch+json", "PATCH", &op("\"move\"")));
    assert!(!patch("application/json", "PUT", "{}") && !patch(json, "DELETE", ""));
}

fn given(watches: bool, text: &[u8], size: usize) -> String {
    let mut withholding = Withholding { objects: Objects::Secrets, pieces: Pieces::new(watches), watches };
    let mut out = Vec::new();
    for chunk in text.chunks(size) {
        if withholding.take(chunk, &mut out).is_err() {
            break;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

proptest! {
    #[test]
    fn no_part_of_an_answer_shows_a_token(
        // Without quotes: what is cut in the middle of a type and closed there is a secret of another type.
        before in "[\\{\\}\\[\\], ]{0,12}", after in "[\\{\\}\\[\\],: a]{0,12}", cut in 0..400_usize,
        text in prop::sample::select(vec![
            format!("{{\"items\":[{}]}}", token()), token(), format!("{{\"object\":{}}}", token()),
        ]),
        watches: bool, size in 1..40_usize,
    ) {
        let mut text = format!("{before}{text}");
        text.truncate(cut);
        text.push_str(&after);
        let shown = given(watches, text.as_bytes(), size);
        prop_assert!(!shown.contains(TOKEN), "{}", shown);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..96), watches: bool) {
        given(watches, &[b"{\"data\":".as_slice(), &bytes].concat(), 7);
    }
}
