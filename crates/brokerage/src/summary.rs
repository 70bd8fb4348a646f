//! The mail that tells a caller what was said, found and booked: plain text in the agent's language. Pure.

use jiff::civil::{Date, DateTime, Weekday};
use seiketsu_domain::{Language, MicroDollars, PhoneNumber};
use seiketsu_storage::listings::{Listing, ListingFilter, Offer, PropertyType};
use std::fmt::Write;

/// What there is to tell.
#[derive(Debug)]
pub(crate) struct Summary<'a> {
    pub(crate) language: Language,
    pub(crate) agent: &'a str,
    pub(crate) brokerage: &'a str,
    /// When the call was, in the brokerage's own time.
    pub(crate) day: Date,
    /// What the caller wanted to be sent.
    pub(crate) what: Option<&'a str>,
    /// What was searched for last.
    pub(crate) wanted: Option<&'a ListingFilter>,
    pub(crate) homes: &'a [Listing],
    pub(crate) booked: &'a [Booked],
    /// The number to call with questions: the one that was called.
    pub(crate) number: Option<&'a PhoneNumber>,
}

/// A viewing that was booked.
#[derive(Debug)]
pub(crate) struct Booked {
    pub(crate) address: String,
    /// In the brokerage's own time.
    pub(crate) at: DateTime,
}

/// A mail without its addresses.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Composed {
    pub(crate) subject: String,
    pub(crate) body: String,
}

/// Writes the mail.
pub(crate) fn compose(summary: &Summary<'_>) -> Composed {
    let words = Words::of(summary.language);
    let language = summary.language;
    let mut body = format!("{}\n\n{}\n", words.hello, opening(summary));
    if let Some(what) = summary.what {
        line(&mut body, "", &[words.asked_for, what]);
    }
    if let Some(wanted) =
        summary.wanted.map(|wanted| criteria(wanted, language)).filter(|text| !text.is_empty())
    {
        line(&mut body, "", &[words.looking_for, &wanted]);
    }
    if !summary.homes.is_empty() {
        line(&mut body, "\n", &[words.homes]);
        for home in summary.homes {
            line(&mut body, "", &["- ", &self::home(home, language)]);
        }
    }
    if !summary.booked.is_empty() {
        line(&mut body, "\n", &[words.viewings]);
        for booked in summary.booked {
            let when = moment(booked.at, language);
            line(&mut body, "", &["- ", &booked.address, words.colon, &when]);
        }
    }
    let contact = match summary.number {
        Some(number) => format!("{} {}.", words.call_us, telephone(number)),
        None => words.call_back.to_owned(),
    };
    line(&mut body, "\n", &[&contact]);
    line(&mut body, "", &[summary.brokerage]);
    Composed { subject: format!("{}{}{}", summary.brokerage, words.colon, words.subject), body }
}

fn line(body: &mut String, before: &str, parts: &[&str]) {
    body.push_str(before);
    for part in parts {
        body.push_str(part);
    }
    body.push('\n');
}

/// The fixed words of a language.
struct Words {
    subject: &'static str,
    hello: &'static str,
    asked_for: &'static str,
    looking_for: &'static str,
    homes: &'static str,
    viewings: &'static str,
    call_us: &'static str,
    call_back: &'static str,
    colon: &'static str,
}

impl Words {
    const fn of(language: Language) -> Self {
        match language {
            Language::En => Self {
                subject: "what we talked about",
                hello: "Hello,",
                asked_for: "You asked for: ",
                looking_for: "You were looking for: ",
                homes: "Homes we talked about",
                viewings: "Your viewings",
                call_us: "Questions, or another time? Call us at",
                call_back: "Questions, or another time? Call us back.",
                colon: ": ",
            },
            Language::Es => Self {
                subject: "lo que hablamos",
                hello: "Hola:",
                asked_for: "Usted pidió: ",
                looking_for: "Usted buscaba: ",
                homes: "Viviendas de las que hablamos",
                viewings: "Sus visitas",
                call_us: "¿Preguntas, u otra hora? Llámenos al",
                call_back: "¿Preguntas, u otra hora? Llámenos.",
                colon: ": ",
            },
            Language::Zh => Self {
                subject: "通话小结",
                hello: "您好：",
                asked_for: "您需要：",
                looking_for: "您在找：",
                homes: "我们谈到的房子",
                viewings: "您的看房预约",
                call_us: "有问题或想改时间？请致电",
                call_back: "有问题或想改时间？请再致电我们。",
                colon: "：",
            },
        }
    }
}

fn opening(summary: &Summary<'_>) -> String {
    let Summary { agent, brokerage, .. } = summary;
    let day = day(summary.day, summary.language);
    match summary.language {
        Language::En => format!(
            "This is the summary of your call on {day} with {agent}, the AI assistant of {brokerage}."
        ),
        Language::Es => format!(
            "Este es el resumen de su llamada del {day} con {agent}, el asistente de IA de {brokerage}."
        ),
        Language::Zh => format!("这是您{day}与{brokerage}的人工智能助理{agent}通话的小结。"),
    }
}

/// What was searched for, in words; empty if nothing in particular.
fn criteria(wanted: &ListingFilter, language: Language) -> String {
    let mut parts = Vec::new();
    let kind = wanted.property_type.map(|kind| property(kind, language));
    let offer = wanted.offer.map(|offer| self::offer(offer, language));
    parts.extend(kind.into_iter().chain(offer).map(str::to_owned));
    parts.extend(wanted.place.clone());
    if let Some(bedrooms) = wanted.min_bedrooms {
        parts.push(match language {
            Language::En => format!("at least {bedrooms} bedrooms"),
            Language::Es => format!("al menos {bedrooms} dormitorios"),
            Language::Zh => format!("至少{bedrooms}间卧室"),
        });
    }
    if let Some(least) = wanted.min_price {
        parts.push(match language {
            Language::En => format!("from {}", dollars(least)),
            Language::Es => format!("desde {}", dollars(least)),
            Language::Zh => format!("{}以上", dollars(least)),
        });
    }
    if let Some(most) = wanted.max_price {
        parts.push(match language {
            Language::En => format!("up to {}", dollars(most)),
            Language::Es => format!("hasta {}", dollars(most)),
            Language::Zh => format!("{}以内", dollars(most)),
        });
    }
    parts.join(comma(language))
}

/// A home in one line: facts only.
fn home(home: &Listing, language: Language) -> String {
    let price = match (home.offer, language) {
        (Offer::Sale, _) => dollars(home.price),
        (Offer::Rent, Language::En) => format!("{} a month", dollars(home.price)),
        (Offer::Rent, Language::Es) => format!("{} al mes", dollars(home.price)),
        (Offer::Rent, Language::Zh) => format!("每月{}", dollars(home.price)),
    };
    let mut text = format!(
        "{}, {}{}{} {}{comma}{price}",
        home.address,
        home.area,
        Words::of(language).colon,
        property(home.property_type, language),
        offer(home.offer, language),
        comma = comma(language),
    );
    let (bedrooms, bathrooms) = (home.bedrooms, home.bathrooms);
    // Writing to a string cannot fail.
    let _ = match language {
        Language::En => write!(text, ", {bedrooms} bedrooms, {bathrooms} bathrooms"),
        Language::Es => write!(text, ", {bedrooms} dormitorios, {bathrooms} baños"),
        Language::Zh => write!(text, "，{bedrooms}间卧室，{bathrooms}间浴室"),
    };
    if let Some(area) = home.floor_area_sqft {
        let area = grouped(i64::from(area));
        let _ = match language {
            Language::En => write!(text, ", {area} square feet"),
            Language::Es => write!(text, ", {area} pies cuadrados"),
            Language::Zh => write!(text, "，{area}平方英尺"),
        };
    }
    text
}

const fn comma(language: Language) -> &'static str {
    match language {
        Language::En | Language::Es => ", ",
        Language::Zh => "，",
    }
}

const fn property(kind: PropertyType, language: Language) -> &'static str {
    match (kind, language) {
        (PropertyType::House, Language::En) => "house",
        (PropertyType::House, Language::Es) => "casa",
        (PropertyType::House, Language::Zh) => "独立屋",
        (PropertyType::Condo, Language::En) => "condo",
        (PropertyType::Condo, Language::Es) => "condominio",
        (PropertyType::Condo, Language::Zh) => "共管公寓",
        (PropertyType::Townhouse, Language::En) => "townhouse",
        (PropertyType::Townhouse, Language::Es) => "casa adosada",
        (PropertyType::Townhouse, Language::Zh) => "联排别墅",
        (PropertyType::Apartment, Language::En) => "apartment",
        (PropertyType::Apartment, Language::Es) => "apartamento",
        (PropertyType::Apartment, Language::Zh) => "公寓",
    }
}

const fn offer(offer: Offer, language: Language) -> &'static str {
    match (offer, language) {
        (Offer::Sale, Language::En) => "for sale",
        (Offer::Sale, Language::Es) => "en venta",
        (Offer::Sale, Language::Zh) => "出售",
        (Offer::Rent, Language::En) => "for rent",
        (Offer::Rent, Language::Es) => "en alquiler",
        (Offer::Rent, Language::Zh) => "出租",
    }
}

fn dollars(amount: MicroDollars) -> String {
    format!("${}", grouped(crate::view::whole_dollars(amount)))
}

/// `1,620`.
fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = if number < 0 { "-".to_owned() } else { String::new() };
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `+1 512-555-0101`; a number of another country as it is.
fn telephone(number: &PhoneNumber) -> String {
    match number.as_str().strip_prefix("+1") {
        Some(national) if national.len() == 10 => {
            format!("+1 {}-{}-{}", &national[..3], &national[3..6], &national[6..])
        }
        Some(_) | None => number.as_str().to_owned(),
    }
}

fn day(day: Date, language: Language) -> String {
    match language {
        Language::En => day.strftime("%A, %B %-d").to_string(),
        Language::Es => format!("{} {} de {}", weekday_es(day.weekday()), day.day(), month_es(day.month())),
        Language::Zh => format!("{}月{}日{}", day.month(), day.day(), weekday_zh(day.weekday())),
    }
}

fn moment(at: DateTime, language: Language) -> String {
    let day = day(at.date(), language);
    match language {
        Language::En => format!("{day} at {}", at.time().strftime("%-I:%M %p")),
        Language::Es => format!("{day} a las {}", at.time().strftime("%H:%M")),
        Language::Zh => format!("{day} {}", at.time().strftime("%H:%M")),
    }
}

const fn weekday_es(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "lunes",
        Weekday::Tuesday => "martes",
        Weekday::Wednesday => "miércoles",
        Weekday::Thursday => "jueves",
        Weekday::Friday => "viernes",
        Weekday::Saturday => "sábado",
        Weekday::Sunday => "domingo",
    }
}

const fn weekday_zh(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "星期一",
        Weekday::Tuesday => "星期二",
        Weekday::Wednesday => "星期三",
        Weekday::Thursday => "星期四",
        Weekday::Friday => "星期五",
        Weekday::Saturday => "星期六",
        Weekday::Sunday => "星期日",
    }
}

fn month_es(month: i8) -> &'static str {
    const MONTHS: [&str; 12] = [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ];
    usize::try_from(month - 1).ok().and_then(|at| MONTHS.get(at)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, datetime};
    use seiketsu_domain::ListingId;
    use seiketsu_storage::listings::ListingStatus;

    fn maple_street() -> Listing {
        Listing {
            id: ListingId::from_uuid(uuid::Uuid::nil()),
            reference: "LSH-1001".to_owned(),
            offer: Offer::Sale,
            property_type: PropertyType::House,
            status: ListingStatus::Active,
            headline: "Sunny house".to_owned(),
            description: "A house.".to_owned(),
            address: "12 Maple Street".to_owned(),
            area: "Hyde Park".to_owned(),
            city: "Austin".to_owned(),
            state: "TX".to_owned(),
            postal_code: "78751".to_owned(),
            price: MicroDollars::dollars(660_000),
            bedrooms: 3,
            bathrooms: 2.5,
            floor_area_sqft: Some(1_620),
            year_built: Some(1926),
            created_at: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    fn composed(language: Language) -> Composed {
        let wanted = ListingFilter {
            place: Some("Hyde Park".to_owned()),
            min_bedrooms: Some(3),
            max_price: Some(MicroDollars::dollars(700_000)),
            offer: Some(Offer::Sale),
            ..ListingFilter::default()
        };
        compose(&Summary {
            language,
            agent: "Ava",
            brokerage: "Lone Star Homes",
            day: date(2026, 11, 24),
            what: Some("the house on Maple Street"),
            wanted: Some(&wanted),
            homes: &[maple_street()],
            booked: &[Booked {
                address: "12 Maple Street".to_owned(),
                at: datetime(2026, 11, 25, 14, 30, 0, 0),
            }],
            number: Some(&"+15125550101".parse().unwrap()),
        })
    }

    #[test]
    fn the_mail_tells_what_was_asked_found_and_booked_and_whom_to_call() {
        let mail = composed(Language::En);
        assert_eq!(mail.subject, "Lone Star Homes: what we talked about");
        let expected = "\
Hello,

This is the summary of your call on Tuesday, November 24 with Ava, the AI assistant of Lone Star Homes.
You asked for: the house on Maple Street
You were looking for: for sale, Hyde Park, at least 3 bedrooms, up to $700,000

Homes we talked about
- 12 Maple Street, Hyde Park: house for sale, $660,000, 3 bedrooms, 2.5 bathrooms, 1,620 square feet

Your viewings
- 12 Maple Street: Wednesday, November 25 at 2:30 PM

Questions, or another time? Call us at +1 512-555-0101.
Lone Star Homes
";
        assert_eq!(mail.body, expected);
    }

    #[test]
    fn the_mail_is_written_in_the_agents_language() {
        let es = composed(Language::Es);
        for part in [
            "lo que hablamos",
            "del martes 24 de noviembre con Ava",
            "en venta, Hyde Park, al menos 3 dormitorios, hasta $700,000",
            "12 Maple Street: miércoles 25 de noviembre a las 14:30",
        ] {
            assert!(format!("{}\n{}", es.subject, es.body).contains(part), "{part}: {es:?}");
        }
        let zh = composed(Language::Zh);
        for part in ["通话小结", "11月24日星期二", "至少3间卧室", "12 Maple Street：11月25日星期三 14:30"]
        {
            assert!(format!("{}\n{}", zh.subject, zh.body).contains(part), "{part}: {zh:?}");
        }
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567"), (-1_000, "-1,000")]
        {
            assert_eq!(grouped(number), text);
        }
    }
}
