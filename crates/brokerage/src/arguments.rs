//! Reads the arguments a language model wrote: untrusted, perhaps not JSON, often nearly right.
//!
//! What is only a matter of form is forgiven (`"3"` and `3.0` for `3`, `null` and `""` for nothing, capitals in a fixed
//! word); what would change the meaning is refused, with an error and a hint the model can act on. Unknown fields are
//! ignored: in particular nothing here ever reads a tenant or a call.

use jiff::civil::{Date, Time};
use seiketsu_domain::ToolOutcome;
use serde_json::{Map, Value, json};
use std::{ops::RangeInclusive, str::FromStr};

/// The longest argument text that is looked at.
pub(crate) const MAX_ARGUMENT_BYTES: usize = 8 * 1_024;

/// Why a tool will not do what it was asked, in words for the model.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal(Map<String, Value>);

impl Refusal {
    /// An error, and what to do about it.
    pub(crate) fn new(error: impl Into<String>, hint: impl Into<String>) -> Self {
        let mut body = Map::new();
        body.insert("error".to_owned(), Value::String(error.into()));
        body.insert("hint".to_owned(), Value::String(hint.into()));
        Self(body)
    }

    /// Adds something to choose from.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// As the engine records it.
    pub(crate) fn into_outcome(self) -> ToolOutcome {
        ToolOutcome::Refused(Value::Object(self.0))
    }

    #[cfg(test)]
    pub(crate) fn text(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }
}

/// The fields of one request.
#[derive(Debug)]
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    /// Parses the text; an empty one is a request without arguments.
    pub(crate) fn parse(raw: &str) -> Result<Self, Refusal> {
        if raw.len() > MAX_ARGUMENT_BYTES {
            return Err(Refusal::new("the arguments are too long", "send only what the tool asks for"));
        }
        if raw.trim().is_empty() {
            return Ok(Self(Map::new()));
        }
        match serde_json::from_str(raw) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err(Refusal::new("the arguments are not a JSON object", "send one JSON object")),
            Err(_) => Err(Refusal::new("the arguments are not valid JSON", "send one JSON object")),
        }
    }

    /// Text of at most so many characters: trimmed, white space and control characters collapsed.
    pub(crate) fn text(&self, name: &str, max_chars: usize) -> Result<Option<String>, Refusal> {
        let Some(value) = self.present(name) else { return Ok(None) };
        let raw = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                return Err(Refusal::new(format!("{name} is not text"), format!("send {name} as a string")));
            }
        };
        clean(name, &raw, max_chars)
    }

    /// A whole number within bounds.
    pub(crate) fn whole(&self, name: &str, bounds: RangeInclusive<i64>) -> Result<Option<i64>, Refusal> {
        let Some(value) = self.present(name) else { return Ok(None) };
        let number = match value {
            Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(whole_float)),
            Value::String(text) => whole_text(text),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        match number {
            Some(number) if bounds.contains(&number) => Ok(Some(number)),
            Some(_) => Err(Refusal::new(
                format!("{name} is out of range"),
                format!("{name} is from {} to {}", bounds.start(), bounds.end()),
            )),
            None => Err(Refusal::new(
                format!("{name} is not a whole number"),
                format!("send {name} as a number without units"),
            )),
        }
    }

    /// One of a few fixed words.
    pub(crate) fn choice<T: Copy>(
        &self,
        name: &str,
        all: &[T],
        word: impl Fn(T) -> &'static str,
    ) -> Result<Option<T>, Refusal> {
        let Some(text) = self.text(name, 40)? else { return Ok(None) };
        let wanted = text.to_lowercase().replace([' ', '-'], "_");
        let found = all.iter().copied().find(|&candidate| word(candidate) == wanted);
        found.map(Some).ok_or_else(|| {
            let words: Vec<_> = all.iter().map(|&candidate| word(candidate)).collect();
            Refusal::new(
                format!("{name} has an unknown value"),
                format!("{name} is one of {}, or left out", words.join(", ")),
            )
        })
    }

    /// A day as `YYYY-MM-DD`.
    pub(crate) fn day(&self, name: &str) -> Result<Option<Date>, Refusal> {
        self.parsed(name, "a day", "as YYYY-MM-DD, for example 2026-11-24")
    }

    /// A time of day as `HH:MM`.
    pub(crate) fn time(&self, name: &str) -> Result<Option<Time>, Refusal> {
        let Some(text) = self.text(name, 40)? else { return Ok(None) };
        let refused = || {
            Refusal::new(
                format!("{name} is not a time"),
                format!("send {name} on the 24 hour clock as HH:MM, for example 14:30"),
            )
        };
        // `9:30` is what models write for `09:30`.
        let (hours, minutes) = text.split_once(':').ok_or_else(refused)?;
        let minutes = minutes.strip_suffix(":00").unwrap_or(minutes);
        let digits = |part: &str| part.len() <= 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(hours) || !digits(minutes) || minutes.len() != 2 {
            return Err(refused());
        }
        let (hours, minutes) =
            (hours.parse().map_err(|_| refused())?, minutes.parse().map_err(|_| refused())?);
        Time::new(hours, minutes, 0, 0).map(Some).map_err(|_| refused())
    }

    /// A TypeID. One of another noun, and one that is no id at all, get the same answer.
    pub(crate) fn id<T: FromStr>(&self, name: &str) -> Result<Option<T>, Refusal> {
        self.parsed(name, "an id", "exactly as a tool returned it")
    }

    /// A list of short texts; a single text counts as a list of one.
    pub(crate) fn texts(
        &self,
        name: &str,
        max_items: usize,
        max_chars: usize,
    ) -> Result<Vec<String>, Refusal> {
        let Some(value) = self.present(name) else { return Ok(Vec::new()) };
        let Value::Array(items) = value else { return Ok(self.text(name, max_chars)?.into_iter().collect()) };
        if items.len() > max_items {
            let hint = format!("send at most {max_items} entries in {name}");
            return Err(Refusal::new(format!("{name} has too many entries"), hint));
        }
        let mut texts = Vec::with_capacity(items.len());
        for item in items {
            let Value::String(text) = item else {
                let hint = format!("send {name} as a list of strings");
                return Err(Refusal::new(format!("{name} is not a list of texts"), hint));
            };
            texts.extend(clean(name, text, max_chars)?);
        }
        Ok(texts)
    }

    fn parsed<T: FromStr>(&self, name: &str, what: &str, form: &str) -> Result<Option<T>, Refusal> {
        let Some(text) = self.text(name, 64)? else { return Ok(None) };
        let refused = |_| Refusal::new(format!("{name} is not {what}"), format!("send {name} {form}"));
        text.parse().map(Some).map_err(refused)
    }

    fn present(&self, name: &str) -> Option<&Value> {
        let value = self.0.get(name)?;
        let blank = match value {
            Value::Null => true,
            Value::String(text) => text.trim().is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
        };
        (!blank).then_some(value)
    }
}

/// Makes an optional field required.
pub(crate) fn required<T>(name: &str, read: Result<Option<T>, Refusal>, hint: &str) -> Result<T, Refusal> {
    read?.ok_or_else(|| Refusal::new(format!("{name} is missing"), hint))
}

/// A string property of a JSON Schema.
pub(crate) fn text_schema(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

/// A whole-number property of a JSON Schema.
pub(crate) fn whole_schema(description: &str, bounds: &RangeInclusive<i64>) -> Value {
    json!({"type": "integer", "description": description, "minimum": bounds.start(), "maximum": bounds.end()})
}

/// A property of a JSON Schema that is one of a few words.
pub(crate) fn choice_schema(description: &str, words: impl Iterator<Item = &'static str>) -> Value {
    json!({"type": "string", "description": description, "enum": words.collect::<Vec<_>>()})
}

fn clean(name: &str, raw: &str, max_chars: usize) -> Result<Option<String>, Refusal> {
    let mut text = String::with_capacity(raw.len());
    for word in raw.split(|letter: char| letter.is_whitespace() || letter.is_control()) {
        if !word.is_empty() {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
        }
    }
    if text.chars().count() > max_chars {
        let hint = format!("{name} has at most {max_chars} characters");
        return Err(Refusal::new(format!("{name} is too long"), hint));
    }
    Ok((!text.is_empty()).then_some(text))
}

fn whole_float(number: f64) -> Option<i64> {
    let exact = number.fract() == 0.0 && number.abs() < 9.0e15;
    exact.then_some(number as i64)
}

/// `450000`, `450,000`, `$450,000`, `3.0`.
fn whole_text(text: &str) -> Option<i64> {
    let digits = text.trim().trim_start_matches('$').replace(',', "");
    digits.parse().ok().or_else(|| digits.parse().ok().and_then(whole_float))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, time};
    use proptest::prelude::*;
    use seiketsu_domain::ListingId;
    use seiketsu_storage::listings::Offer;

    fn fields(value: &Value) -> Fields {
        Fields::parse(&value.to_string()).unwrap()
    }

    #[test]
    fn only_one_json_object_of_bounded_length_is_read() {
        assert!(Fields::parse("").is_ok() && Fields::parse(" {} ").is_ok());
        for bad in ["[]", "3", "null", "{", "not json", "{\"a\":1} trailing"] {
            assert!(Fields::parse(bad).is_err(), "{bad}");
        }
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_ARGUMENT_BYTES));
        assert!(Fields::parse(&long).is_err());
    }

    #[test]
    fn whole_numbers_are_read_in_every_form_a_model_writes_them() {
        for written in [json!(3), json!(3.0), json!("3"), json!(" 3 "), json!("3.0")] {
            assert_eq!(fields(&json!({"n": written})).whole("n", 0..=10), Ok(Some(3)), "{written}");
        }
        assert_eq!(fields(&json!({"n": "$450,000"})).whole("n", 0..=1_000_000), Ok(Some(450_000)));
        for nothing in [json!(null), json!("")] {
            assert_eq!(fields(&json!({"n": nothing})).whole("n", 0..=10), Ok(None));
        }
        for bad in [json!("three"), json!(2.5), json!(true), json!([3]), json!(11), json!(-1), json!(1e300)] {
            assert!(fields(&json!({"n": bad})).whole("n", 0..=10).is_err(), "{bad}");
        }
    }

    #[test]
    fn text_is_trimmed_collapsed_and_bounded() {
        assert_eq!(
            fields(&json!({"t": "  Hyde \n\t Park\u{0} "})).text("t", 9),
            Ok(Some("Hyde Park".to_owned()))
        );
        assert!(fields(&json!({"t": "Hyde Parks"})).text("t", 9).is_err());
        assert_eq!(fields(&json!({"t": "\u{0}\u{1}"})).text("t", 9), Ok(None));
        assert!(fields(&json!({"t": {"a": 1}})).text("t", 9).is_err());
    }

    #[test]
    fn a_fixed_word_is_read_whatever_its_capitals_and_refused_with_the_choices() {
        let read = |word: &str| fields(&json!({"offer": word})).choice("offer", Offer::ALL, Offer::name);
        assert_eq!(read("Rent"), Ok(Some(Offer::Rent)));
        let refusal = read("lease").unwrap_err().text();
        assert!(refusal.contains("sale, rent"), "{refusal}");
    }

    #[test]
    fn days_and_times_have_one_form_each() {
        assert_eq!(fields(&json!({"d": "2026-11-24"})).day("d"), Ok(Some(date(2026, 11, 24))));
        for bad in ["24.11.2026", "tomorrow", "2026-02-30", "2026-11"] {
            assert!(fields(&json!({"d": bad})).day("d").is_err(), "{bad}");
        }
        for (written, expected) in
            [("14:30", time(14, 30, 0, 0)), ("9:00", time(9, 0, 0, 0)), ("09:15:00", time(9, 15, 0, 0))]
        {
            assert_eq!(fields(&json!({"t": written})).time("t"), Ok(Some(expected)), "{written}");
        }
        for bad in ["2pm", "25:00", "14:60", "14", "14:3", "-1:30", "1+:00", ":", "14:30:10"] {
            assert!(fields(&json!({"t": bad})).time("t").is_err(), "{bad}");
        }
    }

    #[test]
    fn an_id_of_another_noun_and_no_id_at_all_are_refused_alike() {
        let read = |text: &str| fields(&json!({"listing": text})).id::<ListingId>("listing").unwrap_err();
        assert_eq!(read("call_01jd5yh4zcf9yv7q1vd3x4k5m6"), read("12 Maple Street"));
    }

    #[test]
    fn a_list_is_bounded_in_entries_and_in_their_length() {
        let read = |value: Value| fields(&json!({"areas": value})).texts("areas", 2, 5);
        let refusal = read(json!(["a", " ", "b"])).unwrap_err().text();
        assert!(refusal.contains("too many"), "{refusal}");
        assert_eq!(read(json!(["a", "b"])), Ok(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(read(json!("a")), Ok(vec!["a".to_owned()]));
        assert!(read(json!(["abcdef"])).is_err() && read(json!([1])).is_err());
    }

    proptest! {
        #[test]
        fn whatever_a_model_writes_is_answered(raw in "\\PC{0,200}") {
            if let Ok(fields) = Fields::parse(&raw) {
                let _ = (fields.text("a", 10), fields.whole("a", 0..=9), fields.day("a"), fields.time("a"));
            }
        }

        #[test]
        fn any_text_where_a_time_belongs_is_read_or_refused(raw in "\\PC{0,12}") {
            let fields = fields(&json!({"t": raw}));
            if let Ok(Some(time)) = fields.time("t") {
                prop_assert_eq!(time.second(), 0);
            }
        }
    }
}
