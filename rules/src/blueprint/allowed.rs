//! What a blueprint allows one value to be.
//!
//! Leaves out where the value stands (`tree.rs`) and whether it has to be there (`constraint.rs`).

use ipnet::IpNet;
use ordain_action::Scalar;

use super::network::{self, Widest};
use super::number::Number;
use crate::glob::Glob;
use crate::refusal::shown;

/// The most that is told of what is allowed.
const TOLD_MAX: usize = 12;

/// A value as a blueprint has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Given {
    Text(String),
    /// As written, so that none is rounded.
    Number(String),
    Bool(bool),
    Null,
}

/// Whether something is so, where that can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Truth {
    Yes,
    No,
    /// What is compared is of different types, or a secret.
    Unknown,
}

/// A number that a value is held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) number: Number,
    pub(crate) text: String,
}

/// What a value may be: whatever is named, or what is of a sort and within bounds; never what is excluded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Allowed {
    pub(crate) named: Vec<Given>,
    pub(crate) patterns: Vec<Glob>,
    pub(crate) networks: Vec<IpNet>,
    pub(crate) widest: Option<Widest>,
    pub(crate) minimum: Option<Bound>,
    pub(crate) maximum: Option<Bound>,
    /// Values may have the units of Kubernetes, as the bounds have.
    pub(crate) units: bool,
    pub(crate) excluded: Vec<Given>,
    pub(crate) excluded_patterns: Vec<Glob>,
}

impl Truth {
    pub(crate) fn of(is_so: bool) -> Self {
        if is_so { Self::Yes } else { Self::No }
    }

    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
        }
    }

    /// All are so; where one is not, it does not matter what the others are.
    pub(crate) fn all(truths: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::Yes;
        for truth in truths {
            match truth {
                Self::No => return Self::No,
                Self::Unknown => all = Self::Unknown,
                Self::Yes => {}
            }
        }
        all
    }

    /// One is so at least. Of what is of different types one that can be compared is enough to say no.
    pub(crate) fn any(truths: impl IntoIterator<Item = Self>) -> Self {
        let mut any = Self::Unknown;
        for truth in truths {
            match truth {
                Self::Yes => return Self::Yes,
                Self::No => any = Self::No,
                Self::Unknown => {}
            }
        }
        any
    }
}

impl Given {
    /// A value of a request is this one. Where forms have nothing but text, text is taken for what it says.
    fn is(&self, value: Scalar<'_>) -> Truth {
        match (self, value) {
            (Self::Null, value) => Truth::of(value == Scalar::Null),
            (Self::Bool(wanted), Scalar::Bool(value)) => Truth::of(*wanted == value),
            (Self::Bool(wanted), Scalar::Text(text)) => {
                if text.eq_ignore_ascii_case("true") {
                    Truth::of(*wanted)
                } else if text.eq_ignore_ascii_case("false") {
                    Truth::of(!*wanted)
                } else {
                    Truth::Unknown
                }
            }
            (Self::Number(wanted), Scalar::Number(text) | Scalar::Text(text)) => {
                match (Number::parse(wanted), Number::parse(text)) {
                    (Some(wanted), Some(value)) => Truth::of(wanted == value),
                    (None, _) | (_, None) => Truth::Unknown,
                }
            }
            (Self::Text(wanted), Scalar::Text(text) | Scalar::Number(text)) => Truth::of(wanted == text),
            (Self::Text(wanted), Scalar::Bool(value)) => {
                Truth::of(wanted == if value { "true" } else { "false" })
            }
            (Self::Text(_) | Self::Number(_) | Self::Bool(_), _) => Truth::Unknown,
        }
    }

    fn told(&self) -> String {
        match self {
            Self::Text(text) | Self::Number(text) => format!("`{text}`"),
            Self::Bool(value) => format!("`{value}`"),
            Self::Null => "null".to_owned(),
        }
    }
}

impl Allowed {
    /// Any value will do.
    pub(crate) fn is_anything(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a value is allowed.
    pub(crate) fn allows(&self, value: Scalar<'_>) -> Truth {
        let excluded = self.excluded.iter().map(|given| given.is(value));
        let excluded = excluded.chain(self.excluded_patterns.iter().map(|glob| matches(glob, value)));
        let has_excluded = !self.excluded.is_empty() || !self.excluded_patterns.is_empty();
        let spared = if has_excluded { Truth::any(excluded).not() } else { Truth::Yes };
        Truth::all([spared, self.is_of_those(value)])
    }

    fn is_of_those(&self, value: Scalar<'_>) -> Truth {
        let named = Truth::any(self.named.iter().map(|given| given.is(value)));
        if named == Truth::Yes {
            return named;
        }
        let has_sorts = !self.patterns.is_empty() || !self.networks.is_empty();
        let has_bounds = self.widest.is_some() || self.minimum.is_some() || self.maximum.is_some();
        if !has_sorts && !has_bounds {
            return if self.named.is_empty() { Truth::Yes } else { named };
        }
        let sorts = self.patterns.iter().map(|glob| matches(glob, value));
        let sorts = sorts.chain(self.networks.iter().map(|network| lies_in(network, value)));
        let of_sort = if has_sorts { Truth::any(sorts) } else { Truth::Yes };
        let rest = Truth::all([of_sort, self.is_within_bounds(value)]);
        if self.named.is_empty() { rest } else { Truth::any([named, rest]) }
    }

    fn is_within_bounds(&self, value: Scalar<'_>) -> Truth {
        let width = self.widest.map(|widest| {
            network_of(value).map_or(Truth::Unknown, |network| Truth::of(widest.allows(network)))
        });
        let number = text_of(value)
            .and_then(|text| if self.units { Number::quantity(text) } else { Number::parse(text) });
        let bounded = |bound: &Option<Bound>, fits: fn(&Number, &Number) -> bool| {
            let bound = bound.as_ref()?;
            let fits = |value: &Number| Truth::of(fits(value, &bound.number));
            Some(number.as_ref().map_or(Truth::Unknown, fits))
        };
        let minimum = bounded(&self.minimum, |value, bound| value >= bound);
        let maximum = bounded(&self.maximum, |value, bound| value <= bound);
        Truth::all([width, minimum, maximum].into_iter().flatten())
    }

    /// What is allowed, for people.
    pub(crate) fn told(&self) -> String {
        let named = self.named.iter().map(Given::told);
        let patterns = self.patterns.iter().map(|glob| format!("`{}`", glob.as_str()));
        let networks = self.networks.iter().map(|network| format!("networks in `{network}`"));
        let sorts = listed(named.chain(patterns).chain(networks));
        let widest = self.widest.map(Widest::told);
        let minimum = self.minimum.as_ref().map(|bound| format!("at least `{}`", bound.text));
        let maximum = self.maximum.as_ref().map(|bound| format!("at most `{}`", bound.text));
        let excluded = self.excluded.iter().map(Given::told);
        let excluded =
            listed(excluded.chain(self.excluded_patterns.iter().map(|glob| format!("`{}`", glob.as_str()))));
        let excluded = excluded.map(|all| format!("anything but {all}"));
        let all: Vec<String> = [sorts, widest, minimum, maximum, excluded].into_iter().flatten().collect();
        all.join(" and ")
    }
}

/// What a value is, for people.
pub(super) fn told(value: Scalar<'_>) -> String {
    match value {
        Scalar::Text("") => "an empty text".to_owned(),
        Scalar::Text(text) | Scalar::Number(text) => format!("`{}`", shown(text)),
        Scalar::Bool(value) => format!("`{value}`"),
        Scalar::Null => "null".to_owned(),
        Scalar::Empty => "empty".to_owned(),
        Scalar::Token(_) => "a secret, which cannot be compared".to_owned(),
    }
}

fn listed(all: impl Iterator<Item = String>) -> Option<String> {
    let all: Vec<String> = all.collect();
    let more = all.len().saturating_sub(TOLD_MAX);
    let told: Vec<String> = all.into_iter().take(TOLD_MAX).collect();
    match (told.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(told.join(", ")),
        (false, more) => Some(format!("{} and {more} more", told.join(", "))),
    }
}

fn matches(glob: &Glob, value: Scalar<'_>) -> Truth {
    text_of(value).map_or(Truth::Unknown, |text| Truth::of(glob.matches(text)))
}

fn lies_in(network: &IpNet, value: Scalar<'_>) -> Truth {
    network_of(value).map_or(Truth::Unknown, |inner| Truth::of(network.contains(&inner)))
}

fn network_of(value: Scalar<'_>) -> Option<IpNet> {
    text_of(value).and_then(network::parse)
}

const fn text_of(value: Scalar<'_>) -> Option<&str> {
    match value {
        Scalar::Text(text) | Scalar::Number(text) => Some(text),
        Scalar::Bool(_) | Scalar::Null | Scalar::Empty | Scalar::Token(_) => None,
    }
}
