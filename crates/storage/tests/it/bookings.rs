use crate::at_once;
use jiff::{SignedDuration, Timestamp};
use seiketsu_domain::{ListingId, Pii};
use seiketsu_storage::{
    listings::{self, ListingStatus},
    viewings::{self, Booking, NewViewing, Viewing, ViewingStatus},
};
use seiketsu_testkit::{Persona, World};
use std::{sync::Arc, time::Duration};

const BUFFER: Duration = Duration::from_mins(15);

fn minutes(number: i64) -> SignedDuration {
    SignedDuration::from_mins(number)
}

/// Half an hour on the first listing, so many minutes after tomorrow's first hour.
fn wish(world: &World, persona: &Persona, after_min: i64) -> NewViewing {
    let starts_at = world.now() + SignedDuration::from_hours(24) + minutes(after_min);
    NewViewing {
        id: world.ids.next(),
        listing_id: persona.listings[0].id,
        lead_id: None,
        call_id: None,
        visitor_name: Pii::new("Carla Diaz".to_owned()),
        visitor_phone: Some(Pii::new("+15125550142".parse().unwrap())),
        starts_at,
        ends_at: starts_at + minutes(30),
        buffer: BUFFER,
        at: world.now(),
    }
}

async fn book(world: &World, persona: &Persona, wish: &NewViewing) -> Booking {
    let mut tx = world.tenant(persona).await;
    let booking = viewings::book(&mut tx, wish).await.unwrap();
    tx.commit().await.unwrap();
    booking
}

async fn booked(world: &World, persona: &Persona, wish: &NewViewing) -> Viewing {
    match book(world, persona, wish).await {
        Booking::Booked(viewing) => viewing,
        refused @ (Booking::Taken | Booking::NoSuchListing) => panic!("{refused:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_twenty_callers_who_want_overlapping_times_at_once_exactly_one_gets_it() {
    let world = Arc::new(World::new().await);
    let outcomes = at_once(20, |number| {
        let world = world.clone();
        async move {
            let wish = wish(&world, &world.anna, i64::try_from(number).unwrap());
            book(&world, &world.anna, &wish).await
        }
    })
    .await;
    let booked = outcomes.iter().filter(|outcome| matches!(outcome, Booking::Booked(_))).count();
    let taken = outcomes.iter().filter(|outcome| matches!(outcome, Booking::Taken)).count();
    assert_eq!((booked, taken), (1, 19));
    assert_eq!(world.database.count("select count(*) from public.viewings").await, 1);
}

#[tokio::test]
async fn the_buffer_after_a_viewing_is_nobodys_and_the_minute_after_it_is_free() {
    let world = World::new().await;
    let first = booked(&world, &world.anna, &wish(&world, &world.anna, 0)).await;
    assert_eq!(first.blocked_until, first.ends_at + minutes(15));
    for (after_min, free) in [(44, false), (-44, false), (45, true), (-45, true)] {
        let outcome = book(&world, &world.anna, &wish(&world, &world.anna, after_min)).await;
        assert_eq!(matches!(outcome, Booking::Booked(_)), free, "{after_min} minutes after: {outcome:?}");
    }
    let mut tx = world.tenant(&world.anna).await;
    let listed =
        viewings::list_between(&mut tx, first.listing_id, first.starts_at, first.ends_at).await.unwrap();
    assert_eq!(listed, std::slice::from_ref(&first));
    let all =
        viewings::list_between(&mut tx, first.listing_id, Timestamp::MIN, Timestamp::MAX).await.unwrap();
    let starts_min: Vec<i64> =
        all.iter().map(|viewing| (viewing.starts_at - first.starts_at).as_mins()).collect();
    assert_eq!(starts_min, [-45, 0, 45]);
}

#[tokio::test]
async fn a_model_that_books_the_same_time_twice_in_one_call_gets_the_same_viewing() {
    let world = World::new().await;
    let call_id = Some(world.call(&world.anna).await);
    let first = booked(&world, &world.anna, &NewViewing { call_id, ..wish(&world, &world.anna, 0) }).await;
    let again = booked(&world, &world.anna, &NewViewing { call_id, ..wish(&world, &world.anna, 0) }).await;
    assert_eq!(again, first);
    let other = Some(world.call(&world.anna).await);
    let outcome =
        book(&world, &world.anna, &NewViewing { call_id: other, ..wish(&world, &world.anna, 0) }).await;
    assert_eq!(outcome, Booking::Taken);
    let mut tx = world.tenant(&world.anna).await;
    assert_eq!(viewings::list(&mut tx, call_id, None, 10).await.unwrap(), [first]);
}

#[tokio::test]
async fn a_cancelled_viewing_frees_its_time_once() {
    let world = World::new().await;
    let first = booked(&world, &world.anna, &wish(&world, &world.anna, 0)).await;
    let mut tx = world.tenant(&world.anna).await;
    assert!(viewings::cancel(&mut tx, first.id, world.now(), None).await.unwrap());
    assert!(!viewings::cancel(&mut tx, first.id, world.now(), None).await.unwrap());
    tx.commit().await.unwrap();
    booked(&world, &world.anna, &wish(&world, &world.anna, 0)).await;
    let mut tx = world.tenant(&world.anna).await;
    let kept = viewings::get(&mut tx, first.id).await.unwrap().unwrap();
    let cancelled_at = Some(world.now());
    assert_eq!(kept, Viewing { status: ViewingStatus::Cancelled, cancelled_at, ..first });
}

#[tokio::test]
async fn a_listing_that_is_gone_foreign_or_invented_cannot_be_seen() {
    let world = World::new().await;
    let foreign = world.boris.listings[0].id;
    let invented: ListingId = world.ids.next();
    let gone = world.anna.listings[1].id;
    let mut tx = world.tenant(&world.anna).await;
    listings::set_status(&mut tx, gone, ListingStatus::Withdrawn).await.unwrap();
    tx.commit().await.unwrap();
    for listing_id in [foreign, invented, gone] {
        let outcome =
            book(&world, &world.anna, &NewViewing { listing_id, ..wish(&world, &world.anna, 0) }).await;
        assert_eq!(outcome, Booking::NoSuchListing);
    }
}

#[tokio::test]
async fn the_same_time_on_another_listing_is_free() {
    let world = World::new().await;
    booked(&world, &world.anna, &wish(&world, &world.anna, 0)).await;
    let listing_id = world.anna.listings[1].id;
    booked(&world, &world.anna, &NewViewing { listing_id, ..wish(&world, &world.anna, 0) }).await;
    booked(&world, &world.boris, &wish(&world, &world.boris, 0)).await;
}
