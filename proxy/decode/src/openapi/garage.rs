//! The API that the cases of this room are requests to, and what its operators say of it.
//!
//! Leaves out the cases, which are text.

use ordain_action::{Access, Level, Role};

use crate::described::method;
use crate::setup::{ApiEffect, ApiMethod, ApiResource, OpenApi};

fn also(access: Access, field: &str, values: &[&str]) -> ApiEffect {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    ApiEffect { access, field: Some(field.to_owned()), values }
}

/// That API.
pub(crate) fn api() -> OpenApi {
    let uses = ApiResource {
        kind: "supplier".to_owned(),
        name: "{supplier.id}".to_owned(),
        all_if: Vec::new(),
        role: Role::Uses,
    };
    let mut part = method("addPart", Access::Create, &[("part", "{car}/{name}")]);
    part.resources.push(uses);
    let mut many = method("deleteCars", Access::Delete, &[("car", "{?ids}")]);
    many.resources.iter_mut().for_each(|resource| resource.all_if = vec!["?force".to_owned()]);
    let methods = vec![
        ApiMethod {
            also: vec![also(Access::Expose, "remote", &["true"]), also(Access::Grant, "owner", &[])],
            secrets: vec!["labels.pin".to_owned(), "@X-Trace".to_owned()],
            ..method("createCar", Access::Create, &[("car", "{name}")])
        },
        many,
        ApiMethod {
            also: vec![also(Access::Grant, "owner", &[])],
            ..method("updateCar", Access::Update, &[("car", "{car}")])
        },
        method("replaceCar", Access::Update, &[]),
        method("DELETE /cars/{car}", Access::Delete, &[]),
        part,
        method("getCarKeys", Access::SecretRead, &[("car", "{car}")]),
        method("putPhoto", Access::Update, &[("car", "{car}")]),
        ApiMethod { stream: true, ..method("openConsole", Access::Execute, &[("car", "{car}")]) },
        method("searchCars", Access::Read, &[]),
        ApiMethod { level: Level::Data, ..method("deleteFile", Access::Delete, &[("file", "{file}")]) },
        ApiMethod { mints: true, ..method("login", Access::SecretRead, &[("user", "{user}")]) },
        method("deleteBatches", Access::Delete, &[("batch", "{ids}")]),
        method("mixBatches", Access::Update, &[]),
        method("useReset", Access::Grant, &[]),
        method("deleteRoute", Access::Delete, &[]),
        method("deleteDomain", Access::Delete, &[("domain", "{domain|domain}")]),
        method("deleteBox", Access::Delete, &[("box", "{box|abbreviated}")]),
    ];
    OpenApi {
        upstream: "garage".to_owned(),
        document: include_bytes!("cases/garage.yaml").to_vec(),
        methods,
        bases: None,
        greedy: vec!["/files/{file+}".to_owned()],
        query: vec!["_".to_owned(), "force".to_owned()],
    }
}
