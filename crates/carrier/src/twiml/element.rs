//! A document as a tree of elements, and what an element may have.

use super::TwimlError;
use quick_xml::{
    Reader, XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};
use std::{collections::BTreeMap, ops::RangeInclusive};

/// Elements of one document, at most.
const MAX_ELEMENTS: usize = 256;

/// An element, whole. Documents are small and bounded, so a tree is simpler than a stream of events.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    pub(super) fn no_text(&self) -> Result<(), TwimlError> {
        let text = self.text.trim();
        if text.is_empty() {
            return Ok(());
        }
        Err(TwimlError::Invalid(format!(
            "text in <{}>: `{}`",
            self.name,
            text.chars().take(40).collect::<String>()
        )))
    }

    pub(super) fn no_children(&self) -> Result<(), TwimlError> {
        match self.children.first() {
            None => Ok(()),
            Some(child) => Err(TwimlError::Invalid(format!("<{}> under <{}>", child.name, self.name))),
        }
    }

    /// A whole number within bounds.
    pub(super) fn number(
        &self,
        name: &str,
        default: u32,
        bounds: RangeInclusive<u32>,
    ) -> Result<u32, TwimlError> {
        let Some(text) = self.attributes.get(name) else { return Ok(default) };
        text.parse()
            .ok()
            .filter(|number| bounds.contains(number))
            .ok_or_else(|| TwimlError::Invalid(format!("{name}=\"{text}\" of <{}>", self.name)))
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, TwimlError> {
        match self.attributes.get(name).map_or("false", String::as_str) {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(TwimlError::Invalid(format!("{name}=\"{other}\" of <{}>", self.name))),
        }
    }

    /// Only `POST` is simulated where the method can be chosen.
    pub(super) fn posted(&self) -> Result<(), TwimlError> {
        match self.attributes.get("method").map(String::as_str) {
            None | Some("POST") => Ok(()),
            Some(other) => Err(TwimlError::Invalid(format!("method=\"{other}\" of <{}>", self.name))),
        }
    }

    pub(super) fn only_attributes(&self, known: &[&str]) -> Result<(), TwimlError> {
        match self.attributes.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => Err(TwimlError::Invalid(format!("attribute `{name}` of <{}>", self.name))),
        }
    }
}

fn malformed(error: impl std::fmt::Display) -> TwimlError {
    TwimlError::Malformed(error.to_string())
}

/// The root element of a well-formed document.
pub(super) fn tree(document: &str) -> Result<Element, TwimlError> {
    let mut reader = Reader::from_str(document);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut elements = 0;
    loop {
        let event = reader.read_event().map_err(malformed)?;
        let closed = match event {
            Event::Start(start) => {
                open.push(element(&start, &mut elements)?);
                None
            }
            Event::Empty(start) => Some(element(&start, &mut elements)?),
            Event::End(_) => open.pop(),
            Event::Text(text) => {
                add_text(&mut open, &text.xml_content(XmlVersion::Implicit1_0))?;
                None
            }
            Event::CData(text) => {
                add_text(&mut open, &text.xml_content(XmlVersion::Implicit1_0))?;
                None
            }
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().map_err(malformed)?.map(String::from);
                let text = match character {
                    Some(character) => character,
                    None => resolve_predefined_entity(&reference)
                        .ok_or_else(|| TwimlError::Malformed(format!("unknown entity &{};", &*reference)))?
                        .to_owned(),
                };
                add_text(&mut open, &text)?;
                None
            }
            Event::DocType(_) => {
                return Err(TwimlError::Malformed("a document type is not allowed".to_owned()));
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => None,
            Event::Eof => break,
        };
        let Some(closed) = closed else { continue };
        if let Some(parent) = open.last_mut() {
            parent.children.push(closed);
        } else if root.replace(closed).is_some() {
            return Err(TwimlError::Malformed("more than one root element".to_owned()));
        }
    }
    if let Some(unclosed) = open.last() {
        return Err(TwimlError::Malformed(format!("<{}> is not closed", unclosed.name)));
    }
    root.ok_or_else(|| TwimlError::Malformed("no root element".to_owned()))
}

fn element(start: &BytesStart<'_>, elements: &mut usize) -> Result<Element, TwimlError> {
    *elements += 1;
    if *elements > MAX_ELEMENTS {
        return Err(TwimlError::Malformed(format!("more than {MAX_ELEMENTS} elements")));
    }
    let mut attributes = BTreeMap::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(malformed)?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(malformed)?;
        attributes.insert(attribute.key.as_ref().to_owned(), value.into_owned());
    }
    Ok(Element { name: start.name().as_ref().to_owned(), attributes, ..Element::default() })
}

fn add_text(open: &mut [Element], text: &str) -> Result<(), TwimlError> {
    match open.last_mut() {
        Some(parent) => parent.text.push_str(text),
        None if text.trim_start_matches('\u{feff}').trim().is_empty() => {}
        None => return Err(TwimlError::Malformed("text outside the root element".to_owned())),
    }
    Ok(())
}
