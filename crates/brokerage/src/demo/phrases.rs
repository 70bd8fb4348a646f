//! What the agents of the demo say in the same words each time, per language.

use seiketsu_domain::Language;

/// The fixed sentences of an agent.
pub(super) struct Phrases {
    /// From the brokerage's name and the agent's own.
    pub(super) greeting: fn(&str, &str) -> String,
    /// From the brokerage's name.
    pub(super) goodbye: fn(&str) -> String,
    /// Short: an answer that comes meanwhile waits for their end.
    pub(super) acknowledgements: [&'static str; 5],
    pub(super) apology: &'static str,
    /// What the key 0 stands for.
    pub(super) wants_a_person: &'static str,
}

pub(super) const fn of(language: Language) -> Phrases {
    match language {
        Language::En => Phrases {
            greeting: |brokerage, name| {
                format!("Thanks for calling {brokerage}. This is {name}, an AI assistant. How can I help?")
            },
            goodbye: |brokerage| format!("Thank you for calling {brokerage}. Goodbye."),
            acknowledgements: [
                "One moment.",
                "Let me check.",
                "One second.",
                "Let me look.",
                "Just a moment.",
            ],
            apology: "I'm sorry, I could not get that answer. Could you say it once more?",
            wants_a_person: "I would like to talk to a person.",
        },
        Language::Es => Phrases {
            greeting: |brokerage, name| {
                format!(
                    "Gracias por llamar a {brokerage}. Soy {name}, asistente de inteligencia artificial. ¿En qué puedo \
                     ayudarle?"
                )
            },
            goodbye: |brokerage| format!("Gracias por llamar a {brokerage}. Adiós."),
            acknowledgements: ["Un momento.", "Déjeme ver.", "Un segundo.", "Ahora lo miro.", "Veamos."],
            apology: "Lo siento, no pude obtener esa respuesta. ¿Puede decirlo otra vez?",
            wants_a_person: "Quisiera hablar con una persona.",
        },
        Language::Zh => Phrases {
            greeting: |brokerage, name| {
                format!("感谢致电{brokerage}。我是{name}，人工智能助理。请问有什么可以帮您？")
            },
            goodbye: |brokerage| format!("感谢致电{brokerage}。再见。"),
            acknowledgements: ["请稍等。", "我看一下。", "好的，马上。", "让我查查。", "好，请等一下。"],
            apology: "抱歉，我没能得到答案。您能再说一遍吗？",
            wants_a_person: "我想和真人说话。",
        },
    }
}
