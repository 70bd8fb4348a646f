//! Which tenant a piece of work is for.

use crate::TenantId;

/// Proof that some piece of work belongs to a tenant.
///
/// There is no way to make one from an id: `storage` attests it after it has looked the tenant up (by number route, API
/// key or session), and `clippy.toml` bans [`TenantScope::attested`] everywhere else. Whoever holds a scope may open a
/// tenant transaction, and nothing else may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TenantScope {
    tenant: TenantId,
}

impl TenantScope {
    /// For `storage` only, at the one place where a row of `platform.tenants` was read.
    #[doc(hidden)]
    pub const fn attested(tenant: TenantId) -> Self {
        Self { tenant }
    }

    /// The tenant that was vouched for.
    pub const fn tenant_id(self) -> TenantId {
        self.tenant
    }
}
