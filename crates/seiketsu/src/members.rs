//! `seiketsu member`: the people of a brokerage, and their passwords for the console.

use crate::{
    api::Api,
    cli::{KeyOf, MemberAction},
    config::Config,
    exit::{Exit, Stop},
    serve,
    terminal::Terminal,
};
use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use std::io::BufRead;

/// Without what is easily taken for something else.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

#[derive(Serialize)]
struct Given<'a> {
    tenant: &'a str,
    email: &'a str,
    /// Only if it was made here.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
}

/// Lists, or gives a password.
pub(crate) async fn run(config: &Config, action: MemberAction, terminal: Terminal) -> anyhow::Result<Exit> {
    let api = Api::open(config)?;
    match action {
        MemberAction::List { of: KeyOf { tenant } } => {
            let page = api.members(&tenant).await?;
            if terminal.json() {
                terminal.document(&page)?;
                return Ok(Exit::Success);
            }
            let mut table = terminal.table(["member", "address", "role", "id"]);
            for member in page.items {
                table.add_row([member.name, member.email, member.role.to_string(), member.id.to_string()]);
            }
            terminal.show(table);
        }
        MemberAction::Password { of: KeyOf { tenant }, email, stdin } => {
            let members = api.members(&tenant).await?.items;
            let member = members.into_iter().find(|member| member.email.eq_ignore_ascii_case(&email));
            let member = member.ok_or_else(|| {
                let message =
                    format!("{tenant} has no member `{email}`; `seiketsu member list` shows its members");
                Stop::because(Exit::Usage, message)
            })?;
            let password = if stdin { read()? } else { make()? };
            api.set_password(&tenant, member.id, &password).await?;
            let made = (!stdin).then(|| password.expose_secret());
            if terminal.json() {
                terminal.document(&Given { tenant: &tenant, email: &member.email, password: made })?;
                return Ok(Exit::Success);
            }
            let name = &member.name;
            match made {
                None => terminal.talk(format_args!("{name} has the password that was given")),
                Some(password) => {
                    terminal.talk(format_args!("{name} has a new password; it is shown this once:"));
                    terminal.data(password);
                }
            }
        }
    }
    Ok(Exit::Success)
}

fn read() -> anyhow::Result<SecretString> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("reading the password from standard input")?;
    Ok(SecretString::from(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// 100 random bits, in groups that can be read aloud.
fn make() -> anyhow::Result<SecretString> {
    let mut bytes = [0; 20];
    serve::identity()?.fill(&mut bytes);
    let letters = bytes.map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    let groups: Vec<String> = letters.chunks(5).map(|group| group.iter().collect()).collect();
    Ok(SecretString::from(groups.join("-")))
}
