//! How the room says no, and what it reads of answers.
//!
//! Leaves out requests, which the cases have.

use http::HeaderMap;
use ordain_action::{Access, DenialKind, ReasonCode};

use super::*;

fn denial(kind: DenialKind) -> Denial {
    Denial {
        kind,
        reason_code: ReasonCode::new("not_owned").unwrap(),
        text: "alice may not <a> & more".to_owned(),
        decision: None,
    }
}

#[test]
fn a_refusal_is_a_fault_or_an_error() {
    let soap = Vsphere.deny(Some(&Asked::Soap), &denial(DenialKind::Forbidden));
    assert_eq!(soap.status, 500);
    expect_test::expect![[r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>alice may not &lt;a&gt; &amp; more</faultstring><detail><NoPermissionFault xmlns="urn:vim25" xsi:type="NoPermission"><object type="Folder">group-d1</object><privilegeId>not_owned</privilegeId></NoPermissionFault></detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>"#]]
    .assert_eq(std::str::from_utf8(&soap.body).unwrap());
    assert_eq!(fault(&soap.body).as_deref(), Some("NoPermission"));
    let api = deny::automation(&denial(DenialKind::Forbidden), false);
    let legacy = deny::automation(&denial(DenialKind::Unauthenticated), true);
    assert_eq!((api.status, legacy.status), (403, 403));
    expect_test::expect![[r#"
        {"error_type":"UNAUTHORIZED","messages":[{"id":"ordain.not_owned","default_message":"alice may not <a> & more","args":[]}]}
        {"type":"com.vmware.vapi.std.errors.unauthenticated","value":{"messages":[{"id":"ordain.not_owned","default_message":"alice may not <a> & more","args":[]}]}}
    "#]]
    .assert_eq(&format!(
        "{}\n{}\n",
        String::from_utf8(api.body).unwrap(),
        String::from_utf8(legacy.body).unwrap()
    ));
}

#[test]
fn an_answer_says_how_a_call_went() {
    let headers = HeaderMap::new();
    let read = |status, body: &str| {
        let read = Vsphere.read_answer(&AnswerHead { status, headers: &headers }, body.as_bytes());
        (read.error_code, read.status)
    };
    let code = |text: &str| Some(text.to_owned());
    assert_eq!(read(200, "<a/>"), (None, None));
    let body = "<Envelope><Body><Fault><detail><InvalidStateFault/></detail></Fault></Body></Envelope>";
    assert_eq!(read(500, body), (code("InvalidState"), None));
    let body = body.replace("InvalidState", "NoPermission");
    assert_eq!(read(500, &body), (code("NoPermission"), Some(403)));
    assert_eq!(read(403, "{\"error_type\":\"UNAUTHORIZED\"}"), (code("UNAUTHORIZED"), None));
    assert_eq!(read(404, "{\"type\":\"com.vmware.vapi.std.errors.not_found\"}"), (code("not_found"), None));
}

#[test]
fn what_is_given_back_is_what_is_new() {
    let body = "<Envelope><Body><CreateFolderResponse xmlns=\"urn:vim25\"><returnval type=\"Folder\">group-v9</returnval>\
                </CreateFolderResponse></Body></Envelope>";
    assert_eq!(returned(body.as_bytes()), Some(("Folder".to_owned(), "group-v9".to_owned())));
}

#[test]
fn nothing_but_a_look_is_a_read() {
    let looks = ["System.Anonymous", "System.View", "System.Read"];
    let mut beside = 0;
    for method in ordain_catalog::vim().methods() {
        let reads = method.access.contains(&Access::Read);
        assert!(!reads || method.access.len() == 1 && !method.mints, "{}", method.name);
        beside += usize::from(reads && !method.privilege.is_some_and(|privilege| looks.contains(&privilege)));
        let ends = [
            "Destroy_Task",
            "Delete",
            "Remove",
            "PowerO",
            "Terminate",
            "ReconfigVM",
            "Set",
            "Update",
            "Login",
        ];
        assert!(
            !reads
                || !ends.iter().any(|begin| method.name.starts_with(begin))
                || method.name == "SetCollectorPageSize",
            "{}",
            method.name
        );
    }
    // Those that are reviewed one by one.
    assert!(beside < 90, "{beside}");
    for operation in ordain_catalog::automation().iter() {
        let reads = operation.access.contains(&Access::Read);
        assert!(!reads || operation.access.len() == 1 && !operation.mints, "{}", operation.name);
        assert!(!reads || matches!(operation.method, "GET" | "POST"), "{}", operation.name);
    }
}
