//! Biscayne Bay Homes, Miami.

use super::{Area, DemoAgent, DemoBrokerage, DemoMember, DemoTarget};
use seiketsu_domain::Language;
use seiketsu_storage::members::Role;

pub(super) static BISCAYNE_BAY_HOMES: DemoBrokerage = DemoBrokerage {
    slug: "biscayne-bay-homes",
    name: "Biscayne Bay Homes",
    prefix: "BBH",
    city: "Miami",
    state: "FL",
    time_zone: "America/New_York",
    agents: &[
        DemoAgent {
            name: "Sofia",
            number: "+13055550121",
            language: Language::En,
            duty: "You find homes to buy or rent and book viewings.",
            voice_id: "Xb7hH8MSUJpSbSDYk0k2",
        },
        DemoAgent {
            name: "Leo",
            number: "+13055550122",
            language: Language::En,
            duty: "You look after people who want to rent by the bay; homes for sale are welcome questions too.",
            voice_id: "TxGEqnHWrfWFTfGW9XjX",
        },
        DemoAgent {
            name: "Lucia",
            number: "+13055550123",
            language: Language::Es,
            duty: "You find homes to buy or rent and book viewings.",
            voice_id: "pFZP5JQG7iQjIQuC4Bku",
        },
    ],
    records_calls: false,
    targets: &[
        DemoTarget { name: "Elena Marchetti", number: "+13055550165", office_hours: false },
        DemoTarget { name: "Rental desk", number: "+13055550166", office_hours: true },
    ],
    members: &[
        DemoMember { name: "Elena Marchetti", email: "elena@biscayne-bay-homes.example", role: Role::Admin },
        DemoMember { name: "Marcus Bell", email: "marcus@biscayne-bay-homes.example", role: Role::Staff },
    ],
    areas: &[
        Area {
            name: "Coconut Grove",
            postal_code: "33133",
            dollars_per_sqft: 620,
            streets: ["Palm Street", "Poinciana Avenue", "Tigertail Lane", "Banyan Court"],
        },
        Area {
            name: "Brickell",
            postal_code: "33131",
            dollars_per_sqft: 590,
            streets: ["Bayshore Place", "Coral Way Row", "Anchor Street", "Harbor Point Drive"],
        },
        Area {
            name: "Little Havana",
            postal_code: "33135",
            dollars_per_sqft: 340,
            streets: ["Flagler Row", "Beacon Street", "Domino Lane", "Laurel Avenue"],
        },
        Area {
            name: "Edgewater",
            postal_code: "33137",
            dollars_per_sqft: 540,
            streets: ["Margaret Street", "Bay Terrace", "Seaview Drive", "Lantana Place"],
        },
        Area {
            name: "Morningside",
            postal_code: "33137",
            dollars_per_sqft: 505,
            streets: ["Toledo Lane", "Hibiscus Street", "Magnolia Avenue", "Sunrise Court"],
        },
        Area {
            name: "Buena Vista",
            postal_code: "33127",
            dollars_per_sqft: 450,
            streets: ["Garden Row", "Jasmine Street", "Mango Lane", "Orange Grove Road"],
        },
        Area {
            name: "Shorecrest",
            postal_code: "33138",
            dollars_per_sqft: 430,
            streets: ["Mangrove Drive", "Pelican Street", "Heron Lane", "Driftwood Court"],
        },
        Area {
            name: "Coral Way",
            postal_code: "33145",
            dollars_per_sqft: 465,
            streets: ["Maple Street", "Sapodilla Avenue", "Fountain Road", "Gardenia Place"],
        },
        Area {
            name: "Riverside",
            postal_code: "33125",
            dollars_per_sqft: 385,
            streets: ["River Landing", "Sailfish Drive", "Tamarind Street", "Cypress Lane"],
        },
        Area {
            name: "Upper Eastside",
            postal_code: "33138",
            dollars_per_sqft: 475,
            streets: ["Belle Meade Road", "Acacia Street", "Seagrape Avenue", "Royal Palm Terrace"],
        },
    ],
};
