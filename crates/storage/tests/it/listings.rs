use seiketsu_domain::MicroDollars;
use seiketsu_storage::{
    DbError,
    listings::{self, ListingFilter, ListingStatus, Offer, PropertyType},
};
use seiketsu_testkit::World;

async fn references(world: &World, filter: ListingFilter) -> Vec<String> {
    let mut tx = world.tenant(&world.anna).await;
    let found = listings::search(&mut tx, &filter, 10).await.unwrap();
    assert_eq!(found.total as usize, found.listings.len());
    found.listings.into_iter().map(|listing| listing.reference).collect()
}

#[tokio::test]
async fn each_wish_of_a_search_narrows_it() {
    let world = World::new().await;
    let any = ListingFilter::default;
    let place = |place: &str| Some(place.to_owned());
    let wishes: [(ListingFilter, &[&str]); 12] = [
        (any(), &["R-3", "R-1", "R-2"]),
        (ListingFilter { place: place("riverSIDE "), ..any() }, &["R-3", "R-1"]),
        (ListingFilter { place: place("maple"), ..any() }, &["R-1"]),
        (ListingFilter { place: place("austin"), ..any() }, &["R-3", "R-1", "R-2"]),
        (ListingFilter { place: place("%"), ..any() }, &[]),
        (ListingFilter { min_price: Some(MicroDollars::dollars(450_001)), ..any() }, &["R-2"]),
        (ListingFilter { max_price: Some(MicroDollars::dollars(450_000)), ..any() }, &["R-3", "R-1"]),
        (ListingFilter { min_bedrooms: Some(3), ..any() }, &["R-1", "R-2"]),
        (ListingFilter { min_bathrooms: Some(3.0), ..any() }, &[]),
        (ListingFilter { property_type: Some(PropertyType::Apartment), ..any() }, &["R-3"]),
        (ListingFilter { offer: Some(Offer::Sale), ..any() }, &["R-1", "R-2"]),
        (
            ListingFilter { offer: Some(Offer::Sale), min_bedrooms: Some(4), place: place("hill"), ..any() },
            &["R-2"],
        ),
    ];
    for (filter, expected) in wishes {
        assert_eq!(references(&world, filter.clone()).await, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn a_search_says_how_many_more_there_are_and_hides_what_cannot_be_had() {
    let world = World::new().await;
    let mut tx = world.tenant(&world.anna).await;
    let found = listings::search(&mut tx, &ListingFilter::default(), 1).await.unwrap();
    assert_eq!((found.listings.len(), found.total), (1, 3));
    listings::set_status(&mut tx, found.listings[0].id, ListingStatus::Pending).await.unwrap();
    assert_eq!(listings::search(&mut tx, &ListingFilter::default(), 1).await.unwrap().total, 2);
    let by_reference = listings::by_reference(&mut tx, "R-3").await.unwrap().unwrap();
    assert_eq!((by_reference.id, by_reference.status), (found.listings[0].id, ListingStatus::Pending));
}

#[tokio::test]
async fn a_listing_comes_back_as_it_was_added_and_its_reference_is_taken() {
    let world = World::new().await;
    let mut tx = world.tenant(&world.anna).await;
    let listing = &world.anna.listings[0];
    assert_eq!(listings::get(&mut tx, listing.id).await.unwrap().as_ref(), Some(listing));
    let mut twin = listing.clone();
    twin.id = world.ids.next();
    assert!(matches!(listings::insert_many(&mut tx, &[twin]).await, Err(DbError::Conflict { .. })));
}
