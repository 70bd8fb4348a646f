//! Rose City Realty, Portland.

use super::{Area, DemoAgent, DemoBrokerage, DemoMember, DemoTarget};
use seiketsu_domain::Language;
use seiketsu_storage::members::Role;

pub(super) static ROSE_CITY_REALTY: DemoBrokerage = DemoBrokerage {
    slug: "rose-city-realty",
    name: "Rose City Realty",
    prefix: "RCR",
    city: "Portland",
    state: "OR",
    time_zone: "America/Los_Angeles",
    agents: &[
        DemoAgent {
            name: "Maya",
            number: "+15035550111",
            language: Language::En,
            duty: "You find homes to buy or rent and book viewings.",
            voice_id: "EXAVITQu4vr4xnSDxMaL",
        },
        DemoAgent {
            name: "Owen",
            number: "+15035550112",
            language: Language::En,
            duty: "You look after first-time buyers; take the time to explain how a viewing works.",
            voice_id: "pNInz6obpgDQGcFmaJgB",
        },
        DemoAgent {
            name: "Mei",
            number: "+15035550113",
            language: Language::Zh,
            duty: "You find homes to buy or rent and book viewings.",
            voice_id: "XrExE9yKIg1WjnnlVkGX",
        },
    ],
    records_calls: false,
    targets: &[
        DemoTarget { name: "Priya Raman", number: "+15035550163", office_hours: false },
        DemoTarget { name: "Buyers desk", number: "+15035550164", office_hours: true },
    ],
    members: &[
        DemoMember { name: "Priya Raman", email: "priya@rose-city-realty.example", role: Role::Admin },
        DemoMember { name: "Jonas Keller", email: "jonas@rose-city-realty.example", role: Role::Staff },
    ],
    areas: &[
        Area {
            name: "Sellwood",
            postal_code: "97202",
            dollars_per_sqft: 345,
            streets: ["Tacoma Row", "Umatilla Street", "Spokane Lane", "Tenino Court"],
        },
        Area {
            name: "Alberta Arts",
            postal_code: "97211",
            dollars_per_sqft: 360,
            streets: ["Mason Street", "Prescott Lane", "Emerson Avenue", "Sumner Place"],
        },
        Area {
            name: "Laurelhurst",
            postal_code: "97232",
            dollars_per_sqft: 415,
            streets: ["Royal Court", "Hazelfern Place", "Flanders Walk", "Peerless Terrace"],
        },
        Area {
            name: "Pearl District",
            postal_code: "97209",
            dollars_per_sqft: 470,
            streets: ["Marshall Street", "Lovejoy Avenue", "Kearney Row", "Overton Place"],
        },
        Area {
            name: "Hawthorne",
            postal_code: "97214",
            dollars_per_sqft: 375,
            streets: ["Clay Street", "Market Lane", "Lincoln Avenue", "Harrison Court"],
        },
        Area {
            name: "Mount Tabor",
            postal_code: "97215",
            dollars_per_sqft: 390,
            streets: ["Yamhill Drive", "Salmon Road", "Taylor Street", "Scott Terrace"],
        },
        Area {
            name: "Saint Johns",
            postal_code: "97203",
            dollars_per_sqft: 285,
            streets: ["Willamette Avenue", "Burlington Street", "Leavitt Lane", "Ivanhoe Road"],
        },
        Area {
            name: "Kenton",
            postal_code: "97217",
            dollars_per_sqft: 295,
            streets: ["Denver Street", "Lombard Place", "Brandon Avenue", "Fenwick Lane"],
        },
        Area {
            name: "Multnomah Village",
            postal_code: "97219",
            dollars_per_sqft: 335,
            streets: ["Maplewood Road", "Capitol Lane", "Garden Home Drive", "Orchid Street"],
        },
        Area {
            name: "Riverside",
            postal_code: "97239",
            dollars_per_sqft: 320,
            streets: ["Cedar Street", "Ferry Landing", "Harbor View Drive", "Birch Avenue"],
        },
    ],
};
