//! What belongs to the platform and not to one tenant: functions on [`SystemTx`](crate::SystemTx).

mod api_keys;
mod mail;
mod media_tokens;
mod member_sessions;
mod number_routes;
mod operator_keys;
mod replicas;
mod tenants;
mod vendor_calls;

pub use api_keys::{ApiKeyRow, api_key_owner, api_keys, put_api_key, revoke_api_key};
pub use mail::tenants_with_due_mail;
pub use media_tokens::{purge_media_tokens, use_media_token};
pub use member_sessions::{
    MemberSession, end_member_session, end_member_sessions, member_session, note_password,
    purge_member_sessions, put_member_session,
};
pub use number_routes::{NumberRoute, number_route, numbers_of_agent, route_number};
pub use operator_keys::{OperatorKey, operator_key, put_operator_key, revoke_operator_key};
pub use replicas::{abandoned_calls, forget_replicas, handed_over_calls, heartbeat, orphaned_calls};
pub use tenants::{
    NewTenant, Placement, TenantRow, TenantStatus, create_tenant, tenant_by_id, tenant_by_slug, tenants,
};
pub use vendor_calls::{Binding, bind_vendor_call, call_owner, vendor_call};
