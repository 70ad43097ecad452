//! Requests with more in them than is kept: what was not looked at is never taken for nothing.
//!
//! Leaves out AWS, whose lists have limits of their own.

use super::*;

fn says(request_text: &str) -> String {
    let shown = show(&rooms(), &request(request_text));
    shown.lines().next().unwrap_or_default().split(':').next().unwrap_or_default().to_owned()
}

/// JSON with that many members, which are no operation's.
fn members(count: usize) -> String {
    (0..count).map(|at| format!("\"a{at}\":1")).collect::<Vec<_>>().join(",")
}

#[test]
fn what_is_not_read_in_full_is_no_read() {
    let graphql = |count: usize| {
        format!(
            "POST /graphql\nplane: github acme\ncontent-type: application/json\n\n\
             {{\"query\":\"{{ viewer {{ login }} }}\",\"variables\":{{{}}}}}",
            members(count)
        )
    };
    assert_eq!(says(&graphql(1_000)), "needs body, goes to api.github.com as /");
    assert_eq!(says(&graphql(5_000)), "undecodable too_many_parameters");
    let search = |count: usize| {
        format!(
            "POST /api/v1/cars/search\nplane: openapi garage\ncontent-type: application/json\n\n{{{}}}",
            members(count)
        )
    };
    assert_eq!(says(&search(1_000)), "needs body, goes to cars");
    assert_eq!(says(&search(5_000)), "undecodable too_many_parameters");
}

#[test]
fn what_people_write_to_each_other_is_read_in_full_too() {
    let issue = |count: usize| {
        format!(
            "POST /repos/acme/web/issues\nplane: github acme\ncontent-type: application/json\n\n\
             {{\"title\":\"x\",{}}}",
            members(count)
        )
    };
    assert_eq!(says(&issue(1_000)), "needs body, goes to api.github.com as /");
    assert_eq!(says(&issue(5_000)), "undecodable too_many_parameters");
}

#[test]
fn what_google_is_asked_for_at_once_has_a_limit() {
    let asked = |count: usize| {
        let names: Vec<String> = (0..count)
            .map(|at| format!("assetNames=//compute.googleapis.com/projects/shop/zones/z/disks/d{at}"))
            .collect();
        format!(
            "GET /v1beta1/projects/shop:batchGetAssetsHistory?{}\nhost: cloudasset.googleapis.com",
            names.join("&")
        )
    };
    assert_eq!(says(&asked(1_000)), "needs nothing, goes to cloudasset.googleapis.com as /");
    assert_eq!(says(&asked(16_384)), "undecodable too_many_resources");
    let disks = |count: usize, from: usize| {
        let names: Vec<String> =
            (from..from + count).map(|at| format!("\"zones/z/instances/i{at}\"")).collect();
        format!("{{\"items\":[{}]}}", names.join(","))
    };
    let batch = |parts: usize| {
        let part = |at: usize| {
            format!(
                "--x\nContent-Type: application/http\n\n\
                 POST /compute/v1/projects/shop/zones/z/instances HTTP/1.1\n\
                 Content-Type: application/json\n\n{}\n",
                disks(1_000, at * 1_000)
            )
        };
        let parts: String = (0..parts).map(part).collect();
        format!(
            "POST /batch/compute/v1\nhost: compute.googleapis.com\n\
             content-type: multipart/mixed; boundary=x\n\n{parts}--x--"
        )
    };
    assert_eq!(says(&batch(10)), "needs body, goes to compute.googleapis.com as /");
    assert_eq!(says(&batch(20)), "undecodable too_many_resources");
}
