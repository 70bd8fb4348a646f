//! Asking before something is changed that people rely on.

use crate::interrupts::Interrupts;
use std::{
    io::{self, BufRead, Read, stdin},
    thread,
};
use tokio::sync::oneshot;

/// No name is longer.
const LONGEST: u64 = 200;

/// The answer to a question whose answer is a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The name was given.
    Yes,
    /// Something else was given, or nothing.
    No,
    /// Ctrl-C.
    Interrupted,
}

/// Whether `given` is the name, and nothing but the name. "yes" is none.
pub fn is_confirmed(name: &str, given: &str) -> bool {
    given.trim_end_matches(['\n', '\r']) == name
}

/// Reads a line of standard input and compares it with the name.
///
/// The line is waited for by a thread of its own, because nothing else can be given up: after Ctrl-C it goes with the process.
pub async fn ask(name: &str, interrupts: &mut Interrupts) -> io::Result<Answer> {
    let (sender, line) = oneshot::channel();
    thread::Builder::new().name("answer".to_owned()).spawn(move || {
        let mut line = String::new();
        let read = stdin().lock().take(LONGEST).read_line(&mut line);
        // Nobody waits for it any more after Ctrl-C.
        let _ = sender.send(read.map(|_| line));
    })?;
    tokio::select! {
        line = line => match line {
            Ok(line) => Ok(if is_confirmed(name, &line?) { Answer::Yes } else { Answer::No }),
            Err(_) => Ok(Answer::No),
        },
        () = interrupts.next() => Ok(Answer::Interrupted),
    }
}

#[cfg(test)]
mod tests {
    use super::is_confirmed;

    #[test]
    fn only_the_whole_name_is_a_yes() {
        assert!(is_confirmed("production", "production\n"));
        assert!(is_confirmed("production", "production\r\n"));
        for no in [
            "",
            "\n",
            "y\n",
            "yes\n",
            "Production\n",
            "prod\n",
            " production\n",
            "production staging\n",
            "staging\n",
        ] {
            assert!(!is_confirmed("production", no), "{no:?}");
        }
    }
}
