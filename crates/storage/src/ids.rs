//! Typed ids of the nouns that only storage, the tools and the API know: as the ones in `domain`, UUIDv7 inside and
//! TypeID outside.

use seiketsu_domain::ids::{IdError, TypedId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};
use type_safe_id::{StaticType, TypeSafeId};
use uuid::Uuid;

macro_rules! typed_ids {
    ($($(#[doc = $doc:literal])* $name:ident = $prefix:literal;)*) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        const _: () = {
            #[derive(Default)]
            struct Tag;
            impl StaticType for Tag {
                const TYPE: &'static str = $prefix;
            }

            impl TypedId for $name {
                const PREFIX: &'static str = $prefix;
                fn from_uuid(uuid: Uuid) -> Self {
                    Self(uuid)
                }
                fn uuid(self) -> Uuid {
                    self.0
                }
            }

            impl $name {
                /// Wraps the UUID of a row of this noun.
                pub const fn from_uuid(uuid: Uuid) -> Self {
                    Self(uuid)
                }
                /// The UUID as the database keeps it.
                pub const fn uuid(self) -> Uuid {
                    self.0
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.pad(&TypeSafeId::<Tag>::from_uuid(self.0).to_string())
                }
            }

            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    fmt::Display::fmt(self, f)
                }
            }

            impl FromStr for $name {
                type Err = IdError;
                fn from_str(text: &str) -> Result<Self, IdError> {
                    text.parse::<TypeSafeId<Tag>>()
                        .map(|id| Self(id.uuid()))
                        .map_err(|_| IdError { expected: $prefix })
                }
            }

            impl utoipa::PartialSchema for $name {
                fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                    seiketsu_domain::schema::id($prefix, concat!($($doc),*))
                }
            }

            impl utoipa::ToSchema for $name {}

            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_str(self)
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                    text.parse().map_err(serde::de::Error::custom)
                }
            }
        };
    )*};
}

typed_ids! {
    /// A message that a caller left for somebody.
    VoiceMessageId = "vmsg";
    /// A promise to call somebody back.
    CallbackId = "cbk";
    /// An attempt to put a caller through to a person.
    TransferId = "xfer";
    /// A person or desk that callers may be put through to.
    TransferTargetId = "tgt";
    /// A mail that is to be sent, or was.
    MailId = "mail";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_text_and_json_and_refuses_another_nouns_prefix() {
        let id = TransferId::from_uuid(Uuid::from_u128(0x0193_5f2a_1111_7222_8333_4444_5555_6666));
        let text = id.to_string();
        assert!(text.starts_with("xfer_"), "{text}");
        assert_eq!(text.parse::<TransferId>(), Ok(id));
        assert_eq!(text.parse::<MailId>(), Err(IdError { expected: "mail" }));
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<TransferId>(&json).unwrap(), id);
    }
}
