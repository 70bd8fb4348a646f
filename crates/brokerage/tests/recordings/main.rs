//! Recordings from the port of a session to the archive, on a directory and on S3's protocol.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test whose world cannot be set up must fail loudly"
)]

mod bucket;

use bucket::{BUCKET, Bucket};
use bytes::Bytes;
use seiketsu_brokerage::recording::{
    ChunkStore, RecordingError, Recordings, StoreOptions, Swept,
    keys::{Key, KeyError},
};
use seiketsu_domain::{AudioFormat, CallEnd, CallId, CallTime, EndReason, TenantScope, Usage};
use seiketsu_session::{ArchiveFailure, Arrival, RecordingArchive, RecordingWriter};
use seiketsu_storage::{
    calls,
    recordings::{self as stored, DeletionReason, RecordingRow, RecordingState},
};
use seiketsu_testkit::{Persona, World};
use std::{fs, path::PathBuf, time::Duration};
use tempfile::TempDir;

const SECOND: usize = 8_000;
const WAV_HEADER: usize = 58;
const CHUNK: usize = 4 * SECOND;

#[derive(Debug, Clone, Copy)]
enum Who {
    Anna,
    Boris,
}

fn persona(world: &World, who: Who) -> &Persona {
    match who {
        Who::Anna => &world.anna,
        Who::Boris => &world.boris,
    }
}

fn scope(world: &World, who: Who) -> TenantScope {
    persona(world, who).scope
}

/// Recordings in a directory.
struct Studio {
    world: World,
    recordings: Recordings,
    directory: TempDir,
    master: Key,
}

impl Studio {
    async fn new() -> Self {
        let world = World::new().await;
        let directory = tempfile::tempdir().unwrap();
        let master = Key::generate(&world.ids);
        let recordings = recordings(&world, directory.path().to_owned(), &master);
        Self { world, recordings, directory, master }
    }

    async fn call(&self, who: Who) -> CallId {
        self.world.call(persona(&self.world, who)).await
    }

    async fn begin(&self, who: Who, call: CallId, arrival: Arrival) -> Box<dyn RecordingWriter> {
        let sink = self.recordings.sink(scope(&self.world, who), call, arrival, 30).await.unwrap();
        sink.unwrap().begin(AudioFormat::Mulaw8k).await.unwrap()
    }

    /// The caller takes the assent back, after whatever was recorded.
    async fn withdraws(&self, who: Who, call: CallId) {
        let sink = self.recordings.sink(scope(&self.world, who), call, Arrival::New, 30).await.unwrap();
        sink.unwrap().withdraw().await.unwrap();
    }

    /// A call of ten seconds, recorded to its end.
    async fn recorded(&self, who: Who) -> CallId {
        let call = self.call(who).await;
        let mut writer = self.begin(who, call, Arrival::New).await;
        says(writer.as_mut(), 10).await;
        writer.finish().await.unwrap();
        call
    }

    async fn row(&self, who: Who, call: CallId) -> RecordingRow {
        let mut tx = self.world.db().tenant(&scope(&self.world, who)).await.unwrap();
        stored::get(&mut tx, call, 0).await.unwrap().unwrap()
    }

    async fn listen(&self, who: Who, call: CallId) -> Result<Vec<u8>, ArchiveFailure> {
        listen(&self.recordings, &self.world, who, call).await
    }

    async fn ends(&self, who: Who, call: CallId) {
        let ended_at = CallTime::from_millis(10_000);
        let end = CallEnd { reason: EndReason::ReplicaLost, ended_at, turns: 0, usage: Usage::default() };
        let mut tx = self.world.db().tenant(&scope(&self.world, who)).await.unwrap();
        assert!(calls::end_call(&mut tx, call, &end).await.unwrap());
        tx.commit().await.unwrap();
    }

    async fn sweep(&self) -> Swept {
        self.recordings.sweep(self.world.now()).await.unwrap()
    }

    async fn files(&self, who: Who, call: CallId) -> Vec<PathBuf> {
        let folder = self.directory.path().join(self.row(who, call).await.location);
        let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }
}

fn recordings(world: &World, directory: PathBuf, master: &Key) -> Recordings {
    let store = ChunkStore::open(&StoreOptions::Directory(directory)).unwrap();
    let master = Key::from_base64(&master.to_base64()).unwrap();
    Recordings::new(world.db().clone(), store, master, world.ids.clone())
}

/// So many seconds of a caller who says 1 and hears 2, as a session gives them.
async fn says(writer: &mut dyn RecordingWriter, seconds: usize) {
    for _ in 0..5 * seconds {
        let (caller, agent) = (vec![1; SECOND / 5], vec![2; SECOND / 5]);
        writer.write(Bytes::from(caller), Bytes::from(agent)).await.unwrap();
    }
}

fn sound(seconds: usize) -> Vec<u8> {
    [1, 2].repeat(seconds * SECOND)
}

async fn listen(
    recordings: &Recordings,
    world: &World,
    who: Who,
    call: CallId,
) -> Result<Vec<u8>, ArchiveFailure> {
    let mut opened = recordings.open(scope(world, who), call, 0).await?.expect("a recording");
    assert_eq!(opened.media_type, "audio/wav");
    let mut heard = Vec::new();
    while let Some(bytes) = opened.reader.next().await? {
        assert!(bytes.len() <= 2 * CHUNK, "a chunk at a time");
        heard.extend_from_slice(&bytes);
    }
    assert_eq!(heard.len() as u64, opened.length_bytes);
    assert_eq!(&heard[..4], b"RIFF");
    Ok(heard.split_off(WAV_HEADER))
}

fn damaged(listened: Result<Vec<u8>, ArchiveFailure>) -> String {
    match listened.unwrap_err() {
        ArchiveFailure::Damaged(text) => text,
        ArchiveFailure::Away(text) => panic!("not damaged but away: {text}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recorded_call_can_be_listened_to_and_what_is_kept_of_it_is_sealed() {
    let studio = Studio::new().await;
    let call = studio.recorded(Who::Anna).await;
    assert_eq!(studio.listen(Who::Anna, call).await.unwrap(), sound(10));
    let row = studio.row(Who::Anna, call).await;
    assert_eq!(row.state, RecordingState::Complete);
    let extent = row.extent.unwrap();
    assert_eq!((extent.chunks, extent.duration_ms), (3, 10_000));
    let files = studio.files(Who::Anna, call).await;
    assert_eq!(files.len(), 3);
    for file in files {
        let kept = fs::read(file).unwrap();
        assert!(!kept.windows(8).any(|bytes| bytes == [1, 2, 1, 2, 1, 2, 1, 2]), "in the clear");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_that_is_never_begun_leaves_no_row_no_key_and_no_file() {
    let studio = Studio::new().await;
    let call = studio.call(Who::Anna).await;
    let sink = studio.recordings.sink(scope(&studio.world, Who::Anna), call, Arrival::New, 30).await.unwrap();
    assert!(!sink.unwrap().agreed());
    let mut tx = studio.world.db().tenant(&scope(&studio.world, Who::Anna)).await.unwrap();
    assert_eq!(stored::of_call(&mut tx, call).await.unwrap(), []);
    assert_eq!(fs::read_dir(studio.directory.path()).unwrap().count(), 0);
    let opened = studio.recordings.open(scope(&studio.world, Who::Anna), call, 0).await.unwrap();
    assert!(opened.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_dies_keeps_every_sealed_chunk_and_the_sweep_says_how_much_that_is() {
    let studio = Studio::new().await;
    let call = studio.call(Who::Anna).await;
    let mut writer = studio.begin(Who::Anna, call, Arrival::New).await;
    says(writer.as_mut(), 10).await;
    drop(writer);
    assert_eq!(studio.row(Who::Anna, call).await.state, RecordingState::Recording);
    assert_eq!(studio.listen(Who::Anna, call).await.unwrap(), sound(8), "two chunks of four seconds");
    assert_eq!(studio.sweep().await, Swept::default(), "its call may still be live");

    studio.ends(Who::Anna, call).await;
    studio.world.clock.advance(Duration::from_mins(10));
    assert_eq!(studio.sweep().await, Swept { incomplete: 1, ..Swept::default() });
    assert_eq!(studio.sweep().await, Swept::default(), "once is enough");
    let row = studio.row(Who::Anna, call).await;
    assert_eq!((row.state, row.extent.unwrap().duration_ms), (RecordingState::Incomplete, 8_000));
    assert_eq!(studio.listen(Who::Anna, call).await.unwrap(), sound(8));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_that_is_given_up_is_kept_as_incomplete_at_once() {
    let studio = Studio::new().await;
    let call = studio.call(Who::Anna).await;
    let mut writer = studio.begin(Who::Anna, call, Arrival::New).await;
    says(writer.as_mut(), 5).await;
    writer.abandon().await.unwrap();
    assert_eq!(studio.row(Who::Anna, call).await.state, RecordingState::Incomplete);
    assert_eq!(studio.listen(Who::Anna, call).await.unwrap(), sound(4));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_a_swapped_a_missing_and_a_cut_off_chunk_are_each_told() {
    let studio = Studio::new().await;
    let call = studio.recorded(Who::Anna).await;
    let files = studio.files(Who::Anna, call).await;
    let original: Vec<_> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    let restore = || files.iter().zip(&original).for_each(|(file, bytes)| fs::write(file, bytes).unwrap());

    let mut flipped = original[1].clone();
    flipped[1_000] ^= 4;
    fs::write(&files[1], flipped).unwrap();
    assert_eq!(damaged(studio.listen(Who::Anna, call).await), "chunk 1 does not open");

    restore();
    fs::write(&files[0], &original[1]).unwrap();
    fs::write(&files[1], &original[0]).unwrap();
    assert_eq!(damaged(studio.listen(Who::Anna, call).await), "chunk 0 does not open");

    restore();
    fs::remove_file(&files[1]).unwrap();
    assert_eq!(damaged(studio.listen(Who::Anna, call).await), "chunk 1 is missing");

    restore();
    fs::remove_file(&files[2]).unwrap();
    let told = damaged(studio.listen(Who::Anna, call).await);
    assert_eq!(told, "the recording ends after 2 chunks, which is not its end");

    restore();
    fs::write(&files[2], &original[2][..original[2].len() - 1]).unwrap();
    assert_eq!(damaged(studio.listen(Who::Anna, call).await), "chunk 2 does not open");

    restore();
    assert_eq!(studio.listen(Who::Anna, call).await.unwrap(), sound(10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_says_a_cut_recording_is_complete_does_not_make_it_so() {
    let studio = Studio::new().await;
    let call = studio.call(Who::Anna).await;
    let mut writer = studio.begin(Who::Anna, call, Arrival::New).await;
    says(writer.as_mut(), 8).await;
    drop(writer);
    let mut tx = studio.world.db().tenant(&scope(&studio.world, Who::Anna)).await.unwrap();
    let extent = stored::Extent { chunks: 2, bytes: 128_032, duration_ms: 8_000 };
    assert!(stored::close(&mut tx, call, 0, true, extent, studio.world.now()).await.unwrap());
    tx.commit().await.unwrap();
    let told = damaged(studio.listen(Who::Anna, call).await);
    assert_eq!(told, "the recording ends after 2 chunks, which is not its end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_tenant_finds_nothing_and_its_key_opens_nothing() {
    let studio = Studio::new().await;
    let call = studio.recorded(Who::Anna).await;
    let stranger = scope(&studio.world, Who::Boris);
    assert!(studio.recordings.open(stranger, call, 0).await.unwrap().is_none());

    // Even with Anna's row and chunks copied to a call of its own.
    let theirs = studio.recorded(Who::Boris).await;
    let (ours, copy) = (studio.row(Who::Anna, call).await, studio.row(Who::Boris, theirs).await);
    let database = &studio.world.database;
    let location = &ours.location;
    database
        .execute(&format!(
            "update public.recordings set location = '{location}' where call_id = '{}'",
            theirs.uuid()
        ))
        .await;
    assert_eq!(damaged(studio.listen(Who::Boris, theirs).await), "chunk 0 does not open");
    database
        .execute(&format!(
            "update public.recordings copy set wrapped_key = original.wrapped_key
             from public.recordings original
             where copy.call_id = '{}' and original.call_id = '{}'",
            theirs.uuid(),
            call.uuid()
        ))
        .await;
    assert_ne!(copy.wrapped_key, studio.row(Who::Boris, theirs).await.wrapped_key);
    assert!(
        damaged(studio.listen(Who::Boris, theirs).await).starts_with("the recording's key does not open")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_master_key_nothing_opens() {
    let studio = Studio::new().await;
    let call = studio.recorded(Who::Anna).await;
    let other = Key::generate(&studio.world.ids);
    let thief = recordings(&studio.world, studio.directory.path().to_owned(), &other);
    let told = damaged(listen(&thief, &studio.world, Who::Anna, call).await);
    assert!(told.starts_with("the tenant's key does not open"), "{told}");
    let again = recordings(&studio.world, studio.directory.path().to_owned(), &studio.master);
    assert_eq!(listen(&again, &studio.world, Who::Anna, call).await.unwrap(), sound(10), "after a restart");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn destroying_a_tenants_key_makes_its_recordings_unreadable_and_no_other_ones() {
    let studio = Studio::new().await;
    let (gone, kept) = (studio.recorded(Who::Anna).await, studio.recorded(Who::Boris).await);
    let anna = scope(&studio.world, Who::Anna);
    assert!(studio.recordings.destroy_tenant_key(&anna).await.unwrap());
    assert!(!studio.recordings.destroy_tenant_key(&anna).await.unwrap(), "once");
    assert!(studio.recordings.open(anna, gone, 0).await.unwrap().is_none());
    assert_eq!(studio.listen(Who::Boris, kept).await.unwrap(), sound(10));
    let next = studio.call(Who::Anna).await;
    let sink = studio.recordings.sink(anna, next, Arrival::New, 30).await.unwrap().unwrap();
    let refused = sink.begin(AudioFormat::Mulaw8k).await.unwrap_err().to_string();
    assert!(refused.contains(&RecordingError::Key(KeyError::Destroyed).to_string()), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_past_its_retention_is_deleted_with_its_files_and_the_count_is_on_record() {
    let studio = Studio::new().await;
    let old = studio.recorded(Who::Anna).await;
    studio.world.clock.advance(Duration::from_hours(24 * 15));
    let young = studio.recorded(Who::Anna).await;
    studio.world.clock.advance(Duration::from_hours(24 * 15) - Duration::from_secs(1));
    assert_eq!(studio.sweep().await, Swept::default(), "a second is left");
    assert_eq!(studio.files(Who::Anna, old).await.len(), 3);
    studio.world.clock.advance(Duration::from_secs(1));
    assert_eq!(studio.sweep().await, Swept { deleted: 1, purged: 1, ..Swept::default() });

    assert_eq!(studio.files(Who::Anna, old).await, Vec::<PathBuf>::new());
    let row = studio.row(Who::Anna, old).await;
    assert_eq!((row.state, row.wrapped_key), (RecordingState::Deleted, None));
    assert_eq!(row.deleted, Some((studio.world.now(), DeletionReason::Retention)));
    assert!(studio.recordings.open(scope(&studio.world, Who::Anna), old, 0).await.unwrap().is_none());
    assert_eq!(studio.listen(Who::Anna, young).await.unwrap(), sound(10));
    let evidence = "select count(*) from platform.system_access_audit
                    where reason = 'sweep_recordings' and detail ->> 'recordings_deleted' = '1'
                      and detail ->> 'recordings_purged' = '1'";
    assert_eq!(studio.world.database.count(evidence).await, 1);
    assert_eq!(studio.sweep().await, Swept::default());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assent_that_is_withdrawn_deletes_the_part_and_the_call_is_not_recorded_when_it_comes_back() {
    let studio = Studio::new().await;
    let call = studio.call(Who::Anna).await;
    let mut writer = studio.begin(Who::Anna, call, Arrival::New).await;
    says(writer.as_mut(), 10).await;
    assert_eq!(studio.files(Who::Anna, call).await.len(), 2);
    drop(writer);
    studio.withdraws(Who::Anna, call).await;
    assert_eq!(studio.files(Who::Anna, call).await, Vec::<PathBuf>::new());
    let row = studio.row(Who::Anna, call).await;
    assert_eq!(row.deleted, Some((studio.world.now(), DeletionReason::Withdrawn)));
    assert_eq!(row.wrapped_key, None);
    let scope = scope(&studio.world, Who::Anna);
    let sink = studio.recordings.sink(scope, call, Arrival::Cut, 30).await.unwrap();
    assert!(sink.is_none(), "and the caller is not asked again");
    assert_eq!(studio.sweep().await, Swept { purged: 1, ..Swept::default() }, "a chunk may have come late");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assent_that_is_withdrawn_after_a_cut_takes_the_earlier_parts_with_it_and_no_other_call() {
    let studio = Studio::new().await;
    let other = studio.recorded(Who::Anna).await;
    let call = studio.call(Who::Anna).await;
    let mut writer = studio.begin(Who::Anna, call, Arrival::New).await;
    says(writer.as_mut(), 5).await;
    drop(writer);
    let mut writer = studio.begin(Who::Anna, call, Arrival::Cut).await;
    says(writer.as_mut(), 5).await;
    drop(writer);
    studio.withdraws(Who::Anna, call).await;
    let mut tx = studio.world.db().tenant(&scope(&studio.world, Who::Anna)).await.unwrap();
    let parts = stored::of_call(&mut tx, call).await.unwrap();
    tx.commit().await.unwrap();
    let withdrawn = Some((studio.world.now(), DeletionReason::Withdrawn));
    assert_eq!(parts.iter().map(|part| part.deleted).collect::<Vec<_>>(), [withdrawn, withdrawn]);
    for part in &parts {
        assert!(!studio.directory.path().join(&part.location).exists(), "{}", part.location);
    }
    assert_eq!(studio.listen(Who::Anna, other).await.unwrap(), sound(10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assent_that_is_withdrawn_makes_the_part_unreadable_before_the_store_is_even_asked() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (world, bucket) = (World::new().await, Bucket::open().await);
    let store = ChunkStore::bucket_at(BUCKET, "", &bucket.access).unwrap();
    let recordings = Recordings::new(world.db().clone(), store, Key::generate(&world.ids), world.ids.clone());
    let call = world.call(&world.anna).await;
    let sink = recordings.sink(scope(&world, Who::Anna), call, Arrival::New, 30).await.unwrap().unwrap();
    let mut writer = sink.begin(AudioFormat::Mulaw8k).await.unwrap();
    says(writer.as_mut(), 5).await;
    drop(writer);
    bucket.hangs();
    // A session that loses its patience drops the future, as this does.
    tokio::select! {
        outcome = sink.withdraw() => panic!("the store hangs, and yet: {outcome:?}"),
        () = bucket.is_asked_in_vain() => {}
    }
    let mut tx = world.db().tenant(&scope(&world, Who::Anna)).await.unwrap();
    let row = stored::get(&mut tx, call, 0).await.unwrap().unwrap();
    assert_eq!((row.state, row.wrapped_key), (RecordingState::Deleted, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assent_that_is_withdrawn_while_the_store_refuses_is_obeyed_and_the_sweep_removes_what_is_left() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (world, bucket) = (World::new().await, Bucket::open().await);
    let store = ChunkStore::bucket_at(BUCKET, "", &bucket.access).unwrap();
    let recordings = Recordings::new(world.db().clone(), store, Key::generate(&world.ids), world.ids.clone());
    let call = world.call(&world.anna).await;
    let sink = recordings.sink(scope(&world, Who::Anna), call, Arrival::New, 30).await.unwrap().unwrap();
    let mut writer = sink.begin(AudioFormat::Mulaw8k).await.unwrap();
    says(writer.as_mut(), 5).await;
    // Given up, long before the caller changes their mind.
    writer.abandon().await.unwrap();
    bucket.breaks();
    sink.withdraw().await.unwrap();
    let mut tx = world.db().tenant(&scope(&world, Who::Anna)).await.unwrap();
    let row = stored::get(&mut tx, call, 0).await.unwrap().unwrap();
    assert_eq!((row.state, row.wrapped_key), (RecordingState::Deleted, None));
    tx.commit().await.unwrap();
    assert_eq!(bucket.keys().len(), 1);
    bucket.works();
    assert_eq!(recordings.sweep(world.now()).await.unwrap().purged, 1);
    assert_eq!(bucket.keys(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_was_being_recorded_when_it_was_cut_goes_on_in_a_part_of_its_own() {
    let studio = Studio::new().await;
    let call = studio.call(Who::Anna).await;
    let mut writer = studio.begin(Who::Anna, call, Arrival::New).await;
    says(writer.as_mut(), 5).await;
    drop(writer);
    let scope = scope(&studio.world, Who::Anna);
    let sink = studio.recordings.sink(scope, call, Arrival::Cut, 30).await.unwrap().unwrap();
    assert!(sink.agreed(), "nobody is asked twice");
    let mut writer = sink.begin(AudioFormat::Mulaw8k).await.unwrap();
    says(writer.as_mut(), 3).await;
    writer.finish().await.unwrap();
    let mut tx = studio.world.db().tenant(&scope).await.unwrap();
    let parts = stored::of_call(&mut tx, call).await.unwrap();
    let states: Vec<_> = parts.iter().map(|part| (part.part, part.state)).collect();
    assert_eq!(states, [(0, RecordingState::Recording), (1, RecordingState::Complete)]);
    assert_eq!(studio.listen(Who::Anna, call).await.unwrap(), sound(4));
    studio.world.clock.advance(Duration::from_mins(6));
    assert_eq!(studio.sweep().await.incomplete, 1, "the first part has no writer any more");

    let unasked = studio.call(Who::Anna).await;
    assert!(studio.recordings.sink(scope, unasked, Arrival::Cut, 30).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_of_s3_keeps_recordings_as_a_directory_does() {
    // The binary chooses its cryptography once, at its start.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (world, bucket) = (World::new().await, Bucket::open().await);
    let store = ChunkStore::bucket_at(BUCKET, "audio/2026", &bucket.access).unwrap();
    let recordings = Recordings::new(world.db().clone(), store, Key::generate(&world.ids), world.ids.clone());
    let call = world.call(&world.anna).await;
    let sink = recordings.sink(scope(&world, Who::Anna), call, Arrival::New, 30).await.unwrap().unwrap();
    let mut writer = sink.begin(AudioFormat::Mulaw8k).await.unwrap();
    says(writer.as_mut(), 10).await;
    let (tenant, keys) = (scope(&world, Who::Anna).tenant_id(), bucket.keys());
    let expected: Vec<_> =
        (0..2).map(|index| format!("audio/2026/{tenant}/{call}/0000/0000000{index}")).collect();
    assert_eq!(keys, expected, "stored while the call is live");
    assert_eq!(bucket.object(&keys[0]).len(), 2 * CHUNK + 16);
    assert_eq!(listen(&recordings, &world, Who::Anna, call).await.unwrap(), sound(8));
    writer.finish().await.unwrap();
    assert_eq!(listen(&recordings, &world, Who::Anna, call).await.unwrap(), sound(10));

    world.clock.advance(Duration::from_hours(24 * 30));
    let swept = recordings.sweep(world.now()).await.unwrap();
    assert_eq!(swept, Swept { deleted: 1, purged: 1, ..Swept::default() });
    assert_eq!(bucket.keys(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_refuses_fails_the_write_and_says_what_failed() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (world, bucket) = (World::new().await, Bucket::open().await);
    let store = ChunkStore::bucket_at(BUCKET, "", &bucket.access).unwrap();
    let recordings = Recordings::new(world.db().clone(), store, Key::generate(&world.ids), world.ids.clone());
    let call = world.call(&world.anna).await;
    let sink = recordings.sink(scope(&world, Who::Anna), call, Arrival::New, 30).await.unwrap().unwrap();
    let mut writer = sink.begin(AudioFormat::Mulaw8k).await.unwrap();
    bucket.breaks();
    let (caller, agent) = (Bytes::from(vec![1; CHUNK]), Bytes::from(vec![2; CHUNK]));
    let failure = writer.write(caller, agent).await.unwrap_err().to_string();
    assert!(failure.contains("storing `") && failure.contains("00000000`"), "{failure}");
    writer.abandon().await.unwrap();
}
