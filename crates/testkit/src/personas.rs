//! Two brokerages of the same shape, so that what belongs to one can be asked for by the other.

use crate::{FakeClock, TestDb, ids};
use jiff::Timestamp;
use seiketsu_domain::{
    AgentProfile, CallId, Clock, IdSource, Language, MicroDollars, ModelChoice, PhoneNumber, Pii, ReplicaId,
    TenantScope, VoiceChoice,
};
use seiketsu_storage::{
    Db, Reason, TenantTx, agents,
    calls::{self, NewCall},
    listings::{self, Listing, ListingStatus, Offer, PropertyType},
    platform::{self, NewTenant, TenantRow},
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A brokerage with an agent that answers a number, and three listings.
#[derive(Debug, Clone)]
pub struct Persona {
    /// The tenant.
    pub tenant: TenantRow,
    /// The key to its data.
    pub scope: TenantScope,
    /// Its agent.
    pub agent: AgentProfile,
    /// The number that reaches the agent.
    pub number: PhoneNumber,
    /// Two houses for sale and an apartment for rent.
    pub listings: Vec<Listing>,
}

/// A database with two tenants, a clock, and ids.
#[derive(Debug)]
pub struct World {
    /// The database; deleted with the world.
    pub database: TestDb,
    /// Stands still until it is told to move.
    pub clock: Arc<FakeClock>,
    /// The same ids in every run.
    pub ids: IdSource,
    /// Anna's brokerage, in Austin.
    pub anna: Persona,
    /// Boris's brokerage, in Miami.
    pub boris: Persona,
    /// The replica that the test is.
    pub replica: ReplicaId,
}

impl World {
    /// A new world.
    pub async fn new() -> Self {
        let database = TestDb::new().await;
        let clock = FakeClock::new();
        let ids = ids(clock.clone(), 7);
        let now = clock.now();
        let anna =
            persona(&database, &ids, now, "anna-homes", ("Austin", "TX"), "America/Chicago", "+15125550101")
                .await;
        let boris = persona(
            &database,
            &ids,
            now,
            "boris-realty",
            ("Miami", "FL"),
            "America/New_York",
            "+13055550102",
        )
        .await;
        let replica = ids.next();
        let mut tx = database.db().system(Reason::Heartbeat).await.expect("a system transaction");
        platform::heartbeat(&mut tx, replica, now).await.expect("a heartbeat");
        tx.commit().await.expect("a commit");
        Self { database, clock, ids, anna, boris, replica }
    }

    /// The database as the platform sees it.
    pub fn db(&self) -> &Db {
        self.database.db()
    }

    /// Now, by the world's clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A transaction of a persona.
    pub async fn tenant(&self, persona: &Persona) -> TenantTx {
        self.db().tenant(&persona.scope).await.expect("a tenant transaction")
    }

    /// A call to a persona's agent that has begun on this replica.
    pub async fn call(&self, persona: &Persona) -> CallId {
        let call = self.new_call(persona);
        let mut tx = self.tenant(persona).await;
        assert!(calls::begin(&mut tx, &call).await.expect("beginning a call"));
        tx.commit().await.expect("a commit");
        call.id
    }

    /// A call to a persona's agent that is about to begin.
    pub fn new_call(&self, persona: &Persona) -> NewCall {
        let id: CallId = self.ids.next();
        NewCall {
            id,
            agent_id: persona.agent.id,
            from: Some(Pii::new("+15125550142".parse().expect("a constant"))),
            to: Some(persona.number.clone()),
            vendor_call_sid: Some(format!("CA{}", id.uuid().simple())),
            replica_id: self.replica,
            started_at: self.now(),
        }
    }
}

async fn persona(
    database: &TestDb,
    ids: &IdSource,
    now: Timestamp,
    slug: &str,
    (city, state): (&str, &str),
    time_zone: &str,
    number: &str,
) -> Persona {
    let number: PhoneNumber = number.parse().expect("a constant");
    let new = NewTenant {
        id: ids.next(),
        slug: slug.to_owned(),
        name: format!("{city} Homes"),
        time_zone: time_zone.to_owned(),
        created_at: now,
    };
    let mut tx = database.db().system(Reason::ManageTenants).await.expect("a system transaction");
    let tenant = platform::create_tenant(&mut tx, &new).await.expect("creating a tenant");
    tx.commit().await.expect("a commit");

    let agent = agent(ids, &tenant);
    let listings = listings_of(ids, (city, state), now);
    let mut tx = database.db().tenant(&tenant.scope).await.expect("a tenant transaction");
    agents::insert(&mut tx, &agent, now).await.expect("adding an agent");
    listings::insert_many(&mut tx, &listings).await.expect("adding listings");
    tx.commit().await.expect("a commit");

    let mut tx = database.db().system(Reason::ManageTenants).await.expect("a system transaction");
    platform::route_number(&mut tx, ids.next(), &number, &tenant.scope, agent.id, now)
        .await
        .expect("routing a number");
    tx.commit().await.expect("a commit");
    Persona { scope: tenant.scope, tenant, agent, number, listings }
}

fn agent(ids: &IdSource, tenant: &TenantRow) -> AgentProfile {
    AgentProfile {
        id: ids.next(),
        name: "Ava".to_owned(),
        brokerage_name: tenant.name.clone(),
        language: Language::En,
        time_zone: tenant.time_zone.clone(),
        instructions: "You answer the phone of a real-estate brokerage.".to_owned(),
        greeting: format!("Thanks for calling {}. This is Ava, an AI assistant.", tenant.name),
        goodbye: "Goodbye.".to_owned(),
        acknowledgements: vec!["One moment please.".to_owned(), "Let me look.".to_owned()],
        apology: "I am sorry, something went wrong.".to_owned(),
        endpoint_silence_ms: 250,
        max_call_seconds: 1800,
        model: ModelChoice { model: "gpt-4.1-mini".to_owned(), temperature: 0.25, max_tokens: 200 },
        voice: VoiceChoice {
            voice_id: "21m00Tcm4TlvDq8ikWAM".to_owned(),
            model: "eleven_flash_v2_5".to_owned(),
            stability: 0.5,
            similarity: 0.75,
        },
        tools: [
            "search_listings",
            "get_listing",
            "check_availability",
            "book_viewing",
            "save_lead",
            "end_call",
        ]
        .map(str::to_owned)
        .to_vec(),
        model_fallbacks: Vec::new(),
        menu: BTreeMap::new(),
    }
}

fn listings_of(ids: &IdSource, (city, state): (&str, &str), now: Timestamp) -> Vec<Listing> {
    let listing =
        |reference: &str, offer, property_type, address: &str, area: &str, dollars, bedrooms| Listing {
            id: ids.next(),
            reference: reference.to_owned(),
            offer,
            property_type,
            status: ListingStatus::Active,
            headline: format!("{area} home"),
            description: format!("A home on {address}."),
            address: address.to_owned(),
            area: area.to_owned(),
            city: city.to_owned(),
            state: state.to_owned(),
            postal_code: "78701".to_owned(),
            price: MicroDollars::dollars(dollars),
            bedrooms,
            bathrooms: 2.5,
            floor_area_sqft: Some(1_800),
            year_built: Some(1998),
            created_at: now,
        };
    vec![
        listing("R-1", Offer::Sale, PropertyType::House, "12 Maple Street", "Riverside", 450_000, 3),
        listing("R-2", Offer::Sale, PropertyType::House, "7 Oak Lane", "Hillcrest", 690_000, 4),
        listing("R-3", Offer::Rent, PropertyType::Apartment, "99 Pine Avenue", "Riverside", 2_400, 2),
    ]
}
