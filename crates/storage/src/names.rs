//! Closed sets of names as they stand in text columns.

/// Text that names no member of a closed set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} `{text}`: one of {known}")]
pub struct UnknownName {
    /// What was to be named.
    pub what: &'static str,
    /// What was read, cut to 40 characters.
    pub text: String,
    /// The names there are.
    pub known: String,
}

/// An enum whose variants have a name in SQL, in JSON and on the command line.
macro_rules! named {
    ($(#[doc = $doc:literal])* $what:literal $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in SQL and JSON.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                seiketsu_domain::schema::names(concat!($($doc),*), Self::ALL.iter().map(|one| one.name()))
            }
        }

        impl utoipa::ToSchema for $name {}

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::UnknownName;
            fn from_str(text: &str) -> Result<Self, $crate::UnknownName> {
                Self::ALL.iter().copied().find(|one| one.name() == text).ok_or_else(|| $crate::UnknownName {
                    what: $what,
                    text: text.chars().take(40).collect(),
                    known: [$($text),+].join(", "),
                })
            }
        }
    };
}
pub(crate) use named;

use crate::DbError;

/// Reads a name that a check constraint vouches for.
pub(crate) fn read<T: std::str::FromStr>(text: &str, what: &'static str) -> Result<T, DbError> {
    text.parse().map_err(|_| DbError::Unreadable { what })
}

/// PostgreSQL can keep no NUL in text or JSON. A recogniser or a model that writes one must not keep a turn from being
/// committed, so it becomes U+FFFD.
pub(crate) fn storable(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}

/// As [`storable`], for every string and key inside a JSON value.
pub(crate) fn storable_json(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::String(text) => Value::String(storable(&text).into_owned()),
        Value::Array(values) => Value::Array(values.into_iter().map(storable_json).collect()),
        Value::Object(map) => {
            map.into_iter().map(|(key, value)| (storable(&key).into_owned(), storable_json(value))).collect()
        }
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_)) => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nul_is_replaced_wherever_it_hides_and_an_escaped_backslash_is_left_alone() {
        let value = serde_json::json!({"a\0": ["x\0y", {"b": "\\u0000"}], "n": 1});
        assert_eq!(
            storable_json(value),
            serde_json::json!({"a\u{fffd}": ["x\u{fffd}y", {"b": "\\u0000"}], "n": 1})
        );
    }
}
