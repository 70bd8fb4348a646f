//! How promising a lead is: 0 to 100, with the reasons as sentences a person can read.
//!
//! Every rule adds points for something the caller said or did; nothing is inferred about who they are.

use seiketsu_storage::leads::{Financing, LeadFacts, LeadTimeline};

/// The score of a lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeadScore {
    /// 0 to 100.
    pub points: u8,
    /// One sentence per rule that counted.
    pub reasons: Vec<String>,
}

/// Applies the rules to what is known of a lead, whether a number is known (`reachable`), and whether the lead booked a
/// viewing on this call (`viewing`).
pub fn score(facts: &LeadFacts, reachable: bool, viewing: bool) -> LeadScore {
    let mut points = 0_u8;
    let mut reasons = Vec::new();
    let mut count = |gained: u8, reason: &str| {
        points = points.saturating_add(gained).min(100);
        reasons.push(format!("{reason} (+{gained})."));
    };
    if reachable {
        count(10, "Can be called back on a known number");
    }
    if facts.email.is_some() {
        count(10, "Left an email address");
    }
    if facts.budget.is_some() {
        count(20, "Named a budget");
    }
    match facts.timeline {
        Some(LeadTimeline::Now) => count(30, "Wants to move right away"),
        Some(LeadTimeline::OneMonth) => count(25, "Wants to move within a month"),
        Some(LeadTimeline::ThreeMonths) => count(15, "Wants to move within three months"),
        Some(LeadTimeline::SixMonths) => count(10, "Wants to move within six months"),
        Some(LeadTimeline::OneYear) => count(5, "Wants to move within a year"),
        None => {}
    }
    match facts.financing {
        Some(Financing::PreApproved) => count(25, "Is pre-approved for a loan"),
        Some(Financing::Cash) => count(25, "Pays without a loan"),
        Some(Financing::Needed | Financing::Unknown) | None => {}
    }
    if viewing {
        count(15, "Booked a viewing on this call");
    }
    LeadScore { points, reasons }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use seiketsu_domain::{MicroDollars, Pii};

    fn email() -> LeadFacts {
        LeadFacts { email: Some(Pii::new("anna@lee.example".to_owned())), ..LeadFacts::default() }
    }

    fn budget() -> LeadFacts {
        LeadFacts { budget: Some(MicroDollars::dollars(450_000)), ..LeadFacts::default() }
    }

    fn timeline(timeline: LeadTimeline) -> LeadFacts {
        LeadFacts { timeline: Some(timeline), ..LeadFacts::default() }
    }

    fn financing(financing: Financing) -> LeadFacts {
        LeadFacts { financing: Some(financing), ..LeadFacts::default() }
    }

    fn everything() -> LeadFacts {
        LeadFacts {
            timeline: Some(LeadTimeline::Now),
            financing: Some(Financing::Cash),
            budget: budget().budget,
            ..email()
        }
    }

    #[test]
    fn each_rule_adds_its_points_and_says_why() {
        let cases = [
            (LeadFacts::default(), 0, None),
            (email(), 10, Some("Left an email address (+10).")),
            (budget(), 20, Some("Named a budget (+20).")),
            (timeline(LeadTimeline::Now), 30, Some("Wants to move right away (+30).")),
            (timeline(LeadTimeline::OneMonth), 25, Some("Wants to move within a month (+25).")),
            (timeline(LeadTimeline::ThreeMonths), 15, Some("Wants to move within three months (+15).")),
            (timeline(LeadTimeline::SixMonths), 10, Some("Wants to move within six months (+10).")),
            (timeline(LeadTimeline::OneYear), 5, Some("Wants to move within a year (+5).")),
            (financing(Financing::PreApproved), 25, Some("Is pre-approved for a loan (+25).")),
            (financing(Financing::Cash), 25, Some("Pays without a loan (+25).")),
            (financing(Financing::Needed), 0, None),
            (financing(Financing::Unknown), 0, None),
        ];
        for (facts, points, reason) in cases {
            let expected = LeadScore { points, reasons: reason.map(str::to_owned).into_iter().collect() };
            assert_eq!(score(&facts, false, false), expected, "{facts:?}");
        }
        let known_number = score(&LeadFacts::default(), true, false);
        assert_eq!(
            (known_number.points, known_number.reasons),
            (10, vec!["Can be called back on a known number (+10).".to_owned()])
        );
        let viewing = score(&LeadFacts::default(), false, true);
        assert_eq!(
            (viewing.points, viewing.reasons),
            (15, vec!["Booked a viewing on this call (+15).".to_owned()])
        );
    }

    #[test]
    fn a_lead_who_has_everything_stops_at_one_hundred() {
        let all = score(&everything(), true, true);
        assert_eq!((all.points, all.reasons.len()), (100, 6));
    }

    proptest! {
        #[test]
        fn learning_more_never_lowers_the_score(known in 0_usize..6, reachable: bool, viewing: bool) {
            let less = [
                LeadFacts::default(), email(), budget(), timeline(LeadTimeline::OneYear),
                financing(Financing::Needed), everything(),
            ][known].clone();
            let before = score(&less, reachable, viewing).points;
            let more = [
                LeadFacts { email: email().email, ..less.clone() },
                LeadFacts { budget: budget().budget, ..less.clone() },
                LeadFacts { timeline: Some(LeadTimeline::Now), ..less.clone() },
                LeadFacts { financing: Some(Financing::PreApproved), ..less.clone() },
            ];
            for facts in more {
                prop_assert!(score(&facts, reachable, viewing).points >= before);
            }
            prop_assert!(score(&less, true, viewing).points >= before);
            prop_assert!(score(&less, reachable, true).points >= before);
        }
    }
}
