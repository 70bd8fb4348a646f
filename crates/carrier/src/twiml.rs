//! TwiML as an exchange reads it: the verbs the platform uses, strictly.
//!
//! Source: Twilio, "TwiML for Programmable Voice" (`<Connect><Stream>`, `<Redirect>`, `<Hangup>`, `<Say>`, `<Pause>`,
//! `<Reject>`), and the error codes of its debugger. Anything this exchange does not know is an error, not a guess.

use quick_xml::{
    Reader, XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};
use std::collections::BTreeMap;
use url::Url;

/// The longest document that is read.
pub const MAX_DOCUMENT_BYTES: usize = 64 * 1_024;
/// Elements of one document, at most.
const MAX_ELEMENTS: usize = 256;
/// Twilio's limit on a `<Parameter>`: name and value together must stay below it.
const PARAMETER_LIMIT_CHARS: usize = 500;

/// One instruction to the exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verb {
    /// Connect the call to a bidirectional media stream and wait until the server closes it.
    Connect(StreamNoun),
    /// Speak a text with the carrier's own voice.
    Say(String),
    /// Say nothing for a while.
    Pause {
        /// How long.
        seconds: u32,
    },
    /// Fetch the next document there.
    Redirect {
        /// Absolute, or relative to the document that said it.
        url: String,
        /// How to fetch.
        method: FetchMethod,
    },
    /// End the call.
    Hangup,
    /// Do not answer the call.
    Reject,
}

/// The target of a `<Stream>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamNoun {
    /// `wss:`, or `ws:` on loopback.
    pub url: Url,
    /// `<Parameter>`s, handed over in the stream's `start` message.
    pub parameters: BTreeMap<String, String>,
}

/// HTTP method of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FetchMethod {
    /// Parameters travel in the query.
    Get,
    /// Parameters travel as a form: the default.
    #[default]
    Post,
}

/// Why a document cannot be executed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TwimlError {
    /// Not well-formed XML, or too large.
    #[error("not a TwiML document: {0}")]
    Malformed(String),
    /// Well-formed, but not in the vocabulary.
    #[error("not valid TwiML: {0}")]
    Invalid(String),
    /// A URL that is none.
    #[error("invalid URL `{0}`")]
    Url(String),
    /// A stream URL that is neither `wss:` nor loopback.
    #[error("a stream must be wss: (ws: on loopback only), not `{0}`")]
    StreamScheme(String),
    /// A stream URL with a query string, which the handshake refuses.
    #[error("a stream URL takes no query string, use <Parameter>: `{0}`")]
    StreamQuery(String),
}

impl TwimlError {
    /// The code in Twilio's debugger.
    pub const fn code(&self) -> u32 {
        match self {
            Self::Malformed(_) => 12_100,
            Self::Invalid(_) => 12_200,
            Self::Url(_) => 11_100,
            Self::StreamScheme(_) => 31_922,
            Self::StreamQuery(_) => 31_920,
        }
    }
}

/// Reads a document into the verbs to execute, in order.
pub fn parse(document: &str) -> Result<Vec<Verb>, TwimlError> {
    if document.len() > MAX_DOCUMENT_BYTES {
        return Err(TwimlError::Malformed(format!("longer than {MAX_DOCUMENT_BYTES} bytes")));
    }
    let root = tree(document)?;
    if root.name != "Response" {
        return Err(TwimlError::Malformed(format!("the root element is <{}>, not <Response>", root.name)));
    }
    root.no_text()?;
    root.only_attributes(&[])?;
    root.children.iter().map(verb).collect()
}

fn verb(element: &Element) -> Result<Verb, TwimlError> {
    if element.name != "Connect" {
        element.no_children()?;
    }
    if !matches!(element.name.as_str(), "Say" | "Redirect") {
        element.no_text()?;
    }
    match element.name.as_str() {
        "Connect" => {
            element.only_attributes(&[])?;
            match element.children.as_slice() {
                [stream] if stream.name == "Stream" => self::stream(stream).map(Verb::Connect),
                _ => Err(TwimlError::Invalid("<Connect> needs exactly one <Stream>".to_owned())),
            }
        }
        "Say" => {
            element.only_attributes(&["voice", "language", "loop"])?;
            Ok(Verb::Say(element.text.trim().to_owned()))
        }
        "Pause" => {
            element.only_attributes(&["length"])?;
            let length = element.attributes.get("length").map_or("1", String::as_str);
            let seconds = length
                .parse()
                .ok()
                .filter(|seconds| *seconds <= 180)
                .ok_or_else(|| TwimlError::Invalid(format!("length=\"{length}\" of <Pause>")))?;
            Ok(Verb::Pause { seconds })
        }
        "Redirect" => {
            element.only_attributes(&["method"])?;
            let method = match element.attributes.get("method").map_or("POST", String::as_str) {
                "POST" => FetchMethod::Post,
                "GET" => FetchMethod::Get,
                other => return Err(TwimlError::Invalid(format!("method=\"{other}\" of <Redirect>"))),
            };
            let url = element.text.trim();
            if url.is_empty() {
                return Err(TwimlError::Url(String::new()));
            }
            Ok(Verb::Redirect { url: url.to_owned(), method })
        }
        "Hangup" => {
            element.only_attributes(&[])?;
            Ok(Verb::Hangup)
        }
        "Reject" => {
            element.only_attributes(&["reason"])?;
            match element.attributes.get("reason").map_or("rejected", String::as_str) {
                "rejected" | "busy" => Ok(Verb::Reject),
                other => Err(TwimlError::Invalid(format!("reason=\"{other}\" of <Reject>"))),
            }
        }
        other => Err(TwimlError::Invalid(format!("unknown verb <{other}>"))),
    }
}

fn stream(element: &Element) -> Result<StreamNoun, TwimlError> {
    element.no_text()?;
    element.only_attributes(&["url", "name", "track"])?;
    if let Some(track) = element.attributes.get("track").filter(|track| *track != "inbound_track") {
        return Err(TwimlError::Invalid(format!("track=\"{track}\" of a stream under <Connect>")));
    }
    let text = element
        .attributes
        .get("url")
        .ok_or_else(|| TwimlError::Invalid("<Stream> without url".to_owned()))?;
    let url = Url::parse(text).map_err(|_| TwimlError::Url(text.clone()))?;
    if url.scheme() != "wss" && !(url.scheme() == "ws" && is_loopback(&url)) {
        return Err(TwimlError::StreamScheme(text.clone()));
    }
    if url.query().is_some() {
        return Err(TwimlError::StreamQuery(text.clone()));
    }
    let mut parameters = BTreeMap::new();
    for parameter in &element.children {
        if parameter.name != "Parameter" {
            return Err(TwimlError::Invalid(format!("<{}> under <Stream>", parameter.name)));
        }
        parameter.no_children()?;
        parameter.no_text()?;
        parameter.only_attributes(&["name", "value"])?;
        let (Some(name), Some(value)) = (parameter.attributes.get("name"), parameter.attributes.get("value"))
        else {
            return Err(TwimlError::Invalid("<Parameter> needs name and value".to_owned()));
        };
        if name.chars().count() + value.chars().count() >= PARAMETER_LIMIT_CHARS {
            return Err(TwimlError::Invalid(format!(
                "<Parameter name=\"{name}\">: name and value have {PARAMETER_LIMIT_CHARS} characters or more"
            )));
        }
        parameters.insert(name.clone(), value.clone());
    }
    Ok(StreamNoun { url, parameters })
}

/// Whether a URL leads to this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// An element, whole. Documents are small and bounded, so a tree is simpler than a stream of events.
#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
    text: String,
    children: Vec<Element>,
}

impl Element {
    fn no_text(&self) -> Result<(), TwimlError> {
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

    fn no_children(&self) -> Result<(), TwimlError> {
        match self.children.first() {
            None => Ok(()),
            Some(child) => Err(TwimlError::Invalid(format!("<{}> under <{}>", child.name, self.name))),
        }
    }

    fn only_attributes(&self, known: &[&str]) -> Result<(), TwimlError> {
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
fn tree(document: &str) -> Result<Element, TwimlError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connected_stream_with_parameters_and_a_redirect_is_read_in_order() {
        let verbs = parse(
            r#"<?xml version="1.0" encoding="UTF-8"?>
            <!-- who answers -->
            <Response>
              <Connect><Stream url="wss://voice.example.com/twilio/media">
                <Parameter name="token" value="a&amp;b&quot;c"/>
              </Stream></Connect>
              <Redirect method="POST">https://voice.example.com/twilio/after?x=1&amp;y=2</Redirect>
              <Pause length="2"/><Say>Tom &amp; Co. <![CDATA[<ok>]]> &#33;</Say><Hangup/>
            </Response>"#,
        )
        .unwrap();
        let [Verb::Connect(stream), rest @ ..] = verbs.as_slice() else { panic!("{verbs:?}") };
        assert_eq!(stream.url.as_str(), "wss://voice.example.com/twilio/media");
        assert_eq!(stream.parameters["token"], "a&b\"c");
        assert_eq!(
            rest,
            [
                Verb::Redirect {
                    url: "https://voice.example.com/twilio/after?x=1&y=2".to_owned(),
                    method: FetchMethod::Post
                },
                Verb::Pause { seconds: 2 },
                Verb::Say("Tom & Co. <ok> !".to_owned()),
                Verb::Hangup,
            ]
        );
        assert_eq!(parse("<Response/>"), Ok(vec![]));
        assert_eq!(parse(r#"<Response><Reject reason="busy"/></Response>"#), Ok(vec![Verb::Reject]));
    }

    #[test]
    fn documents_that_are_not_well_formed_are_refused_with_the_parse_error_code() {
        for bad in [
            "",
            "hello",
            "<Response>",
            "<Response></Wrong>",
            "<Response/><Response/>",
            "<Say>hi</Say>",
            "<Response><Say>&unknown;</Say></Response>",
            "<!DOCTYPE x [<!ENTITY a \"b\">]><Response/>",
            "<Response/>trailing",
            &format!("<Response>{}</Response>", "<Hangup/>".repeat(300)),
            &format!("<Response><Say>{}</Say></Response>", "x".repeat(MAX_DOCUMENT_BYTES)),
        ] {
            let error = parse(bad).unwrap_err();
            assert_eq!(error.code(), 12_100, "{error}: {}", &bad[..bad.len().min(60)]);
        }
    }

    #[test]
    fn documents_outside_the_vocabulary_are_refused_with_the_validation_code() {
        for bad in [
            "<Response><Dance/></Response>",
            "<Response><Connect/></Response>",
            "<Response><Connect><Stream/></Connect></Response>",
            "<Response><Hangup>now</Hangup></Response>",
            "<Response><Hangup when=\"now\"/></Response>",
            "<Response>text</Response>",
            "<Response><Pause length=\"-1\"/></Response>",
            "<Response><Say>a<Hangup/></Say></Response>",
            r#"<Response><Connect><Stream url="wss://x/y"><Parameter name="a"/></Stream></Connect></Response>"#,
            &format!(
                r#"<Response><Connect><Stream url="wss://x/y"><Parameter name="token" value="{}"/></Stream></Connect></Response>"#,
                "v".repeat(495)
            ),
        ] {
            let error = parse(bad).unwrap_err();
            assert_eq!(error.code(), 12_200, "{error}: {bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_document_makes_the_parser_panic(text in ".*", inner in "[<>/&;#a-zA-Z =\"!\\[\\]-]{0,80}") {
            let _ = parse(&text);
            let _ = parse(&format!("<Response>{inner}</Response>"));
        }
    }

    #[test]
    fn stream_urls_are_secure_or_loopback_and_carry_no_query() {
        let with = |url: &str| {
            parse(&format!(r#"<Response><Connect><Stream url="{url}"/></Connect></Response>"#))
                .map_err(|error| error.code())
        };
        assert!(with("wss://voice.example.com/media").is_ok());
        assert!(with("ws://127.0.0.1:8080/media").is_ok());
        assert!(with("ws://localhost:8080/media").is_ok());
        assert_eq!(with("ws://voice.example.com/media"), Err(31_922));
        assert_eq!(with("https://voice.example.com/media"), Err(31_922));
        assert_eq!(with("wss://voice.example.com/media?token=1"), Err(31_920));
        assert_eq!(with("media"), Err(11_100));
    }
}
