//! `/v1/session`: signing in at the console, and out.
//!
//! `GET` says who is signed in and what can be done about it if nobody is. `POST` signs in: with a brokerage, an address
//! and a password, or, on somebody's own machine, as a demo member with one click. `DELETE` signs out. What is given is a
//! cookie: twelve hours, `HttpOnly`, `SameSite=Strict`. Changes come from our own pages only (`Origin`). Errors: 400, 401
//! wrong password, 403 another page's or no demo here, 429 too many wrong passwords, 503.

use super::problems::ChangeProblems;
use crate::{
    Gateway,
    access::{
        Asker,
        cookie::{self, Token},
        is_own_page,
        member::Member,
        own_tenant, password,
    },
    problem::{ApiError, Problem},
};
use axum::{
    Json,
    extract::{FromRequestParts, Request, State, rejection::JsonRejection},
    response::{IntoResponse, Response},
};
use http::{
    HeaderMap, StatusCode,
    header::{CACHE_CONTROL, SET_COOKIE},
};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use seiketsu_domain::{MemberId, TenantId, TenantScope};
use seiketsu_storage::{
    Reason,
    members::{self, Role},
    platform::{
        MemberSession, TenantRow, TenantStatus, end_member_session, put_member_session, tenant_by_slug,
    },
};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::{IntoResponses, ToSchema};

/// How long somebody stays signed in.
const LIFETIME: SignedDuration = SignedDuration::from_hours(12);
/// The longest name, address or password that is looked at, in bytes.
const MAX_FIELD_BYTES: usize = 800;
/// How long one waits for a place to have a password compared.
const HASHING_PATIENCE: Duration = Duration::from_secs(2);

/// Who is signed in, and how one can.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionView {
    /// Who is signed in; null if nobody is.
    pub identity: Option<IdentityView>,
    /// Demo members that anybody here may be, one per brokerage; empty except on somebody's own machine.
    pub demo: Vec<DemoView>,
    /// Who understands callers.
    pub ears: Ears,
}

/// Who understands callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ears {
    /// The sandbox: only speech that was made here.
    Sandbox,
    /// A recogniser: speech.
    Real,
}

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IdentityView {
    /// The person.
    pub member: MemberView,
    /// Their brokerage.
    pub tenant: OwnTenantView,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// A person of a brokerage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberView {
    /// Which member.
    pub id: MemberId,
    /// Name.
    pub name: String,
    /// Address.
    pub email: String,
    /// What they may do.
    pub role: Role,
}

impl MemberView {
    /// As it is shown.
    pub(super) fn of(member: members::Member) -> Self {
        Self {
            id: member.id,
            name: member.name.into_inner(),
            email: member.email.into_inner(),
            role: member.role,
        }
    }
}

/// Somebody's own brokerage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnTenantView {
    /// Its id.
    pub id: TenantId,
    /// Its name in URLs and on the command line.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// IANA name of the time zone it works in.
    pub time_zone: String,
}

/// A demo member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DemoView {
    /// The brokerage's slug.
    pub tenant: String,
    /// Its name.
    pub tenant_name: String,
    /// The member's name.
    pub member_name: String,
    /// What they may do.
    pub role: Role,
}

/// How somebody signs in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged, deny_unknown_fields)]
pub(super) enum SignIn {
    /// As the demo member of a brokerage.
    Demo {
        /// The brokerage's slug.
        #[schema(example = "lone-star-homes")]
        demo: String,
    },
    /// As oneself.
    Member {
        /// The brokerage's slug.
        tenant: String,
        /// The member's address.
        email: String,
        /// Their password.
        #[schema(value_type = String, format = Password)]
        password: SecretString,
    },
}

/// What signing in can fail with besides.
#[expect(dead_code, reason = "never made: it describes")]
#[derive(IntoResponses)]
enum TooOften {
    /// Too many wrong passwords.
    #[response(status = 429, content_type = "application/problem+json")]
    TooMany(Problem),
}

/// Who is signed in; anybody may ask.
#[utoipa::path(get, path = "/v1/session", tag = "console", operation_id = "getSession", security(()),
    responses((status = 200, description = "Who, if anybody.", body = SessionView)))]
pub(super) async fn show(State(gateway): State<Gateway>, request: Request) -> Result<Response, ApiError> {
    let (mut parts, _) = request.into_parts();
    let member = match Asker::from_request_parts(&mut parts, &gateway).await {
        Ok(Asker::Member(member)) => Some(member),
        Ok(Asker::Operator | Asker::Program(_)) => None,
        Err(error) if error.is_about_who() => None,
        Err(error) => return Err(error),
    };
    Ok(uncached(Json(view(&gateway, member).await?)))
}

/// Signs in.
#[utoipa::path(post, path = "/v1/session", tag = "console", operation_id = "signIn", security(()),
    request_body = SignIn,
    responses((status = 201, description = "Signed in; the cookie is set.", body = SessionView), ChangeProblems, TooOften))]
pub(super) async fn create(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    wanted: Result<Json<SignIn>, JsonRejection>,
) -> Result<Response, ApiError> {
    if !is_own_page(&headers, &gateway) {
        return Err(ApiError::Origin);
    }
    let Json(wanted) = wanted.map_err(|rejection| {
        ApiError::json(
            &rejection,
            "expected {\"tenant\": …, \"email\": …, \"password\": …} or {\"demo\": tenant}",
        )
    })?;
    let (scope, person) = match wanted {
        SignIn::Demo { demo } => demo_member(&gateway, &demo).await?,
        SignIn::Member { tenant, email, password } => {
            with_password(&gateway, &tenant, &email, password).await?
        }
    };
    let now = gateway.ids().clock().now();
    let token = Token::generate(gateway.ids());
    let session = MemberSession { scope, member: person.id, expires_at: now + LIFETIME };
    let mut system = gateway.db().system(Reason::AuthenticateMember).await?;
    put_member_session(&mut system, &token.sha256(), &session, now).await?;
    system.commit().await?;
    let member = Member { scope, person, expires_at: session.expires_at };
    let mut response = uncached((StatusCode::CREATED, Json(view(&gateway, Some(member)).await?)));
    let cookie = cookie::set(Some(&token), LIFETIME.as_secs(), &gateway.config().public_url);
    response.headers_mut().insert(SET_COOKIE, cookie);
    Ok(response)
}

/// Signs out. Without a session nothing happens.
#[utoipa::path(delete, path = "/v1/session", tag = "console", operation_id = "signOut", security(()),
    responses((status = 204, description = "Signed out; the cookie is taken back."), ChangeProblems))]
pub(super) async fn end(State(gateway): State<Gateway>, headers: HeaderMap) -> Result<Response, ApiError> {
    if !is_own_page(&headers, &gateway) {
        return Err(ApiError::Origin);
    }
    let public_url = &gateway.config().public_url;
    if let Some(token) = cookie::read(&headers, public_url) {
        let mut system = gateway.db().system(Reason::AuthenticateMember).await?;
        end_member_session(&mut system, &token.sha256()).await?;
        system.commit().await?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(SET_COOKIE, cookie::set(None, 0, public_url));
    Ok(response)
}

async fn view(gateway: &Gateway, member: Option<Member>) -> Result<SessionView, ApiError> {
    let identity = match member {
        None => None,
        Some(member) => {
            let tenant = own_tenant(gateway, &member.scope).await?;
            Some(IdentityView {
                tenant: OwnTenantView {
                    id: tenant.id(),
                    slug: tenant.slug,
                    name: tenant.name,
                    time_zone: tenant.time_zone,
                },
                member: MemberView::of(member.person),
                expires_at: member.expires_at,
            })
        }
    };
    let demo = demo(gateway).await?;
    let ears = if gateway.config().sandbox_ears { Ears::Sandbox } else { Ears::Real };
    Ok(SessionView { identity, demo, ears })
}

/// The first admin of each demo brokerage.
async fn demo(gateway: &Gateway) -> Result<Vec<DemoView>, ApiError> {
    let mut offers = Vec::new();
    for slug in &gateway.config().demo_sign_in {
        let Some(tenant) = active(gateway, slug).await? else { continue };
        if let Some(member) = first_admin(gateway, &tenant.scope).await? {
            offers.push(DemoView {
                tenant: tenant.slug,
                tenant_name: tenant.name,
                member_name: member.name.into_inner(),
                role: member.role,
            });
        }
    }
    Ok(offers)
}

async fn first_admin(gateway: &Gateway, scope: &TenantScope) -> Result<Option<members::Member>, ApiError> {
    let mut tx = gateway.db().tenant(scope).await?;
    let all = members::list(&mut tx).await?;
    tx.commit().await?;
    Ok(all.into_iter().find(|member| member.role == Role::Admin))
}

async fn demo_member(gateway: &Gateway, slug: &str) -> Result<(TenantScope, members::Member), ApiError> {
    if gateway.config().demo_sign_in.is_empty() {
        return Err(ApiError::NoDemo);
    }
    let is_demo = gateway.config().demo_sign_in.iter().any(|demo| demo == slug);
    let scope = active(gateway, slug).await?.filter(|_| is_demo).ok_or(ApiError::NotFound)?.scope;
    let member = first_admin(gateway, &scope).await?.ok_or(ApiError::NotFound)?;
    Ok((scope, member))
}

async fn active(gateway: &Gateway, slug: &str) -> Result<Option<TenantRow>, ApiError> {
    let mut system = gateway.db().system(Reason::AuthenticateMember).await?;
    let tenant = tenant_by_slug(&mut system, slug).await?;
    system.commit().await?;
    Ok(tenant.filter(|tenant| tenant.status == TenantStatus::Active))
}

/// No brokerage, no member, no password and another password are the same answer, after the same work.
async fn with_password(
    gateway: &Gateway,
    slug: &str,
    email: &str,
    given: SecretString,
) -> Result<(TenantScope, members::Member), ApiError> {
    use secrecy::ExposeSecret;
    if [slug, email, given.expose_secret()].iter().any(|field| field.len() > MAX_FIELD_BYTES) {
        return Err(ApiError::WrongPassword);
    }
    let now = gateway.ids().clock().monotonic();
    let attempts = gateway.attempts();
    attempts.may_try(slug, email, now).map_err(|wait| ApiError::TooManyAttempts {
        seconds: u16::try_from(wait.as_secs() + 1).unwrap_or(u16::MAX),
    })?;
    let found = match active(gateway, slug).await? {
        None => None,
        Some(TenantRow { scope, .. }) => {
            let mut tx = gateway.db().tenant(&scope).await?;
            let member = members::by_email(&mut tx, email).await?;
            tx.commit().await?;
            member.map(|(member, hash)| (scope, member, hash))
        }
    };
    let hash = found.as_ref().and_then(|(_, _, hash)| hash.clone());
    // Hashing takes memory and a processor: a few at once, the others wait their turn, and not for ever.
    let place = tokio::time::timeout(HASHING_PATIENCE, gateway.hashing().clone().acquire_owned()).await;
    let place = place.ok().and_then(Result::ok).ok_or(ApiError::Busy)?;
    let right = tokio::task::spawn_blocking(move || {
        let _place = place;
        password::is_right(&given, hash.as_ref())
    })
    .await
    .map_err(|_| ApiError::Internal("comparing a password panicked"))?;
    match found {
        Some((scope, member, _)) if right => {
            attempts.right(slug, email);
            Ok((scope, member))
        }
        Some(_) | None => {
            attempts.wrong(slug, email, now);
            Err(ApiError::WrongPassword)
        }
    }
}

fn uncached(response: impl IntoResponse) -> Response {
    ([(CACHE_CONTROL, "no-store")], response).into_response()
}
