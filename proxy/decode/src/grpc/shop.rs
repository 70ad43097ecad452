//! The API that the cases of this room are calls to, and messages of it.
//!
//! Leaves out the cases, which are text.

use ordain_action::{Access, Level, Role};
use prost_reflect::prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage};

use crate::{ApiMethod, ApiResource, GrpcApi};

/// The descriptors of the API of gRPC that cases are calls to.
fn descriptors() -> Vec<u8> {
    static MADE: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| {
        let from = concat!(env!("CARGO_MANIFEST_DIR"), "/src/grpc/cases");
        let mut compiler = protox::Compiler::new([from]).unwrap();
        compiler.include_imports(true).open_file("shop.proto").unwrap();
        compiler.encode_file_descriptor_set()
    });
    MADE.clone()
}

/// One message of gRPC, as `TYPE { … }` has it.
pub(crate) fn framed(text: &str) -> Vec<u8> {
    let (name, rest) = text.split_once(' ').unwrap();
    let own = || DescriptorPool::decode(descriptors().as_slice()).unwrap().get_message_by_name(name);
    let of = if name.starts_with("google.") { crate::gcp::message(name) } else { own() };
    let inner = rest.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap();
    let message = DynamicMessage::parse_text_format(of.unwrap(), inner).unwrap();
    let message = message.encode_to_vec();
    [&[0], &u32::try_from(message.len()).unwrap().to_be_bytes()[..], &message].concat()
}

/// That API, and what its operators say of it.
pub(crate) fn api() -> GrpcApi {
    let method = |name: &str, access: Access, resources: &[(&str, &str, &[&str])]| ApiMethod {
        name: format!("shop.v1.{name}"),
        access,
        level: Level::Control,
        resources: resources
            .iter()
            .map(|(kind, name, all_if)| ApiResource {
                kind: (*kind).to_owned(),
                name: (*name).to_owned(),
                all_if: all_if.iter().map(|path| (*path).to_owned()).collect(),
                role: Role::Target,
            })
            .collect(),
        secrets: Vec::new(),
        mints: false,
        also: Vec::new(),
        stream: false,
    };
    let login = method("Access/Login", Access::SecretRead, &[("user", "{name}", &[])]);
    let methods = vec![
        method("Orders/Get", Access::Read, &[("order", "{shop}/{id}", &[])]),
        ApiMethod {
            secrets: vec!["items.serial".to_owned()],
            ..method("Orders/Put", Access::Update, &[("order", "{id.shop}/{id.id}", &[])])
        },
        method("Orders/Remove", Access::Delete, &[("order", "all/{ids}", &["from", "to"])]),
        method("Orders/Sell", Access::Update, &[("item", "{items.name}", &[])]),
        method("Orders/Watch", Access::Read, &[]),
        method("Orders/Upload", Access::Create, &[("order", "{id.shop}", &[])]),
        method("Orders/Tail", Access::Read, &[]),
        ApiMethod { secrets: vec!["pin".to_owned()], mints: true, ..login },
    ];
    GrpcApi { upstream: "shop".to_owned(), descriptors: descriptors(), methods }
}
