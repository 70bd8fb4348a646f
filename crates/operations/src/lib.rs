//! Running Seiketsu on AWS: what a Terraform plan costs, and the steps of a deployment.
//!
//! What it is: arithmetic ([`estimate`], [`levers`], [`report`]) on a plan ([`plan`]), dated prices ([`prices`]) and stated
//! assumptions ([`usage`]); and Terraform as a child process ([`terraform`]) that is led through the steps of a deployment
//! ([`deploy`]).
//!
//! What it refuses to be: a client of AWS. Terraform's provider is the one that talks to it, with the credentials and
//! endpoints that it finds itself. Nor does it keep anything that Terraform's state does not know.
//!
//! Invariants:
//! - the arithmetic is pure: no IO, no clock, no network;
//! - a resource that has no price is listed, and a price that is missing is an error that names it;
//! - of a plan's values only those that a price hangs on and names are read, and what Terraform says is blotted ([`blot`]) before
//!   anybody sees it;
//! - nothing is changed in production, and nothing is destroyed anywhere, unless somebody gave the environment's name.
//!
//! To price one more type of resource: its attributes in [`plan::ATTRIBUTES`], its lines in a file of [`estimate`], its
//! prices in `infrastructure/prices.toml`. To add one more lever: a field of [`estimate::Assume`], if it changes what is
//! planned, and an entry in [`levers::levers`].

pub mod amount;
pub mod blot;
pub mod confirm;
pub mod deploy;
mod document;
pub mod estimate;
pub mod infracost;
pub mod interrupts;
pub mod journal;
pub mod levers;
pub mod plan;
pub mod prices;
pub mod report;
pub mod summary;
pub mod terraform;
mod under_way;
pub mod usage;
pub mod variables;
