//! An event of a realtime client: whatever its text, parsing answers, what comes out keeps its bounds, and a session is
//! changed by all of an update or by none of it.

use seiketsu_gateway::realtime::wire::{
    ClientEvent, MAX_AUDIO_BYTES, MAX_ITEM_TEXT_BYTES, Received, ServerEvent, Session, SessionKind, parse,
};

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match parse(text) {
        Ok(Received { event: ClientEvent::AppendAudio(audio), .. }) => {
            assert!(audio.len() <= text.len().min(MAX_AUDIO_BYTES), "base64 never grows when it is decoded");
        }
        Ok(Received { event: ClientEvent::CreateItem { item, .. }, .. }) => {
            assert!(item.body.text_bytes() <= MAX_ITEM_TEXT_BYTES, "an item has a bound");
            let item = item.named(|| "item_1".to_owned());
            check(&ServerEvent::ItemRetrieved { item: &item });
        }
        Ok(Received { event: ClientEvent::UpdateSession(update), .. }) => {
            for kind in [SessionKind::Realtime, SessionKind::Transcription] {
                let mut session = Session::new("sess_1".into(), kind, "agent".into(), "voice".into(), 0);
                let before = session.clone();
                match session.apply((*update).clone()) {
                    Ok(()) => check(&ServerEvent::SessionUpdated { session: &session }),
                    Err(error) => {
                        assert_eq!(session, before, "all or nothing");
                        check(&ServerEvent::Error { error: &error });
                    }
                }
            }
        }
        Ok(_) => {}
        Err(error) => {
            assert!(error.message.len() <= 4_096, "a refusal quotes little");
            check(&ServerEvent::Error { error: &error });
        }
    }
}

fn check(event: &ServerEvent<'_>) {
    let text = event.to_json("event_1");
    assert!(text.starts_with(r#"{"event_id":"event_1","type":""#) && text.ends_with('}'));
}
