//! `/v1/tenants/{tenant}/keys`: the API keys of a brokerage's own programs.
//!
//! `POST` with `{"name": …}` makes one and shows it, once; `GET` lists them by prefix; `DELETE …/{prefix}` revokes one.
//! Errors: 400, 401, 404 no such tenant or key, 503. Each change is in the audit log.

use super::{
    Page,
    problems::{ChangeProblems, OneProblems},
};
use crate::{Gateway, access::Operator, api_key::ApiKey, problem::ApiError};
use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
};
use http::StatusCode;
use jiff::Timestamp;
use seiketsu_storage::{
    Reason,
    platform::{ApiKeyRow, api_keys, put_api_key, revoke_api_key},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest name of a key, in characters.
const MAX_NAME_CHARACTERS: usize = 100;

/// A key that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// What it is for.
    pub name: String,
}

/// A key as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyView {
    /// Its first characters, by which people recognise it.
    pub prefix: String,
    /// What it is for.
    pub name: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was revoked; absent while it is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<Timestamp>,
    /// The key itself, shown only when it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// Makes an API key of a brokerage and shows it, once. For operators.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/keys", tag = "platform", operation_id = "createKey",
    params(("tenant" = String, Path, description = "Whose, by slug or id.")), request_body = NewKey,
    responses((status = 201, description = "The key.", body = KeyView), ChangeProblems))]
pub(super) async fn create(
    State(gateway): State<Gateway>,
    _operator: Operator,
    Path(tenant): Path<String>,
    new: Result<Json<NewKey>, JsonRejection>,
) -> Result<(StatusCode, Json<KeyView>), ApiError> {
    let Json(NewKey { name }) =
        new.map_err(|rejection| ApiError::json(&rejection, "expected {\"name\": \"what the key is for\"}"))?;
    let name = name.trim().to_owned();
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARACTERS {
        return Err(ApiError::Body("`name` has to have 1 to 100 characters"));
    }
    let scope = super::tenant(&gateway, &tenant).await?.scope;
    let key = ApiKey::generate(gateway.ids());
    let created_at = gateway.ids().clock().now();
    let row = ApiKeyRow { prefix: key.hint().to_owned(), name, created_at, revoked_at: None };
    let mut system = gateway.db().system(Reason::ManageApiKeys).await?;
    put_api_key(&mut system, &scope, &key.sha256(), &row).await?;
    system.commit().await?;
    Ok((StatusCode::CREATED, Json(KeyView { key: Some(key.expose().to_owned()), ..view(row) })))
}

/// The API keys of a brokerage, oldest first. For operators.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/keys", tag = "platform", operation_id = "listKeys",
    params(("tenant" = String, Path, description = "Whose, by slug or id.")), responses((status = 200, description = "All of them.", body = Page<KeyView>), OneProblems))]
pub(super) async fn list(
    State(gateway): State<Gateway>,
    _operator: Operator,
    Path(tenant): Path<String>,
) -> Result<Json<Page<KeyView>>, ApiError> {
    let scope = super::tenant(&gateway, &tenant).await?.scope;
    let mut system = gateway.db().system(Reason::ManageApiKeys).await?;
    let rows = api_keys(&mut system, &scope).await?;
    system.commit().await?;
    Ok(Json(Page { items: rows.into_iter().map(view).collect(), next_cursor: None }))
}

/// Revokes an API key. For operators.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/keys/{prefix}", tag = "platform", operation_id = "revokeKey",
    params(("tenant" = String, Path, description = "Whose, by slug or id."), ("prefix" = String, Path, description = "The key's first characters.")),
    responses((status = 204, description = "It is revoked."), OneProblems))]
pub(super) async fn revoke(
    State(gateway): State<Gateway>,
    _operator: Operator,
    Path((tenant, prefix)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let scope = super::tenant(&gateway, &tenant).await?.scope;
    let now = gateway.ids().clock().now();
    let mut system = gateway.db().system(Reason::ManageApiKeys).await?;
    let revoked = revoke_api_key(&mut system, &scope, &prefix, now).await?;
    system.commit().await?;
    if revoked { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::NotFound) }
}

fn view(row: ApiKeyRow) -> KeyView {
    KeyView {
        prefix: row.prefix,
        name: row.name,
        created_at: row.created_at,
        revoked_at: row.revoked_at,
        key: None,
    }
}
