//! The conversation as it happens.

use crate::terminal::Terminal;
use seiketsu_audio::subcarrier::has_space_between;
use seiketsu_carrier::CallerEvent;
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::task::TaskTracker;

/// Prints events as they come; the handle resolves once the last is printed.
pub(super) fn printer(terminal: Terminal) -> (mpsc::Sender<CallerEvent>, JoinHandle<()>) {
    let (sender, mut events) = mpsc::channel(256);
    let task = TaskTracker::new().spawn(async move {
        let mut agent_speaks = false;
        let mut last_word = String::new();
        while let Some(event) = events.recv().await {
            match event {
                CallerEvent::AgentWord { at, text } => {
                    if !agent_speaks {
                        terminal.murmur(format_args!("\n{at:>10}  agent  "));
                        agent_speaks = true;
                    } else if has_space_between(&last_word, &text) {
                        terminal.murmur(" ");
                    }
                    terminal.murmur(&text);
                    last_word = text;
                }
                CallerEvent::AgentSilent { .. } => agent_speaks = false,
                CallerEvent::CallerSpeaks { at, text, interrupting, .. } => {
                    agent_speaks = false;
                    let how = if interrupting { " (interrupts)" } else { "" };
                    let text = text.unwrap_or_else(|| "(a recording)".to_owned());
                    terminal.murmur(format_args!("\n{at:>10}  caller {text}{how}"));
                }
                CallerEvent::CallerMurmurs { at, text } => {
                    agent_speaks = false;
                    let text = text.unwrap_or_else(|| "(a cough)".to_owned());
                    terminal.murmur(format_args!("\n{at:>10}  caller {text} (meanwhile)"));
                }
                CallerEvent::CallerPresses { at, digit } => {
                    terminal.murmur(format_args!("\n{at:>10}  caller presses {digit}"));
                }
                // What could not be recovered is told with the report; an interrupted answer never is whole.
                CallerEvent::AgentUnclear { .. }
                | CallerEvent::CallerSilent { .. }
                | CallerEvent::TurnFinished(_) => {}
            }
        }
        terminal.talk("");
    });
    (sender, task)
}
