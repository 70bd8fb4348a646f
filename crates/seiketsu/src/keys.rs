//! `seiketsu key`: the API keys of a brokerage's own programs.

use crate::{
    api::{self, Api},
    cli::{KeyAction, KeyOf},
    config::Config,
    exit::{Exit, Stop},
    terminal::Terminal,
};

/// Makes, lists or revokes.
pub(crate) async fn run(config: &Config, action: KeyAction, terminal: Terminal) -> anyhow::Result<Exit> {
    let api = Api::open(config)?;
    match action {
        KeyAction::Create { of: KeyOf { tenant }, name } => {
            let made = api.create_key(&tenant, &name).await?;
            if terminal.json() {
                terminal.document(&made)?;
                return Ok(Exit::Success);
            }
            terminal.talk(format_args!("a key of {tenant}, `{name}`; it is shown this once:"));
            terminal.data(made.key.unwrap_or_default());
        }
        KeyAction::List { of: KeyOf { tenant } } => {
            let page = api.keys(&tenant).await?;
            if terminal.json() {
                terminal.document(&page)?;
                return Ok(Exit::Success);
            }
            let mut table = terminal.table(["key", "for", "made", "revoked"]);
            for key in page.items {
                let revoked = key.revoked_at.map_or_else(String::new, |at| format!("{at:.0}"));
                table.add_row([
                    format!("{}…", key.prefix),
                    key.name,
                    format!("{:.0}", key.created_at),
                    revoked,
                ]);
            }
            terminal.show(table);
        }
        KeyAction::Revoke { of: KeyOf { tenant }, prefix } => {
            // As `key list` shows it.
            let prefix = prefix.trim_end_matches('…');
            api.revoke_key(&tenant, prefix).await.map_err(|error| {
                if api::is_missing(&error) {
                    let message = format!(
                        "{tenant} has no key that begins with `{prefix}` and is not revoked; `seiketsu key list` shows them"
                    );
                    Stop::because(Exit::Usage, message)
                } else {
                    error
                }
            })?;
            if terminal.json() {
                terminal.document(&serde_json::json!({"tenant": tenant, "revoked": prefix}))?;
            } else {
                terminal.talk(format_args!("revoked: {prefix}…"));
            }
        }
    }
    Ok(Exit::Success)
}
