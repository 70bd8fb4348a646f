//! The lists, per language.

use seiketsu_domain::Language;

/// One list per language.
pub(super) struct Lists {
    en: &'static [&'static str],
    es: &'static [&'static str],
    zh: &'static [&'static str],
}

impl Lists {
    pub(super) const fn of(&self, language: Language) -> &'static [&'static str] {
        match language {
            Language::En => self.en,
            Language::Es => self.es,
            Language::Zh => self.zh,
        }
    }
}

/// What a listener says to show that they listen. Each may be several words.
pub(super) const MURMURS: Lists = Lists {
    en: &[
        "mm",
        "mmm",
        "hm",
        "hmm",
        "mhm",
        "mm hm",
        "mm hmm",
        "uh huh",
        "uh",
        "um",
        "ah",
        "oh",
        "huh",
        "yeah",
        "yep",
        "yup",
        "yes",
        "ok",
        "okay",
        "right",
        "sure",
        "alright",
        "all right",
        "got it",
        "i see",
        "cool",
        "great",
        "good",
        "nice",
        "fine",
        "perfect",
        "wow",
        "thanks",
        "thank you",
        "of course",
    ],
    es: &[
        "mm",
        "mmm",
        "hm",
        "ajá",
        "aja",
        "sí",
        "si",
        "ok",
        "okay",
        "vale",
        "bueno",
        "bien",
        "claro",
        "ya",
        "ah",
        "oh",
        "eh",
        "perfecto",
        "muy bien",
        "está bien",
        "de acuerdo",
        "entiendo",
        "gracias",
    ],
    zh: &[
        "嗯",
        "啊",
        "哦",
        "噢",
        "对",
        "好",
        "好的",
        "是",
        "是的",
        "行",
        "可以",
        "明白",
        "知道了",
        "了解",
        "谢谢",
        "ok",
        "没问题",
    ],
};

/// Words after which somebody goes on.
pub(super) const OPEN_ENDS: Lists = Lists {
    en: &[
        "and", "or", "but", "so", "because", "cause", "um", "uh", "er", "erm", "the", "a", "an", "my", "our",
        "your", "their", "is", "are", "was", "be", "to", "for", "with", "at", "in", "on", "of", "from",
        "between", "around", "about", "like", "than", "that's", "it's", "i'm", "i", "we", "if", "when",
        "maybe", "also", "plus", "which", "who", "where", "let", "wanna", "gonna", "i'd", "we'd", "i'll",
    ],
    es: &[
        "y", "e", "o", "u", "pero", "porque", "que", "el", "la", "los", "las", "un", "una", "mi", "mis",
        "su", "de", "del", "en", "con", "para", "por", "a", "al", "es", "son", "como", "si", "cuando", "eh",
        "este", "entre", "sobre", "también", "quizás",
    ],
    zh: &[
        "和", "或", "跟", "但", "因为", "所以", "还有", "然后", "那个", "就是", "嗯", "的话", "或者", "但是",
        "比如", "在", "是",
    ],
};

/// Words that ask for something.
pub(super) const ASKING: Lists =
    Lists { en: &["what", "who", "whom", "where", "which", "how"], es: &[], zh: &[] };

/// Words without which such a question is not whole.
pub(super) const AUXILIARIES: Lists = Lists {
    en: &[
        "is", "are", "was", "were", "am", "do", "does", "did", "can", "could", "will", "would", "should",
        "has", "have", "what's", "who's", "where's",
    ],
    es: &[],
    zh: &[],
};

/// Prepositions that such a question may end with.
pub(super) const STRANDED: Lists = Lists {
    en: &["with", "for", "about", "like", "to", "from", "in", "on", "at", "of", "around"],
    es: &[],
    zh: &[],
};

/// Phrases with which somebody asks for time.
pub(super) const ASKING_FOR_TIME: Lists = Lists {
    en: &[
        "let me see",
        "let me think",
        "hold on",
        "hang on",
        "one second",
        "just a second",
        "one moment",
        "give me a second",
    ],
    es: &["déjame ver", "déjeme ver", "un momento", "un segundo", "espera", "espere"],
    zh: &["等一下", "让我想想", "我想想", "稍等"],
};

/// Digits as they are spoken one by one.
pub(super) const SPOKEN_DIGITS: Lists = Lists {
    en: &[
        "zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "double",
        "triple",
    ],
    es: &["cero", "uno", "una", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "doble"],
    zh: &["零", "〇", "一", "幺", "二", "两", "三", "四", "五", "六", "七", "八", "九"],
};

/// First words of a question.
pub(super) const QUESTION_OPENERS: Lists = Lists {
    en: &[
        "what", "when", "where", "who", "which", "how", "why", "do", "does", "did", "is", "are", "can",
        "could", "would", "will", "have", "has", "what's", "where's", "when's", "who's", "how's",
    ],
    es: &[
        "qué", "que", "cuándo", "cuando", "dónde", "donde", "quién", "cuál", "cual", "cómo", "como",
        "cuánto", "cuanto", "cuántos", "cuántas", "hay", "tiene", "tienen", "puede", "puedo", "podría",
    ],
    zh: &[],
};

/// Words that agree.
pub(super) const YES: Lists = Lists {
    en: &[
        "yes",
        "yeah",
        "yep",
        "yup",
        "sure",
        "ok",
        "okay",
        "fine",
        "of course",
        "go ahead",
        "no problem",
        "that's fine",
        "that is fine",
        "all right",
        "alright",
        "absolutely",
        "certainly",
        "i don't mind",
        "i do not mind",
        "why not",
        "you may",
        "you can",
        "please do",
    ],
    es: &[
        "sí",
        "si",
        "claro",
        "vale",
        "de acuerdo",
        "está bien",
        "por supuesto",
        "adelante",
        "no hay problema",
        "ok",
        "okay",
        "bueno",
    ],
    zh: &["可以", "好", "好的", "行", "没问题", "同意", "是", "是的", "嗯", "没关系", "没意见"],
};

/// Words that refuse.
pub(super) const NO: Lists = Lists {
    en: &[
        "no",
        "nope",
        "nah",
        "don't",
        "do not",
        "rather not",
        "i'd rather",
        "please don't",
        "not okay",
        "not ok",
        "i do mind",
        "you may not",
        "you can't",
        "you cannot",
        "never",
        "not",
    ],
    es: &["no", "prefiero que no", "mejor no", "nunca"],
    zh: &["不", "别", "没", "不要", "不行", "不可以", "不同意"],
};

/// What makes a sentence be about the recording.
pub(super) const RECORDING: Lists = Lists {
    en: &["record", "recording", "recorded", "taping", "tape"],
    es: &["grabar", "grabe", "graben", "grabación", "grabando", "grabes"],
    zh: &["录音", "录"],
};

/// What makes such a sentence a refusal.
pub(super) const STOP: Lists = Lists {
    en: &["stop", "don't", "do not", "no", "without", "turn off", "delete", "not"],
    es: &["no", "pare", "deje", "sin", "apague", "borre"],
    zh: &["不", "别", "停", "关", "删"],
};
