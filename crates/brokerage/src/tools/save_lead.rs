//! `save_lead`: what is known about the caller, and how promising it is.
//!
//! A person is known by a phone number: the one they gave, else the one they call from. What a request leaves out keeps
//! what was known, and the score is always that of everything known, not of the last request.

use super::{Bench, Spec, Trouble};
use crate::{
    arguments::{Fields, Refusal, choice_schema, text_schema, whole_schema},
    phone,
    score::{self, LeadScore},
};
use seiketsu_domain::{LeadId, MicroDollars, PhoneNumber, Pii};
use seiketsu_storage::{
    DbError, TenantTx,
    leads::{self, Financing, Intent, Lead, LeadFacts, LeadTimeline, NewLead},
    viewings::{self, ViewingStatus},
};
use serde_json::{Value, json};
use std::ops::RangeInclusive;

const MAX_NAME_CHARS: usize = 80;
const MAX_EMAIL_CHARS: usize = 254;
const MAX_NOTES_CHARS: usize = 1_000;
const MAX_AREAS: usize = 10;
const MAX_AREA_CHARS: usize = 80;
const DOLLARS: RangeInclusive<i64> = 0..=1_000_000_000;
const BEDROOMS: RangeInclusive<i64> = 0..=20;
const VIEWINGS_LOOKED_AT: u32 = 200;

pub(super) fn spec() -> Spec {
    (
        "Keeps what you have learned about the caller, so that the brokerage can call back. Leave out what was not said. \
         May be used again when more is known.",
        json!({
            "name": text_schema("The caller's name"),
            "phone": text_schema("A number to call back, only if the caller gave another one than they call from"),
            "email": text_schema("The caller's email address"),
            "intent": choice_schema("What the caller wants to do", Intent::ALL.iter().map(|intent| intent.name())),
            "budget": whole_schema("The most they want to pay, or to pay for a month of rent, in whole dollars", &DOLLARS),
            "timeline": choice_schema("When they want to move", LeadTimeline::ALL.iter().map(|timeline| timeline.name())),
            "financing": choice_schema("How they will pay", Financing::ALL.iter().map(|financing| financing.name())),
            "areas": {
                "type": "array",
                "description": "Parts of the city they are interested in",
                "items": {"type": "string"},
                "maxItems": MAX_AREAS,
            },
            "bedrooms": whole_schema("At least so many bedrooms", &BEDROOMS),
            "notes": text_schema("Anything else the brokerage should know, in a sentence"),
        }),
        &[],
    )
}

pub(super) async fn run(bench: &Bench, fields: &Fields) -> Result<Value, Trouble> {
    let Arguments { phone, facts } = Arguments::read(fields)?;
    let phone = phone.map(Pii::new).or_else(|| bench.caller.clone());
    let mut tx = bench.db.tenant(&bench.scope).await?;
    let viewing = booked_on_this_call(&mut tx, bench).await?;
    let LeadScore { points, reasons } = score::score(&facts, phone.is_some(), viewing);
    let new = NewLead {
        id: bench.ids.next::<LeadId>(),
        phone,
        call_id: bench.call_id,
        facts,
        score: points,
        score_reasons: reasons,
        at: bench.clock.now(),
    };
    let merged = leads::upsert(&mut tx, &new).await?;
    let lead = rescore(&mut tx, bench, merged).await?;
    for viewing in viewings::list(&mut tx, Some(bench.call_id), None, VIEWINGS_LOOKED_AT).await? {
        if viewing.lead_id.is_none() {
            viewings::set_lead(&mut tx, viewing.id, lead.id).await?;
        }
    }
    tx.commit().await?;
    Ok(json!({"lead": lead.id, "score": lead.score, "reasons": lead.score_reasons}))
}

/// Brings a lead's score up to date with everything that is known by now.
pub(super) async fn rescore(tx: &mut TenantTx, bench: &Bench, lead: Lead) -> Result<Lead, DbError> {
    let viewing = booked_on_this_call(tx, bench).await?;
    let LeadScore { points, reasons } = score::score(&lead.facts, lead.phone.is_some(), viewing);
    if points == lead.score && reasons == lead.score_reasons {
        return Ok(lead);
    }
    let update = NewLead {
        id: lead.id,
        phone: lead.phone,
        call_id: bench.call_id,
        facts: LeadFacts::default(),
        score: points,
        score_reasons: reasons,
        at: bench.clock.now(),
    };
    leads::upsert(tx, &update).await
}

async fn booked_on_this_call(tx: &mut TenantTx, bench: &Bench) -> Result<bool, DbError> {
    let own = viewings::list(tx, Some(bench.call_id), None, VIEWINGS_LOOKED_AT).await?;
    Ok(own.iter().any(|viewing| viewing.status == ViewingStatus::Booked))
}

struct Arguments {
    phone: Option<PhoneNumber>,
    facts: LeadFacts,
}

impl Arguments {
    fn read(fields: &Fields) -> Result<Self, Refusal> {
        let facts = LeadFacts {
            name: fields.text("name", MAX_NAME_CHARS)?.map(Pii::new),
            email: email(fields)?.map(Pii::new),
            intent: fields.choice("intent", Intent::ALL, Intent::name)?,
            budget: fields.whole("budget", DOLLARS)?.map(MicroDollars::dollars),
            timeline: fields.choice("timeline", LeadTimeline::ALL, LeadTimeline::name)?,
            financing: fields.choice("financing", Financing::ALL, Financing::name)?,
            areas: fields.texts("areas", MAX_AREAS, MAX_AREA_CHARS)?,
            bedrooms: fields.whole("bedrooms", BEDROOMS)?.map(|bedrooms| bedrooms as u16),
            notes: fields.text("notes", MAX_NOTES_CHARS)?.map(Pii::new),
        };
        let phone = phone::read(fields, "phone")?;
        if phone.is_none() && facts == LeadFacts::default() {
            return Err(Refusal::new("there is nothing to save", "send what the caller has told you"));
        }
        Ok(Self { phone, facts })
    }
}

/// Something before an `@`, something with a dot after it, no blanks: whether it exists only a letter can tell.
fn email(fields: &Fields) -> Result<Option<String>, Refusal> {
    let Some(text) = fields.text("email", MAX_EMAIL_CHARS)? else { return Ok(None) };
    let text = text.to_lowercase();
    let plausible = text.split_once('@').is_some_and(|(local, domain)| {
        let labels = domain.split('.').collect::<Vec<_>>();
        !local.is_empty() && labels.len() >= 2 && labels.iter().all(|label| !label.is_empty())
    });
    if plausible && !text.contains([' ', ',', ';']) && text.matches('@').count() == 1 {
        Ok(Some(text))
    } else {
        Err(Refusal::new("email is not an email address", "ask the caller to spell the email address"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &Value) -> Result<Arguments, String> {
        Arguments::read(&Fields::parse(&arguments.to_string()).unwrap()).map_err(|refusal| refusal.text())
    }

    #[test]
    fn everything_that_was_said_is_read() {
        let arguments = json!({
            "name": "Anna Lee", "phone": "512 555 0142", "email": "Anna@Lee.example", "intent": "buy", "budget": 450_000,
            "timeline": "3_months", "financing": "pre_approved", "areas": ["Hyde Park"], "bedrooms": 3, "notes": "has a dog",
        });
        let Arguments { phone, facts } = read(&arguments).unwrap();
        assert_eq!(phone.unwrap().as_str(), "+15125550142");
        let expected = LeadFacts {
            name: Some(Pii::new("Anna Lee".to_owned())),
            email: Some(Pii::new("anna@lee.example".to_owned())),
            intent: Some(Intent::Buy),
            budget: Some(MicroDollars::dollars(450_000)),
            timeline: Some(LeadTimeline::ThreeMonths),
            financing: Some(Financing::PreApproved),
            areas: vec!["Hyde Park".to_owned()],
            bedrooms: Some(3),
            notes: Some(Pii::new("has a dog".to_owned())),
        };
        assert_eq!(facts, expected);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_name() {
        let cases = [
            (json!({}), "there is nothing to save"),
            (json!({"phone": "555 0142"}), "phone is not a phone number"),
            (json!({"budget": -1}), "budget is out of range"),
            (json!({"intent": "lease"}), "intent has an unknown value"),
            (json!({"timeline": "soon"}), "timeline has an unknown value"),
            (json!({"financing": 3}), "financing has an unknown value"),
            (json!({"areas": vec!["x"; 11]}), "areas has too many entries"),
            (json!({"bedrooms": 21}), "bedrooms is out of range"),
            (json!({"notes": "x".repeat(1_001)}), "notes is too long"),
            (json!({"name": "x".repeat(81)}), "name is too long"),
        ];
        for (arguments, error) in cases {
            let Err(refusal) = read(&arguments) else { panic!("{arguments} was read") };
            assert!(refusal.contains(error), "{arguments}: {refusal}");
        }
    }

    #[test]
    fn an_email_address_needs_a_name_an_at_and_a_domain() {
        for bad in [
            "anna",
            "@lee.example",
            "anna@lee",
            "anna@.example",
            "a b@lee.example",
            "a@b@lee.example",
            "a@lee.example,b",
        ] {
            assert!(read(&json!({"email": bad})).is_err(), "{bad}");
        }
    }
}
