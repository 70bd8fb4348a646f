//! Nothing secret gets onto a screen or into a file.

/// Texts shorter than this are not looked for: they would blot out words that are no secrets.
const SHORTEST: usize = 6;

/// Knows what is secret, and blots it out of everything that is shown.
#[derive(Clone, Default)]
pub struct Blotter(Vec<String>);

/// Without what it knows.
impl std::fmt::Debug for Blotter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blotter({} secrets)", self.0.len())
    }
}

impl Blotter {
    /// What stands in a secret's place.
    pub const BLOT: &str = "(secret)";

    /// Adds a secret, as it is and as JSON would write it.
    pub fn add(&mut self, secret: &str) {
        let quoted = serde_json::Value::from(secret).to_string();
        let escaped = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(secret);
        for form in [secret, escaped] {
            if form.len() >= SHORTEST && !self.0.iter().any(|known| known == form) {
                self.0.push(form.to_owned());
            }
        }
        // Longer ones first: one may be part of another.
        self.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    /// The text without secrets.
    pub fn blot(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), Self::BLOT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_blotted_out_in_every_form() {
        let mut blotter = Blotter::default();
        blotter.add("sk-live-123456");
        blotter.add("sk-live-123456-and-more");
        blotter.add("with \"quotes\"");
        blotter.add("short");
        let shown =
            blotter.blot(r#"a sk-live-123456 b sk-live-123456-and-more c {"k":"with \"quotes\""} short"#);
        assert_eq!(shown, r#"a (secret) b (secret) c {"k":"(secret)"} short"#);
        assert!(!format!("{blotter:?}").contains("sk-live"));
    }
}
