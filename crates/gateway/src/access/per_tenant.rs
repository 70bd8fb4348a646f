//! So many of something for each tenant at once.

use seiketsu_domain::TenantId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// See the module. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct PerTenant {
    most: usize,
    taken: Arc<Mutex<HashMap<TenantId, usize>>>,
}

/// A place; free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    of: PerTenant,
    tenant: TenantId,
}

impl PerTenant {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, taken: Arc::default() }
    }

    /// A place, if this tenant has one left.
    pub(crate) fn try_take(&self, tenant: TenantId) -> Option<Place> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(tenant).or_default();
        (*count < self.most).then(|| {
            *count += 1;
            Place { of: self.clone(), tenant }
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.of.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.tenant) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn each_tenant_has_its_own_places_and_gets_them_back() {
        let places = PerTenant::new(2);
        let [a, b] = [1, 2].map(|n| TenantId::from_uuid(Uuid::from_u128(n)));
        let held = [places.try_take(a), places.try_take(a)];
        assert!(held.iter().all(Option::is_some) && places.try_take(a).is_none());
        assert!(places.try_take(b).is_some(), "somebody else's are not touched");
        drop(held);
        assert!(places.try_take(a).is_some());
        assert!(places.taken.lock().unwrap().is_empty(), "nothing is kept of nobody");
    }
}
