use seiketsu_domain::{CallId, MicroDollars, PhoneNumber, Pii};
use seiketsu_storage::leads::{self, Financing, Intent, Lead, LeadFacts, LeadTimeline, NewLead};
use seiketsu_testkit::World;

fn found(world: &World, call_id: CallId, phone: Option<&str>, facts: LeadFacts) -> NewLead {
    NewLead {
        id: world.ids.next(),
        phone: phone.map(|number| Pii::new(number.parse().unwrap())),
        call_id,
        facts,
        score: 55,
        score_reasons: vec!["They know their budget.".to_owned()],
        at: world.now(),
    }
}

async fn save(world: &World, lead: &NewLead) -> Lead {
    let mut tx = world.tenant(&world.anna).await;
    let saved = leads::upsert(&mut tx, lead).await.unwrap();
    tx.commit().await.unwrap();
    saved
}

#[tokio::test]
async fn a_caller_who_calls_again_is_the_same_lead_and_keeps_what_was_known() {
    let world = World::new().await;
    let first_call = world.call(&world.anna).await;
    let facts = LeadFacts {
        name: Some(Pii::new("Carla Diaz".to_owned())),
        email: Some(Pii::new("carla@example.com".to_owned())),
        intent: Some(Intent::Buy),
        budget: Some(MicroDollars::dollars(500_000)),
        timeline: Some(LeadTimeline::ThreeMonths),
        financing: Some(Financing::PreApproved),
        areas: vec!["Riverside".to_owned()],
        bedrooms: Some(3),
        notes: Some(Pii::new("Has a dog.".to_owned())),
    };
    let first = save(&world, &found(&world, first_call, Some("+15125550142"), facts.clone())).await;
    assert_eq!(first.facts, facts);
    let second_call = world.call(&world.anna).await;
    let later = LeadFacts { timeline: Some(LeadTimeline::Now), ..LeadFacts::default() };
    let mut again = found(&world, second_call, Some("+15125550142"), later);
    again.score = 80;
    let second = save(&world, &again).await;
    assert_eq!((second.id, second.call_id, second.score), (first.id, Some(second_call), 80));
    assert_eq!(second.facts, LeadFacts { timeline: Some(LeadTimeline::Now), ..facts });
    let mut tx = world.tenant(&world.anna).await;
    let number: PhoneNumber = "+15125550142".parse().unwrap();
    assert_eq!(leads::by_phone(&mut tx, &number).await.unwrap(), Some(second.clone()));
    assert_eq!(leads::get(&mut tx, first.id).await.unwrap(), Some(second.clone()));
    assert_eq!(leads::list(&mut tx, Some(second_call), None, 10).await.unwrap(), [second]);
    assert_eq!(leads::list(&mut tx, Some(first_call), None, 10).await.unwrap(), []);
}

#[tokio::test]
async fn a_caller_whose_number_is_learned_late_stays_one_lead() {
    let world = World::new().await;
    let call = world.call(&world.anna).await;
    let named = LeadFacts { name: Some(Pii::new("Carla".to_owned())), ..LeadFacts::default() };
    let first = save(&world, &found(&world, call, None, named.clone())).await;
    let same = save(&world, &found(&world, call, None, LeadFacts::default())).await;
    assert_eq!((same.id, &same.facts), (first.id, &named));
    let numbered = save(&world, &found(&world, call, Some("+15125550142"), LeadFacts::default())).await;
    assert_eq!((numbered.id, &numbered.facts), (first.id, &named));
    assert_eq!(numbered.phone.as_ref().unwrap().expose().as_str(), "+15125550142");
    assert_eq!(world.database.count("select count(*) from public.leads").await, 1);
}

#[tokio::test]
async fn two_callers_who_withhold_their_numbers_are_two_leads() {
    let world = World::new().await;
    for _ in 0..2 {
        let call = world.call(&world.anna).await;
        save(&world, &found(&world, call, None, LeadFacts::default())).await;
    }
    assert_eq!(world.database.count("select count(*) from public.leads").await, 2);
}
