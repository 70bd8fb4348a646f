//! How these words look in the description of the API (OpenAPI 3.1).

use crate::PhoneNumber;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ObjectBuilder, RefOr, Schema,
        schema::{SchemaType, Type},
    },
};

/// A TypeID with this prefix.
pub fn id(prefix: &str, description: &str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .description(Some(description.trim()))
        .pattern(Some(format!("^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$")))
        .examples([format!("{prefix}_01jd3f2a8jeg9r8qz4w5t6y7h2")])
        .into()
}

/// One of these names.
pub fn names(description: &str, names: impl IntoIterator<Item = &'static str>) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .description(Some(description.trim()))
        .enum_values(Some(names))
        .into()
}

impl PartialSchema for PhoneNumber {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::String))
            .description(Some("A phone number in E.164 form."))
            .pattern(Some(r"^\+[1-9][0-9]{6,14}$"))
            .examples(["+15125550142"])
            .into()
    }
}

impl ToSchema for PhoneNumber {}
