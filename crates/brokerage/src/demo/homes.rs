//! The homes of a demo brokerage, computed from its areas.

use super::DemoBrokerage;
use seiketsu_storage::listings::{Offer, PropertyType};

/// A home of the demo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoListing {
    /// The brokerage's own number of it, unique there.
    pub reference: String,
    /// House number and street.
    pub address: String,
    /// Part of the city.
    pub area: &'static str,
    /// Postal code.
    pub postal_code: &'static str,
    /// What it is.
    pub property_type: PropertyType,
    /// Whether it is sold or let.
    pub offer: Offer,
    /// Price, or rent for a month, in whole dollars.
    pub dollars: i64,
    /// Bedrooms.
    pub bedrooms: u16,
    /// Bathrooms.
    pub bathrooms: u16,
    /// Living area.
    pub square_feet: u32,
    /// When it was built.
    pub year_built: u16,
    /// One line.
    pub headline: String,
    /// A few sentences about the home, never about the neighbours.
    pub description: String,
}

/// What one home of each area looks like. Four plans in every area, turned by one bedroom from area to area, make sure
/// that each type, size and offer can be found in more than one place.
struct Plan {
    property_type: PropertyType,
    bedrooms: u16,
    base_square_feet: u32,
    /// Percent of the area's price per square foot.
    price_percent: u32,
}

const PLANS: [Plan; 4] = [
    Plan { property_type: PropertyType::House, bedrooms: 3, base_square_feet: 1_620, price_percent: 100 },
    Plan { property_type: PropertyType::Condo, bedrooms: 2, base_square_feet: 1_040, price_percent: 104 },
    Plan { property_type: PropertyType::Townhouse, bedrooms: 3, base_square_feet: 1_480, price_percent: 92 },
    Plan { property_type: PropertyType::Apartment, bedrooms: 1, base_square_feet: 720, price_percent: 97 },
];

const LOOKS: [&str; 11] = [
    "Sunny",
    "Freshly painted",
    "Quiet",
    "Bright",
    "Well kept",
    "Airy",
    "Renovated",
    "Charming",
    "Spacious",
    "Light-filled",
    "Classic",
];

const HIGHLIGHTS: [(&str, &str); 13] = [
    ("a deep front porch", "The front porch is deep enough for a table and a swing."),
    ("an open kitchen", "The kitchen opens to the living room and has a gas range."),
    ("a shaded back yard", "Old trees shade the back yard through the afternoon."),
    ("oak floors", "Oak floors run through the living room and the hall."),
    ("a corner fireplace", "A corner fireplace warms the living room."),
    ("a home office", "A small room by the entrance makes a good office."),
    ("a private balcony", "The balcony faces away from the street."),
    ("tall windows", "Tall windows bring in morning light."),
    ("a new roof", "The roof was replaced last year."),
    ("a walk-in pantry", "The pantry is large enough to walk into."),
    ("a covered patio", "A covered patio extends the dining room outdoors."),
    ("two parking places", "Two parking places belong to the home."),
    ("a garden shed", "The shed has power and a workbench."),
];

const CLOSING: [&str; 7] = [
    "Washer and dryer stay.",
    "Heating and cooling were serviced this spring.",
    "There is room for bicycles by the side door.",
    "Storage is better than the size suggests.",
    "The water heater is two years old.",
    "Windows are double glazed.",
    "High-speed internet is installed.",
];

/// All homes of a brokerage, always the same ones in the same order.
pub fn listings(brokerage: &DemoBrokerage) -> Vec<DemoListing> {
    let mut homes = Vec::with_capacity(brokerage.areas.len() * PLANS.len());
    for (area_number, area) in brokerage.areas.iter().enumerate() {
        for (plan_number, (plan, street)) in PLANS.iter().zip(area.streets).enumerate() {
            let number = homes.len();
            let bedrooms = plan.bedrooms + [0, 1, 0][(area_number + plan_number) % 3];
            let extra = u32::from(bedrooms - plan.bedrooms) * 260 + (number as u32 * 37) % 190;
            let square_feet = plan.base_square_feet + extra;
            let sale_dollars =
                u64::from(square_feet) * u64::from(area.dollars_per_sqft) * u64::from(plan.price_percent)
                    / 100;
            let offer = offer(plan.property_type, area_number);
            // Rent for a month is close to one two-hundred-and-twentieth of the price of the home.
            let dollars = match offer {
                Offer::Sale => sale_dollars / 5_000 * 5_000,
                Offer::Rent => sale_dollars / 220 / 25 * 25,
            };
            let (highlight, about_highlight) = HIGHLIGHTS[number * 5 % HIGHLIGHTS.len()];
            let (_, also) = HIGHLIGHTS[(number * 5 + 6) % HIGHLIGHTS.len()];
            let look = LOOKS[number % LOOKS.len()];
            let rooms = spelled(bedrooms);
            let kind = plan.property_type.name();
            homes.push(DemoListing {
                reference: format!("{}-{:04}", brokerage.prefix, 1_001 + number),
                address: format!("{} {street}", 12 + (number * 211) % 1_900),
                area: area.name,
                postal_code: area.postal_code,
                property_type: plan.property_type,
                offer,
                dollars: i64::try_from(dollars).unwrap_or(i64::MAX),
                bedrooms,
                bathrooms: 1 + bedrooms / 2,
                square_feet,
                year_built: 1_926 + ((number * 29) % 96) as u16,
                headline: format!("{look} {rooms}-bedroom {kind} with {highlight}"),
                description: format!(
                    "A {rooms}-bedroom {kind} of {square_feet} square feet in {}. {about_highlight} {also} {}",
                    area.name,
                    CLOSING[number * 3 % CLOSING.len()],
                ),
            });
        }
    }
    homes
}

/// Houses are mostly sold, apartments mostly let, the rest is mixed.
fn offer(property_type: PropertyType, area_number: usize) -> Offer {
    let rented = match property_type {
        PropertyType::House => area_number % 5 == 4,
        PropertyType::Condo => area_number % 3 == 1,
        PropertyType::Townhouse => area_number % 2 == 1,
        PropertyType::Apartment => area_number % 5 != 2,
    };
    if rented { Offer::Rent } else { Offer::Sale }
}

fn spelled(bedrooms: u16) -> &'static str {
    ["no", "one", "two", "three", "four", "five"].get(usize::from(bedrooms)).copied().unwrap_or("many")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::brokerages;
    use std::collections::BTreeSet;

    #[test]
    fn each_brokerage_has_forty_homes_with_addresses_and_references_of_their_own() {
        for brokerage in brokerages() {
            let homes = listings(brokerage);
            assert_eq!(homes.len(), 40, "{}", brokerage.slug);
            let addresses: BTreeSet<_> = homes.iter().map(|home| &home.address).collect();
            let streets: BTreeSet<_> =
                homes.iter().map(|home| home.address.split_once(' ').unwrap().1).collect();
            let references: BTreeSet<_> = homes.iter().map(|home| &home.reference).collect();
            let descriptions: BTreeSet<_> = homes.iter().map(|home| &home.description).collect();
            assert_eq!([addresses.len(), streets.len(), references.len(), descriptions.len()], [40; 4]);
        }
    }

    #[test]
    fn prices_are_those_of_the_market_and_speakable() {
        for home in brokerages().into_iter().flat_map(listings) {
            let (range, step) = match home.offer {
                Offer::Sale => (150_000..=1_500_000, 5_000),
                Offer::Rent => (700..=6_000, 25),
            };
            assert!(range.contains(&home.dollars) && home.dollars % step == 0, "{home:?}");
            assert!((1..=5).contains(&home.bedrooms) && (1..=3).contains(&home.bathrooms), "{home:?}");
            assert!((1_926..=2_021).contains(&home.year_built), "{home:?}");
        }
    }

    #[test]
    fn every_type_is_offered_for_sale_and_for_rent_at_every_brokerage() {
        for brokerage in brokerages() {
            let offered: BTreeSet<_> = listings(brokerage)
                .iter()
                .map(|home| (home.property_type.name(), home.offer.name()))
                .collect();
            assert_eq!(offered.len(), 8, "{}: {offered:?}", brokerage.slug);
        }
    }

    #[test]
    fn the_homes_are_the_same_on_every_machine() {
        let first = &listings(brokerages()[0])[0];
        assert_eq!(
            (first.reference.as_str(), first.address.as_str(), first.headline.as_str(), first.dollars),
            ("LSH-1001", "12 Maple Street", "Sunny three-bedroom house with a deep front porch", 660_000)
        );
    }
}
