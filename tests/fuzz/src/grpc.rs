//! The room of gRPC: what it takes a message for is what `prost-reflect` decodes from it, value by value, and no call is
//! for less than its message names.
//!
//! The API is that of the room's own cases. A reader of Protocol Buffers leaves out what has its default value; that is
//! all in which the two may differ.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use ordain_action::{Access, Effect, Level, Plane, Reading, Role, Scalar, Upstream};
use ordain_decode::{ApiMethod, ApiResource, GrpcApi, Head, Rooms, RoomsConfig, WayIn};
use prost_reflect::{DescriptorPool, DynamicMessage, MapKey, Value};

const PUT: &str = "/shop.v1.Orders/Put";
const REMOVE: &str = "/shop.v1.Orders/Remove";

static DESCRIPTORS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let from = concat!(env!("CARGO_MANIFEST_DIR"), "/../../proxy/decode/src/grpc/cases");
    let mut compiler = protox::Compiler::new([from]).expect("the folder is there");
    compiler.include_imports(true).open_file("shop.proto").expect("it compiles");
    compiler.encode_file_descriptor_set()
});

static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(DESCRIPTORS.as_slice()).expect("what was compiled is read"));

static ROOMS: LazyLock<Rooms> = LazyLock::new(|| {
    let method = |name: &str, access: Access, name_of: &str, all_if: &[&str]| ApiMethod {
        name: format!("shop.v1.Orders/{name}"),
        access,
        level: Level::Control,
        resources: vec![ApiResource {
            kind: "order".to_owned(),
            name: name_of.to_owned(),
            all_if: all_if.iter().map(|path| (*path).to_owned()).collect(),
            role: Role::Target,
        }],
        secrets: Vec::new(),
        mints: false,
        also: Vec::new(),
        stream: false,
    };
    let methods = vec![
        method("Put", Access::Update, "{id.shop}/{id.id}", &[]),
        method("Remove", Access::Delete, "all/{ids}", &["from", "to"]),
    ];
    let api = GrpcApi { upstream: "shop".to_owned(), descriptors: DESCRIPTORS.clone(), methods };
    Rooms::new(RoomsConfig { grpc: vec![api], ..RoomsConfig::default() }).expect("what is committed loads")
});

/// Reads the bytes as a message of one method, twice, and compares.
pub fn check(data: &[u8]) {
    let Some((first, message)) = data.split_first() else { return };
    let (path, name) = if first % 2 == 0 { (PUT, "shop.v1.Order") } else { (REMOVE, "shop.v1.Range") };
    let mut headers = http::HeaderMap::new();
    headers.insert("content-type", http::HeaderValue::from_static("application/grpc"));
    let head = Head {
        method: "POST",
        target: path,
        authority: "gate",
        headers: &headers,
        way_in: WayIn::Reverse,
        plane: Some(Plane::Grpc),
        upstream: Some("shop"),
    };
    let length = u32::try_from(message.len()).expect("the fuzzer's inputs are short");
    let body = [&[0][..], &length.to_be_bytes(), message].concat();
    let upstream =
        Upstream { name: "shop".into(), plane: Plane::Grpc, account: "shop".into(), partition: "".into() };
    let claim = ROOMS.claim(&head).expect("whatever comes to an API's place is claimed");
    let Reading::Call(call) = claim.decode(&upstream, &head, &body, None) else { return };
    let of = POOL.get_message_by_name(name).expect("it is in the file");
    let theirs = DynamicMessage::decode(of, message).expect("the other reader takes what we accept");
    let [effect] = call.effects.as_slice() else { panic!("one call is one effect") };
    compare(effect, &theirs);
    if path == PUT { named(effect, &theirs) } else { ranged(effect, &theirs) }
}

fn compare(effect: &Effect, theirs: &DynamicMessage) {
    let mut flat = BTreeMap::new();
    members(theirs, "", &mut flat);
    let mut ours = BTreeMap::new();
    for leaf in effect.parameters.iter() {
        let value = match leaf.value {
            Scalar::Text(text) | Scalar::Number(text) => text.to_owned(),
            Scalar::Bool(truth) => truth.to_string(),
            // What it is a token of is not seen; that it is there is.
            Scalar::Token(_) => "secret".to_owned(),
            Scalar::Null | Scalar::Empty => String::new(),
        };
        assert!(ours.insert(leaf.path.to_owned(), value).is_none(), "`{}` is there twice", leaf.path);
    }
    for (path, value) in &flat {
        let found = ours.remove(path);
        let encoded = |found: &str| value == "base64:" && found.starts_with("base64:");
        let same = found.as_ref().is_some_and(|found| found == value || found == "secret" || encoded(found));
        assert!(same, "`{path}` is {value:?} and was read as {found:?}");
    }
    for (path, value) in ours {
        let default = matches!(value.as_str(), "" | "0" | "-0" | "false" | "secret" | "STATE_UNSPECIFIED");
        assert!(default, "`{path}` = {value:?} is nowhere in what the other reader has");
    }
}

fn members(message: &DynamicMessage, at: &str, flat: &mut BTreeMap<String, String>) {
    assert_eq!(message.unknown_fields().count(), 0, "a field that is not known was accepted");
    for (field, value) in message.fields() {
        let path = below(at, field.name());
        match value {
            Value::List(items) => {
                for (number, item) in items.iter().enumerate() {
                    leaf(item, field.kind().as_enum(), &below(&path, &(number + 1).to_string()), flat);
                }
            }
            Value::Map(entries) => {
                for (key, item) in entries {
                    let key = match key {
                        MapKey::String(text) => text.clone(),
                        other => panic!("no map of the file has such a key: {other:?}"),
                    };
                    leaf(item, None, &below(&path, &crate::flat::escaped(&key)), flat);
                }
            }
            one => leaf(one, field.kind().as_enum(), &path, flat),
        }
    }
}

fn leaf(
    value: &Value,
    of: Option<&prost_reflect::EnumDescriptor>,
    path: &str,
    flat: &mut BTreeMap<String, String>,
) {
    let text = match value {
        // One that says nothing, or nothing but defaults, has no leaf here.
        Value::Message(message) => return members(message, path, flat),
        Value::Bool(truth) => truth.to_string(),
        Value::I32(number) => number.to_string(),
        Value::I64(number) => number.to_string(),
        Value::U32(number) => number.to_string(),
        Value::U64(number) => number.to_string(),
        Value::F32(number) => number.to_string(),
        Value::F64(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if !text.starts_with("base64:") && !text.contains(char::is_control) => text.to_owned(),
            // What follows is another library's to say.
            _ => "base64:".to_owned(),
        },
        Value::EnumNumber(number) => of
            .and_then(|of| of.get_value(*number))
            .map_or_else(|| number.to_string(), |known| known.name().to_owned()),
        Value::List(_) | Value::Map(_) => panic!("a list in a list"),
    };
    flat.insert(path.to_owned(), text);
}

fn below(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

/// An order is known by its shop and its number, and is every order where one of them is missing.
fn named(effect: &Effect, theirs: &DynamicMessage) {
    let id = theirs.get_field_by_name("id").expect("it has one");
    let id = id.as_message().expect("it is a message");
    let part = |name: &str| {
        let value = id.get_field_by_name(name).expect("it has one");
        let value = value.as_str().expect("it is a text");
        // What is written in another way in a name; control characters too.
        let plain =
            !value.contains(['%', '*', '?', '/']) && value.chars().all(|one| (' '..='~').contains(&one));
        if plain { value.to_owned() } else { "?".to_owned() }
    };
    let (shop, number) = (part("shop"), part("id"));
    let [resource] = effect.resources.as_slice() else { panic!("one order is one resource") };
    if shop.is_empty() || number.is_empty() {
        assert!(resource.pattern && resource.name == "grpc://shop/order/*", "{resource:?}");
    } else {
        assert!(!resource.pattern && !resource.name.contains('*'), "{resource:?}");
        assert_eq!(resource.name.matches('/').count(), 5, "{resource:?}");
        if shop != "?" && number != "?" {
            assert_eq!(resource.name, format!("grpc://shop/order/{shop}/{number}"));
        }
    }
}

/// A range is all orders; a list is each of its own.
fn ranged(effect: &Effect, theirs: &DynamicMessage) {
    let set = |name: &str| theirs.has_field_by_name(name);
    let ids = theirs.get_field_by_name("ids").expect("it has some");
    let ids = ids.as_list().expect("they are a list");
    let empty = ids.iter().any(|id| id.as_str() == Some(""));
    let all = effect.resources.iter().any(|resource| resource.pattern);
    if set("from") || set("to") || ids.is_empty() || empty {
        assert!(all, "{:?}", effect.resources);
    } else {
        assert!(!all && effect.resources.len() == ids.len(), "{:?}", effect.resources);
    }
}
