//! A form in parts (RFC 7578) that is one file and nothing else.
//!
//! The API takes parameters from such a form too: one that has any could be another request than it looks. Leaves out what
//! the file says.

use ordain_action::Undecodable;

use super::asked::bad;

/// Refuses a form that is anything but one file, in a part called `file`.
///
/// # Errors
/// It is.
pub(super) fn only_a_file(content_type: Option<&str>, body: &[u8]) -> Result<(), Undecodable> {
    let not = || bad("the form is not exactly one part `file`; send its parameters in the query");
    let boundary = content_type
        .and_then(|value| value.split_once("boundary="))
        .map(|(_, boundary)| boundary.trim().trim_matches('"'))
        .filter(|boundary| !boundary.is_empty() && !boundary.contains([';', ' ', '"']))
        .ok_or_else(not)?;
    let divider = format!("--{boundary}");
    let begin = format!("{divider}\r\n");
    let end = format!("\r\n{divider}--");
    let inside = body.strip_suffix(b"\r\n").unwrap_or(body);
    let inside = inside.strip_prefix(begin.as_bytes()).ok_or_else(not)?;
    let inside = inside.strip_suffix(end.as_bytes()).ok_or_else(not)?;
    if memchr::memmem::find(inside, divider.as_bytes()).is_some() {
        return Err(not());
    }
    let head_end = memchr::memmem::find(inside, b"\r\n\r\n").ok_or_else(not)?;
    let head = inside.get(..head_end).and_then(|head| std::str::from_utf8(head).ok()).ok_or_else(not)?;
    let mut is_file = false;
    for line in head.split("\r\n") {
        let (name, value) = line.split_once(':').ok_or_else(not)?;
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-disposition" if !is_file && is_named_file(value) => is_file = true,
            "content-type" | "mime-version" => {}
            _ => return Err(not()),
        }
    }
    if is_file { Ok(()) } else { Err(not()) }
}

/// `form-data; name="file"; filename="…"`, and nothing that could be another name.
fn is_named_file(value: &str) -> bool {
    let mut parts = value.split(';').map(str::trim);
    let is_form = parts.next() == Some("form-data");
    let is_named = parts.next().is_some_and(|name| matches!(name, "name=\"file\"" | "name=file"));
    let plain = |name: &str| name.starts_with("filename=") || name.starts_with("filename*=");
    is_form && is_named && parts.next().is_none_or(plain) && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str) -> bool {
        only_a_file(Some("multipart/form-data; boundary=x"), body.as_bytes()).is_ok()
    }

    #[test]
    fn a_file_is_alone() {
        let file = "Content-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nxyz\r\n";
        assert!(check(&format!("--x\r\n{file}--x--")));
        assert!(check(&format!("--x\r\n{file}--x--\r\n")));
        let field = "Content-Disposition: form-data; name=\"type\"\r\n\r\nop\r\n";
        assert!(!check(&format!("--x\r\n{file}--x\r\n{field}--x--")));
        assert!(!check(&format!("--x\r\n{field}--x--")));
        assert!(!check(&format!("{field}--x\r\n{file}--x--")));
        assert!(!check(&format!("--x\r\n{file}--x--{field}")));
        let twice = "Content-Disposition: form-data; name=\"file\"; name=\"type\"\r\n\r\nxyz\r\n";
        assert!(!check(&format!("--x\r\n{twice}--x--")));
        assert!(only_a_file(Some("multipart/form-data; boundary=x; boundary=y"), b"").is_err());
        assert!(only_a_file(None, b"").is_err());
    }
}
