//! A sink that remembers, hangs or fails, and what reaches it.

use super::*;
use crate::RecordingWriter;
use async_trait::async_trait;
use seiketsu_call::ledger::Ledger;
use seiketsu_domain::CallTime;
use std::sync::{Mutex, atomic::AtomicUsize, atomic::Ordering};

const FRAME: usize = 160;
const SILENCE: u8 = 0xff;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Writes,
    /// A write never returns.
    Hangs,
    /// The second write fails.
    Fails,
    /// There is no beginning it.
    Refuses,
}

#[derive(Debug, Default)]
struct Kept {
    begun: AtomicUsize,
    sound: Mutex<(Vec<u8>, Vec<u8>)>,
    endings: Mutex<Vec<&'static str>>,
    /// Attempts to withdraw that fail.
    hindrances: AtomicUsize,
}

impl Kept {
    fn sound(&self) -> (Vec<u8>, Vec<u8>) {
        self.sound.lock().unwrap().clone()
    }
    fn endings(&self) -> Vec<&'static str> {
        self.endings.lock().unwrap().clone()
    }
    fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }
}

#[derive(Debug)]
struct Sink(Manner, Arc<Kept>);

#[async_trait]
impl RecordingSink for Sink {
    async fn begin(&self, format: AudioFormat) -> Result<Box<dyn RecordingWriter>, StoreFailure> {
        assert_eq!(format, AudioFormat::Mulaw8k);
        self.1.begun.fetch_add(1, Ordering::SeqCst);
        match self.0 {
            Manner::Refuses => Err(StoreFailure("no".to_owned())),
            Manner::Writes | Manner::Hangs | Manner::Fails => {
                Ok(Box::new(Writer { manner: self.0, kept: Arc::clone(&self.1), writes: 0 }))
            }
        }
    }

    async fn withdraw(&self) -> Result<(), StoreFailure> {
        let hindrances = &self.1.hindrances;
        if hindrances.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(StoreFailure("everything is away".to_owned()));
        }
        *self.1.sound.lock().unwrap() = <_>::default();
        self.1.endings.lock().unwrap().push("withdrawn");
        Ok(())
    }
}

#[derive(Debug)]
struct Writer {
    manner: Manner,
    kept: Arc<Kept>,
    writes: usize,
}

impl Writer {
    fn ends(&self, how: &'static str) {
        self.kept.endings.lock().unwrap().push(how);
    }
}

#[async_trait]
impl RecordingWriter for Writer {
    async fn write(&mut self, caller: Bytes, agent: Bytes) -> Result<(), StoreFailure> {
        assert_eq!(caller.len(), agent.len());
        self.writes += 1;
        match self.manner {
            Manner::Hangs => std::future::pending().await,
            Manner::Fails if self.writes > 1 => return Err(StoreFailure("the disk is full".to_owned())),
            Manner::Writes | Manner::Fails | Manner::Refuses => {}
        }
        let mut sound = self.kept.sound.lock().unwrap();
        sound.0.extend_from_slice(&caller);
        sound.1.extend_from_slice(&agent);
        Ok(())
    }
    async fn finish(self: Box<Self>) -> Result<(), StoreFailure> {
        self.ends("finished");
        Ok(())
    }
    async fn abandon(self: Box<Self>) -> Result<(), StoreFailure> {
        self.ends("abandoned");
        Ok(())
    }
}

struct World {
    recorder: Recorder,
    kept: Arc<Kept>,
    writers: TaskTracker,
}

fn world(manner: Manner) -> World {
    let (kept, writers) = (Arc::new(Kept::default()), TaskTracker::new());
    let sink = Arc::new(Sink(manner, Arc::clone(&kept)));
    let call = CallId::from_uuid(uuid::Uuid::nil());
    let recorder = Recorder::new(sink, AudioFormat::Mulaw8k, call, writers.clone());
    World { recorder, kept, writers }
}

impl World {
    /// The caller says this for so long, in frames of 20 ms.
    fn says(&mut self, code: u8, ms: usize) {
        for _ in 0..ms / 20 {
            self.recorder.received(&[code; FRAME]);
        }
    }

    /// The writer comes to run, as it does between the frames of a call.
    async fn breathes(&self) {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    /// The call is over; what was kept of it.
    async fn over(self) -> Arc<Kept> {
        self.recorder.finish();
        self.writers.close();
        self.writers.wait().await;
        self.kept
    }
}

fn ms(code: u8, ms: usize) -> Vec<u8> {
    vec![code; 8 * ms]
}

#[tokio::test(start_paused = true)]
async fn the_caller_is_on_one_side_and_what_they_heard_at_that_time_on_the_other() {
    let mut world = world(Manner::Writes);
    world.recorder.assent(true);
    world.says(1, 100);
    world.recorder.sent(ms(7, 150).into());
    world.says(2, 240);
    world.recorder.sent(ms(8, 30).into());
    world.recorder.sent(ms(9, 30).into());
    world.says(3, 80);
    let kept = world.over().await;
    let (caller, heard) = kept.sound();
    assert_eq!(caller, [ms(1, 100), ms(2, 240), ms(3, 80)].concat());
    let expected = [ms(SILENCE, 100), ms(7, 150), ms(SILENCE, 90), ms(8, 30), ms(9, 30), ms(SILENCE, 20)];
    assert_eq!(heard, expected.concat());
    assert_eq!(kept.endings(), ["finished"]);
}

#[tokio::test(start_paused = true)]
async fn after_a_barge_in_the_recording_has_what_the_ledger_says_was_heard() {
    let mut world = world(Manner::Writes);
    let mut ledger = Ledger::default();
    world.recorder.assent(true);
    world.recorder.sent(ms(7, 1_000).into());
    ledger.send(CallTime::ZERO, 1_000_000);
    world.says(1, 340);
    world.recorder.cleared();
    let heard_us = ledger.clear(CallTime::from_millis(340));
    world.says(1, 200);
    world.recorder.sent(ms(9, 60).into());
    world.says(1, 100);
    let (_, heard) = world.over().await.sound();
    let of_the_interrupted = heard.iter().copied().filter(|code| *code == 7).count();
    assert_eq!(AudioFormat::Mulaw8k.duration_us(of_the_interrupted), heard_us);
    assert_eq!(heard, [ms(7, 340), ms(SILENCE, 200), ms(9, 60), ms(SILENCE, 40)].concat());
}

#[tokio::test(start_paused = true)]
async fn without_assent_nothing_is_begun_and_nothing_is_written() {
    for answer in [None, Some(false)] {
        let mut world = world(Manner::Writes);
        if let Some(agrees) = answer {
            world.recorder.assent(agrees);
        }
        world.recorder.sent(ms(7, 500).into());
        world.says(1, 1_000);
        world.breathes().await;
        let kept = world.over().await;
        assert_eq!((kept.begun(), kept.sound(), kept.endings()), (0, <_>::default(), vec![]));
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_said_before_the_assent_is_not_recorded_and_sound_on_its_way_is_in_its_place() {
    let mut world = world(Manner::Writes);
    world.recorder.sent(ms(7, 300).into());
    world.says(1, 200);
    world.recorder.assent(true);
    world.says(2, 200);
    let (caller, heard) = world.over().await.sound();
    assert_eq!(caller, ms(2, 200));
    assert_eq!(heard, [ms(7, 100), ms(SILENCE, 100)].concat());
}

#[tokio::test(start_paused = true)]
async fn an_assent_that_is_withdrawn_leaves_nothing_and_may_be_given_again() {
    let mut world = world(Manner::Writes);
    world.recorder.assent(true);
    world.says(1, 2_000);
    world.breathes().await;
    assert!(!world.kept.sound().0.is_empty(), "it was being recorded");
    world.recorder.assent(false);
    world.says(2, 1_000);
    world.breathes().await;
    assert_eq!(world.kept.endings(), ["withdrawn"]);
    world.recorder.assent(true);
    world.says(3, 400);
    let kept = world.over().await;
    assert_eq!(kept.sound().0, ms(3, 400));
    assert_eq!((kept.begun(), kept.endings()), (2, vec!["withdrawn", "finished"]));
}

#[tokio::test(start_paused = true)]
async fn a_withdrawal_is_obeyed_even_while_a_write_hangs() {
    let mut world = world(Manner::Hangs);
    world.recorder.assent(true);
    world.says(1, 1_000);
    world.breathes().await;
    world.recorder.assent(false);
    let kept = world.over().await;
    assert_eq!(kept.endings(), ["withdrawn"]);
}

#[tokio::test(start_paused = true)]
async fn a_withdrawal_takes_back_what_was_written_before_the_recording_was_given_up() {
    let mut world = world(Manner::Fails);
    world.recorder.assent(true);
    for _ in 0..3 {
        world.says(1, 1_000);
        world.breathes().await;
    }
    assert!(world.recorder.part.is_none() && !world.kept.sound().0.is_empty(), "given up, and kept so far");
    world.recorder.assent(false);
    let kept = world.over().await;
    assert_eq!((kept.sound(), kept.endings()), (<_>::default(), vec!["abandoned", "withdrawn"]));
}

#[tokio::test(start_paused = true)]
async fn a_withdrawal_takes_back_earlier_parts_even_if_this_one_could_not_be_begun() {
    let mut world = world(Manner::Refuses);
    world.recorder.assent(true);
    world.says(1, 1_000);
    world.recorder.assent(false);
    assert_eq!(world.over().await.endings(), ["withdrawn"]);
}

#[tokio::test(start_paused = true)]
async fn a_withdrawal_that_fails_is_repeated_until_it_is_done() {
    let mut world = world(Manner::Writes);
    world.kept.hindrances.store(12, Ordering::SeqCst);
    world.recorder.assent(true);
    world.says(1, 2_000);
    world.breathes().await;
    world.recorder.assent(false);
    let kept = world.over().await;
    assert_eq!((kept.sound(), kept.endings()), (<_>::default(), vec!["withdrawn"]));
    assert_eq!(kept.hindrances.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_never_answers_costs_bounded_memory_and_no_time() {
    let mut world = world(Manner::Hangs);
    world.recorder.assent(true);
    let mut most_bytes = 0;
    for _ in 0..60 {
        world.says(1, 1_000);
        world.breathes().await;
        let waiting = world.recorder.part.as_ref().map_or(0, |part| BLOCKS - part.blocks.capacity());
        most_bytes = most_bytes.max(waiting * 2 * BLOCK_MS * 8);
    }
    assert!(world.recorder.part.is_none(), "the part has ended");
    assert_eq!(most_bytes, BLOCKS * 2 * BLOCK_MS * 8, "200 KiB, and no more");
    let kept = world.over().await;
    assert_eq!(kept.sound(), <_>::default());
    assert_eq!(
        (kept.begun(), kept.endings()),
        (1, vec![]),
        "dropped after its patience, and found by the sweep"
    );
}

#[tokio::test(start_paused = true)]
async fn a_write_that_fails_ends_the_part_and_not_the_call() {
    let mut world = world(Manner::Fails);
    world.recorder.assent(true);
    for _ in 0..10 {
        world.says(1, 1_000);
        world.breathes().await;
    }
    assert!(world.recorder.part.is_none(), "the part has ended");
    let kept = world.over().await;
    assert_eq!(kept.sound().0, ms(1, BLOCK_MS));
    assert_eq!(kept.endings(), ["abandoned"]);
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_refuses_is_asked_once_and_the_call_goes_on() {
    let mut world = world(Manner::Refuses);
    world.recorder.assent(true);
    for _ in 0..10 {
        world.says(1, 1_000);
        world.breathes().await;
    }
    let kept = world.over().await;
    assert_eq!((kept.begun(), kept.endings()), (1, vec![]));
}

#[tokio::test(start_paused = true)]
async fn more_audio_than_an_answer_can_have_ends_the_recording_instead_of_filling_memory() {
    let mut world = world(Manner::Writes);
    world.recorder.assent(true);
    world.says(1, 400);
    for _ in 0..=PLAYOUT_MS / 1_000 {
        world.recorder.sent(ms(7, 1_000).into());
    }
    assert!(world.recorder.playout.bytes <= PLAYOUT_MS * 8);
    world.says(1, 400);
    let kept = world.over().await;
    assert_eq!(kept.endings(), ["abandoned"]);
    assert_eq!(kept.sound().0, ms(1, 400));
}

#[test]
fn however_audio_is_cut_into_pieces_as_much_is_heard_as_was_sent() {
    let sent: Vec<u8> = (0..4_000_u32).map(|at| (at % 251) as u8).collect();
    for (piece, step) in [(1, 7), (160, 160), (333, 100), (4_000, 33)] {
        let mut playout = Playout::new(AudioFormat::Alaw8k);
        for audio in sent.chunks(piece) {
            playout.sent(Bytes::copy_from_slice(audio)).unwrap();
        }
        let mut heard = BytesMut::new();
        for _ in 0..sent.len() / step + 2 {
            playout.play(step, &mut heard);
        }
        assert_eq!(heard[..sent.len()], sent[..], "{piece} and {step}");
        assert!(heard[sent.len()..].iter().all(|code| *code == 0xd5), "then A-law silence");
        assert_eq!(playout.bytes, 0);
    }
}
