//! `/v1/tenants/{tenant}/members`: the people of a brokerage, and their passwords. For operators.
//!
//! `GET` lists them; `PUT …/{member}/password` with `{"password": …}` gives one of them a password and ends their
//! sessions. Errors: 400, 401, 404 no such tenant or member, 503. Each change is in the audit log.

use super::{
    Page,
    problems::{ChangeProblems, OneProblems},
    session::MemberView,
};
use crate::{
    Gateway,
    access::{Operator, password},
    problem::ApiError,
};
use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
};
use http::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use seiketsu_domain::MemberId;
use seiketsu_storage::{
    DbError, Reason, members,
    platform::{end_member_sessions, note_password},
};
use serde::Deserialize;
use utoipa::ToSchema;

/// A password that is given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPassword {
    /// 12 to 200 characters.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 200)]
    password: SecretString,
}

/// The people of a brokerage, by address. For operators.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/members", tag = "platform", operation_id = "listMembers",
    params(("tenant" = String, Path, description = "Whose, by slug or id.")),
    responses((status = 200, description = "All of them.", body = Page<MemberView>), OneProblems))]
pub(super) async fn list(
    State(gateway): State<Gateway>,
    _operator: Operator,
    Path(tenant): Path<String>,
) -> Result<Json<Page<MemberView>>, ApiError> {
    let scope = super::tenant(&gateway, &tenant).await?.scope;
    let mut tx = gateway.db().tenant(&scope).await?;
    let all = members::list(&mut tx).await?;
    tx.commit().await?;
    Ok(Json(Page { items: all.into_iter().map(MemberView::of).collect(), next_cursor: None }))
}

/// Gives a member a password; whoever is signed in as them is signed out. For operators.
#[utoipa::path(put, path = "/v1/tenants/{tenant}/members/{member}/password", tag = "platform",
    operation_id = "setPassword", request_body = NewPassword,
    params(("tenant" = String, Path, description = "Whose, by slug or id."),
           ("member" = MemberId, Path, description = "Which member.")),
    responses((status = 204, description = "It is set."), ChangeProblems))]
pub(super) async fn set_password(
    State(gateway): State<Gateway>,
    _operator: Operator,
    Path((tenant, member)): Path<(String, String)>,
    new: Result<Json<NewPassword>, JsonRejection>,
) -> Result<StatusCode, ApiError> {
    let Json(new) = new.map_err(|rejection| ApiError::json(&rejection, "expected {\"password\": \"…\"}"))?;
    if !password::LENGTHS.contains(&new.password.expose_secret().chars().count()) {
        return Err(ApiError::Body("a password has 12 to 200 characters"));
    }
    let scope = super::tenant(&gateway, &tenant).await?.scope;
    let member: MemberId = member.parse().map_err(|_| ApiError::NotFound)?;
    let ids = gateway.ids().clone();
    let hash = tokio::task::spawn_blocking(move || password::hash(&new.password, &ids))
        .await
        .ok()
        .flatten()
        .ok_or(ApiError::Internal("a password could not be hashed"))?;
    // Told before it is done: what is in the log may not have happened, what has happened is in the log.
    let mut system = gateway.db().system(Reason::ManageMembers).await?;
    note_password(&mut system, &scope, member).await?;
    system.commit().await?;
    let mut tx = gateway.db().tenant(&scope).await?;
    match members::set_password(&mut tx, member, &hash).await {
        Err(DbError::Missing { .. }) => return Err(ApiError::NotFound),
        outcome => outcome?,
    }
    tx.commit().await?;
    let mut system = gateway.db().system(Reason::AuthenticateMember).await?;
    end_member_sessions(&mut system, &scope, member).await?;
    system.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
