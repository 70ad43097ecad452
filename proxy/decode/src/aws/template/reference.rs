//! Secrets and parameters that values of a template are read from when the stack is made: reads of their own.
//!
//! Leaves out what becomes of what is read.

use std::collections::BTreeSet;
use std::sync::Arc;

use ordain_action::{Access, Effect, Identifier, Level, NameBasis, Resource, Role, Scalar, Undecodable};

use super::made::parameters;
use crate::aws::bind::is_arn;
use crate::aws::resource::Place;

/// Parameters that the provider keeps for everybody.
const PUBLIC: &str = "/aws/service/";

/// What texts with references in them, and parameters named by values, read.
pub(super) fn read(
    texts: &[String],
    parameters: &[String],
    place: &Place<'_>,
) -> Result<Vec<Effect>, Undecodable> {
    let mut secrets: BTreeSet<String> = BTreeSet::new();
    let mut names: BTreeSet<String> = parameters.iter().cloned().collect();
    for text in texts {
        for reference in text.split("{{resolve:").skip(1) {
            let whole = reference.split("}}").next().unwrap_or(reference);
            match whole.split_once(':') {
                Some(("secretsmanager", rest)) => {
                    secrets.insert(first(rest));
                }
                Some(("ssm" | "ssm-secure", rest)) => {
                    names.insert(first(rest));
                }
                // Whatever else may be referred to is read as a secret that nobody named.
                _ => {
                    secrets.insert(String::new());
                }
            }
        }
    }
    let mut effects = Vec::new();
    for name in secrets {
        effects.push(effect("secretsmanager", "GetSecretValue", "SecretId", &name, place)?);
    }
    for name in names.into_iter().filter(|name| !name.starts_with(PUBLIC)) {
        effects.push(effect("ssm", "GetParameters", "Names", &name, place)?);
    }
    Ok(effects)
}

/// A name, or a whole ARN, before what says which part and which version is meant.
fn first(rest: &str) -> String {
    let parts = if rest.starts_with("arn:") { 7 } else { 1 };
    rest.split(':').take(parts).collect::<Vec<_>>().join(":")
}

fn effect(
    service: &str,
    operation: &str,
    member: &str,
    name: &str,
    place: &Place<'_>,
) -> Result<Effect, Undecodable> {
    let secret = service == "secretsmanager";
    let known = !name.is_empty() && !name.contains(['$', '{', '}', '"', '\\']);
    let (arn, basis) = match (known, secret) {
        (true, _) if is_arn(name) => (name.to_owned(), NameBasis::Carried),
        (true, true) => (place.arn(service, &format!("secret:{name}-??????")), NameBasis::Reviewed),
        (true, false) => {
            (place.arn(service, &format!("parameter/{}", name.trim_start_matches('/'))), NameBasis::Reviewed)
        }
        (false, _) => (String::new(), NameBasis::Unnamed),
    };
    let value = if known { name.to_owned() } else { format!("<{name}>") };
    let resource = Resource {
        role: Role::Target,
        kind: Arc::from(if secret { "secretsmanager:Secret" } else { "ssm:parameter" }),
        pattern: arn.contains(['*', '?']),
        name: arn,
        basis,
        identifiers: vec![Identifier { name: Arc::from(member), value }],
    };
    Ok(Effect {
        service: Arc::from(service),
        operation: Arc::from(operation),
        iam_action: Arc::from(format!("{service}:{operation}")),
        access: Access::SecretRead,
        level: Level::Control,
        resources: vec![resource],
        parameters: parameters([(member, Scalar::Text(name))].into_iter())?,
    })
}
