//! The smallest question that shows whether a route works.

use crate::{Failure, LanguageModel, Recogniser, Vendor, Voice, probe};
use async_trait::async_trait;
use seiketsu_domain::{Clock, ModelChoice, VoiceChoice};
use std::{fmt::Debug, sync::Arc};

/// Asks a vendor for as little as shows that it works. Needs no deadline of its own; dropping it gives up.
#[async_trait]
pub trait Probe: Send + Sync + Debug {
    /// Whether it works.
    async fn probe(&self) -> Result<(), Failure>;
}

/// Asks a model for a few tokens.
#[derive(Debug, Clone)]
pub struct ModelProbe {
    /// The client.
    pub client: Arc<dyn LanguageModel>,
    /// The vendor's name of the model.
    pub model: String,
    /// Measures.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Probe for ModelProbe {
    async fn probe(&self) -> Result<(), Failure> {
        let model =
            ModelChoice { model: self.model.clone(), temperature: 0.0, max_tokens: probe::MODEL_TOKENS };
        probe::language_model(self.client.as_ref(), model, self.clock.as_ref()).await.map(drop)
    }
}

/// Lets a recogniser listen to a short tone.
#[derive(Debug, Clone)]
pub struct RecogniserProbe {
    /// The client.
    pub client: Arc<dyn Recogniser>,
    /// Whose it is.
    pub vendor: Vendor,
    /// Measures.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Probe for RecogniserProbe {
    async fn probe(&self) -> Result<(), Failure> {
        probe::recogniser(self.client.as_ref(), self.vendor, self.clock.as_ref()).await.map(drop)
    }
}

/// Lets a voice say a few words.
#[derive(Debug, Clone)]
pub struct VoiceProbe {
    /// The client.
    pub client: Arc<dyn Voice>,
    /// A voice that the vendor has. If it has not, its refusal shows that it works, too.
    pub choice: VoiceChoice,
    /// Whose it is.
    pub vendor: Vendor,
    /// Measures.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Probe for VoiceProbe {
    async fn probe(&self) -> Result<(), Failure> {
        probe::voice(self.client.as_ref(), self.choice.clone(), self.vendor, self.clock.as_ref())
            .await
            .map(drop)
    }
}
