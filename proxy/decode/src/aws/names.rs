//! One name for one resource, in whichever of the provider's spellings it came.
//!
//! Leaves out S3's own addressing (`objects.rs`), what only the estate can complete (the judge), and Systems
//! Manager's targets (`fleet.rs`).

use std::sync::Arc;

use ordain_action::{Effect, Identifier, NameBasis, Resource, Role};
use ordain_catalog::Operation;

use super::authority::is_key_id;
use super::bind::is_arn;
use super::fleet;
use super::resource::Place;

/// What stands for the characters that the provider puts behind a secret's name.
const SECRET_END: &str = "-??????";

/// The cluster that ECS takes where none is named.
const DEFAULT_CLUSTER: &str = "default";

/// Gives every resource of an effect the name that its provider knows it by.
pub(super) fn canonical(effect: &mut Effect, operation: &Operation, place: &Place<'_>) {
    let service = Arc::clone(&effect.service);
    match &*service {
        // Keys are their own, spaces and all.
        "s3" => return,
        "ecs" => clusters(effect, operation, place),
        "ecr" => registries(effect, place),
        "autoscaling" => subnets(effect),
        "secretsmanager" => many_secrets(effect, place),
        _ => {}
    }
    for resource in &mut effect.resources {
        padded(resource);
        tagged(resource);
        match resource.kind.split_once(':').map_or("", |(prefix, _)| prefix) {
            "lambda" => functions(resource, place),
            "secretsmanager" => secrets(resource),
            "route53" => zones(resource),
            "kms" => keys(resource),
            "logs" => log_groups(resource),
            "rds" | "redshift" => databases(resource),
            "elasticloadbalancing" => kind_of_arn(resource),
            "cloudformation" => stack_sets(resource),
            "ec2" => made(resource),
            "ssm" => fleet::parameter(resource),
            _ => {}
        }
    }
}

fn set(resource: &mut Resource, name: String, basis: NameBasis) {
    resource.name = name;
    resource.basis = basis;
}

/// A blank at the edge of an identifier is cut by one service and kept by another: it names nothing for certain.
fn padded(resource: &mut Resource) {
    let padded = |identifier: &Identifier| identifier.value.trim() != identifier.value;
    if resource.identifiers.iter().any(padded) {
        set(resource, String::new(), NameBasis::Unnamed);
    }
}

/// What a tag is put on is of the service that its ARN names.
fn tagged(resource: &mut Resource) {
    if &*resource.kind != "tag:resource" {
        return;
    }
    let kind = match resource.name.split(':').nth(2) {
        Some("lambda") => "lambda:function".to_owned(),
        Some("logs") => "logs:log-group".to_owned(),
        Some(service) if !service.is_empty() => format!("{service}:resource"),
        Some(_) | None => return,
    };
    resource.kind = Arc::from(kind);
}

/// Lambda takes a name, a part of an ARN or a whole one, each with a version or an alias behind it.
fn functions(resource: &mut Resource, place: &Place<'_>) {
    if &*resource.kind != "lambda:function" {
        return;
    }
    let Some(value) = resource.identifiers.last().map(|identifier| identifier.value.as_str()) else { return };
    let parts: Vec<&str> = value.split(':').collect();
    let (mut partition, mut region, mut account) = (place.partition, place.region, place.account);
    let mut rest = parts.as_slice();
    let whole = matches!(rest, ["arn", ..]);
    if let ["arn", named, "lambda", tail @ ..] = rest {
        (partition, rest) = (named, tail);
    }
    if let [named, tail @ ..] = rest
        && is_region(named)
        && !tail.is_empty()
    {
        (region, rest) = (named, tail);
    }
    if let [named, tail @ ..] = rest
        && is_account(named)
        && !tail.is_empty()
    {
        (account, rest) = (named, tail);
    }
    match rest {
        ["function", tail @ ..] if !tail.is_empty() => rest = tail,
        // An event source mapping or a layer: named by its ARN as it stands.
        _ if whole => return,
        _ => {}
    }
    let name = match rest {
        [name] | [name, _] if is_plain(name) => *name,
        _ => return set(resource, String::new(), NameBasis::Unnamed),
    };
    let name = format!("arn:{partition}:lambda:{region}:{account}:function:{name}");
    let basis = if whole { NameBasis::Carried } else { NameBasis::Reviewed };
    set(resource, name, basis);
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_region(text: &str) -> bool {
    let mut parts = text.split('-');
    parts.next().is_some_and(|first| first.len() == 2 && first.bytes().all(|byte| byte.is_ascii_lowercase()))
        && parts
            .next_back()
            .is_some_and(|last| last.len() == 1 && last.bytes().all(|byte| byte.is_ascii_digit()))
        && parts.next().is_some()
}

fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// An ARN without the characters that the provider puts behind the name finds the secret all the same.
fn secrets(resource: &mut Resource) {
    if resource.basis != NameBasis::Carried || !resource.name.contains(":secret:") {
        return;
    }
    let ends = resource
        .name
        .rsplit_once('-')
        .is_some_and(|(_, end)| end.len() == 6 && end.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    if !ends {
        resource.name.push_str(SECRET_END);
        resource.pattern = true;
    }
}

/// A batch by filters reads whatever fits them: any secret may.
fn many_secrets(effect: &mut Effect, place: &Place<'_>) {
    if &*effect.operation != "BatchGetSecretValue" {
        return;
    }
    let filtered = effect.parameters.iter().any(|leaf| leaf.path.starts_with("Filters"));
    if filtered || effect.resources.is_empty() {
        effect.resources.push(Resource {
            role: Role::Target,
            kind: Arc::from("secretsmanager:Secret"),
            name: place.arn("secretsmanager", "secret:*"),
            basis: NameBasis::Reviewed,
            pattern: true,
            identifiers: vec![Identifier { name: Arc::from("Filters"), value: "*".to_owned() }],
        });
    }
}

/// Answers give zones as `/hostedzone/Z1`, and requests may give them back so.
fn zones(resource: &mut Resource) {
    for word in ["hostedzone", "healthcheck", "delegationset"] {
        let twice = [format!(":::{word}//{word}/"), format!(":::{word}/{word}/")];
        for doubled in &twice {
            resource.name = resource.name.replacen(doubled.as_str(), &format!(":::{word}/"), 1);
        }
    }
}

/// A key's id is the same in any case.
fn keys(resource: &mut Resource) {
    if let Some((before, id)) = resource.name.rsplit_once(":key/")
        && is_key_id(id)
    {
        resource.name = format!("{before}:key/{}", id.to_ascii_lowercase());
    }
}

/// A group's ARN may end in a star that stands for its streams.
fn log_groups(resource: &mut Resource) {
    if &*resource.kind == "logs:log-group" && resource.basis == NameBasis::Carried {
        if let Some(group) = resource.name.strip_suffix(":*") {
            resource.name = group.to_owned();
        }
        resource.pattern = resource.name.contains('*');
    }
}

/// These keep every identifier in lower case and take it in any: `PAY-1` is `pay-1`, and has its owner.
fn databases(resource: &mut Resource) {
    lower_case(resource, ":rds:");
    lower_case(resource, ":redshift:");
    kind_of_arn(resource);
}

fn lower_case(resource: &mut Resource, service: &str) {
    if resource.name.contains(service) {
        resource.name = resource.name.to_ascii_lowercase();
    }
}

/// An identifier that EC2 made is hexadecimal: `i-0A` is `i-0a`. Names that people gave keep their case.
fn made(resource: &mut Resource) {
    let Some((before, id)) = resource.name.rsplit_once('/') else { return };
    let hexadecimal = id.rsplit_once('-').is_some_and(|(_, digits)| {
        matches!(digits.len(), 8 | 17) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    if hexadecimal {
        resource.name = format!("{before}/{}", id.to_ascii_lowercase());
    }
}

/// An ARN says of which type it is, where a member takes several.
fn kind_of_arn(resource: &mut Resource) {
    if resource.basis != NameBasis::Carried {
        return;
    }
    let mut parts = resource.name.splitn(6, ':');
    let service = parts.nth(2).unwrap_or_default();
    let own = parts.nth(2).unwrap_or_default();
    let word = own.split([':', '/']).next().unwrap_or_default();
    let word = match word {
        "db-proxy" => "proxy",
        "db-proxy-endpoint" => "proxy-endpoint",
        word => word,
    };
    let known = matches!(service, "rds" | "redshift" | "elasticloadbalancing");
    if known && !word.is_empty() && word.len() < own.len() {
        resource.kind = Arc::from(format!("{service}:{word}"));
    }
}

/// A stack set is named with or without the id behind its name.
fn stack_sets(resource: &mut Resource) {
    let id = |identifier: &Identifier| !is_arn(&identifier.value) && identifier.value.contains(':');
    if &*resource.kind == "cloudformation:stackset" && resource.identifiers.iter().any(id) {
        if let Some(whole) = resource.name.strip_suffix(":*") {
            resource.name = whole.to_owned();
        }
        resource.pattern = resource.name.contains('*');
    }
}

/// A group's subnets come as one text.
fn subnets(effect: &mut Effect) {
    let mut all = Vec::with_capacity(effect.resources.len());
    for resource in std::mem::take(&mut effect.resources) {
        let lists = &*resource.kind == "ec2:subnet" && resource.name.contains(',');
        let Some((before, ids)) = resource.name.rsplit_once('/').filter(|_| lists) else {
            all.push(resource);
            continue;
        };
        for id in ids.split(',').map(str::trim).filter(|id| !id.is_empty()) {
            let member = resource
                .identifiers
                .first()
                .map_or_else(|| Arc::from("SubnetId"), |one| Arc::clone(&one.name));
            all.push(Resource {
                name: format!("{before}/{id}"),
                identifiers: vec![Identifier { name: member, value: id.to_owned() }],
                ..resource.clone()
            });
        }
    }
    effect.resources = all;
}

/// A repository lies in the registry that is named beside it: an account, and not always the caller's.
fn registries(effect: &mut Effect, place: &Place<'_>) {
    let Some(registry) = effect.parameters.text("registryId").map(str::to_owned) else { return };
    for resource in effect.resources.iter_mut().filter(|one| &*one.kind == "ecr:repository") {
        if resource.basis == NameBasis::Carried {
            continue;
        }
        let own = resource.identifiers.last().filter(|_| is_account(&registry));
        match own.map(|identifier| identifier.value.clone()) {
            Some(name) => {
                let there = Place { account: &registry, ..*place };
                set(resource, there.arn("ecr", &format!("repository/{name}")), NameBasis::Reviewed);
            }
            None => set(resource, String::new(), NameBasis::Unnamed),
        }
    }
}

/// Where ECS looks for what a request names: the partition, region and account, and the cluster's name.
struct Cluster {
    /// `arn:aws:ecs:eu-west-1:123456789012`
    place: String,
    name: String,
}

impl Cluster {
    fn of(named: Option<&str>, place: &Place<'_>) -> Self {
        let own = place.arn("ecs", "");
        let own = own.trim_end_matches(':').to_owned();
        match named {
            Some(arn) if is_arn(arn) => match arn.split_once(":cluster/") {
                Some((place, name)) => Self { place: place.to_owned(), name: name.to_owned() },
                None => Self { place: own, name: String::new() },
            },
            Some(name) if !name.is_empty() => Self { place: own, name: name.to_owned() },
            Some(_) | None => Self { place: own, name: DEFAULT_CLUSTER.to_owned() },
        }
    }

    fn arn(&self, own: &str) -> String {
        format!("{}:{own}", self.place)
    }
}

/// Services, tasks and instances are named with their cluster, whether the request gives it or not.
fn clusters(effect: &mut Effect, operation: &Operation, place: &Place<'_>) {
    let named = effect.parameters.text("cluster").map(str::to_owned);
    let cluster = Cluster::of(named.as_deref(), place);
    for resource in &mut effect.resources {
        match &*resource.kind {
            "ecs:service" => in_cluster(resource, "service", &cluster),
            "ecs:task" => in_cluster(resource, "task", &cluster),
            "ecs:container-instance" => in_cluster(resource, "container-instance", &cluster),
            "ecs:task-definition" => latest_revision(resource),
            _ => {}
        }
    }
    if named.is_none_or(|name| name.is_empty()) {
        default_cluster(effect, operation, &cluster);
    }
}

fn in_cluster(resource: &mut Resource, word: &str, cluster: &Cluster) {
    let Some(own) = resource.identifiers.last().filter(|one| &*one.name != "cluster") else { return };
    if cluster.name.is_empty() {
        return set(resource, String::new(), NameBasis::Unnamed);
    }
    let (basis, name) = if is_arn(&own.value) {
        let Some((place, name)) = own.value.split_once(&format!(":{word}/")) else { return };
        let name = match name.contains('/') {
            // The shorter form of older accounts leaves the cluster out.
            true => own.value.clone(),
            false => format!("{place}:{word}/{}/{name}", cluster.name),
        };
        (NameBasis::Carried, name)
    } else if own.value.contains('/') {
        return set(resource, String::new(), NameBasis::Unnamed);
    } else {
        (NameBasis::Reviewed, cluster.arn(&format!("{word}/{}/{}", cluster.name, own.value)))
    };
    set(resource, name, basis);
}

/// A family without a revision stands for its latest, which the request does not know.
fn latest_revision(resource: &mut Resource) {
    let without = resource
        .name
        .rsplit_once(":task-definition/")
        .is_some_and(|(_, own)| !own.is_empty() && !own.contains(':'));
    if without {
        resource.name.push_str(":*");
        resource.pattern = true;
    }
}

/// An operation on a cluster that names none is one on the default.
fn default_cluster(effect: &mut Effect, operation: &Operation, cluster: &Cluster) {
    let binding = operation.bindings.iter().find(|binding| {
        &*binding.kind == "ecs:cluster"
            && binding.role != Role::Uses
            && binding.members.iter().all(|member| &*member.name == "cluster")
    });
    let Some(binding) = binding else { return };
    effect.resources.push(Resource {
        role: binding.role,
        kind: Arc::from("ecs:cluster"),
        name: cluster.arn(&format!("cluster/{}", cluster.name)),
        basis: NameBasis::Reviewed,
        pattern: false,
        identifiers: vec![Identifier { name: Arc::from("cluster"), value: cluster.name.clone() }],
    });
}
