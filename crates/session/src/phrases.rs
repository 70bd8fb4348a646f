//! Fixed sentences, synthesised once and kept by content: in memory for the calls of this replica, behind
//! [`PhraseCache`] for those of others and of later ones.

use crate::{PhraseCache, PhraseDigest, SpokenPhrase, convert::Converter, links, trim::Trimmer};
use bytes::{Bytes, BytesMut};
use moka::future::Cache;
use seiketsu_call::AlignedChar;
use seiketsu_domain::{AudioFormat, TenantId, TenantScope};
use seiketsu_providers::{
    failover::Route,
    voice::{SynthesisId, Voice, VoiceEvent, VoiceInput, VoiceOptions},
};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How long one fixed sentence may take to be synthesised in advance.
const PREPARE_TIMEOUT: Duration = Duration::from_secs(5);
/// So many rounds in a row without a single sentence are the end of it; the agent's next call tries again.
const FRUITLESS_ROUNDS: u32 = 6;
/// After the first of them; twice as long after each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// How long a call that begins waits for what was kept; its greeting is among it.
const RECALL_PATIENCE: Duration = Duration::from_millis(300);

/// A synthesised sentence, leading silence trimmed.
#[derive(Debug)]
pub(crate) struct CachedPhrase {
    pub audio: Bytes,
    pub alignment: Vec<AlignedChar>,
}

/// Everything that changes how a sentence sounds, hashed; a tenant never shares with another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PhraseKey(PhraseDigest);

impl PhraseKey {
    pub(crate) fn new(tenant: TenantId, endpoint: &str, options: &VoiceOptions, text: &str) -> Self {
        let VoiceOptions { voice, language, format } = options;
        let mut hash = Sha256::new();
        let mut field = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        field(tenant.uuid().as_bytes());
        field(endpoint.as_bytes());
        field(voice.voice_id.as_bytes());
        field(voice.model.as_bytes());
        field(&voice.stability.to_le_bytes());
        field(&voice.similarity.to_le_bytes());
        field(language.code().as_bytes());
        field(format!("{format:?}").as_bytes());
        field(text.as_bytes());
        Self(hash.finalize().into())
    }
}

/// The fixed sentences of an agent, and who is to say them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Job<'a> {
    pub scope: &'a TenantScope,
    pub route: &'a Route<dyn Voice>,
    pub options: &'a VoiceOptions,
    pub texts: &'a [String],
}

impl<'a> Job<'a> {
    fn keys(&self) -> impl Iterator<Item = (PhraseKey, &'a str)> {
        let Self { scope, route, options, texts } = *self;
        texts.iter().map(move |text| {
            (PhraseKey::new(scope.tenant_id(), route.health.endpoint(), options, text), text.as_str())
        })
    }
}

/// The cache; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Phrases {
    cache: Cache<PhraseKey, Arc<CachedPhrase>>,
    kept: Arc<dyn PhraseCache>,
    /// Sentences that somebody is synthesising in advance right now.
    preparing: Arc<Mutex<BTreeSet<PhraseKey>>>,
}

impl Phrases {
    pub(crate) fn new(capacity_bytes: u64, kept: Arc<dyn PhraseCache>) -> Self {
        let cache = Cache::builder()
            .weigher(|_, phrase: &Arc<CachedPhrase>| {
                (phrase.audio.len() + phrase.alignment.len() * size_of::<AlignedChar>()) as u32
            })
            .max_capacity(capacity_bytes)
            .build();
        Self { cache, kept, preparing: Arc::default() }
    }

    pub(crate) async fn get(&self, key: &PhraseKey) -> Option<Arc<CachedPhrase>> {
        self.cache.get(key).await
    }

    /// Keeps a sentence; one without a sound was not said, and would be kept from ever being said.
    pub(crate) async fn keep(&self, key: PhraseKey, phrase: CachedPhrase) {
        if !phrase.audio.is_empty() {
            self.cache.insert(key, Arc::new(phrase)).await;
        }
    }

    /// Brings the sentences that were kept into memory, as far as that can be done at once.
    pub(crate) async fn recall(&self, job: &Job<'_>) {
        let wanted: Vec<PhraseDigest> = job
            .keys()
            .map(|(key, _)| key)
            .filter(|key| !self.cache.contains_key(key))
            .map(|PhraseKey(digest)| digest)
            .collect();
        if wanted.is_empty() {
            return;
        }
        match tokio::time::timeout(RECALL_PATIENCE, self.kept.load(job.scope, &wanted)).await {
            Ok(Ok(phrases)) => {
                for SpokenPhrase { digest, audio, alignment } in phrases {
                    self.keep(PhraseKey(digest), CachedPhrase { audio, alignment }).await;
                }
            }
            Ok(Err(failure)) => tracing::debug!(%failure, "kept sentences could not be loaded"),
            Err(_) => tracing::debug!("kept sentences took too long to load"),
        }
    }

    /// Synthesises the sentences that are not in memory; returns how many could not be had.
    pub(crate) async fn prepare(&self, job: &Job<'_>) -> usize {
        let missing = job.keys().filter(|(key, _)| !self.cache.contains_key(key)).collect();
        self.synthesise_claimed(job, missing).await
    }

    /// Synthesises the sentences that are kept nowhere; returns how many could not be had.
    pub(crate) async fn publish(&self, job: &Job<'_>) -> usize {
        let digests: Vec<PhraseDigest> = job.keys().map(|(PhraseKey(digest), _)| digest).collect();
        match self.kept.missing(job.scope, &digests).await {
            Ok(missing) => {
                let missing = job.keys().filter(|(PhraseKey(digest), _)| missing.contains(digest)).collect();
                self.synthesise_claimed(job, missing).await
            }
            Err(failure) => {
                tracing::debug!(%failure, "it is not known which sentences are kept");
                digests.len()
            }
        }
    }

    /// Synthesises those that nobody else is at; returns how many could not be had.
    async fn synthesise_claimed(&self, job: &Job<'_>, mut missing: Vec<(PhraseKey, &str)>) -> usize {
        let preparing = || self.preparing.lock().unwrap_or_else(PoisonError::into_inner);
        missing.retain(|(key, _)| preparing().insert(*key));
        if missing.is_empty() {
            return 0;
        }
        let failed = self.synthesise(job, &missing).await;
        for (key, _) in &missing {
            preparing().remove(key);
        }
        failed
    }

    /// Round after round, until all are there or a few rounds in a row have brought nothing; returns how many are missing.
    async fn synthesise(&self, job: &Job<'_>, texts: &[(PhraseKey, &str)]) -> usize {
        let (mut missing, mut fruitless) = (texts, 0);
        while !missing.is_empty() && fruitless < FRUITLESS_ROUNDS {
            if fruitless > 0 {
                tokio::time::sleep(FIRST_PAUSE * 2_u32.pow(fruitless - 1)).await;
            }
            let done = self.round(job, missing).await;
            // One that has failed is asked for again over another link.
            fruitless = if done == 0 { fruitless + 1 } else { 0 };
            missing = missing.get(done..).unwrap_or_default();
        }
        missing.len()
    }

    /// One sentence after the other over one link, until one fails; returns how many there were.
    async fn round(&self, job: &Job<'_>, texts: &[(PhraseKey, &str)]) -> usize {
        let Job { route, options, .. } = *job;
        let mut session = match route.client.open(options.clone()).await {
            Ok(session) => session,
            Err(failure) => {
                route.health.failed(&failure);
                return 0;
            }
        };
        let mut done = 0;
        for (number, (key, text)) in texts.iter().enumerate() {
            let id = SynthesisId(number as u64);
            if session.input.send(VoiceInput::Speak { id, text: (*text).to_owned() }).await.is_err() {
                break;
            }
            let mut attempt = route.health.begin();
            let mut converter = Converter::between(session.format, options.format);
            let mut collector = Collector::new(options.format);
            let complete = tokio::time::timeout(PREPARE_TIMEOUT, async {
                loop {
                    let event = tokio::select! {
                        biased;
                        event = session.events.recv() => event,
                        // This has time, and calls have not: they should know before they ask the same voice.
                        () = links::after(attempt.doubtful_in()) => {
                            attempt.doubted();
                            continue;
                        }
                    };
                    let Some(event) = event else { return false };
                    match event {
                        VoiceEvent::Audio { audio, alignment, .. } => {
                            attempt.begun();
                            let audio = match &mut converter {
                                Some(converter) => converter.convert(&audio),
                                None => audio,
                            };
                            collector.take(audio, alignment.iter().map(aligned));
                        }
                        VoiceEvent::Finished { .. } => {
                            attempt.finished();
                            return true;
                        }
                        VoiceEvent::Failed { failure, .. } => {
                            attempt.failed(&failure);
                            return false;
                        }
                    }
                }
            });
            if complete.await != Ok(true) {
                break;
            }
            let phrase = collector.finish();
            if phrase.audio.is_empty() {
                break;
            }
            let spoken = SpokenPhrase {
                digest: key.0,
                audio: phrase.audio.clone(),
                alignment: phrase.alignment.clone(),
            };
            self.keep(*key, phrase).await;
            if let Err(failure) = self.kept.keep(job.scope, &spoken).await {
                tracing::debug!(%failure, "a sentence is kept in memory only");
            }
            done += 1;
        }
        let _ = session.input.send(VoiceInput::Close).await;
        done
    }
}

/// A vendor's alignment in the engine's form.
pub(crate) fn aligned(at: &seiketsu_providers::voice::AlignedChar) -> AlignedChar {
    AlignedChar {
        character: at.character,
        start_ms: at.start_ms,
        end_ms: at.start_ms.saturating_add(at.duration_ms),
    }
}

/// Collects one synthesis, leading silence trimmed.
#[derive(Debug)]
pub(crate) struct Collector {
    trimmer: Trimmer,
    audio: BytesMut,
    alignment: Vec<AlignedChar>,
}

impl Collector {
    pub(crate) fn new(format: AudioFormat) -> Self {
        Self { trimmer: Trimmer::new(format), audio: BytesMut::new(), alignment: Vec::new() }
    }

    pub(crate) fn take(&mut self, audio: Bytes, alignment: impl Iterator<Item = AlignedChar>) {
        self.audio.extend_from_slice(&self.trimmer.audio(audio));
        self.alignment.extend(alignment);
    }

    pub(crate) fn finish(mut self) -> CachedPhrase {
        self.trimmer.shift(&mut self.alignment);
        CachedPhrase { audio: self.audio.freeze(), alignment: self.alignment }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreFailure;
    use async_trait::async_trait;
    use seiketsu_domain::{Language, VoiceChoice};

    /// Keeps nothing.
    #[derive(Debug)]
    struct Nowhere;

    #[async_trait]
    impl PhraseCache for Nowhere {
        async fn load(&self, _: &TenantScope, _: &[PhraseDigest]) -> Result<Vec<SpokenPhrase>, StoreFailure> {
            Ok(Vec::new())
        }
        async fn missing(
            &self,
            _: &TenantScope,
            digests: &[PhraseDigest],
        ) -> Result<Vec<PhraseDigest>, StoreFailure> {
            Ok(digests.to_vec())
        }
        async fn keep(&self, _: &TenantScope, _: &SpokenPhrase) -> Result<(), StoreFailure> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_sentence_that_came_without_a_sound_is_not_kept() {
        let voice =
            VoiceChoice { voice_id: "v".to_owned(), model: "m".to_owned(), stability: 0.5, similarity: 0.5 };
        let options = VoiceOptions { voice, language: Language::En, format: AudioFormat::Mulaw8k };
        let key = PhraseKey::new(TenantId::from_uuid(uuid::Uuid::nil()), "elevenlabs", &options, "Hello.");
        let phrases = Phrases::new(1_000_000, Arc::new(Nowhere));
        let said = |audio: &'static [u8]| {
            let mut collector = Collector::new(AudioFormat::Mulaw8k);
            collector.take(Bytes::from_static(audio), std::iter::empty());
            collector.finish()
        };
        for nothing in [&[][..], &[0xff; 800]] {
            phrases.keep(key, said(nothing)).await;
            assert!(phrases.get(&key).await.is_none(), "whoever needs it asks the voice again");
        }
        phrases.keep(key, said(&[0x10; 800])).await;
        assert!(phrases.get(&key).await.is_some());
    }
}
