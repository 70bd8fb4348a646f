//! What we tell Twilio to do with a call, as TwiML.

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use quick_xml::escape::escape;
use seiketsu_domain::{Language, PhoneNumber};

/// An answer to a voice webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Twiml {
    /// Connect the call to a media socket; when that socket closes, ask `after` what to do next.
    Connect {
        /// `wss://…/twilio/media`. Query strings are not allowed here (Twilio error 31920), so the token is a parameter.
        socket: String,
        /// The media token.
        token: String,
        /// `https://…/twilio/after`.
        after: String,
        /// Wait a second first: the last attempt was refused.
        pause: bool,
    },
    /// Ring somebody; the caller hears ringing until they have taken the call.
    Dial {
        /// Whom.
        to: PhoneNumber,
        /// The number they see: the one that was called, for Twilio lets nobody show a number that is not theirs.
        caller_id: PhoneNumber,
        /// How long it rings.
        timeout_seconds: u32,
        /// Where to ask what comes next.
        action: String,
        /// What to do at their end before the two are connected.
        whisper: String,
    },
    /// At the end of somebody who was rung: say this, wait for a key, hang up without one.
    Whisper {
        /// The words, in Twilio's own voice.
        text: String,
        /// Their language.
        language: Language,
        /// Where to tell of the key.
        accept: String,
    },
    /// Do not answer. The caller's network plays its own "not in service"; nobody is billed.
    Reject,
    /// Say something in Twilio's own voice (ours needs the very parts that are down) and hang up.
    Apologise(&'static str),
    /// Hang up.
    Hangup,
    /// Nothing to do: the answer to a status callback; at the end of somebody who was rung, be connected.
    Nothing,
}

impl Twiml {
    /// The document.
    pub(crate) fn render(&self) -> String {
        let verbs = match self {
            Self::Connect { socket, token, after, pause } => format!(
                "{}<Connect><Stream url=\"{}\"><Parameter name=\"token\" value=\"{}\"/></Stream></Connect>\
                 <Redirect method=\"POST\">{}</Redirect>",
                if *pause { "<Pause length=\"1\"/>" } else { "" },
                escape(socket),
                escape(token),
                escape(after),
            ),
            Self::Dial { to, caller_id, timeout_seconds, action, whisper } => format!(
                "<Dial action=\"{}\" timeout=\"{timeout_seconds}\" callerId=\"{caller_id}\" answerOnBridge=\"true\">\
                 <Number url=\"{}\">{to}</Number></Dial>",
                escape(action),
                escape(whisper),
            ),
            Self::Whisper { text, language, accept } => format!(
                // Otherwise "#" alone would end the waiting and count as no key.
                "<Gather numDigits=\"1\" finishOnKey=\"\" timeout=\"{KEY_SECONDS}\" action=\"{}\">\
                 <Say language=\"{}\">{}</Say></Gather><Hangup/>",
                escape(accept),
                spoken(*language),
                escape(text),
            ),
            Self::Reject => "<Reject reason=\"rejected\"/>".to_owned(),
            Self::Apologise(words) => format!("<Say>{}</Say><Hangup/>", escape(*words)),
            Self::Hangup => "<Hangup/>".to_owned(),
            Self::Nothing => String::new(),
        };
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>{verbs}</Response>")
    }
}

/// How long somebody who was rung may think after the last word.
const KEY_SECONDS: u32 = 10;

/// A language as `<Say>` has it.
const fn spoken(language: Language) -> &'static str {
    match language {
        Language::En => "en-US",
        Language::Es => "es-MX",
        Language::Zh => "zh-CN",
    }
}

impl IntoResponse for Twiml {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, "text/xml; charset=utf-8")], self.render()).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connecting_hands_over_the_token_as_a_parameter_and_names_what_comes_after() {
        let twiml = Twiml::Connect {
            socket: "wss://voice.example.com/twilio/media".into(),
            token: "abc.def".into(),
            after: "https://voice.example.com/twilio/after?attempt=1&x=\"".into(),
            pause: false,
        };
        insta::assert_snapshot!(twiml.render(), @r#"<?xml version="1.0" encoding="UTF-8"?><Response><Connect><Stream url="wss://voice.example.com/twilio/media"><Parameter name="token" value="abc.def"/></Stream></Connect><Redirect method="POST">https://voice.example.com/twilio/after?attempt=1&amp;x=&quot;</Redirect></Response>"#);
    }

    #[test]
    fn dialling_names_whom_to_ring_what_they_hear_and_where_to_ask_next() {
        let twiml = Twiml::Dial {
            to: "+15125550123".parse().unwrap(),
            caller_id: "+15125550101".parse().unwrap(),
            timeout_seconds: 25,
            action: "https://voice.example.com/twilio/transferred".into(),
            whisper: "https://voice.example.com/twilio/whisper?call=CA1&x=2".into(),
        };
        insta::assert_snapshot!(twiml.render(), @r#"<?xml version="1.0" encoding="UTF-8"?><Response><Dial action="https://voice.example.com/twilio/transferred" timeout="25" callerId="+15125550101" answerOnBridge="true"><Number url="https://voice.example.com/twilio/whisper?call=CA1&amp;x=2">+15125550123</Number></Dial></Response>"#);
    }

    #[test]
    fn a_whisper_is_said_waits_for_a_key_and_hangs_up_without_one() {
        let twiml = Twiml::Whisper {
            text: "A caller for Tom & Co <3.".into(),
            language: Language::Es,
            accept: "https://voice.example.com/twilio/accept?call=CA1".into(),
        };
        insta::assert_snapshot!(twiml.render(), @r#"<?xml version="1.0" encoding="UTF-8"?><Response><Gather numDigits="1" finishOnKey="" timeout="10" action="https://voice.example.com/twilio/accept?call=CA1"><Say language="es-MX">A caller for Tom &amp; Co &lt;3.</Say></Gather><Hangup/></Response>"#);
    }

    #[test]
    fn the_other_answers_are_single_verbs() {
        let wire = |twiml: Twiml| {
            let document = twiml.render();
            let start = document.find("<Response>").unwrap();
            document[start..].to_owned()
        };
        assert_eq!(wire(Twiml::Reject), "<Response><Reject reason=\"rejected\"/></Response>");
        assert_eq!(wire(Twiml::Hangup), "<Response><Hangup/></Response>");
        assert_eq!(wire(Twiml::Nothing), "<Response></Response>");
        assert_eq!(
            wire(Twiml::Apologise("Sorry & bye.")),
            "<Response><Say>Sorry &amp; bye.</Say><Hangup/></Response>"
        );
    }
}
