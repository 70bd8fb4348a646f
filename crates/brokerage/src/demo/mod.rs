//! Three brokerages for a first call: agents, numbers, members and some forty listings each.
//!
//! Data, not behaviour: everything is written out or computed from a position in a table, so that two machines hold the
//! same homes. [`install`] puts them into a database and may run as often as it likes. Numbers are from the range that
//! the North American Numbering Plan keeps for fiction (555-0100 to 555-0199); areas are real ones, streets
//! and house numbers are not meant to be.
//!
//! To add one more brokerage: a file like [`austin`] and a line in [`brokerages`].

mod austin;
mod homes;
mod install;
mod miami;
mod phrases;
mod portland;

pub use homes::{DemoListing, listings};
pub use install::{DemoError, Installed, InstalledAgent, install};

use crate::tools::Tool;
use seiketsu_domain::{AgentId, AgentProfile, Language, ModelChoice, ModelFallback, VoiceChoice};
use seiketsu_storage::members::Role;
use std::collections::BTreeMap;

/// A brokerage as the demo describes it.
#[derive(Debug)]
pub struct DemoBrokerage {
    /// Name in URLs and commands.
    pub slug: &'static str,
    /// Name as agents say it.
    pub name: &'static str,
    /// Prefix of listing references.
    pub prefix: &'static str,
    /// City of all listings.
    pub city: &'static str,
    /// Two-letter state.
    pub state: &'static str,
    /// IANA time zone.
    pub time_zone: &'static str,
    /// Two or three voice agents, each with a number of its own.
    pub agents: &'static [DemoAgent],
    /// Whether its calls are recorded, with the caller's assent.
    pub records_calls: bool,
    /// Whom callers can be put through to.
    pub targets: &'static [DemoTarget],
    /// People who work there.
    pub members: &'static [DemoMember],
    /// Where the homes are; each area holds four.
    pub areas: &'static [Area],
}

/// A voice agent of the demo.
#[derive(Debug)]
pub struct DemoAgent {
    /// What it calls itself.
    pub name: &'static str,
    /// The number it answers, E.164.
    pub number: &'static str,
    /// What it speaks.
    pub language: Language,
    /// What it is for, added to the instructions all agents share.
    pub duty: &'static str,
    /// The vendor's id of the voice.
    pub voice_id: &'static str,
}

/// A person or desk that takes calls.
#[derive(Debug)]
pub struct DemoTarget {
    /// As callers ask for it.
    pub name: &'static str,
    /// What is dialled, E.164.
    pub number: &'static str,
    /// Whether calls are taken from nine to six on weekdays only; at any time otherwise.
    pub office_hours: bool,
}

/// A person of a demo brokerage.
#[derive(Debug)]
pub struct DemoMember {
    /// Full name.
    pub name: &'static str,
    /// Address at a domain reserved for examples.
    pub email: &'static str,
    /// What they may do.
    pub role: Role,
}

/// A part of a city.
#[derive(Debug)]
pub struct Area {
    /// As people call it.
    pub name: &'static str,
    /// Postal code.
    pub postal_code: &'static str,
    /// What a square foot costs here, in dollars.
    pub dollars_per_sqft: u32,
    /// One street for each of its homes.
    pub streets: [&'static str; 4],
}

/// All demo brokerages.
pub fn brokerages() -> [&'static DemoBrokerage; 3] {
    [&austin::LONE_STAR_HOMES, &portland::ROSE_CITY_REALTY, &miami::BISCAYNE_BAY_HOMES]
}

impl DemoBrokerage {
    /// The configuration of one of its agents.
    pub fn profile(&self, agent: &DemoAgent, id: AgentId) -> AgentProfile {
        let phrases = phrases::of(agent.language);
        let (name, brokerage) = (agent.name, self.name);
        let model = ModelChoice { model: "gpt-4.1-mini".to_owned(), temperature: 0.3, max_tokens: 300 };
        AgentProfile {
            id,
            name: name.to_owned(),
            brokerage_name: brokerage.to_owned(),
            language: agent.language,
            time_zone: self.time_zone.to_owned(),
            instructions: format!(
                "You help people who call about homes in {}, {}. {} You are warm, brief and exact.",
                self.city, self.state, agent.duty
            ),
            greeting: (phrases.greeting)(brokerage, name),
            goodbye: (phrases.goodbye)(brokerage),
            acknowledgements: phrases.acknowledgements.map(str::to_owned).to_vec(),
            apology: phrases.apology.to_owned(),
            endpoint_silence_ms: 300,
            max_call_seconds: 1_800,
            model: model.clone(),
            voice: VoiceChoice {
                voice_id: agent.voice_id.to_owned(),
                model: "eleven_flash_v2_5".to_owned(),
                stability: 0.5,
                similarity: 0.75,
            },
            tools: Tool::ALL.map(|tool| tool.name().to_owned()).to_vec(),
            // Without such an endpoint in the configuration, its own model is asked again.
            model_fallbacks: vec![ModelFallback {
                endpoint: "fallback".to_owned(),
                model,
                instructions: None,
            }],
            menu: BTreeMap::from([('0', phrases.wants_a_person.to_owned())]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hours::ViewingHours;
    use seiketsu_domain::PhoneNumber;
    use std::collections::BTreeSet;

    #[test]
    fn every_agent_has_a_fictional_number_and_a_voice_of_its_own() {
        let agents: Vec<_> = brokerages().iter().flat_map(|brokerage| brokerage.agents).collect();
        let numbers: BTreeSet<_> = agents.iter().map(|agent| agent.number).collect();
        let voices: BTreeSet<_> = agents.iter().map(|agent| agent.voice_id).collect();
        assert_eq!((numbers.len(), voices.len()), (agents.len(), agents.len()));
        for number in numbers {
            assert!(number.parse::<PhoneNumber>().is_ok(), "{number}");
            assert_eq!((number.len(), &number[5..10]), (12, "55501"), "{number} is not reserved for fiction");
        }
    }

    #[test]
    fn every_agent_says_that_it_is_an_ai_and_has_five_short_acknowledgements() {
        for brokerage in brokerages() {
            assert!((2..=3).contains(&brokerage.agents.len()), "{}", brokerage.slug);
            for agent in brokerage.agents {
                let profile = brokerage.profile(agent, AgentId::from_uuid(uuid::Uuid::nil()));
                let says_so = match agent.language {
                    Language::En => "an AI assistant",
                    Language::Es => "asistente de inteligencia artificial",
                    Language::Zh => "人工智能助理",
                };
                assert!(profile.greeting.contains(says_so), "{}", profile.greeting);
                assert!(profile.greeting.contains(brokerage.name), "{}", profile.greeting);
                let distinct: BTreeSet<_> = profile.acknowledgements.iter().collect();
                assert_eq!(distinct.len(), 5);
                assert!(distinct.iter().all(|phrase| phrase.split_whitespace().count() <= 4), "{distinct:?}");
            }
        }
    }

    #[test]
    fn every_agent_has_all_tools_and_a_second_place_for_its_model() {
        for brokerage in brokerages() {
            for agent in brokerage.agents {
                let profile = brokerage.profile(agent, AgentId::from_uuid(uuid::Uuid::nil()));
                assert_eq!(profile.tools, Tool::ALL.map(Tool::name), "{}", agent.name);
                let endpoints: Vec<_> =
                    profile.model_fallbacks.iter().map(|fallback| fallback.endpoint.as_str()).collect();
                assert_eq!(endpoints, ["fallback"], "{}", agent.name);
            }
        }
    }

    #[test]
    fn every_brokerage_can_put_callers_through_to_two_fictional_numbers_one_of_them_at_any_time() {
        let agents: BTreeSet<_> =
            brokerages().iter().flat_map(|brokerage| brokerage.agents).map(|agent| agent.number).collect();
        for brokerage in brokerages() {
            assert_eq!(brokerage.targets.len(), 2, "{}", brokerage.slug);
            assert!(brokerage.targets.iter().any(|target| !target.office_hours), "{}", brokerage.slug);
            for target in brokerage.targets {
                assert_eq!(&target.number[5..10], "55501", "{} is not reserved for fiction", target.number);
                assert!(!agents.contains(target.number), "{} is an agent's own", target.number);
            }
        }
    }

    #[test]
    fn the_brokerages_live_in_three_time_zones_and_have_an_admin_and_staff_each() {
        let zones: BTreeSet<_> = brokerages().iter().map(|brokerage| brokerage.time_zone).collect();
        assert_eq!(zones.len(), 3);
        for brokerage in brokerages() {
            assert!(ViewingHours::in_zone(brokerage.time_zone).is_ok(), "{}", brokerage.time_zone);
            let roles: BTreeSet<_> = brokerage.members.iter().map(|member| member.role).collect();
            assert_eq!(roles, BTreeSet::from([Role::Admin, Role::Staff]), "{}", brokerage.slug);
        }
    }
}
