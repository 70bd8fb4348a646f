//! The platform's own sentences, per language, for what a tenant does not configure.

use seiketsu_domain::Language;

/// Said when the caller spoke but no words were understood.
pub(crate) const fn unclear(language: Language) -> &'static str {
    match language {
        Language::En => "Sorry, I did not catch that. Could you say it again?",
        Language::Es => "Perdón, no le entendí. ¿Puede repetirlo?",
        Language::Zh => "抱歉，我没有听清。您能再说一遍吗？",
    }
}

/// Said when a call that was cut comes back.
pub(crate) const fn reconnected(language: Language) -> &'static str {
    match language {
        Language::En => "Sorry, we were cut off. Please go on.",
        Language::Es => "Perdón, se cortó la llamada. Continúe, por favor.",
        Language::Zh => "抱歉，刚才断线了。请继续。",
    }
}
