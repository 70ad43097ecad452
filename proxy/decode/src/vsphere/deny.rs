//! A refusal in the plane's own words: a fault of vim25, or an error of the Automation API.
//!
//! Leaves out the text, which the judge gives.

use ordain_action::{Denial, DenialKind};
use serde_json::json;

use crate::contract::NativeResponse;
use crate::form::xml;
use crate::rest;

/// A fault. Clients of vim25 read faults in answers of status 500 and no others, but for what is to be tried again.
pub(super) fn soap(denial: &Denial) -> NativeResponse {
    let (status, fault, members) = match denial.kind {
        DenialKind::Forbidden | DenialKind::Unrecordable => (500, "NoPermission", true),
        DenialKind::Unauthenticated => (500, "NotAuthenticated", true),
        DenialKind::Malformed
        | DenialKind::Misdirected
        | DenialKind::TooLarge
        | DenialKind::Encoding
        | DenialKind::Expectation => (500, "InvalidRequest", false),
        DenialKind::ProxyUnauthenticated
        | DenialKind::Timeout
        | DenialKind::Busy
        | DenialKind::Throttled
        | DenialKind::BadGateway
        | DenialKind::GatewayTimeout => (denial.kind.status(), "HostCommunication", false),
    };
    // The root folder: a fault names one object and one privilege, and the sentence says which it was.
    let members = if members {
        format!(
            "<object type=\"Folder\">group-d1</object><privilegeId>{}</privilegeId>",
            xml::escape(denial.reason_code.as_str())
        )
    } else {
        String::new()
    };
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body><soapenv:Fault>\
         <faultcode>ServerFaultCode</faultcode><faultstring>{}</faultstring><detail>\
         <{fault}Fault xmlns=\"urn:vim25\" xsi:type=\"{fault}\">{members}</{fault}Fault></detail>\
         </soapenv:Fault></soapenv:Body></soapenv:Envelope>",
        xml::escape(&denial.text)
    );
    rest::refusal(status, "text/xml; charset=utf-8", body.into_bytes(), denial)
}

/// An error of the Automation API; the older of its two ways has another form.
pub(super) fn automation(denial: &Denial, is_legacy: bool) -> NativeResponse {
    let status = denial.kind.status();
    let kind = match denial.kind {
        DenialKind::Forbidden | DenialKind::Unrecordable => "UNAUTHORIZED",
        DenialKind::Unauthenticated | DenialKind::ProxyUnauthenticated => "UNAUTHENTICATED",
        DenialKind::Malformed
        | DenialKind::Misdirected
        | DenialKind::TooLarge
        | DenialKind::Encoding
        | DenialKind::Expectation => "INVALID_REQUEST",
        DenialKind::Busy | DenialKind::Throttled | DenialKind::BadGateway => "SERVICE_UNAVAILABLE",
        DenialKind::Timeout | DenialKind::GatewayTimeout => "TIMED_OUT",
    };
    let id = format!("ordain.{}", denial.reason_code.as_str());
    let messages = json!([{ "id": id, "default_message": denial.text, "args": [] }]);
    let error = if is_legacy {
        let kind = format!("com.vmware.vapi.std.errors.{}", kind.to_ascii_lowercase());
        json!({ "type": kind, "value": { "messages": messages } })
    } else {
        json!({ "error_type": kind, "messages": messages })
    };
    rest::refusal(status, "application/json", error.to_string().into_bytes(), denial)
}
