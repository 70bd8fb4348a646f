//! Recorded calls over `/v1`: which there are, and how they sound.

use crate::world::{Answer, World, send};
use async_trait::async_trait;
use axum::{
    Router,
    body::{Body, to_bytes},
};
use bytes::Bytes;
use http::{Request, header};
use seiketsu_domain::{AudioFormat, CallId, TenantScope};
use seiketsu_gateway::{
    api_key::ApiKey,
    v1::{Page, recordings::RecordedCall},
};
use seiketsu_session::{ArchiveFailure, OpenRecording, RecordingArchive, RecordingReader};
use seiketsu_storage::recordings::{self, DeletionReason, Extent, NewRecording, RecordingState};
use seiketsu_testkit::Persona;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};
use tower::ServiceExt;

/// An archive with one recording: part 0 of one call of one brokerage.
#[derive(Debug)]
struct OneRecording {
    scope: TenantScope,
    call: CallId,
    pieces: Vec<Result<Bytes, ArchiveFailure>>,
    failure: Option<ArchiveFailure>,
    opened: Mutex<u32>,
}

impl OneRecording {
    fn of(world: &World, call: CallId) -> Self {
        let pieces = vec![Ok(Bytes::from_static(b"RIFF")), Ok(Bytes::from_static(b"sound"))];
        Self { scope: world.a.scope, call, pieces, failure: None, opened: Mutex::new(0) }
    }
}

#[async_trait]
impl RecordingArchive for OneRecording {
    async fn open(
        &self,
        scope: TenantScope,
        call: CallId,
        part: u32,
    ) -> Result<Option<OpenRecording>, ArchiveFailure> {
        *self.opened.lock().unwrap() += 1;
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        if (scope.tenant_id(), call, part) != (self.scope.tenant_id(), self.call, 0) {
            return Ok(None);
        }
        Ok(Some(OpenRecording {
            media_type: "audio/wav",
            length_bytes: 9,
            complete: true,
            reader: Box::new(Pieces(self.pieces.clone().into())),
        }))
    }
}

#[derive(Debug)]
struct Pieces(VecDeque<Result<Bytes, ArchiveFailure>>);

#[async_trait]
impl RecordingReader for Pieces {
    async fn next(&mut self) -> Result<Option<Bytes>, ArchiveFailure> {
        self.0.pop_front().transpose()
    }
}

fn router(world: &World, archive: Arc<OneRecording>) -> Router {
    world.gateway_that_records(archive).router()
}

fn listen(path: &str, key: &ApiKey) -> Request<Body> {
    let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {}", key.expose()));
    request.body(Body::empty()).unwrap()
}

fn sound_of(call: CallId) -> String {
    format!("/v1/calls/{call}/recordings/0")
}

/// A part on record; what it sounds like is the archive's business.
async fn record(world: &World, persona: &Persona, call: CallId, part: u32) {
    let mut tenant = world.base.tenant(persona).await;
    let new = NewRecording {
        call_id: call,
        part,
        format: AudioFormat::Mulaw8k,
        started_at: world.base.now(),
        retention_until: world.base.now(),
        location: format!("somewhere/{part}"),
        wrapped_key: vec![7; 60],
    };
    recordings::insert(&mut tenant, &new).await.unwrap();
    tenant.commit().await.unwrap();
}

#[tokio::test]
async fn recorded_calls_are_listed_newest_first_with_their_parts_a_page_at_a_time() {
    let world = World::new().await;
    let key = world.operator().await;
    let first = world.base.call(&world.a).await;
    // Ids are in order of time, to the millisecond.
    world.clock.advance(Duration::from_millis(1));
    let second = world.base.call(&world.a).await;
    let foreign = world.base.call(&world.b).await;
    world.base.call(&world.a).await;
    record(&world, &world.a, first, 0).await;
    record(&world, &world.a, first, 1).await;
    record(&world, &world.a, second, 0).await;
    record(&world, &world.b, foreign, 0).await;
    let mut tenant = world.base.tenant(&world.a).await;
    let extent = Extent { chunks: 2, bytes: 128_032, duration_ms: 8_000 };
    assert!(recordings::close(&mut tenant, first, 0, true, extent, world.base.now()).await.unwrap());
    let withdrawn = DeletionReason::Withdrawn;
    assert!(recordings::forget(&mut tenant, first, 1, withdrawn, world.base.now()).await.unwrap());
    tenant.commit().await.unwrap();

    let page: Page<RecordedCall> =
        world.get("/v1/recordings?tenant=anna-homes&limit=1", Some(&key)).await.json();
    assert_eq!(page.items.iter().map(|item| item.call_id).collect::<Vec<_>>(), [second]);
    let cursor = page.next_cursor.expect("there is more");
    let rest = format!("/v1/recordings?tenant=anna-homes&limit=1&cursor={cursor}");
    let answer = world.get(&rest, Some(&key)).await;
    let page: Page<RecordedCall> = answer.json();
    assert!(page.next_cursor.is_none(), "that of the other brokerage is not here");
    let RecordedCall { call_id, parts } = &page.items[0];
    assert_eq!((*call_id, parts.len()), (first, 2));
    assert_eq!((parts[0].state, parts[0].duration_ms), (RecordingState::Complete, Some(8_000)));
    assert_eq!((parts[1].state, parts[1].deletion_reason), (RecordingState::Deleted, Some(withdrawn)));
    for secret in ["somewhere", "wrapped", "key"] {
        assert!(!answer.body.contains(secret), "where it is kept is nobody's business: {}", answer.body);
    }
}

#[tokio::test]
async fn a_recording_comes_whole_as_a_wave_file_that_nobody_keeps_on_the_way() {
    let world = World::new().await;
    let key = world.operator().await;
    let call = world.base.call(&world.a).await;
    let router = router(&world, Arc::new(OneRecording::of(&world, call)));
    let answer = send(router.clone(), listen(&sound_of(call), &key)).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "RIFFsound"));
    let header = |name: &str| answer.headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "audio/wav");
    assert_eq!(header("content-length"), "9");
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("content-disposition"), format!("attachment; filename=\"{call}-0.wav\""));
    assert_eq!(header("accept-ranges"), "none");
    let mut part = listen(&sound_of(call), &key);
    part.headers_mut().insert(header::RANGE, "bytes=4-8".parse().unwrap());
    let whole = send(router, part).await;
    assert_eq!((whole.status.as_u16(), whole.body.as_str()), (200, "RIFFsound"), "there are no ranges");
}

#[tokio::test]
async fn without_a_known_key_nothing_is_opened() {
    let world = World::new().await;
    let call = world.base.call(&world.a).await;
    let archive = Arc::new(OneRecording::of(&world, call));
    let router = router(&world, Arc::clone(&archive));
    let unauthorized = (401, "unauthorized".to_owned());
    for path in [sound_of(call), "/v1/recordings?tenant=anna-homes".to_owned()] {
        let bare = Request::get(&path).body(Body::empty()).unwrap();
        assert_eq!(send(router.clone(), bare).await.problem(), unauthorized, "{path}");
        let unknown = ApiKey::generate(&world.ids);
        assert_eq!(send(router.clone(), listen(&path, &unknown)).await.problem(), unauthorized, "{path}");
    }
    assert_eq!(*archive.opened.lock().unwrap(), 0);
}

#[tokio::test]
async fn what_was_not_recorded_is_deleted_or_is_somebody_elses_gets_the_same_answer() {
    let world = World::new().await;
    let key = world.operator().await;
    let call = world.base.call(&world.a).await;
    let foreign = world.base.call(&world.b).await;
    let router = router(&world, Arc::new(OneRecording::of(&world, call)));
    let ask = async |path: String| -> Answer { send(router.clone(), listen(&path, &key)).await };
    let unknown = ask(sound_of(world.ids.next())).await;
    assert_eq!(unknown.problem(), (404, "not-found".into()));
    // The archive is asked in the name of the brokerage whose call it is, and has none of its.
    assert_eq!(ask(sound_of(foreign)).await.comparable(), unknown.comparable());
    for part in ["1", "-1", "4294967296", "x"] {
        let answer = ask(format!("/v1/calls/{call}/recordings/{part}")).await;
        assert_eq!(answer.comparable(), unknown.comparable(), "{part}");
    }
    assert_eq!(ask("/v1/calls/lead_x/recordings/0".to_owned()).await.comparable(), unknown.comparable());
    let without_archive = world.get(&sound_of(call), Some(&key)).await;
    assert_eq!(without_archive.comparable(), unknown.comparable(), "nothing is recorded here");
    let nobody = ask("/v1/recordings?tenant=nobody".to_owned()).await;
    assert_eq!(nobody.comparable(), unknown.comparable());
}

#[tokio::test]
async fn a_recording_that_cannot_be_opened_says_whether_to_ask_again() {
    let world = World::new().await;
    let key = world.operator().await;
    let call = world.base.call(&world.a).await;
    let ask = async |failure: ArchiveFailure| -> Answer {
        let archive = OneRecording { failure: Some(failure), ..OneRecording::of(&world, call) };
        send(router(&world, Arc::new(archive)), listen(&sound_of(call), &key)).await
    };
    let away = ask(ArchiveFailure::Away("s3.internal refuses".into())).await;
    assert_eq!(away.problem(), (503, "unavailable".into()));
    assert_eq!(away.headers["retry-after"], "2");
    let damaged = ask(ArchiveFailure::Damaged("chunk 3 of somewhere/0".into())).await;
    assert_eq!(damaged.problem(), (500, "internal".into()));
    assert!(!away.body.contains("s3") && !damaged.body.contains("chunk"), "nothing of the inside");
}

#[tokio::test]
async fn a_recording_damaged_in_the_middle_breaks_off_and_does_not_look_whole() {
    let world = World::new().await;
    let key = world.operator().await;
    let call = world.base.call(&world.a).await;
    let pieces =
        vec![Ok(Bytes::from_static(b"RIFF")), Err(ArchiveFailure::Damaged("chunk 1 was changed".into()))];
    let archive = OneRecording { pieces, ..OneRecording::of(&world, call) };
    let response = router(&world, Arc::new(archive)).oneshot(listen(&sound_of(call), &key)).await.unwrap();
    assert_eq!(response.status().as_u16(), 200, "the head has left already");
    assert!(to_bytes(response.into_body(), 1 << 10).await.is_err());
}
