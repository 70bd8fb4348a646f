//! Typed ids: UUIDv7 inside, TypeID outside (`call_01jd…`), one Rust type per noun.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};
use type_safe_id::{StaticType, TypeSafeId};
use uuid::Uuid;

/// Text that is not the TypeID it was read as.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {expected} id: expected `{expected}_` and 26 characters of base32")]
pub struct IdError {
    /// The prefix that was expected, for example `call`.
    pub expected: &'static str,
}

/// What all typed ids have in common: made from, and turned back into, a UUID.
pub trait TypedId: Copy + fmt::Display {
    /// The TypeID prefix, for example `call`.
    const PREFIX: &'static str;
    /// Wraps the UUID of a row of this noun.
    fn from_uuid(uuid: Uuid) -> Self;
    /// The UUID as the database keeps it.
    fn uuid(self) -> Uuid;
}

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
                    crate::schema::id($prefix, concat!($($doc),*))
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
    /// A brokerage.
    TenantId = "ten";
    /// A person of a tenant.
    MemberId = "mem";
    /// A configured voice agent.
    AgentId = "agt";
    /// The assignment of a phone number to an agent.
    NumberRouteId = "num";
    /// One phone call.
    CallId = "call";
    /// A property on offer.
    ListingId = "lst";
    /// Somebody who may buy or rent.
    LeadId = "lead";
    /// An appointment to see a listing.
    ViewingId = "view";
    /// One running copy of the server.
    ReplicaId = "rep";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_text_and_json_and_refuses_another_nouns_prefix() {
        let id = CallId::from_uuid(Uuid::from_u128(0x0193_5f2a_1111_7222_8333_4444_5555_6666));
        let text = id.to_string();
        assert!(text.starts_with("call_"), "{text}");
        assert_eq!(text.parse::<CallId>(), Ok(id));
        assert_eq!(text.parse::<AgentId>(), Err(IdError { expected: "agt" }));
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<CallId>(&json).unwrap(), id);
    }
}
