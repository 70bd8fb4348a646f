//! Lone Star Homes, Austin.

use super::{Area, DemoAgent, DemoBrokerage, DemoMember, DemoTarget};
use seiketsu_domain::Language;
use seiketsu_storage::members::Role;

pub(super) static LONE_STAR_HOMES: DemoBrokerage = DemoBrokerage {
    slug: "lone-star-homes",
    name: "Lone Star Homes",
    prefix: "LSH",
    city: "Austin",
    state: "TX",
    time_zone: "America/Chicago",
    agents: &[
        DemoAgent {
            name: "Ava",
            number: "+15125550101",
            language: Language::En,
            duty: "You find homes to buy or rent and book viewings.",
            voice_id: "21m00Tcm4TlvDq8ikWAM",
        },
        DemoAgent {
            name: "Noah",
            number: "+15125550102",
            language: Language::En,
            duty: "You look after people who want to rent; homes for sale are welcome questions too.",
            voice_id: "ErXwobaYiN019PkySvjV",
        },
    ],
    records_calls: true,
    targets: &[
        DemoTarget { name: "Grace Whitfield", number: "+15125550161", office_hours: false },
        DemoTarget { name: "Rental desk", number: "+15125550162", office_hours: true },
    ],
    members: &[
        DemoMember { name: "Grace Whitfield", email: "grace@lone-star-homes.example", role: Role::Admin },
        DemoMember { name: "Daniel Ortega", email: "daniel@lone-star-homes.example", role: Role::Staff },
    ],
    areas: &[
        Area {
            name: "Hyde Park",
            postal_code: "78751",
            dollars_per_sqft: 410,
            streets: ["Maple Street", "Duval Terrace", "Speedway Lane", "Guadalupe Row"],
        },
        Area {
            name: "Riverside",
            postal_code: "78741",
            dollars_per_sqft: 265,
            streets: ["Willow Bend", "Lakeshore Drive", "Pecan Grove Road", "Cypress Court"],
        },
        Area {
            name: "Zilker",
            postal_code: "78704",
            dollars_per_sqft: 520,
            streets: ["Bluebonnet Lane", "Kinney Road", "Juniper Street", "Ashby Avenue"],
        },
        Area {
            name: "Mueller",
            postal_code: "78723",
            dollars_per_sqft: 365,
            streets: ["Garden Street", "Mattie Lane", "Orchard Walk", "Aldrich Row"],
        },
        Area {
            name: "Travis Heights",
            postal_code: "78704",
            dollars_per_sqft: 480,
            streets: ["Oak Hill Drive", "Harwood Place", "Newning Street", "Monroe Terrace"],
        },
        Area {
            name: "Clarksville",
            postal_code: "78703",
            dollars_per_sqft: 560,
            streets: ["Pressler Street", "Waterston Lane", "Palma Court", "Elm Row"],
        },
        Area {
            name: "Crestview",
            postal_code: "78757",
            dollars_per_sqft: 340,
            streets: ["Arroyo Road", "Madison Avenue", "Yates Street", "Woodrow Lane"],
        },
        Area {
            name: "Barton Hills",
            postal_code: "78704",
            dollars_per_sqft: 455,
            streets: ["Rabb Road", "Trailside Drive", "Melridge Place", "Hillmont Street"],
        },
        Area {
            name: "Allandale",
            postal_code: "78757",
            dollars_per_sqft: 355,
            streets: ["Shoal Creek Road", "Greenlawn Avenue", "Daughtry Lane", "Treadwell Street"],
        },
        Area {
            name: "Windsor Park",
            postal_code: "78723",
            dollars_per_sqft: 285,
            streets: ["Berkman Drive", "Rogge Lane", "Belmoor Court", "Sweeney Circle"],
        },
    ],
};
