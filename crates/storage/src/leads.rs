//! People who may buy, rent or sell.

use crate::{
    DbError, TenantTx,
    names::{self, named, storable},
    time::PgTime,
};
use jiff::Timestamp;
use seiketsu_domain::{CallId, LeadId, MicroDollars, PhoneNumber, Pii};
use uuid::Uuid;

named! {
    /// What somebody wants.
    "intent" Intent {
        /// To buy.
        Buy = "buy",
        /// To rent.
        Rent = "rent",
        /// To sell.
        Sell = "sell",
    }
}

named! {
    /// How soon.
    "lead timeline" LeadTimeline {
        /// At once.
        Now = "now",
        /// Within a month.
        OneMonth = "1_month",
        /// Within three months.
        ThreeMonths = "3_months",
        /// Within six months.
        SixMonths = "6_months",
        /// Within a year.
        OneYear = "1_year",
    }
}

named! {
    /// How it will be paid for.
    "financing" Financing {
        /// A bank has agreed.
        PreApproved = "pre_approved",
        /// In cash.
        Cash = "cash",
        /// A loan is needed.
        Needed = "needed",
        /// Not known.
        Unknown = "unknown",
    }
}

/// What is known of a lead. What is left out keeps what was known before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LeadFacts {
    /// Name.
    pub name: Option<Pii<String>>,
    /// Address for mail.
    pub email: Option<Pii<String>>,
    /// What they want.
    pub intent: Option<Intent>,
    /// What they can spend.
    pub budget: Option<MicroDollars>,
    /// How soon.
    pub timeline: Option<LeadTimeline>,
    /// How it will be paid for.
    pub financing: Option<Financing>,
    /// Where; empty keeps what was known.
    pub areas: Vec<String>,
    /// At least so many.
    pub bedrooms: Option<u16>,
    /// Anything else.
    pub notes: Option<Pii<String>>,
}

/// A lead as a call found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLead {
    /// The id it gets if it is new.
    pub id: LeadId,
    /// By which a person is known; `None` while it is unknown.
    pub phone: Option<Pii<PhoneNumber>>,
    /// The call in which they appeared.
    pub call_id: CallId,
    /// What is known.
    pub facts: LeadFacts,
    /// 0 to 100.
    pub score: u8,
    /// Why, as sentences.
    pub score_reasons: Vec<String>,
    /// Now.
    pub at: Timestamp,
}

/// A lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead {
    /// Which lead.
    pub id: LeadId,
    /// Phone number, where known.
    pub phone: Option<Pii<PhoneNumber>>,
    /// The call in which they last appeared.
    pub call_id: Option<CallId>,
    /// What is known.
    pub facts: LeadFacts,
    /// 0 to 100.
    pub score: u8,
    /// Why, as sentences.
    pub score_reasons: Vec<String>,
    /// When they first appeared.
    pub created_at: Timestamp,
    /// When they were last changed.
    pub updated_at: Timestamp,
}

/// Saves a lead. The same phone number, or the same call while no number is known, is the same person; a number learned
/// later in the call completes the lead of that call.
pub async fn upsert(tx: &mut TenantTx, lead: &NewLead) -> Result<Lead, DbError> {
    let phone = lead.phone.as_ref().map(|number| number.expose().as_str());
    let existing = find(tx, phone, lead.call_id).await?;
    let facts = &lead.facts;
    let name = facts.name.as_ref().map(|text| storable(text.expose()));
    let email = facts.email.as_ref().map(|text| storable(text.expose()));
    let notes = facts.notes.as_ref().map(|text| storable(text.expose()));
    let areas: Vec<String> = facts.areas.iter().map(|area| storable(area).into_owned()).collect();
    let reasons: Vec<String> =
        lead.score_reasons.iter().map(|reason| storable(reason).into_owned()).collect();
    let bedrooms = facts.bedrooms.map(|number| i16::try_from(number).unwrap_or(i16::MAX));
    let (connection, tenant) = tx.parts();
    let row = sqlx::query_as!(
        Row,
        r#"insert into leads as known (tenant_id, id, phone, call_id, name, email, intent, budget_micro_dollars, timeline,
                                       financing, areas, bedrooms, notes, score, score_reasons, created_at, updated_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16)
           on conflict (tenant_id, id) do update set
               phone = coalesce(known.phone, excluded.phone),
               call_id = excluded.call_id,
               name = coalesce(excluded.name, known.name),
               email = coalesce(excluded.email, known.email),
               intent = coalesce(excluded.intent, known.intent),
               budget_micro_dollars = coalesce(excluded.budget_micro_dollars, known.budget_micro_dollars),
               timeline = coalesce(excluded.timeline, known.timeline),
               financing = coalesce(excluded.financing, known.financing),
               areas = case when excluded.areas = '{}' then known.areas else excluded.areas end,
               bedrooms = coalesce(excluded.bedrooms, known.bedrooms),
               notes = coalesce(excluded.notes, known.notes),
               score = excluded.score,
               score_reasons = excluded.score_reasons,
               updated_at = excluded.updated_at
           returning id, phone, call_id, name, email, intent, budget_micro_dollars, timeline, financing, areas, bedrooms,
                     notes, score, score_reasons, created_at as "created_at: PgTime", updated_at as "updated_at: PgTime""#,
        tenant,
        existing.unwrap_or(lead.id.uuid()),
        phone,
        lead.call_id.uuid(),
        name.as_deref(),
        email.as_deref(),
        facts.intent.map(Intent::name),
        facts.budget.map(|budget| budget.0),
        facts.timeline.map(LeadTimeline::name),
        facts.financing.map(Financing::name),
        &areas,
        bedrooms,
        notes.as_deref(),
        i16::from(lead.score),
        &reasons,
        PgTime(lead.at) as _
    )
    .fetch_one(connection)
    .await?;
    row.read()
}

/// The lead with an id.
pub async fn get(tx: &mut TenantTx, id: LeadId) -> Result<Option<Lead>, DbError> {
    let (connection, tenant) = tx.parts();
    let row = sqlx::query_as!(
        Row,
        r#"select id, phone, call_id, name, email, intent, budget_micro_dollars, timeline, financing, areas, bedrooms,
                  notes, score, score_reasons, created_at as "created_at: PgTime", updated_at as "updated_at: PgTime"
           from leads where tenant_id = $1 and id = $2"#,
        tenant,
        id.uuid()
    )
    .fetch_optional(connection)
    .await?;
    row.map(Row::read).transpose()
}

/// The lead with a phone number.
pub async fn by_phone(tx: &mut TenantTx, phone: &PhoneNumber) -> Result<Option<Lead>, DbError> {
    let (connection, tenant) = tx.parts();
    let row = sqlx::query_as!(
        Row,
        r#"select id, phone, call_id, name, email, intent, budget_micro_dollars, timeline, financing, areas, bedrooms,
                  notes, score, score_reasons, created_at as "created_at: PgTime", updated_at as "updated_at: PgTime"
           from leads where tenant_id = $1 and phone = $2"#,
        tenant,
        phone.as_str()
    )
    .fetch_optional(connection)
    .await?;
    row.map(Row::read).transpose()
}

/// Which leads are asked for; everything left out matches everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LeadFilter {
    /// Those that last appeared in this call.
    pub call_id: Option<CallId>,
    /// The one with this phone number.
    pub phone: Option<PhoneNumber>,
    /// Those who want this.
    pub intent: Option<Intent>,
    /// Those with at least this score.
    pub min_score: Option<u8>,
}

/// Leads that match, newest first; with `before`, those older than that lead.
pub async fn matching(
    tx: &mut TenantTx,
    filter: &LeadFilter,
    before: Option<LeadId>,
    limit: u32,
) -> Result<Vec<Lead>, DbError> {
    let (connection, tenant) = tx.parts();
    let rows = sqlx::query_as!(
        Row,
        r#"select id, phone, call_id, name, email, intent, budget_micro_dollars, timeline, financing, areas, bedrooms,
                  notes, score, score_reasons, created_at as "created_at: PgTime", updated_at as "updated_at: PgTime"
           from leads
           where tenant_id = $1 and ($2::uuid is null or call_id = $2) and ($3::uuid is null or id < $3)
             and ($4::text is null or phone = $4) and ($5::text is null or intent = $5)
             and ($6::smallint is null or score >= $6)
           order by id desc limit $7"#,
        tenant,
        filter.call_id.map(CallId::uuid),
        before.map(LeadId::uuid),
        filter.phone.as_ref().map(PhoneNumber::as_str),
        filter.intent.map(Intent::name),
        filter.min_score.map(i16::from),
        i64::from(limit)
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// Leads, newest first; with `call_id`, those that last appeared in that call; with `before`, those older than that lead.
pub async fn list(
    tx: &mut TenantTx,
    call_id: Option<CallId>,
    before: Option<LeadId>,
    limit: u32,
) -> Result<Vec<Lead>, DbError> {
    matching(tx, &LeadFilter { call_id, ..LeadFilter::default() }, before, limit).await
}

/// The row of this person, locked. The advisory lock orders two first appearances of one person.
async fn find(tx: &mut TenantTx, phone: Option<&str>, call_id: CallId) -> Result<Option<Uuid>, DbError> {
    let (connection, tenant) = tx.parts();
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtextextended('lead ' || $1::text || ' ' || coalesce($2, $3::text), 0))",
        tenant.to_string(),
        phone,
        call_id.uuid().to_string()
    )
    .execute(&mut *connection)
    .await?;
    let id = sqlx::query_scalar!(
        "select id from leads
         where tenant_id = $1 and (phone = $2 or (phone is null and call_id = $3))
         order by phone nulls last limit 1 for update",
        tenant,
        phone,
        call_id.uuid()
    )
    .fetch_optional(connection)
    .await?;
    Ok(id)
}

struct Row {
    id: Uuid,
    phone: Option<String>,
    call_id: Option<Uuid>,
    name: Option<String>,
    email: Option<String>,
    intent: Option<String>,
    budget_micro_dollars: Option<i64>,
    timeline: Option<String>,
    financing: Option<String>,
    areas: Vec<String>,
    bedrooms: Option<i16>,
    notes: Option<String>,
    score: i16,
    score_reasons: Vec<String>,
    created_at: PgTime,
    updated_at: PgTime,
}

impl Row {
    fn read(self) -> Result<Lead, DbError> {
        let phone = self.phone.map(|number| names::read(&number, "phone number")).transpose()?;
        Ok(Lead {
            id: LeadId::from_uuid(self.id),
            phone: phone.map(Pii::new),
            call_id: self.call_id.map(CallId::from_uuid),
            facts: LeadFacts {
                name: self.name.map(Pii::new),
                email: self.email.map(Pii::new),
                intent: self.intent.map(|text| names::read(&text, "intent")).transpose()?,
                budget: self.budget_micro_dollars.map(MicroDollars),
                timeline: self.timeline.map(|text| names::read(&text, "lead timeline")).transpose()?,
                financing: self.financing.map(|text| names::read(&text, "financing")).transpose()?,
                areas: self.areas,
                bedrooms: self.bedrooms.map(i16::unsigned_abs),
                notes: self.notes.map(Pii::new),
            },
            score: u8::try_from(self.score).map_err(|_| DbError::Unreadable { what: "score" })?,
            score_reasons: self.score_reasons,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
        })
    }
}
