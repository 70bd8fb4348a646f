//! The vendors of the sandbox, driven by the platform's own clients; raw sockets only for what those never do.

mod behaviour;
mod language_model;
mod raw;
mod recogniser;
mod support;
mod voice;
