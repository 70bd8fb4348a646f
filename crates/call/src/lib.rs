//! The conversation of one phone call, as a pure state machine.
//!
//! ```text
//! Call::new(plan, now)   handle(Input, now)   handle_timeout(now)
//! poll_output() -> Option<Output>             poll_timeout() -> Option<(CallTime, Timer)>
//! ```
//!
//! Everything hard about a voice agent is time and overlap: when a turn ends, what the caller heard before they
//! interrupted, a token that arrives after its generation was cancelled, a tool that outlives its turn, a hang-up at
//! any instant. Here each is a few lines of a `match`, replayable in virtual time. The shell in `session` does the IO.
//!
//! It refuses to be: asynchronous, random, a clock, a logger, a client of any vendor.
//!
//! Architecture Invariants:
//! - every request out carries an id counted here; an answer to an id that is no longer wanted is counted and dropped;
//! - a call that has not ended has at least one timer running;
//! - the transcript and the model's context hold what the caller *heard* ([`ledger`]), never what was generated;
//! - each tool request in the context is directly followed by its result;
//! - [`Output::Committed`] comes once per turn, in order, and [`Output::Ended`] once, last;
//! - every queue has a limit in [`Limits`].
//!
//! To add one more timer: a variant in [`Timer`] with a doc line, and the compiler shows where it has to be handled.

mod call;
mod context;
mod ears;
mod input;
pub mod ledger;
mod output;
pub mod phrase;
mod plan;
pub mod speech;
mod timer;
mod turn;
pub mod turn_taking;

pub use call::Call;
pub use input::{
    AlignedChar, AnswerPlan, ClientAct, Finish, GenerationEvent, Input, PlanUpdate, Retry, Speaker,
    SynthesisEvent, VoiceActivity,
};
pub use output::{AsideEvent, GenerationId, MarkId, Note, Output, Progress, Prompt, SynthesisId, ToolNumber};
pub use plan::{Acknowledgements, Limits, Plan, Turns};
pub use timer::Timer;
