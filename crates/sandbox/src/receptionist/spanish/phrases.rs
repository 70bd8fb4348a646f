//! Every word the receptionist says in Spanish.

use super::numbers::{day, short_time, shortened, time, words};
use crate::receptionist::{
    email,
    heard::{Facet, Kind, Offer},
    hours::Part,
    language::{Doing, Words},
    listing::{Listing, capitalise, street_of},
    moves::{Asked, Errand, Hour, Line, Tool},
    phrases::{Tone, first_name, join, pick},
    wanted::Relaxed,
};
use jiff::civil::{Date, Time};

const STILL_LOOKING: [&str; 2] = ["Todavía lo estoy consultando.", "Sigo esperando la respuesta."];

/// What Spanish has to say.
pub(in crate::receptionist) const WORDS: Words = Words {
    statement,
    question,
    announcement,
    openers: &["Muy bien.", "Claro.", "Veamos.", "Por supuesto."],
    gap: " ",
    still_looking: &STILL_LOOKING,
    nobody_took: "nadie pudo atender su llamada",
    recording: &["grabar", "grabe", "grabemos"],
};

fn statement(line: &Line, tone: Tone) -> String {
    match line {
        Line::Hello(None) => "¡Hola!".to_owned(),
        Line::Hello(Some(name)) => format!("Mucho gusto, {}.", first_name(name)),
        Line::Happy => pick(&["Con mucho gusto.", "Claro.", "Por supuesto."], tone.seed).to_owned(),
        Line::Robot => "Sí, soy un asistente de inteligencia artificial.".to_owned(),
        Line::NotHuman => "No, soy un asistente de inteligencia artificial.".to_owned(),
        Line::HomesOnly => "No puedo juzgar eso. La policía y el distrito escolar publican datos. \
            Yo puedo darle datos de las viviendas."
            .to_owned(),
        Line::Welcome => "De nada.".to_owned(),
        Line::Unclear(times) => pick(
            &["Perdón, no le entendí.", "Disculpe, no lo escuché bien.", "Lo siento, sigo sin entender."],
            *times as u64,
        )
        .to_owned(),
        Line::DontKnow => "Lo siento, eso no lo sé.".to_owned(),
        Line::Hearing => "Sí, le escucho.".to_owned(),
        Line::NoRush => "No hay problema, tómese su tiempo.".to_owned(),
        Line::Again => pick(&["Claro.", "Con gusto, otra vez."], tone.variant as u64).to_owned(),
        Line::Offers { homes, total, relaxed, further, .. } => {
            format!(
                "{} {}",
                offers_opening(homes.len(), *total, *relaxed, *further, tone.again),
                described(homes)
            )
        }
        Line::NothingFits => "Lo siento, no encontré nada así.".to_owned(),
        Line::NoMore => "Esas son todas las que tengo.".to_owned(),
        Line::NoSuchStreet(_) => "No encuentro esa calle.".to_owned(),
        Line::Areas(areas) if areas.is_empty() => "No tengo una lista de zonas.".to_owned(),
        Line::Areas(areas) => format!("Estamos en varias zonas. Por ejemplo, {}.", join(areas, "y")),
        Line::Intro(home) => described(std::slice::from_ref(home)),
        Line::IsFree { day: date, time: at } => {
            format!("{} a {} está libre.", capitalise(&day(*date, tone.today)), time(*at))
        }
        Line::Times { day, times } => times_line(*day, times, tone),
        Line::Instead { day, times, .. } => {
            format!("A esa hora no se puede. {}", times_line(*day, times, tone))
        }
        Line::DayFull => "Ese día está completo.".to_owned(),
        Line::DayRefused => "No puedo ofrecerle ese día.".to_owned(),
        Line::Booked { booking, home, name } => {
            let done = if booking.moved { "Su visita está cambiada" } else { "Su visita está reservada" };
            let name = name.as_ref().map_or_else(String::new, |name| format!(", {}", first_name(name)));
            let place = home.as_ref().map_or_else(|| street_of(&booking.address), address);
            format!("{done}{name}. {place}, {} a {}.", day(booking.day, tone.today), time(booking.time))
        }
        Line::AlreadyBooked { booking } => {
            format!("Su visita está reservada. Es {} a {}.", day(booking.day, tone.today), time(booking.time))
        }
        Line::CannotCancel => "No puedo cancelar visitas. Ya avisé, y un colega le llamará.".to_owned(),
        Line::WillCallBack(name) => {
            let name = name.as_ref().map_or_else(String::new, |name| format!(", {}", first_name(name)));
            format!("Gracias{name}. Un colega le devolverá la llamada.")
        }
        Line::Down => "Ahora mismo no puedo consultarlo.".to_owned(),
        Line::BookingFailed => "No pude hacer la reserva.".to_owned(),
        Line::NeedName => "Necesito un nombre para la visita.".to_owned(),
        Line::NeedDigits => "Necesito los diez dígitos.".to_owned(),
        Line::Fact { facet, home } => fact(*facet, home),
        Line::StillThere => "¿Sigue ahí?".to_owned(),
        Line::Errand(errand) => spoken_errand(errand, tone),
        Line::Goodbye => "Gracias por llamar. Adiós.".to_owned(),
        Line::GiveUp => "Lo siento, no logro entenderle. Llame más tarde, por favor. Adiós.".to_owned(),
    }
}

fn spoken_errand(errand: &Errand, tone: Tone) -> String {
    match errand {
        Errand::PuttingThrough(name) if name.is_empty() => {
            "Le comunico ahora. No cuelgue, por favor.".to_owned()
        }
        Errand::PuttingThrough(name) => format!("Le comunico ahora con {name}. No cuelgue, por favor."),
        Errand::NobodyFree => "Ahora nadie puede atender su llamada.".to_owned(),
        Errand::NotListed(names) => {
            format!("No encuentro ese nombre. Puede hablar con {}.", join(names, "o"))
        }
        Errand::MessageTaken(None) => "Lo he anotado. Pasaremos su mensaje.".to_owned(),
        Errand::MessageTaken(Some(person)) => format!("Lo he anotado. {person} recibirá su mensaje."),
        Errand::ReadBack(address) => format!("Tengo {}.", spoken_address(address)),
        Errand::Sent(address) => format!("Ya va en camino. Lo envié a {}.", spoken_address(address)),
        Errand::NotSent => "No pude enviar ese correo.".to_owned(),
        Errand::NoMail => "Desde aquí no puedo enviar correos.".to_owned(),
        Errand::CallArranged { day: date, when } => {
            let hour = match when {
                Hour::At(at) => format!("a {}", time(*at)),
                Hour::In(Part::Morning) => "por la mañana".to_owned(),
                Hour::In(Part::Afternoon | Part::Evening) => "por la tarde".to_owned(),
            };
            format!("Queda acordado. Le llamaremos {} {hour}.", day(*date, tone.today))
        }
        Errand::NotArranged => "No pude acordar esa hora.".to_owned(),
        Errand::Moved { day: date, time: at, .. } => {
            format!("Ya está cambiada. Su visita es ahora {} a {}.", day(*date, tone.today), time(*at))
        }
        Errand::NotMoved => "No pude cambiar su visita.".to_owned(),
        Errand::Cancelled { .. } => "Su visita está cancelada.".to_owned(),
        Errand::NotCancelled => "No pude cancelar su visita.".to_owned(),
        Errand::StillLooking => pick(&STILL_LOOKING, tone.seed).to_owned(),
        Errand::Assented => "Gracias.".to_owned(),
        Errand::NotRecorded => "Está bien, no se graba nada.".to_owned(),
        Errand::Rest(rest) => rest.clone(),
    }
}

fn question(asked: &Asked, tone: Tone, lines: &[Line]) -> String {
    let offers_one_time = lines.iter().any(
        |line| matches!(line, Line::Times { times, .. } | Line::Instead { times, .. } if times.len() == 1),
    );
    if offers_one_time {
        return "¿Le conviene?".to_owned();
    }
    let variants: &[&str] = match asked {
        Asked::Open => &["¿En qué puedo ayudarle?", "¿Busca comprar o alquilar?"],
        Asked::Area => &["¿En qué zona le gustaría?", "¿Puede decirme un barrio, o cualquiera?"],
        Asked::Bedrooms => &["¿Cuántas habitaciones necesita?", "¿Una habitación, dos, o más?"],
        Asked::Budget => &["¿Cuál es su presupuesto?", "¿Hasta qué precio busco?"],
        Asked::Interest => &["¿Le gustaría verla?", "¿Le reservo una visita?"],
        Asked::Which => &["¿Cuál le interesa?", "¿Prefiere ver la primera o la segunda?"],
        Asked::Day => &["¿Qué día le conviene?", "¿Qué día podría venir?"],
        Asked::Time { .. } => &["¿A qué hora le conviene?", "¿Qué hora prefiere?"],
        Asked::Name => &["¿Cuál es su nombre?", "¿A nombre de quién?"],
        Asked::Phone => &["¿A qué número podemos llamarle?", "¿Me da su teléfono, número por número?"],
        Asked::CallBack => &["¿Quiere que un colega le llame?", "¿Le devolvemos la llamada?"],
        Asked::Change => {
            &["¿Busco en otra zona o a otro precio?", "¿Qué podría cambiar: zona, tamaño o precio?"]
        }
        Asked::Recording => &["¿Puedo grabar esta llamada?"],
        Asked::Message => &["¿Cuál es el mensaje?", "¿Qué desea que le digamos?"],
        Asked::WayOut => {
            &["¿Quiere dejar un mensaje, o que le llamemos?", "¿Prefiere un mensaje o una llamada?"]
        }
        Asked::Person => &["¿Con quién desea hablar?", "¿A quién le comunico?"],
        Asked::Email => &["¿Cuál es su correo electrónico?", "¿Me deletrea su correo?"],
        Asked::EmailRight => &["¿Es correcto?", "¿Está bien así?"],
        Asked::CallWhen => &["¿Cuándo le llamamos?", "¿Prefiere por la mañana o por la tarde?"],
        Asked::AnythingElse => &["¿Algo más en que pueda ayudarle?", "¿Qué más puedo hacer por usted?"],
    };
    pick(variants, tone.variant as u64).to_owned()
}

/// What is about to be done, in at most six words.
fn announcement(doing: &Doing<'_>) -> Option<String> {
    let number = doing.number as u64;
    let plain = |variants: &[&str]| Some(pick(variants, number).to_owned());
    match doing.tool {
        Tool::SearchListings => match doing.area.filter(|area| area.split_whitespace().count() <= 2) {
            Some(area) => Some(match number % 2 {
                0 => format!("Déjeme buscar en {area}."),
                _ => format!("Busco en {area}."),
            }),
            None => plain(&["Déjeme buscar.", "Busco en nuestras viviendas."]),
        },
        Tool::GetListing => plain(&["Busco los detalles.", "Consulto esa vivienda."]),
        Tool::CheckAvailability => {
            plain(&["Reviso los horarios.", "Consulto el calendario.", "Miro ese día."])
        }
        Tool::BookViewing => plain(&["Se la reservo ahora.", "Hago la reserva."]),
        Tool::TakeMessage => plain(&["Lo anoto ahora.", "Tomo nota."]),
        Tool::TransferToHuman => plain(&["Busco a alguien para usted.", "Veo quién está libre."]),
        Tool::SendSummary => plain(&["Se lo envío ahora.", "Preparo el correo."]),
        Tool::RequestCallback => plain(&["Dejo acordada la llamada.", "Anoto la llamada."]),
        Tool::RescheduleViewing => plain(&["Cambio su visita ahora.", "Muevo su visita."]),
        Tool::CancelViewing => plain(&["Cancelo su visita ahora.", "Anulo la visita."]),
        Tool::SaveLead | Tool::EndCall => None,
    }
}

fn offers_opening(count: usize, total: u64, relaxed: Option<Relaxed>, further: bool, again: bool) -> String {
    if again {
        return "Son estas:".to_owned();
    }
    if further {
        return if count == 1 { "Hay una más." } else { "Hay otras." }.to_owned();
    }
    match relaxed {
        Some(Relaxed::Price) => "Nada con ese presupuesto. Un poco más:".to_owned(),
        Some(Relaxed::Rooms) => "Nada exactamente así. Parecido:".to_owned(),
        Some(Relaxed::Area) => "Nada en esa zona. En otra tengo:".to_owned(),
        None => match total {
            0 | 1 => "Encontré una.".to_owned(),
            2..=9 => format!("Encontré {}.", words(total)),
            _ => "Encontré varias.".to_owned(),
        },
    }
}

fn described(homes: &[Listing]) -> String {
    let each = homes.iter().map(|home| format!("{}, {}, {}.", address(home), rooms(home), price(home)));
    each.collect::<Vec<_>>().join(" ")
}

/// "Maple Street, número doce".
fn address(home: &Listing) -> String {
    match home.house_number() {
        Some(number) => format!("{}, número {}", home.spoken_street(), words(number)),
        None => home.spoken_street(),
    }
}

fn rooms(home: &Listing) -> String {
    match home.bedrooms {
        0 => "un solo ambiente".to_owned(),
        1 => "una habitación".to_owned(),
        many => format!("{} habitaciones", words(many)),
    }
}

fn price(home: &Listing) -> String {
    let of = if home.price > 0 && home.price.is_multiple_of(1_000_000) { " de" } else { "" };
    let dollars = format!("{}{of} dólares", shortened(&words(home.price)));
    match home.offer {
        Offer::Sale => dollars,
        Offer::Rent => format!("{dollars} al mes"),
    }
}

fn kind(home: &Listing) -> &'static str {
    match home.kind {
        Some(Kind::House) => "una casa",
        Some(Kind::Condo) => "un condominio",
        Some(Kind::Townhouse) => "una casa adosada",
        Some(Kind::Apartment) => "un apartamento",
        None => "una vivienda",
    }
}

fn bathrooms(home: &Listing) -> String {
    let half = if home.bathrooms.fract() >= 0.25 { " y medio" } else { "" };
    match home.bathrooms.trunc() as u64 {
        1 => format!("un baño{half}"),
        many => format!("{} baños{half}", shortened(&words(many))),
    }
}

fn fact(facet: Facet, home: &Listing) -> String {
    let place = address(home);
    match facet {
        Facet::Price => format!("Cuesta {}.", price(home)),
        Facet::Bedrooms => format!("Tiene {}.", rooms(home)),
        Facet::Bathrooms => format!("Tiene {}.", bathrooms(home)),
        Facet::Address if home.area.is_empty() => format!("Está en {place}."),
        Facet::Address | Facet::Area => format!("Está en {place}, en {}.", home.area),
        Facet::Kind => format!("Es {}.", kind(home)),
        Facet::Available => "Sí, sigue disponible.".to_owned(),
        Facet::Description => format!("Es {} con {} y {}.", kind(home), rooms(home), bathrooms(home)),
    }
}

fn times_line(date: Date, times: &[Time], tone: Tone) -> String {
    let date = capitalise(&day(date, tone.today));
    match times {
        [] => String::new(),
        [at] => format!("{date} a {} está libre.", time(*at)),
        _ => {
            let spoken: Vec<String> = times.iter().map(|at| format!("a {}", short_time(*at))).collect();
            format!("{date} puede ser {}.", join(&spoken, "o"))
        }
    }
}

/// "ana punto lopez arroba example punto com".
fn spoken_address(address: &str) -> String {
    let symbol = |char| match char {
        '@' => Some("arroba"),
        '.' => Some("punto"),
        '_' => Some("guion bajo"),
        '-' => Some("guion"),
        '+' => Some("más"),
        _ => None,
    };
    email::spoken(address, symbol, words)
}
