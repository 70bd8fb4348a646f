//! Numbers, days and times as they are said in Spanish.

use jiff::civil::{Date, Time, Weekday};

const UNITS: [&str; 30] = [
    "cero",
    "uno",
    "dos",
    "tres",
    "cuatro",
    "cinco",
    "seis",
    "siete",
    "ocho",
    "nueve",
    "diez",
    "once",
    "doce",
    "trece",
    "catorce",
    "quince",
    "dieciséis",
    "diecisiete",
    "dieciocho",
    "diecinueve",
    "veinte",
    "veintiuno",
    "veintidós",
    "veintitrés",
    "veinticuatro",
    "veinticinco",
    "veintiséis",
    "veintisiete",
    "veintiocho",
    "veintinueve",
];
const TENS: [&str; 7] = ["treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa"];
const HUNDREDS: [&str; 9] = [
    "ciento",
    "doscientos",
    "trescientos",
    "cuatrocientos",
    "quinientos",
    "seiscientos",
    "setecientos",
    "ochocientos",
    "novecientos",
];
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

/// `450_000` is "cuatrocientos cincuenta mil".
pub(super) fn words(number: u64) -> String {
    let (millions, rest) = (number / 1_000_000, number % 1_000_000);
    let (thousands, low) = (rest / 1_000, rest % 1_000);
    let mut parts = Vec::new();
    match millions {
        0 => {}
        1 => parts.push("un millón".to_owned()),
        many => parts.push(format!("{} millones", shortened(&words(many)))),
    }
    match thousands {
        0 => {}
        1 => parts.push("mil".to_owned()),
        many => parts.push(format!("{} mil", shortened(&below_thousand(many)))),
    }
    if low > 0 || parts.is_empty() {
        parts.push(below_thousand(low));
    }
    parts.join(" ")
}

/// Before a noun "uno" loses its ending.
pub(super) fn shortened(words: &str) -> String {
    match words.strip_suffix("veintiuno") {
        Some(head) => format!("{head}veintiún"),
        None => words.strip_suffix("uno").map_or_else(|| words.to_owned(), |head| format!("{head}un")),
    }
}

fn below_thousand(number: u64) -> String {
    let (hundreds, rest) = (number / 100, number % 100);
    let low = match rest {
        0 => String::new(),
        1..30 => UNITS[rest as usize].to_owned(),
        _ if rest % 10 == 0 => TENS[(rest / 10 - 3) as usize].to_owned(),
        _ => format!("{} y {}", TENS[(rest / 10 - 3) as usize], UNITS[(rest % 10) as usize]),
    };
    match (hundreds, low.is_empty()) {
        (0, true) => UNITS[0].to_owned(),
        (0, false) => low,
        (1, true) => "cien".to_owned(),
        (hundreds, true) => HUNDREDS[(hundreds - 1).min(8) as usize].to_owned(),
        (hundreds, false) => format!("{} {low}", HUNDREDS[(hundreds - 1).min(8) as usize]),
    }
}

/// "las dos y media".
pub(super) fn short_time(time: Time) -> String {
    let hour = match time.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    let article = if hour == 1 {
        "la una".to_owned()
    } else {
        format!("las {}", UNITS[usize::from(hour.unsigned_abs())])
    };
    match time.minute() {
        0 => article,
        15 => format!("{article} y cuarto"),
        30 => format!("{article} y media"),
        minute => format!("{article} y {}", words(u64::from(minute.unsigned_abs()))),
    }
}

/// "las dos y media de la tarde".
pub(super) fn time(time: Time) -> String {
    let part = match time.hour() {
        0..12 => "de la mañana",
        12 => "del mediodía",
        13..20 => "de la tarde",
        _ => "de la noche",
    };
    format!("{} {part}", short_time(time))
}

/// "hoy", "mañana", or "el viernes veintisiete de noviembre".
pub(super) fn day(day: Date, today: Option<Date>) -> String {
    match today {
        Some(today) if day == today => return "hoy".to_owned(),
        Some(today) if today.tomorrow().ok() == Some(day) => return "mañana".to_owned(),
        Some(_) | None => {}
    }
    let number = match day.day() {
        1 => "primero".to_owned(),
        number => words(u64::from(number.unsigned_abs())),
    };
    let month = MONTHS[usize::from(day.month().unsigned_abs()) - 1];
    format!("el {} {number} de {month}", weekday(day.weekday()))
}

fn weekday(day: Weekday) -> &'static str {
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

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, time as at};

    #[test]
    fn numbers_are_said_as_people_say_them() {
        for (number, said) in [
            (0, "cero"),
            (21, "veintiuno"),
            (35, "treinta y cinco"),
            (100, "cien"),
            (1_850, "mil ochocientos cincuenta"),
            (121_000, "ciento veintiún mil"),
            (450_000, "cuatrocientos cincuenta mil"),
            (1_250_000, "un millón doscientos cincuenta mil"),
        ] {
            assert_eq!(words(number), said);
        }
    }

    #[test]
    fn days_and_times_are_said_as_people_say_them() {
        assert_eq!(time(at(14, 30, 0, 0)), "las dos y media de la tarde");
        assert_eq!(time(at(13, 0, 0, 0)), "la una de la tarde");
        assert_eq!(time(at(9, 45, 0, 0)), "las nueve y cuarenta y cinco de la mañana");
        assert_eq!(day(date(2026, 11, 27), Some(date(2026, 11, 24))), "el viernes veintisiete de noviembre");
    }
}
