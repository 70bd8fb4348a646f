//! Puts the demo into a database.

use super::{DemoBrokerage, DemoTarget, brokerages, listings};
use jiff::{Timestamp, civil::Time};
use seiketsu_domain::{
    AgentId, IdSource, ListingId, MemberId, MicroDollars, NumberRouteId, PhoneNumber, Pii, TenantId,
    phone::PhoneNumberError,
};
use seiketsu_storage::{
    Db, DbError, Reason, agents,
    ids::TransferTargetId,
    listings::{self as stored_listings, Listing, ListingStatus},
    members::{self, Member},
    platform::{self, NewTenant, TenantRow},
    settings::{self, Settings},
    transfer_targets::{self, Day, OpenSpan, TransferTarget},
};

/// Why the demo could not be put in place.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The database did not do its part.
    #[error("the demo brokerage `{slug}` could not be stored")]
    Storage {
        /// Which brokerage.
        slug: &'static str,
        /// Why.
        #[source]
        source: DbError,
    },
    /// A number in the demo's own tables is none.
    #[error("the demo brokerage `{slug}` has a bad number")]
    Number {
        /// Which brokerage.
        slug: &'static str,
        /// Why.
        #[source]
        source: PhoneNumberError,
    },
}

/// A demo brokerage that is in place.
#[derive(Debug)]
pub struct Installed {
    /// The tenant.
    pub tenant: TenantRow,
    /// Its agents and the numbers that reach them.
    pub agents: Vec<InstalledAgent>,
    /// How many homes it offers.
    pub listings: usize,
}

/// A demo agent that is in place.
#[derive(Debug)]
pub struct InstalledAgent {
    /// Which agent.
    pub id: AgentId,
    /// What it calls itself.
    pub name: &'static str,
    /// The number it answers.
    pub number: PhoneNumber,
}

/// Puts all demo brokerages in place. What is there already stays as it is, changes by people included; what a broken
/// run left out is added.
pub async fn install(db: &Db, ids: &IdSource) -> Result<Vec<Installed>, DemoError> {
    let now = ids.clock().now();
    let mut installed = Vec::new();
    for brokerage in brokerages() {
        let slug = brokerage.slug;
        let storage = |source| DemoError::Storage { slug, source };
        let tenant = tenant(db, ids, brokerage, now).await.map_err(storage)?;
        let targets = targets(ids, brokerage.targets).map_err(|source| DemoError::Number { slug, source })?;
        choices(db, brokerage, &tenant, &targets, now).await.map_err(storage)?;
        let agents = tenant_data(db, ids, brokerage, &tenant, now).await.map_err(storage)?;
        let mut reached = Vec::new();
        for (agent, id) in brokerage.agents.iter().zip(agents) {
            let number = agent.number.parse().map_err(|source| DemoError::Number { slug, source })?;
            reached.push(InstalledAgent { id, name: agent.name, number });
        }
        route(db, ids, &tenant, &reached, now).await.map_err(storage)?;
        installed.push(Installed { tenant, agents: reached, listings: listings(brokerage).len() });
    }
    Ok(installed)
}

async fn tenant(
    db: &Db,
    ids: &IdSource,
    brokerage: &DemoBrokerage,
    now: Timestamp,
) -> Result<TenantRow, DbError> {
    let mut tx = db.system(Reason::ManageTenants).await?;
    if let Some(there) = platform::tenant_by_slug(&mut tx, brokerage.slug).await? {
        return Ok(there);
    }
    let new = NewTenant {
        id: ids.next::<TenantId>(),
        slug: brokerage.slug.to_owned(),
        name: brokerage.name.to_owned(),
        time_zone: brokerage.time_zone.to_owned(),
        created_at: now,
    };
    let tenant = platform::create_tenant(&mut tx, &new).await?;
    tx.commit().await?;
    Ok(tenant)
}

fn targets(ids: &IdSource, targets: &[DemoTarget]) -> Result<Vec<TransferTarget>, PhoneNumberError> {
    let weekdays = || {
        let days = vec![Day::Monday, Day::Tuesday, Day::Wednesday, Day::Thursday, Day::Friday];
        let (opens, closes) = (Time::constant(9, 0, 0, 0), Time::constant(18, 0, 0, 0));
        vec![OpenSpan { days, opens, closes }]
    };
    (0..)
        .zip(targets)
        .map(|(position, target)| {
            Ok(TransferTarget {
                id: ids.next::<TransferTargetId>(),
                name: target.name.to_owned(),
                number: target.number.parse()?,
                hours: target.office_hours.then(weekdays),
                position,
            })
        })
        .collect()
}

/// What the brokerage chose, and whom it puts callers through to.
async fn choices(
    db: &Db,
    brokerage: &DemoBrokerage,
    tenant: &TenantRow,
    targets: &[TransferTarget],
    now: Timestamp,
) -> Result<(), DbError> {
    let mut tx = db.tenant(&tenant.scope).await?;
    if settings::find(&mut tx).await?.is_none() {
        let chosen = Settings { records_calls: brokerage.records_calls, ..Settings::default() };
        settings::put(&mut tx, &chosen, now).await?;
    }
    let known = transfer_targets::list(&mut tx).await?;
    for target in targets {
        if known.iter().all(|there| there.name != target.name) {
            transfer_targets::insert(&mut tx, target).await?;
        }
    }
    tx.commit().await
}

/// Members, agents and listings in one transaction; the ids of the agents in the demo's order.
async fn tenant_data(
    db: &Db,
    ids: &IdSource,
    brokerage: &DemoBrokerage,
    tenant: &TenantRow,
    now: Timestamp,
) -> Result<Vec<AgentId>, DbError> {
    let mut tx = db.tenant(&tenant.scope).await?;
    let known = members::list(&mut tx).await?;
    for member in brokerage.members {
        if known.iter().all(|there| there.email.expose() != member.email) {
            let member = Member {
                id: ids.next::<MemberId>(),
                email: Pii::new(member.email.to_owned()),
                name: Pii::new(member.name.to_owned()),
                role: member.role,
                created_at: now,
            };
            members::insert(&mut tx, &member).await?;
        }
    }
    let mut agent_ids = Vec::new();
    for agent in brokerage.agents {
        if let Some(there) = agents::by_name(&mut tx, agent.name).await? {
            agent_ids.push(there.id);
            continue;
        }
        let profile = brokerage.profile(agent, ids.next::<AgentId>());
        agents::insert(&mut tx, &profile, now).await?;
        agent_ids.push(profile.id);
    }
    let mut missing = Vec::new();
    for home in listings(brokerage) {
        if stored_listings::by_reference(&mut tx, &home.reference).await?.is_none() {
            missing.push(Listing {
                id: ids.next::<ListingId>(),
                reference: home.reference,
                offer: home.offer,
                property_type: home.property_type,
                status: ListingStatus::Active,
                headline: home.headline,
                description: home.description,
                address: home.address,
                area: home.area.to_owned(),
                city: brokerage.city.to_owned(),
                state: brokerage.state.to_owned(),
                postal_code: home.postal_code.to_owned(),
                price: MicroDollars::dollars(home.dollars),
                bedrooms: home.bedrooms,
                bathrooms: f32::from(home.bathrooms),
                floor_area_sqft: Some(home.square_feet),
                year_built: Some(home.year_built),
                created_at: now,
            });
        }
    }
    stored_listings::insert_many(&mut tx, &missing).await?;
    tx.commit().await?;
    Ok(agent_ids)
}

/// Leads the demo's numbers to its agents; a number that leads somewhere already is left alone.
async fn route(
    db: &Db,
    ids: &IdSource,
    tenant: &TenantRow,
    agents: &[InstalledAgent],
    now: Timestamp,
) -> Result<(), DbError> {
    let mut tx = db.system(Reason::ManageTenants).await?;
    for agent in agents {
        if platform::number_route(&mut tx, &agent.number).await?.is_none() {
            let id = ids.next::<NumberRouteId>();
            platform::route_number(&mut tx, id, &agent.number, &tenant.scope, agent.id, now).await?;
        }
    }
    tx.commit().await
}
