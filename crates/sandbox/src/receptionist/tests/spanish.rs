//! Conversations in Spanish.

use super::host::{SYSTEM, Talk, booking};
use serde_json::json;

fn talk() -> Talk {
    Talk::with_errands_and(&format!("{SYSTEM}Speak Spanish.\n"))
}

fn all(lines: &[&str]) -> Talk {
    let mut talk = talk();
    for line in lines {
        talk.say(line);
    }
    talk
}

#[test]
fn a_viewing_is_found_booked_and_said_goodbye_to() {
    let mut talk = talk();
    assert!(talk.say("Hola, buenos días").starts_with("¡Hola!"));
    assert!(talk.say("Busco una casa de tres habitaciones en Riverside").contains("Willow Bend"));
    assert!(talk.say("¿Cuánto cuesta la primera?").contains("trescientos noventa mil dólares"));
    let times = talk.say("Quiero ver la primera mañana");
    assert!(times.contains("a las nueve"), "{times}");
    assert!(talk.say("a las dos y media de la tarde").contains("nombre"));
    let booked = talk.say("Me llamo Ana López");
    assert!(booked.starts_with("Su visita está reservada, Ana."), "{booked}");
    assert_eq!(talk.booked(), booking("lst_willow", "2026-11-25", "14:30", "Ana López"));
    let goodbye = talk.say("No, eso es todo, gracias");
    assert!(talk.ended && goodbye.ends_with("Adiós."), "{goodbye}");
    assert_eq!(talk.count("save_lead"), 1);
}

#[test]
fn wishes_in_many_words_lead_to_the_same_search() {
    for said in [
        "busco una casa de tres habitaciones en riverside por menos de cuatrocientos mil dólares",
        "quisiera una casa en riverside con tres dormitorios, hasta cuatrocientos mil",
        "tienen casas en la zona de riverside de tres cuartos por debajo de cuatrocientos mil",
        "estamos buscando en riverside una casa con tres recámaras, mi presupuesto es de cuatrocientos mil",
    ] {
        let talk = all(&[said]);
        assert_eq!(
            talk.searches().first(),
            Some(
                &&json!({"area": "Riverside", "bedrooms": 3, "max_price": 400_000, "property_type": "house"})
            ),
            "{said}: {:?}",
            talk.said
        );
    }
}

#[test]
fn days_and_times_reach_the_tools() {
    for (said, day, time) in [
        ("el viernes a las once", "2026-11-27", "11:00"),
        ("pasado mañana a las dos y media", "2026-11-26", "14:30"),
        ("el veintiocho de noviembre a las diez y media de la mañana", "2026-11-28", "10:30"),
        ("el próximo lunes a las once y cuarto", "2026-11-30", "11:15"),
        ("mañana a las diez menos cuarto", "2026-11-25", "09:45"),
    ] {
        let talk = all(&["quiero ver la casa en maple street", said, "soy ana"]);
        assert_eq!(talk.booked(), booking("lst_maple", day, time, "Ana"), "{said}: {:?}", talk.said);
    }
}

#[test]
fn messages_people_calls_and_mail_are_understood() {
    let mut talk = all(&["quiero dejar un mensaje", "que me envíen los papeles", "Ana López"]);
    assert_eq!(
        talk.calls("take_message"),
        [&json!({"message": "que me envíen los papeles", "name": "Ana López"})]
    );
    assert!(talk.say("quiero hablar con una persona").starts_with("Le comunico ahora con Maria Lopez."));
    let talk = all(&["llámenme mañana por la mañana por favor"]);
    assert_eq!(talk.calls("request_callback")[0]["when"], "2026-11-25 morning");
    let mut talk = all(&["busco una casa en riverside", "me lo puede enviar por correo"]);
    let back = talk.say("ana punto lopez arroba example punto com");
    assert!(back.contains("ana punto lopez arroba example punto com"), "{back}");
    talk.say("sí");
    assert_eq!(talk.calls("send_summary")[0]["email"], "ana.lopez@example.com");
    let talk = all(&["quiero cancelar mi visita"]);
    assert_eq!(talk.count("cancel_viewing"), 1);
}

#[test]
fn it_says_truthfully_what_it_is_and_judges_nobody() {
    for (said, answer) in [
        ("¿Es usted un robot?", "Sí, soy un asistente de inteligencia artificial."),
        ("¿Estoy hablando con una persona real?", "No, soy un asistente de inteligencia artificial."),
        ("¿Es segura la zona?", "No puedo juzgar eso."),
        ("¿Son buenas las escuelas?", "No puedo juzgar eso."),
    ] {
        let mut talk = all(&["busco una casa en riverside"]);
        let heard = talk.say(said);
        assert!(heard.starts_with(answer), "{said}: {heard}");
    }
}

#[test]
fn assent_to_recording_is_taken_naturally() {
    let greeting = "Gracias por llamar. Soy Lucía, una asistente de inteligencia artificial. ¿Puedo grabar esta llamada?";
    assert_eq!(talk().greeted(greeting).say("sí, claro"), "Gracias. ¿En qué puedo ayudarle?");
    assert_eq!(talk().greeted(greeting).say("no"), "Está bien, no se graba nada. ¿En qué puedo ayudarle?");
}

#[test]
fn nobody_took_the_call_and_a_message_is_taken() {
    let mut talk = all(&["quiero hablar con una persona"]);
    talk.platform_says("Lo siento, nadie pudo atender su llamada. ¿Quiere dejar un mensaje?");
    assert!(talk.say("sí por favor").contains("mensaje"));
    talk.say("que me llame Carlos");
    talk.say("Ana");
    assert_eq!(talk.calls("take_message")[0]["message"], "que me llame Carlos");
}
