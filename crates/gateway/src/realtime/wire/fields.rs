//! Reads a JSON object field by field, so that every refusal can name the field it is about.

use super::{
    MAX_AUDIO_BYTES, MAX_ID_BYTES,
    error::{Code, EventError},
};
use bytes::Bytes;
use serde_json::{Map, Value};
use std::{fmt::Display, ops::RangeInclusive};

/// The most of a client's text that a message quotes, in characters.
const MAX_QUOTED: usize = 64;

pub(super) type Read<T> = Result<T, EventError>;

/// What an update says about one setting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// Nothing.
    #[default]
    Unchanged,
    /// `null`, an empty text or an empty list: what a session has that never heard of the setting.
    Cleared,
    /// A value.
    To(T),
}

/// An object, and where it stands in the event.
pub(super) struct Fields {
    path: String,
    map: Map<String, Value>,
}

/// A value that is not `null`, and where it stands in the event.
pub(super) struct Field {
    path: String,
    value: Value,
}

impl Fields {
    /// The event itself.
    pub(super) fn of_event(map: Map<String, Value>) -> Self {
        Self { path: String::new(), map }
    }

    /// Where a field of this object stands.
    pub(super) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// A field that may be missing; `null` is the same.
    pub(super) fn take(&mut self, name: &str) -> Option<Field> {
        let value = self.map.remove(name).filter(|value| !value.is_null())?;
        Some(Field { path: self.path_of(name), value })
    }

    /// A field that has to be there.
    pub(super) fn need(&mut self, name: &str) -> Read<Field> {
        self.take(name).ok_or_else(|| missing(self.path_of(name)))
    }

    /// A field that may be missing, read by `read`.
    pub(super) fn read<T>(&mut self, name: &str, read: impl FnOnce(Field) -> Read<T>) -> Read<Option<T>> {
        self.take(name).map(read).transpose()
    }

    /// An object that may be missing. Missing, it has no fields.
    pub(super) fn nested(&mut self, name: &str) -> Read<Self> {
        let path = self.path_of(name);
        let nested = self.read(name, Field::object)?;
        Ok(nested.unwrap_or(Self { path, map: Map::new() }))
    }

    /// A setting that an update may leave alone, clear or set.
    pub(super) fn change<T>(&mut self, name: &str, read: impl FnOnce(Field) -> Read<T>) -> Read<Change<T>> {
        match self.map.remove(name) {
            None => Ok(Change::Unchanged),
            Some(Value::Null) => Ok(Change::Cleared),
            Some(Value::String(text)) if text.is_empty() => Ok(Change::Cleared),
            Some(Value::Array(list)) if list.is_empty() => Ok(Change::Cleared),
            Some(value) => read(Field { path: self.path_of(name), value }).map(Change::To),
        }
    }

    /// Whether a field is there and has that text.
    pub(super) fn has_text(&self, name: &str, text: &str) -> bool {
        self.map.get(name).and_then(Value::as_str) == Some(text)
    }

    /// The names and values of an object whose names are the client's.
    pub(super) fn into_entries(self) -> impl Iterator<Item = (String, Field)> {
        let Self { path, map } = self;
        map.into_iter().map(move |(name, value)| {
            let path = format!("{path}.{}", clip(&name));
            (name, Field { path, value })
        })
    }

    /// How many fields there are.
    pub(super) fn len(&self) -> usize {
        self.map.len()
    }
}

impl Field {
    /// Something is wrong with this field. `message` goes on from its name.
    pub(super) fn refuse(&self, code: Code, message: impl Display) -> EventError {
        EventError::new(code, format!("'{}' {message}.", self.path)).at(&self.path)
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn string(self, max_bytes: usize) -> Read<String> {
        match self.value {
            Value::String(text) if text.len() <= max_bytes => Ok(text),
            Value::String(_) => {
                Err(self
                    .refuse(Code::StringAboveMaxLength, format_args!("may have at most {max_bytes} bytes")))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                Err(self.not_a("text"))
            }
        }
    }

    /// The id of an item, a response or a tool call.
    pub(super) fn id(self) -> Read<String> {
        let path = self.path.clone();
        let id = self.string(MAX_ID_BYTES)?;
        if id.is_empty() {
            return Err(EventError::new(Code::InvalidValue, format!("'{path}' is empty.")).at(path));
        }
        Ok(id)
    }

    pub(super) fn boolean(self) -> Read<bool> {
        self.value.as_bool().ok_or_else(|| self.not_a("true or false"))
    }

    /// A whole number; `5.0` is one too.
    pub(super) fn integer(self, range: RangeInclusive<u64>) -> Read<u64> {
        let Some(number) = self.value.as_f64().filter(|number| number.fract() == 0.0) else {
            return Err(self.not_a("a whole number"));
        };
        let integer = self.value.as_u64().unwrap_or(number as u64);
        if number < 0.0 || integer < *range.start() {
            let least = range.start();
            Err(self.refuse(Code::IntegerBelowMinValue, format_args!("must be at least {least}")))
        } else if integer > *range.end() {
            let most = range.end();
            Err(self.refuse(Code::IntegerAboveMaxValue, format_args!("must be at most {most}")))
        } else {
            Ok(integer)
        }
    }

    pub(super) fn number(self, range: RangeInclusive<f64>) -> Read<f64> {
        let Some(number) = self.value.as_f64() else { return Err(self.not_a("a number")) };
        if number < *range.start() {
            let least = range.start();
            Err(self.refuse(Code::DecimalBelowMinValue, format_args!("must be at least {least}")))
        } else if number > *range.end() {
            let most = range.end();
            Err(self.refuse(Code::DecimalAboveMaxValue, format_args!("must be at most {most}")))
        } else {
            Ok(number)
        }
    }

    pub(super) fn object(self) -> Read<Fields> {
        match self.value {
            Value::Object(map) => Ok(Fields { path: self.path, map }),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Err(self.not_a("an object"))
            }
        }
    }

    /// The members of a list, none of them `null`.
    pub(super) fn list(self, max: usize) -> Read<Vec<Self>> {
        let Value::Array(members) = self.value else { return Err(self.not_a("a list")) };
        if members.len() > max {
            let error = EventError::new(
                Code::ArrayAboveMaxLength,
                format!("'{}' may have at most {max} members, not {}.", self.path, members.len()),
            );
            return Err(error.at(self.path));
        }
        Ok(members
            .into_iter()
            .enumerate()
            .map(|(index, value)| Self { path: format!("{}[{index}]", self.path), value })
            .collect())
    }

    /// One of some words.
    pub(super) fn one_of<T: Clone>(self, choices: &[(&str, T)]) -> Read<T> {
        let Some(word) = self.value.as_str() else { return Err(self.not_a("text")) };
        let found = choices.iter().find(|(name, _)| *name == word);
        found.map(|(_, choice)| choice.clone()).ok_or_else(|| {
            let names: Vec<_> = choices.iter().map(|(name, _)| format!("'{name}'")).collect();
            let message = format_args!("cannot be '{}', only {}", clip(word), names.join(", ")).to_string();
            self.refuse(Code::InvalidValue, message)
        })
    }

    /// Audio as base64.
    pub(super) fn audio(self) -> Read<Bytes> {
        let Some(text) = self.value.as_str() else { return Err(self.not_a("text")) };
        decode(text).map_err(|(code, message)| self.refuse(code, message))
    }

    /// Something that is only kept and sent back, at most of that length as JSON.
    pub(super) fn opaque(self, max_bytes: usize) -> Read<Value> {
        if json_bytes(&self.value) > max_bytes {
            return Err(
                self.refuse(Code::InvalidValue, format_args!("may have at most {max_bytes} bytes as JSON"))
            );
        }
        Ok(self.value)
    }

    /// The same for an object.
    pub(super) fn opaque_object(self, max_bytes: usize) -> Read<Value> {
        if self.is_object() { self.opaque(max_bytes) } else { Err(self.not_a("an object")) }
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        self.value.as_str()
    }

    pub(super) fn is_object(&self) -> bool {
        self.value.is_object()
    }

    pub(super) fn not_a(&self, wanted: &str) -> EventError {
        self.refuse(Code::InvalidType, format_args!("must be {wanted}"))
    }
}

/// Audio from base64, if it is not too much.
pub(super) fn decode(text: &str) -> Result<Bytes, (Code, String)> {
    // Told from the length, before there is memory for it.
    if text.len() > MAX_AUDIO_BYTES.div_ceil(3) * 4 {
        return Err((
            Code::StringAboveMaxLength,
            format!("may have at most {MAX_AUDIO_BYTES} bytes of audio"),
        ));
    }
    let audio = base64_simd::STANDARD
        .decode_to_vec(text.as_bytes())
        .map_err(|_| (Code::InvalidValue, "is not base64".to_owned()))?;
    Ok(audio.into())
}

/// A field is missing.
pub(super) fn missing(path: String) -> EventError {
    EventError::new(Code::MissingRequiredParameter, format!("'{path}' is missing.")).at(path)
}

/// So much of a client's text as fits into a message.
pub(super) fn clip(text: &str) -> &str {
    text.char_indices().nth(MAX_QUOTED).map_or(text, |(end, _)| &text[..end])
}

/// How long a value is as JSON. Only counts; nothing is written.
fn json_bytes(value: &Value) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // A value that came from JSON always goes back.
    serde_json::to_writer(&mut count, value).map_or(usize::MAX, |()| count.0)
}
