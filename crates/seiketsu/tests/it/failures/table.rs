//! The figures of a cell, as a line for whoever watches and as a row of the table.

use super::{
    SPEECH_WITHIN,
    telephone::{Heard, Waited},
    witness::Breakers,
};
use std::{fmt::Write as _, io::Write as _, time::Duration};

/// What was measured in one cell.
#[derive(Debug, Default)]
pub(super) struct Figures {
    pub(super) row: &'static str,
    pub(super) fault: &'static str,
    /// From the beginning of the outage to its end.
    pub(super) outage: (Duration, Duration),
    pub(super) waits: Vec<Waited>,
    pub(super) calls: usize,
    /// Callers to whom only the telephone company's voice could speak.
    pub(super) sent_away: usize,
    /// The longest that a caller heard the ringing tone.
    pub(super) rang: Duration,
    /// None for a service that has no breaker.
    pub(super) breakers: Option<Breakers>,
    /// Turns that ended in an apology.
    pub(super) apologies: i64,
    /// What stood in for the service, or what became of tools and turns without it.
    pub(super) instead: String,
    /// From the end of the outage to the commit of every turn that had ended before.
    pub(super) committed_after: Option<Duration>,
    /// What should not be.
    pub(super) problems: Vec<String>,
}

impl Figures {
    /// Takes in what a caller heard.
    pub(super) fn hear(&mut self, who: &str, heard: &Heard) {
        self.calls += 1;
        self.rang = self.rang.max(heard.rang);
        self.sent_away += usize::from(heard.was_sent_away());
        if heard.rang > SPEECH_WITHIN {
            self.problems.push(format!("{who} heard the ringing tone for {} ms", heard.rang.as_millis()));
        }
        if let Some(complaint) = heard.complaint() {
            self.problems.push(format!("{who}: {complaint}"));
        }
        let begin = self.outage.0;
        for wait in heard.waits() {
            if wait.first_audible_ms.is_none_or(|ms| ms > SPEECH_WITHIN.as_millis() as u64) {
                let at = wait.since.as_secs_f64() - begin.as_secs_f64();
                let waited =
                    wait.first_audible_ms.map_or_else(|| "in vain".to_owned(), |ms| format!("{ms} ms"));
                self.problems.push(format!(
                    "{who} waited {waited} after \"{}\", {at:.1} s into the outage",
                    wait.said
                ));
            }
            self.waits.push(wait);
        }
    }

    fn latest(&self, of: impl Fn(&Waited) -> bool) -> String {
        let waits = || self.waits.iter().filter(|wait| of(wait));
        match (waits().count(), waits().any(|wait| wait.first_audible_ms.is_none())) {
            (0, _) => "-".to_owned(),
            (_, true) => "in vain".to_owned(),
            (_, false) => {
                waits().filter_map(|wait| wait.first_audible_ms).max().unwrap_or_default().to_string()
            }
        }
    }

    fn in_the_outage(&self, wait: &Waited) -> bool {
        (self.outage.0..self.outage.1).contains(&wait.since)
    }

    fn cells(&self) -> [String; 9] {
        let after =
            |duration: Option<Duration>| duration.map_or("-".to_owned(), |it| it.as_millis().to_string());
        let breakers = self.breakers.unwrap_or_default();
        [
            self.fault.to_owned(),
            format!("{} / {}", self.calls, self.waits.len()),
            self.waits.iter().filter(|wait| self.in_the_outage(wait)).count().to_string(),
            self.latest(|wait| self.in_the_outage(wait)),
            self.latest(|wait| !self.in_the_outage(wait)),
            after(breakers.opened_after),
            after(self.committed_after.or(breakers.closed_after)),
            format!("{} / {}", self.apologies, self.sent_away),
            self.instead.clone(),
        ]
    }

    /// One line.
    pub(super) fn line(&self) -> String {
        let [fault, turns, during, worst, otherwise, opened, back, apologies, instead] = self.cells();
        format!(
            "{} {fault}: calls / waits {turns}, {during} in the outage; first audible at most {worst} ms in the outage, \
             {otherwise} ms otherwise; open after {opened} ms and {} requests, well again after {back} ms; apologies / sent away \
             {apologies}; rang {} ms at most; {instead}",
            self.row,
            self.breakers.unwrap_or_default().suffered,
            self.rang.as_millis()
        )
    }
}

const HEAD: [&str; 9] = [
    "fault",
    "calls / answers waited for",
    "of them in the outage",
    "first audible at most, in the outage, ms",
    "otherwise, ms",
    "breaker open after, ms",
    "well again after, ms",
    "apologies / sent away",
    "instead",
];

/// Adds the table of a row to the file, in one piece: the tests of several rows may run at once.
pub(super) fn append(path: &str, title: &str, figures: &[Figures]) {
    let row = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head = HEAD.map(str::to_owned);
    let rule = HEAD.map(|_| "---".to_owned());
    let mut text = format!("\n## {title}\n\n{}{}", row(&head), row(&rule));
    for one in figures {
        text.push_str(&row(&one.cells()));
    }
    for one in figures.iter().filter(|one| !one.problems.is_empty()) {
        write!(text, "\n- {}: {}", one.fault, one.problems.join("; ")).unwrap();
    }
    text.push('\n');
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}
