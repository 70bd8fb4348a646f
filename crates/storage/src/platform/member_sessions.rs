//! Members who are signed in at the console.

use super::tenants::attest;
use crate::{DbError, SystemTx, time::PgTime};
use jiff::Timestamp;
use seiketsu_domain::{MemberId, TenantScope};

/// A member who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberSession {
    /// Whose member.
    pub scope: TenantScope,
    /// Which member.
    pub member: MemberId,
    /// The first instant at which it is no longer good.
    pub expires_at: Timestamp,
}

/// The session whose token has this SHA-256; `None` if there is none, if it has expired, or if its tenant is not served.
pub async fn member_session(
    tx: &mut SystemTx,
    sha256: &[u8; 32],
    now: Timestamp,
) -> Result<Option<MemberSession>, DbError> {
    let row = sqlx::query!(
        r#"select t.id, s.member_id, s.expires_at as "expires_at: PgTime"
           from platform.member_sessions s join platform.tenants t on t.id = s.tenant_id
           where s.sha256 = $1 and s.expires_at > $2 and t.status = 'active'"#,
        &sha256[..],
        PgTime(now) as _
    )
    .fetch_optional(tx.connection())
    .await?;
    Ok(row.map(|row| MemberSession {
        scope: attest(row.id),
        member: MemberId::from_uuid(row.member_id),
        expires_at: row.expires_at.0,
    }))
}

/// Remembers that a member has signed in.
pub async fn put_member_session(
    tx: &mut SystemTx,
    sha256: &[u8; 32],
    session: &MemberSession,
    now: Timestamp,
) -> Result<(), DbError> {
    sqlx::query!(
        "insert into platform.member_sessions (sha256, tenant_id, member_id, created_at, expires_at)
         values ($1, $2, $3, $4, $5)",
        &sha256[..],
        session.scope.tenant_id().uuid(),
        session.member.uuid(),
        PgTime(now) as _,
        PgTime(session.expires_at) as _
    )
    .execute(tx.connection())
    .await?;
    tx.audit(serde_json::json!({"tenant": session.scope.tenant_id(), "signed_in": session.member})).await
}

/// Forgets one session; `false` if there is none.
pub async fn end_member_session(tx: &mut SystemTx, sha256: &[u8; 32]) -> Result<bool, DbError> {
    let outcome = sqlx::query!("delete from platform.member_sessions where sha256 = $1", &sha256[..])
        .execute(tx.connection())
        .await?;
    Ok(outcome.rows_affected() == 1)
}

/// Forgets all sessions of a member: their password has changed. Returns how many there were.
pub async fn end_member_sessions(
    tx: &mut SystemTx,
    scope: &TenantScope,
    member: MemberId,
) -> Result<u64, DbError> {
    let outcome = sqlx::query!(
        "delete from platform.member_sessions where tenant_id = $1 and member_id = $2",
        scope.tenant_id().uuid(),
        member.uuid()
    )
    .execute(tx.connection())
    .await?;
    tx.audit(serde_json::json!({"tenant": scope.tenant_id(), "signed_out": member})).await?;
    Ok(outcome.rows_affected())
}

/// Writes down that a member is given a password.
pub async fn note_password(tx: &mut SystemTx, scope: &TenantScope, member: MemberId) -> Result<(), DbError> {
    tx.audit(serde_json::json!({"tenant": scope.tenant_id(), "given_password": member})).await
}

/// Sweeps sessions that have expired.
pub async fn purge_member_sessions(tx: &mut SystemTx, now: Timestamp) -> Result<u64, DbError> {
    let outcome =
        sqlx::query!("delete from platform.member_sessions where expires_at <= $1", PgTime(now) as _)
            .execute(tx.connection())
            .await?;
    Ok(outcome.rows_affected())
}
