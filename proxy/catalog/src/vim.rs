//! The methods and types of vim25, one a line: `method NAME TYPE class[,class] PRIVILEGE [mints] PARAMETER…`, where a
//! parameter is `name[:TYPE][[]]`; `managed TYPE PARENT`; and the words of `lists`, `refers`, `texts` and `data`.
//!
//! Leaves out the members of data types, but for which names are those of lists and which of references.

use std::collections::{HashMap, HashSet};

use ordain_action::Access;

/// A line of the table cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is none of the table: {text}")]
pub struct VimError {
    /// The line, counted from one.
    pub line: usize,
    /// What is wrong with it.
    pub text: &'static str,
}

/// A parameter of a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// The managed type that it refers to, where it does.
    pub refers: Option<&'static str>,
    /// There may be several.
    pub several: bool,
}

/// A method of a managed type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// Its name on the wire, which no other method has.
    pub name: &'static str,
    /// The type that has it, and all that are such.
    pub of: &'static str,
    /// The classes of its effects; one of them or more.
    pub access: Vec<Access>,
    /// The privilege that it asks for, where that is one.
    pub privilege: Option<&'static str>,
    /// Its answer hands out a credential.
    pub mints: bool,
    /// Its parameters, in their order.
    pub parameters: Vec<Parameter>,
}

/// The methods and types of vim25.
#[derive(Debug, Default)]
pub struct Vim {
    methods: HashMap<&'static str, Method>,
    parents: HashMap<&'static str, &'static str>,
    lists: HashSet<&'static str>,
    refers: HashSet<&'static str>,
    texts: HashSet<&'static str>,
    data: HashSet<&'static str>,
}

impl Vim {
    /// Reads the table.
    ///
    /// # Errors
    /// The first line that is none of it.
    pub fn parse(text: &'static str) -> Result<Self, VimError> {
        let mut vim = Self::default();
        for (at, line) in text.lines().enumerate() {
            vim.line(line).map_err(|text| VimError { line: at + 1, text })?;
        }
        Ok(vim)
    }

    fn line(&mut self, line: &'static str) -> Result<(), &'static str> {
        let mut words = line.split(' ').filter(|word| !word.is_empty());
        match words.next().ok_or("it is empty")? {
            "method" => {
                let method = method(words)?;
                if self.methods.insert(method.name, method).is_some() {
                    return Err("there are two methods of that name");
                }
            }
            "managed" => {
                let (Some(kind), Some(parent)) = (words.next(), words.next()) else {
                    return Err("it names no type and its parent");
                };
                self.parents.insert(kind, parent);
            }
            "lists" => self.lists.extend(words),
            "refers" => self.refers.extend(words),
            "texts" => self.texts.extend(words),
            "data" => self.data.extend(words),
            _ => return Err("its first word is not known"),
        }
        Ok(())
    }

    /// A method by its name.
    #[must_use]
    pub fn method(&self, name: &str) -> Option<&Method> {
        self.methods.get(name)
    }

    /// All methods, in no order.
    pub fn methods(&self) -> impl Iterator<Item = &Method> {
        self.methods.values()
    }

    /// A managed type, as the table spells it.
    #[must_use]
    pub fn managed(&self, kind: &str) -> Option<&'static str> {
        self.parents.get_key_value(kind).map(|(kind, _)| *kind)
    }

    /// Whether a managed type is another, or such a one.
    #[must_use]
    pub fn is_a(&self, kind: &str, other: &str) -> bool {
        let mut at = kind;
        // No chain of types is that long.
        for _ in 0..16 {
            if at == other || other == "ManagedObject" {
                return true;
            }
            match self.parents.get(at) {
                Some(parent) if *parent != at => at = parent,
                Some(_) | None => return false,
            }
        }
        false
    }

    /// Whether a member of that name may be there several times.
    #[must_use]
    pub fn is_list(&self, name: &str) -> bool {
        self.lists.contains(name) || self.is_data(name)
    }

    /// Whether a member of that name may be a reference.
    #[must_use]
    pub fn refers(&self, name: &str) -> bool {
        self.refers.contains(name)
    }

    /// Whether a member of that name, which may be a reference, may be a text in some other type of data.
    #[must_use]
    pub fn is_text(&self, name: &str) -> bool {
        self.texts.contains(name)
    }

    /// Whether there is a data type of that name, a list of such or a simple type.
    #[must_use]
    pub fn is_data(&self, name: &str) -> bool {
        const SIMPLE: [&str; 14] = [
            "anyType",
            "anyURI",
            "base64Binary",
            "boolean",
            "byte",
            "dateTime",
            "double",
            "float",
            "int",
            "long",
            "ManagedObjectReference",
            "short",
            "string",
            "LocalizedMethodFault",
        ];
        let bare = name.strip_prefix("ArrayOf").unwrap_or(name);
        let is_simple = |name: &str| SIMPLE.iter().any(|simple| simple.eq_ignore_ascii_case(name));
        self.data.contains(name) || self.data.contains(bare) || is_simple(bare)
    }
}

fn method(mut words: impl Iterator<Item = &'static str>) -> Result<Method, &'static str> {
    let name = words.next().ok_or("the method has no name")?;
    let of = words.next().ok_or("the method has no type")?;
    let access = words.next().ok_or("the method has no class")?.split(',');
    let access = access.map(|word| Access::parse(word).ok_or("its class is none"));
    let access = access.collect::<Result<Vec<_>, _>>()?;
    let privilege = words.next().ok_or("the method has no privilege")?;
    let mut method = Method {
        name,
        of,
        access,
        privilege: Some(privilege).filter(|privilege| *privilege != "-"),
        mints: false,
        parameters: Vec::new(),
    };
    for (at, word) in words.enumerate() {
        if at == 0 && word == "mints" {
            method.mints = true;
            continue;
        }
        let several = word.ends_with("[]");
        let word = word.strip_suffix("[]").unwrap_or(word);
        let (name, refers) = match word.split_once(':') {
            Some((name, refers)) => (name, Some(refers)),
            None => (word, None),
        };
        method.parameters.push(Parameter { name, refers, several });
    }
    Ok(method)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "method PowerOnVM_Task VirtualMachine update VirtualMachine.Interact.PowerOn host:HostSystem\n\
        method Login SessionManager secret_read - mints userName password locale\n\
        method AddThings Folder create,grant - thing:HostSystem[] name[]\n\
        managed VirtualMachine ManagedEntity\nmanaged ManagedEntity ExtensibleManagedObject\n\
        lists deviceChange\nrefers datastore host\ntexts host\ndata VirtualDisk";

    #[test]
    fn a_line_says_all() {
        let vim = Vim::parse(TABLE).unwrap();
        let power = vim.method("PowerOnVM_Task").unwrap();
        assert_eq!((power.of, power.access.as_slice()), ("VirtualMachine", [Access::Update].as_slice()));
        assert_eq!(power.privilege, Some("VirtualMachine.Interact.PowerOn"));
        assert_eq!(
            power.parameters,
            [Parameter { name: "host", refers: Some("HostSystem"), several: false }]
        );
        let login = vim.method("Login").unwrap();
        assert_eq!((login.mints, login.privilege, login.parameters.len()), (true, None, 3));
        let add = vim.method("AddThings").unwrap();
        assert!(add.parameters.iter().all(|parameter| parameter.several));
        for bad in ["method X", "method X Y reads -", "other X", "managed X"] {
            assert!(Vim::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_type_is_all_that_it_comes_from() {
        let vim = Vim::parse(TABLE).unwrap();
        assert!(vim.is_a("VirtualMachine", "ManagedEntity") && vim.is_a("VirtualMachine", "ManagedObject"));
        assert!(!vim.is_a("ManagedEntity", "VirtualMachine"));
        assert!(vim.refers("host") && vim.is_text("host") && !vim.is_text("datastore"));
        assert!(vim.is_data("ArrayOfVirtualDisk") && vim.is_data("string") && !vim.is_data("Nothing"));
    }

    #[test]
    fn the_table_is_read() {
        let vim = crate::vim();
        assert!(vim.methods().count() > 900);
        assert!(crate::automation().len() > 1_400);
        for method in vim.methods() {
            assert!(vim.managed(method.of).is_some() || method.of == "ManagedObject", "{}", method.name);
            for parameter in &method.parameters {
                let known = parameter.refers.is_none_or(|kind| vim.managed(kind).is_some());
                assert!(known || parameter.refers == Some("ManagedObject"), "{}", method.name);
            }
        }
    }
}
