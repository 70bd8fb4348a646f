//! What we tell Twilio to do with a call, as TwiML.

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use quick_xml::escape::escape;

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
    /// Do not answer. The caller's network plays its own "not in service"; nobody is billed.
    Reject,
    /// Say something in Twilio's own voice (ours needs the very parts that are down) and hang up.
    Apologise(&'static str),
    /// Hang up.
    Hangup,
    /// Nothing to do: the answer to a status callback.
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
            Self::Reject => "<Reject reason=\"rejected\"/>".to_owned(),
            Self::Apologise(words) => format!("<Say>{}</Say><Hangup/>", escape(*words)),
            Self::Hangup => "<Hangup/>".to_owned(),
            Self::Nothing => String::new(),
        };
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>{verbs}</Response>")
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
