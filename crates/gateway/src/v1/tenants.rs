//! `GET /v1/tenants`: all brokerages, by slug. Errors: 401, 503.

use super::{Page, problems::ListProblems};
use crate::{Gateway, access::Operator, problem::ApiError};
use axum::{Json, extract::State};
use jiff::Timestamp;
use seiketsu_domain::TenantId;
use seiketsu_storage::{
    Reason,
    platform::{TenantRow, TenantStatus},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A brokerage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TenantView {
    /// Its id.
    pub id: TenantId,
    /// Its name in URLs and on the command line.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// IANA name of the time zone it works in.
    pub time_zone: String,
    /// Whether it is served.
    pub status: TenantStatus,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// All brokerages, by slug. For operators.
#[utoipa::path(get, path = "/v1/tenants", tag = "platform", operation_id = "listTenants",
    responses((status = 200, description = "All of them.", body = Page<TenantView>), ListProblems))]
pub(super) async fn list(
    State(gateway): State<Gateway>,
    _operator: Operator,
) -> Result<Json<Page<TenantView>>, ApiError> {
    let mut system = gateway.db().system(Reason::OperatorRead).await?;
    let rows = seiketsu_storage::platform::tenants(&mut system).await?;
    system.commit().await?;
    Ok(Json(Page { items: rows.into_iter().map(view).collect(), next_cursor: None }))
}

fn view(row: TenantRow) -> TenantView {
    TenantView {
        id: row.id(),
        slug: row.slug,
        name: row.name,
        time_zone: row.time_zone,
        status: row.status,
        created_at: row.created_at,
    }
}
