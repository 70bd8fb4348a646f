//! From Twilio's id of a call to its record.

use crate::Gateway;
use seiketsu_domain::TenantScope;
use seiketsu_storage::{
    DbError, Reason, TenantTx,
    calls::{self, CallRow},
    platform::vendor_call,
};

/// A call that is not over, and a transaction of its tenant to go on with.
pub(super) struct Bound {
    pub(super) scope: TenantScope,
    pub(super) call: CallRow,
    pub(super) tenant: TenantTx,
}

/// The call that Twilio's id stands for; `None` if it was never ours or is over.
pub(super) async fn live_call(gateway: &Gateway, call_sid: &str) -> Result<Option<Bound>, DbError> {
    let mut system = gateway.db().system(Reason::RouteCall).await?;
    let Some((scope, call_id)) = vendor_call(&mut system, call_sid).await? else { return Ok(None) };
    system.commit().await?;
    let mut tenant = gateway.db().tenant(&scope).await?;
    let call = calls::get(&mut tenant, call_id).await?.filter(|call| call.ended.is_none());
    Ok(call.map(|call| Bound { scope, call, tenant }))
}
