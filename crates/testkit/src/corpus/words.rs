//! What callers say, by kind and language.

use super::Kind;
use rand::{RngExt, rngs::StdRng};
use seiketsu_domain::Language;

/// The parts of one utterance; between two parts the caller pauses.
pub(super) fn parts(kind: Kind, language: Language, rng: &mut StdRng) -> Vec<String> {
    let pick = |list: &[&str], rng: &mut StdRng| list[rng.random_range(0..list.len())].to_owned();
    match kind {
        Kind::Sentence => vec![pick(sentences(language), rng)],
        Kind::ShortAnswer => vec![pick(short_answers(language), rng)],
        Kind::Digits => (0..rng.random_range(3..=4))
            .map(|_| {
                let group = (0..rng.random_range(2..=4)).map(|_| rng.random_range(0..=9_u8).to_string());
                group.collect::<Vec<_>>().join(" ")
            })
            .collect(),
        Kind::Thinking => {
            let parts = match language {
                Language::En => [
                    ["I am looking for", "um", "something with three bedrooms", "maybe in Riverside"],
                    ["Well", "it depends", "um", "what is the price of that one?"],
                    ["We could come on", "let me see", "Thursday", "or Friday after four"],
                ],
                Language::Es => [
                    ["Estoy buscando", "eh", "una casa con tres dormitorios", "quizás cerca del parque"],
                    ["Bueno", "depende", "este", "cuánto cuesta esa?"],
                    ["Podríamos ir el", "a ver", "jueves", "o el viernes por la tarde"],
                ],
                Language::Zh => [
                    ["我想找", "嗯", "一个三居室的房子", "最好离公园近一点"],
                    ["这个嘛", "要看情况", "那个", "这套多少钱"],
                    ["我们可以在", "让我看看", "星期四", "或者星期五下午"],
                ],
            };
            parts[rng.random_range(0..parts.len())].map(str::to_owned).to_vec()
        }
        Kind::Trailing => {
            let (first, second) = match language {
                Language::En => ("I would like to see the house and", "could my husband come too?"),
                Language::Es => ("Quisiera ver la casa y", "puede venir también mi esposo?"),
                Language::Zh => ("我想看看这个房子还有", "我先生可以一起来吗"),
            };
            vec![first.to_owned(), second.to_owned()]
        }
        Kind::Backchannel => vec![pick(back_channels(language), rng)],
        Kind::Interruption => vec![pick(interruptions(language), rng)],
        Kind::Cough | Kind::Breath | Kind::Clicks | Kind::Nothing => Vec::new(),
    }
}

/// What the agent says in the scenes with echo.
pub(super) fn agent_sentences(language: Language) -> &'static [&'static str] {
    match language {
        Language::En => &[
            "I found three homes in Riverside. The first is on Maple Street, with a large garden and two bathrooms.",
            "That one is four hundred fifty thousand dollars. Would you like to see it on Saturday at ten?",
            "Thanks for calling Lone Star Homes. This is Ava, an AI assistant. How can I help you today?",
            "Your viewing is booked for Thursday at half past four. Is there anything else I can do for you?",
        ],
        Language::Es => &[
            "Encontré tres casas. La primera está en la calle Mayor, con un jardín grande y dos baños.",
            "Gracias por llamar. Soy Ava, una asistente de inteligencia artificial. En qué puedo ayudarle?",
        ],
        Language::Zh => &[
            "我找到了三套房子，第一套在枫树街，有一个大花园和两个卫生间。",
            "感谢您的来电，我是人工智能助理小雅，请问有什么可以帮您？",
        ],
    }
}

fn sentences(language: Language) -> &'static [&'static str] {
    match language {
        Language::En => &[
            "I am looking for a house with three bedrooms.",
            "Do you have anything in Riverside?",
            "My name is Anna Fischer.",
            "Five o'clock works for me.",
            "Can I see it on Saturday?",
            "No, that is too expensive.",
            "What is the price of the one on Maple Street?",
            "Thank you, goodbye.",
            "Is it still available, and does it have a garage?",
            "She sells sea shells in the south.",
        ],
        Language::Es => &[
            "Busco una casa con tres dormitorios.",
            "Tienen algo cerca del centro?",
            "Me llamo Ana Fernández.",
            "A las cinco me viene bien.",
            "Puedo verla el sábado?",
            "No, es demasiado cara.",
        ],
        Language::Zh => &[
            "我想找一个三居室的房子。",
            "市中心附近有没有合适的？",
            "我姓王，叫王小明。",
            "星期六可以看房吗？",
            "太贵了，有没有便宜一点的？",
        ],
    }
}

fn short_answers(language: Language) -> &'static [&'static str] {
    match language {
        Language::En => &["Yes.", "No.", "Okay.", "Sure.", "Two.", "Tuesday.", "Yes please.", "Six."],
        Language::Es => &["Sí.", "No.", "Vale.", "Claro.", "Dos.", "Martes."],
        Language::Zh => &["是。", "不是。", "好。", "对。", "可以。", "两个。"],
    }
}

fn back_channels(language: Language) -> &'static [&'static str] {
    match language {
        Language::En => &["mm-hm", "uh-huh", "yeah", "okay", "right", "[[m'm]]"],
        Language::Es => &["ajá", "sí", "vale", "ya", "[[m'm]]"],
        Language::Zh => &["嗯", "对", "好", "嗯嗯", "是"],
    }
}

fn interruptions(language: Language) -> &'static [&'static str] {
    match language {
        Language::En => &[
            "Wait.",
            "No.",
            "Stop.",
            "Hold on.",
            "Actually, can I ask something?",
            "Sorry, that is not what I meant.",
        ],
        Language::Es => &["Espere.", "No.", "Pare.", "Un momento.", "Perdón, tengo una pregunta."],
        Language::Zh => &["等一下。", "不是。", "停。", "对不起，我想问一个问题。"],
    }
}
