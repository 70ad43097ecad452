//! What must hold of any bytes at all, whatever the rooms make of them.
//!
//! Leaves out cases, which are files of each room.

use proptest::prelude::*;

use super::*;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,40}",
        "/[a-zA-Z0-9_%./?=&-]{0,40}",
        Just("/service/GraniteServiceVersion20100801/operation/DeleteAlarms".to_owned()),
        Just("/?Action=TerminateInstances&Version=2016-11-15&InstanceId.1=i-1".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_request_to_a_cluster_panics(
        method in prop_oneof![Just("GET"), Just("POST"), Just("PUT"), Just("PATCH"), Just("DELETE"), Just("HEAD")],
        path in prop_oneof!["/api/v1/[a-z/%.:*]{0,24}", "/apis/[a-z/.]{0,24}", "/api/v1/namespaces/[a-z]{1,3}/(pods|secrets|services)(/[a-z%2F]{1,6}){0,3}"],
        query in "[a-zA-Z=&%+;]{0,16}",
        media in prop_oneof![Just("application/json"), Just("application/yaml"), Just("application/cbor"), Just("application/vnd.kubernetes.protobuf"), Just("application/json-patch+json"), Just("application/apply-patch+yaml")],
        body in prop_oneof![prop::collection::vec(any::<u8>(), 0..64), text().prop_map(String::into_bytes), "[{\\[]\"(metadata|op|path)\":.{0,24}".prop_map(String::into_bytes)],
    ) {
        static ROOMS: std::sync::OnceLock<Rooms> = std::sync::OnceLock::new();
        let rooms = ROOMS.get_or_init(rooms);
        let mut headers = http::HeaderMap::new();
        headers.insert("content-type", media.parse().unwrap());
        let parsed = Parsed { method: method.to_owned(), target: format!("{path}?{query}"), host: "gate".to_owned(), headers, body, cluster: Some("prod".to_owned()), api: None, place: None };
        let shown = show(rooms, &parsed);
        prop_assert!(!shown.is_empty());
    }

    #[test]
    fn no_head_or_body_panics(
        method in prop_oneof![Just("GET"), Just("POST"), Just("PUT"), Just("DELETE"), Just("HEAD"), Just("BREW")],
        target in text(),
        host in prop_oneof![Just("gate.internal"), Just("ec2.eu-west-1.amazonaws.com"), Just("b.s3.amazonaws.com"), Just("x.vpce-1.s3.eu-west-1.vpce.amazonaws.com"), Just("")],
        service in prop_oneof![Just("ec2"), Just("s3"), Just("dynamodb"), Just("lambda"), Just("cloudwatch"), Just("monitoring"), Just("rds")],
        amz_target in prop::option::of("[ -~]{0,24}"),
        body in prop_oneof![prop::collection::vec(any::<u8>(), 0..128), text().prop_map(String::into_bytes)],
        form in any::<bool>(),
    ) {
        static ROOMS: std::sync::OnceLock<Rooms> = std::sync::OnceLock::new();
        let rooms = ROOMS.get_or_init(rooms);
        let mut headers = http::HeaderMap::new();
        let scope = format!("AWS4-HMAC-SHA256 Credential=A/20260101/eu-west-1/{service}/aws4_request, Signature=0");
        headers.insert("authorization", scope.parse().unwrap());
        if let Some(target) = amz_target {
            headers.insert("x-amz-target", target.parse().unwrap());
        }
        if form {
            headers.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
        }
        let parsed = Parsed { method: method.to_owned(), target, host: host.to_owned(), headers, body, cluster: None, api: None, place: None };
        let shown = show(rooms, &parsed);
        prop_assert!(!shown.is_empty());
    }
}
