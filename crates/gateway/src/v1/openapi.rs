//! The description of the API (OpenAPI 3.1), derived from the handlers and their types.

use super::calls::CallStatus;
use crate::{Gateway, problem::Problem};
use axum::{Router, routing::get};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Ref, RefOr, Schema,
        schema::ArrayItems,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

/// What stands before the operations.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Seiketsu",
        description = "AI phone agents for real-estate brokerages: their calls, leads and viewings.\n\nIds are TypeIDs \
                       (`call_…`). Lists are pages: `next_cursor` asks for the next one. Times are RFC 3339 in UTC, \
                       money is in millionths of a dollar, other units are in the names. Errors are problems (RFC \
                       9457), `application/problem+json`; what is missing and what is somebody else's get the same \
                       404.\n\nTalking with an agent goes over a WebSocket, `GET /v1/realtime?model=AGENT`, in the \
                       words of OpenAI's realtime protocol; this description does not cover what is said there.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    tags(
        (name = "records", description = "What belongs to a brokerage. With its own key or as one of its members: one's \
                                          own. With an operator's key: of the brokerage that `tenant` names."),
        (name = "realtime", description = "Talking with agents."),
        (name = "console", description = "Signing in, and what the console needs besides."),
        (name = "platform", description = "Brokerages, their keys and members. With an operator's key.")
    ),
    components(schemas(Problem, CallStatus)),
    modifiers(&Security),
    security(("key" = []), ("cookie" = []))
)]
struct Preface;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let key = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("skt_live_…")
            .description(Some("An operator's key, or an API key of a brokerage."))
            .build();
        components.add_security_scheme("key", SecurityScheme::Http(key));
        let cookie = ApiKeyValue::with_description(
            "__Host-seiketsu",
            "What signing in gives; `seiketsu-PORT` on loopback. Changes need `Origin` as well.",
        );
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

pub(super) fn preface() -> utoipa::openapi::OpenApi {
    Preface::openapi()
}

/// Pages refer to what is on them, where the derived description repeats it.
pub(super) fn with_references(mut document: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    let Some(components) = &mut document.components else { return document };
    let names: Vec<String> = components.schemas.keys().cloned().collect();
    for (name, schema) in &mut components.schemas {
        let item = name.strip_prefix("Page_").filter(|item| names.iter().any(|name| name == item));
        let (Some(item), RefOr::T(Schema::Object(page))) = (item, schema) else { continue };
        if let Some(RefOr::T(Schema::Array(items))) = page.properties.get_mut("items") {
            items.items = ArrayItems::RefOrSchema(Box::new(Ref::from_schema_name(item).into()));
        }
    }
    document
}

/// As it is served, and kept in the repository.
#[expect(clippy::expect_used, reason = "strings, numbers and maps of them")]
pub(super) fn json(document: &utoipa::openapi::OpenApi) -> String {
    let mut text = document.to_pretty_json().expect("a description is JSON");
    text.push('\n');
    text
}

/// `GET /openapi.json`; anybody may read it.
pub(super) fn routes(document: &utoipa::openapi::OpenApi) -> Router<Gateway> {
    let text = Bytes::from(json(document));
    let serve = move || {
        let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")];
        std::future::ready((headers, text.clone()))
    };
    Router::new().route("/openapi.json", get(serve))
}
