//! Every request that the clients of Graph build must be read as what the client calls it.
//!
//! The requests are made by `sweep.py`. Leaves out what bodies add, which the room's own cases show.

use ordain_action::Plane;
use serde::Deserialize;

use crate::planes::sweeps::{self, Decoded, Reader, ensure};

/// What `sweep.py` says of a request.
#[derive(Deserialize)]
struct Expected {
    id: String,
    method: String,
    /// The names that the client was walked through, without underscores; those of a batch line by line.
    expect: String,
    /// `read`, `change`, `may_read` where the description says that it looks, `refused`, or `batch`.
    hint: String,
    /// An id that has to be in a resource's name.
    name: String,
}

/// Whether an operation is what the client calls it, where verbs are left out that only things have.
fn is_called(operation: &str, expected: &Expected) -> bool {
    let verbs: &[&str] = match expected.method.as_str() {
        "GET" => &["/get", "/list"],
        "POST" => &["/create"],
        "PATCH" => &["/update"],
        "PUT" => &["/put"],
        _ => &["/delete"],
    };
    let wanted = expected.expect.to_lowercase();
    let bare = verbs.iter().find_map(|verb| operation.strip_suffix(verb));
    // What is called has no verb; what it is given by default stands in the client's name for it.
    let given = wanted
        .strip_prefix(&plain(operation))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("with"));
    bare.is_some_and(|bare| plain(bare) == wanted) || given
}

/// A name as the client's names are compared: what is a value of OData's is a content there.
fn plain(name: &str) -> String {
    let name = name.to_lowercase().replace("$value", "content").replace("microsoft", "");
    name.replace(['$', '_', '.'], "")
}

fn check(expected: &Expected, decoded: &Decoded) -> Result<(), String> {
    // The clients reach whoever the credential is in another way as well.
    let own = expected.hint == "change" && expected.id.contains(".education.me.");
    if decoded.is_refused("own_account") && (own || matches!(expected.hint.as_str(), "refused" | "may_read"))
    {
        return Ok(());
    }
    decoded.first()?;
    if expected.hint == "batch" {
        return batch(expected, decoded);
    }
    let mut called = decoded.effects.iter().map(|effect| effect.operation.as_str());
    if let Some(other) = called.find(|one| !is_called(one, expected)) {
        return Err(format!("read as {other}"));
    }
    match expected.hint.as_str() {
        "read" if decoded.accesses() == ["secret_read"] => {}
        "refused" => return Err("a change of whoever the gate is was read".to_owned()),
        "may_read" => {}
        hint => decoded.fits(hint)?,
    }
    let named = decoded.resources().any(|one| one.pattern || one.name.contains(&expected.name));
    ensure(named, || format!("`{}` is not named", expected.name))
}

/// The requests of a batch, each by its own name, in their order.
fn batch(expected: &Expected, decoded: &Decoded) -> Result<(), String> {
    let mut effects = decoded.effects.iter().peekable();
    for wanted in expected.expect.to_lowercase().lines() {
        let mut seen = false;
        while let Some(effect) = effects.peek() {
            let operation = plain(&effect.operation);
            let verb = operation.strip_prefix(wanted).unwrap_or("?");
            if !matches!(verb, "" | "/get" | "/list" | "/create" | "/update" | "/put" | "/delete") {
                break;
            }
            seen = true;
            effects.next();
        }
        // Two in a row of one name are taken for one.
        if !seen && !expected.expect.to_lowercase().matches(wanted).count().gt(&1) {
            return Err(format!("`{wanted}` is not read where it stands"));
        }
    }
    let more = effects.peek().map(|effect| format!("`{}` is read and was not asked for", effect.operation));
    more.map_or(Ok(()), Err)
}

#[test]
fn the_sweep_of_the_python_clients() {
    let mut read_by_post = 0;
    let reader = Reader::new(Plane::Graph, "acme");
    let swept = reader.sweep(sweeps::requests(Plane::Graph), |expected: &Expected, decoded| {
        read_by_post += usize::from(expected.method == "POST" && decoded.is_read());
        check(expected, decoded)
    });
    eprintln!("{read_by_post} POSTs that look");
    swept.holds(46_000);
}
