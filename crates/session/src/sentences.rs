//! The platform's own sentences, per language, for what a tenant does not configure.

use seiketsu_call::{Acknowledgements, speech::speakable};
use seiketsu_domain::{AgentProfile, Language};

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

/// Asked at the end of the greeting where the brokerage records its calls.
pub(crate) const fn may_record(language: Language) -> &'static str {
    match language {
        Language::En => "May I record this call to help you better?",
        Language::Es => "¿Puedo grabar esta llamada para atenderle mejor?",
        Language::Zh => "为了更好地帮助您，我可以录音吗？",
    }
}

/// Said when nobody took a call that was to be put through.
pub(crate) const fn not_put_through(language: Language) -> &'static str {
    match language {
        Language::En => "I am sorry, nobody could take your call just now. May I take a message?",
        Language::Es => "Lo siento, nadie pudo atender su llamada. ¿Quiere dejar un mensaje?",
        Language::Zh => "抱歉，现在没有人能接听您的电话。您要留言吗？",
    }
}

/// Said before a caller is put through, where the model has not said so itself.
pub(crate) const fn putting_through(language: Language) -> &'static str {
    match language {
        Language::En => "One moment, I am putting you through.",
        Language::Es => "Un momento, le paso la llamada.",
        Language::Zh => "请稍等，我为您转接。",
    }
}

/// Said one after the other to a caller who says nothing.
pub(crate) const fn reprompts(language: Language) -> [&'static str; 2] {
    match language {
        Language::En => ["Are you still there?", "I cannot hear you. Are you on the line?"],
        Language::Es => ["¿Sigue ahí?", "No le oigo. ¿Está en la línea?"],
        Language::Zh => ["您还在吗？", "我听不到您的声音，您还在线吗？"],
    }
}

/// What bridges a wait, by what the wait is for; in few words, for an answer that comes meanwhile waits for their end. What the agent's tenant wrote is used wherever the caller asked for
/// something; the rest is the platform's.
pub(crate) fn acknowledgements(agent: &AgentProfile) -> Acknowledgements {
    let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let (noting, listening, waiting): (&[&str], &[&str], &[&str]) = match agent.language {
        Language::En => (
            &["Okay, hold on.", "Let me see.", "Got it."],
            &["Take your time.", "Go ahead, I am listening.", "I am here."],
            &["It takes a moment longer.", "I am still on it.", "Thank you for waiting, nearly there."],
        ),
        Language::Es => (
            &["Un segundo.", "A ver.", "Entendido."],
            &["Tómese su tiempo.", "Le escucho.", "Aquí estoy."],
            &["Tarda un poco más.", "Sigo en ello.", "Gracias por esperar, ya casi está."],
        ),
        Language::Zh => (
            &["好的，请稍等。", "明白，我看一下。", "好，马上。"],
            &["不着急，您慢慢说。", "请说，我在听。", "我在。"],
            &["还需要一点时间。", "我还在查。", "感谢等待，马上就好。"],
        ),
    };
    Acknowledgements {
        looking: agent.acknowledgements.iter().map(|text| speakable(text, agent.language)).collect(),
        noting: own(noting),
        listening: own(listening),
        waiting: own(waiting),
    }
}

/// Everything an agent may say only to bridge a wait, as it is spoken: audible, and no answer.
pub fn bridges(agent: &AgentProfile) -> Vec<String> {
    let Acknowledgements { looking, noting, listening, waiting } = acknowledgements(agent);
    [looking, noting, listening, waiting].concat()
}

/// Every sentence of an agent that never changes: worth synthesising before anybody calls.
pub(crate) fn fixed(agent: &AgentProfile) -> Vec<String> {
    let language = agent.language;
    let own = [&agent.greeting, &agent.goodbye, &agent.apology].map(|text| speakable(text, language));
    let with_question = speakable(&format!("{} {}", agent.greeting, may_record(language)), language);
    let platform =
        [unclear, reconnected, not_put_through, putting_through].map(|sentence| sentence(language));
    own.into_iter()
        .chain([with_question])
        .chain(bridges(agent))
        .chain(platform.into_iter().chain(reprompts(language)).map(str::to_owned))
        .filter(|text| !text.trim().is_empty())
        .collect()
}
