//! TwiML as an exchange reads it: the verbs the platform uses, strictly.
//!
//! Source: Twilio, "TwiML for Programmable Voice" (`<Connect><Stream>`, `<Redirect>`, `<Hangup>`, `<Say>`, `<Pause>`,
//! `<Reject>`, `<Dial><Number>`, `<Gather>`), and the error codes of its debugger. Anything this exchange does not know is an error, not a guess.

mod element;

use element::{Element, tree};
use seiketsu_domain::PhoneNumber;
use std::collections::BTreeMap;
use url::Url;

/// The longest document that is read.
pub const MAX_DOCUMENT_BYTES: usize = 64 * 1_024;
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
    /// Ring somebody else and connect the caller with them.
    Dial(DialVerb),
    /// Wait for keys.
    Gather(GatherVerb),
    /// End the call.
    Hangup,
    /// Do not answer the call.
    Reject,
}

/// Whom to ring, and what happens around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialVerb {
    /// The number, E.164.
    pub number: PhoneNumber,
    /// What the dialled person's end executes before the two are connected.
    pub whisper: Option<String>,
    /// Where to go on, however it went. Without it, with the next verb.
    pub action: Option<String>,
    /// How long it may ring.
    pub timeout_s: u32,
    /// The number that the dialled person sees.
    pub caller_id: Option<PhoneNumber>,
    /// Whether the caller hears ringing until the two are connected.
    pub answer_on_bridge: bool,
}

/// Keys to wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatherVerb {
    /// As many keys as end the waiting at once.
    pub num_digits: Option<u32>,
    /// Where to send what was pressed. Without it, to the document that asked.
    pub action: Option<String>,
    /// The key that ends the waiting and is itself not sent; none where every key counts.
    pub finish_on_key: Option<char>,
    /// How long to wait, after the texts.
    pub timeout_s: u32,
    /// What is said meanwhile.
    pub texts: Vec<String>,
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
    if !matches!(element.name.as_str(), "Connect" | "Dial" | "Gather") {
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
        "Dial" => dial(element).map(Verb::Dial),
        "Gather" => gather(element).map(Verb::Gather),
        "Pause" => {
            element.only_attributes(&["length"])?;
            Ok(Verb::Pause { seconds: element.number("length", 1, 0..=180)? })
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

fn dial(element: &Element) -> Result<DialVerb, TwimlError> {
    element.only_attributes(&["action", "method", "timeout", "callerId", "answerOnBridge"])?;
    element.posted()?;
    let [number] = element.children.as_slice() else {
        return Err(TwimlError::Invalid("<Dial> needs exactly one <Number>".to_owned()));
    };
    if number.name != "Number" {
        return Err(TwimlError::Invalid(format!("<{}> under <Dial>", number.name)));
    }
    number.no_children()?;
    number.only_attributes(&["url", "method"])?;
    number.posted()?;
    let phone = |text: &str| {
        text.trim().parse().map_err(|_| TwimlError::Invalid(format!("`{text}` is not a phone number")))
    };
    Ok(DialVerb {
        number: phone(&number.text)?,
        whisper: number.attributes.get("url").cloned(),
        action: element.attributes.get("action").cloned(),
        timeout_s: element.number("timeout", 30, 5..=600)?,
        caller_id: element.attributes.get("callerId").map(|text| phone(text)).transpose()?,
        answer_on_bridge: element.flag("answerOnBridge")?,
    })
}

fn gather(element: &Element) -> Result<GatherVerb, TwimlError> {
    element.only_attributes(&["numDigits", "action", "method", "timeout", "finishOnKey"])?;
    element.posted()?;
    let mut texts = Vec::new();
    for child in &element.children {
        match verb(child)? {
            Verb::Say(text) => texts.push(text),
            Verb::Pause { .. } => {}
            Verb::Connect(_)
            | Verb::Redirect { .. }
            | Verb::Dial(_)
            | Verb::Gather(_)
            | Verb::Hangup
            | Verb::Reject => return Err(TwimlError::Invalid(format!("<{}> under <Gather>", child.name))),
        }
    }
    let limited = element.attributes.contains_key("numDigits");
    let num_digits = limited.then(|| element.number("numDigits", 1, 1..=128)).transpose()?;
    let mut finish = element.attributes.get("finishOnKey").map_or("#", String::as_str).chars();
    let finish_on_key = finish.next();
    if finish.next().is_some() || finish_on_key.is_some_and(|key| !matches!(key, '0'..='9' | '*' | '#')) {
        return Err(TwimlError::Invalid("finishOnKey of <Gather>: expected one key or nothing".to_owned()));
    }
    Ok(GatherVerb {
        num_digits,
        finish_on_key,
        action: element.attributes.get("action").cloned(),
        timeout_s: element.number("timeout", 5, 1..=600)?,
        texts,
    })
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
    fn dialling_and_gathering_are_read_with_their_defaults() {
        let verbs = parse(
            r#"<Response><Dial action="/done" timeout="25" callerId="+15125550100" answerOnBridge="true">
                 <Number url="/whisper?call=1">+15125550123</Number></Dial>
               <Gather numDigits="1" action="/accept"><Say>press a key</Say><Pause/></Gather></Response>"#,
        )
        .unwrap();
        let [Verb::Dial(dial), Verb::Gather(gather)] = verbs.as_slice() else { panic!("{verbs:?}") };
        assert_eq!((dial.number.as_str(), dial.timeout_s, dial.answer_on_bridge), ("+15125550123", 25, true));
        assert_eq!(
            (dial.whisper.as_deref(), dial.action.as_deref()),
            (Some("/whisper?call=1"), Some("/done"))
        );
        assert_eq!(dial.caller_id.as_ref().map(PhoneNumber::as_str), Some("+15125550100"));
        assert_eq!((gather.num_digits, gather.finish_on_key, gather.timeout_s), (Some(1), Some('#'), 5));
        assert_eq!(
            (gather.action.as_deref(), &*gather.texts),
            (Some("/accept"), &["press a key".to_owned()][..])
        );
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
            "<Response><Dial>+15125550123</Dial></Response>",
            "<Response><Dial><Number>anna</Number></Dial></Response>",
            r#"<Response><Dial timeout="1"><Number>+15125550123</Number></Dial></Response>"#,
            "<Response><Gather><Hangup/></Gather></Response>",
            r#"<Response><Gather method="GET"/></Response>"#,
            r#"<Response><Gather finishOnKey="12"/></Response>"#,
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
