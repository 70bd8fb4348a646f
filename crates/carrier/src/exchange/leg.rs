//! One call, from the webhook to its end: fetch, execute verbs in order, keep the 20 ms clock.

mod dial;

use super::{
    CallOutcome, CallSid, ErrorLog, Inner, PlaceCall,
    human::{DialStatus, Dialled, Rung},
    registry::{Orders, Redirection},
    sid,
    stream::{MediaStream, OpenError, StreamEnd},
    webhook::{CallStatus, Document, FetchError, Webhooks},
};
use crate::{
    FRAME_MS, SILENT_FRAME,
    handset::{Departure, Handset},
    line::Line,
    media_socket::Received,
    report::EndedBy,
    tone,
    twiml::{FetchMethod, Verb},
    wire::StreamWriter,
};
use futures_util::future::BoxFuture;
use seiketsu_domain::CallTime;
use std::{collections::VecDeque, future::pending, time::Duration};
use tokio::{select, task::JoinHandle};
use url::Url;

/// Documents that one call may fetch: a redirect in a circle ends here.
const MAX_DOCUMENTS: u32 = 50;
/// How long the end of a call waits for callbacks that are still under way.
const CALLBACK_GRACE: Duration = Duration::from_secs(5);

/// Lives through a call.
pub(super) async fn run<H: Handset>(
    inner: &Inner,
    call: &PlaceCall,
    call_sid: CallSid,
    orders: Orders,
    handset: H,
) -> (CallOutcome, H) {
    let leg = Leg {
        inner,
        call,
        webhooks: Webhooks::new(inner, call, call_sid.as_str()),
        call_sid,
        handset,
        line: Line::new(&call.line),
        answered_at: None,
        next_frame: 0,
        verbs: VecDeque::new(),
        document_url: call.webhook.clone(),
        documents: 0,
        streams: 0,
        announcements: Vec::new(),
        dialled: Vec::new(),
        errors: ErrorLog::default(),
        clock_slip_max: Duration::ZERO,
        callbacks: Vec::new(),
    };
    leg.run(orders).await
}

struct Leg<'a, H> {
    inner: &'a Inner,
    call: &'a PlaceCall,
    call_sid: CallSid,
    webhooks: Webhooks,
    handset: H,
    line: Line,
    /// Clock reading at call time zero; `None` until the call is answered.
    answered_at: Option<Duration>,
    /// Number of the next 20 ms frame since the call was answered.
    next_frame: u64,
    verbs: VecDeque<Verb>,
    document_url: Url,
    documents: u32,
    streams: u32,
    announcements: Vec<String>,
    dialled: Vec<Dialled>,
    errors: ErrorLog,
    clock_slip_max: Duration,
    callbacks: Vec<JoinHandle<()>>,
}

/// What the exchange is doing, besides keeping the clock.
enum Phase {
    Fetching(BoxFuture<'static, Result<Document, FetchError>>),
    Pausing(CallTime),
    /// Somebody is rung.
    Ringing {
        /// Where to go on afterwards.
        action: Option<String>,
        since: CallTime,
        rung: BoxFuture<'static, Rung>,
    },
    /// Caller and human talk to each other.
    Connected(Connection),
    Dialling(BoxFuture<'static, Result<Box<MediaStream>, OpenError>>),
    Streaming(Box<MediaStream>),
}

/// A caller who has been put through.
struct Connection {
    action: Option<String>,
    call_sid: String,
    since: CallTime,
    /// When the human hangs up.
    until: CallTime,
}

enum Happening {
    HungUpOverRest,
    RedirectedOverRest(Redirection),
    /// A frame, a delayed frame or the end of a pause is due.
    Due,
    Fetched(Result<Document, FetchError>),
    Rung(Rung),
    Dialled(Result<Box<MediaStream>, OpenError>),
    Received(Received),
}

/// How the exchange goes on.
enum Next {
    Phase(Phase),
    Ended(EndedBy),
}

impl<H: Handset> Leg<'_, H> {
    async fn run(mut self, mut orders: Orders) -> (CallOutcome, H) {
        self.progress(CallStatus::Initiated);
        self.progress(CallStatus::Ringing);
        let mut phase = self.fetch(self.call.webhook.clone(), FetchMethod::Post);
        let ended_by = loop {
            let wait = self.until_due(&phase);
            let happening = select! {
                biased;
                () = orders.hang_up.cancelled() => Happening::HungUpOverRest,
                Some(redirection) = orders.redirections.recv() => Happening::RedirectedOverRest(redirection),
                () = elapse(wait) => Happening::Due,
                happening = phase.happening() => happening,
            };
            let next = match (happening, phase) {
                (Happening::HungUpOverRest, ended) => {
                    ended.stop().await;
                    Next::Ended(EndedBy::PlatformHungUp)
                }
                (Happening::RedirectedOverRest(redirection), current) => self.redirect(redirection, current),
                (Happening::Due, current) => self.tick(current).await,
                (Happening::Fetched(Ok(document)), _) => {
                    self.document_url = document.url;
                    self.verbs = document.verbs.into();
                    self.next_verb()
                }
                (Happening::Fetched(Err(error)), _) => {
                    self.errors.record(error.code(), &error);
                    Next::Ended(EndedBy::Failed { code: error.code(), detail: error.to_string() })
                }
                (Happening::Dialled(Ok(stream)), _) => Next::Phase(Phase::Streaming(stream)),
                (Happening::Dialled(Err(error)), _) => {
                    self.errors.record(error.code(), &error);
                    self.next_verb()
                }
                (Happening::Received(received), Phase::Streaming(mut stream)) => {
                    let now = self.now();
                    match stream.execute(received, now, &mut self.errors).await {
                        Ok(()) => Next::Phase(Phase::Streaming(stream)),
                        Err(end) => self.stream_ended(*stream, &end),
                    }
                }
                (Happening::Rung(rung), Phase::Ringing { action, .. }) => self.rung(rung, action),
                // Only ringing ends in somebody's being rung, and only a stream receives.
                (Happening::Rung(_) | Happening::Received(_), other) => Next::Phase(other),
            };
            phase = match next {
                Next::Phase(phase) => phase,
                Next::Ended(ended_by) => break ended_by,
            };
        };
        self.finish(ended_by).await
    }

    /// Call time; zero until the call is answered.
    fn now(&self) -> CallTime {
        let elapsed = self.answered_at.map(|zero| self.inner.ids.clock().monotonic().saturating_sub(zero));
        CallTime::from_micros(elapsed.unwrap_or_default().as_micros() as u64)
    }

    /// How long until a frame, a delayed frame or the end of a pause is due; nothing is before the call is answered.
    fn until_due(&self, phase: &Phase) -> Option<Duration> {
        self.answered_at?;
        let mut due = CallTime::from_millis(self.next_frame * FRAME_MS);
        due = self.line.next_arrival().map_or(due, |arrival| due.min(arrival));
        if let Phase::Pausing(until) | Phase::Connected(Connection { until, .. }) = phase {
            due = due.min(*until);
        }
        Some(due.since(self.now()))
    }

    /// Executes whatever is due: frames in both directions, the end of a pause.
    async fn tick(&mut self, mut phase: Phase) -> Next {
        loop {
            let now = self.now();
            let frame_start = CallTime::from_millis(self.next_frame * FRAME_MS);
            if frame_start > now {
                break;
            }
            self.clock_slip_max = self.clock_slip_max.max(now.since(frame_start));
            self.next_frame += 1;

            let played = match &mut phase {
                Phase::Streaming(stream) => {
                    let (frame, result) = stream.play(frame_start, &mut self.errors).await;
                    match self.settle(phase, result) {
                        Next::Phase(going_on) => phase = going_on,
                        ended @ Next::Ended(_) => return ended,
                    }
                    frame
                }
                Phase::Ringing { since, .. } => tone::ringing(frame_start.since(*since)),
                Phase::Fetching(_) | Phase::Pausing(_) | Phase::Dialling(_) | Phase::Connected(_) => {
                    SILENT_FRAME
                }
            };
            let heard = self.line.hear(played);
            let said = self.handset.frame(frame_start, &heard);
            let spoken_at = CallTime::from_millis(self.next_frame * FRAME_MS);
            self.line.speak(spoken_at, said.audio, said.starts_utterance);
            if let (Some(digit), Phase::Streaming(stream)) = (said.digit, &mut phase) {
                let result = stream.digit(digit, &mut self.errors).await;
                match self.settle(phase, result) {
                    Next::Phase(going_on) => phase = going_on,
                    ended @ Next::Ended(_) => return ended,
                }
            }
            match (said.departure, phase) {
                (None, unchanged) => phase = unchanged,
                (Some(Departure::HangUp), ended) => {
                    ended.stop().await;
                    return Next::Ended(EndedBy::CallerHungUp);
                }
                (Some(Departure::CutStream), Phase::Streaming(stream)) => {
                    stream.cut();
                    match self.next_verb() {
                        Next::Phase(going_on) => phase = going_on,
                        ended @ Next::Ended(_) => return ended,
                    }
                }
                (Some(Departure::CutStream), other) => phase = other,
            }
        }
        while let Some(frame) = self.line.poll_arrived(self.now()) {
            // What is said while no stream is open is heard by nobody.
            let Phase::Streaming(stream) = &mut phase else { continue };
            let result = stream.media(frame, &mut self.errors).await;
            match self.settle(phase, result) {
                Next::Phase(going_on) => phase = going_on,
                ended @ Next::Ended(_) => return ended,
            }
        }
        match phase {
            Phase::Pausing(until) if until <= self.now() => self.next_verb(),
            Phase::Connected(connection) if connection.until <= self.now() => {
                let talked = connection.until.since(connection.since);
                let status = (DialStatus::Completed, true, talked);
                self.dial_ended(connection.action, &connection.call_sid, status)
            }
            going_on @ (Phase::Fetching(_)
            | Phase::Pausing(_)
            | Phase::Ringing { .. }
            | Phase::Connected(_)
            | Phase::Dialling(_)
            | Phase::Streaming(_)) => Next::Phase(going_on),
        }
    }

    /// The platform sends the call elsewhere: whatever it was doing ends.
    fn redirect(&mut self, Redirection { url, method }: Redirection, phase: Phase) -> Next {
        if let Phase::Streaming(stream) = phase {
            // Beside the call: the caller's clock does not wait for a closing handshake.
            drop(self.inner.tracker.spawn(stream.stop()));
        }
        self.verbs.clear();
        self.fetch_next(url, method)
    }

    /// Goes on with the stream, or with what comes after it.
    fn settle(&mut self, phase: Phase, result: Result<(), StreamEnd>) -> Next {
        match (result, phase) {
            (Err(end), Phase::Streaming(stream)) => self.stream_ended(*stream, &end),
            (Ok(()) | Err(_), phase) => Next::Phase(phase),
        }
    }

    fn stream_ended(&mut self, stream: MediaStream, end: &StreamEnd) -> Next {
        match end {
            // Beside the call: the caller's clock does not wait for a closing handshake.
            StreamEnd::Closed => drop(self.inner.tracker.spawn(stream.close())),
            StreamEnd::Broken => drop(stream),
        }
        self.next_verb()
    }

    /// Executes verbs up to the next that takes time.
    fn next_verb(&mut self) -> Next {
        loop {
            match self.verbs.pop_front() {
                None => return Next::Ended(EndedBy::DocumentEnded),
                Some(Verb::Hangup) => return Next::Ended(EndedBy::HangupVerb),
                // After the call has been answered, there is nothing to reject.
                Some(Verb::Reject) if self.answered_at.is_some() => {
                    self.errors.record(12_200, "<Reject> after the call was answered");
                }
                Some(Verb::Reject) => return Next::Ended(EndedBy::Rejected),
                Some(Verb::Say(text)) => {
                    self.answer();
                    self.announcements.push(text);
                }
                Some(Verb::Pause { seconds }) => {
                    self.answer();
                    return Next::Phase(Phase::Pausing(self.now() + Duration::from_secs(seconds.into())));
                }
                Some(Verb::Redirect { url, method }) => {
                    return match self.document_url.join(&url) {
                        Ok(url) => self.fetch_next(url, method),
                        Err(error) => self.invalid_url(&url, error),
                    };
                }
                Some(Verb::Dial(dial)) => {
                    self.answer();
                    return Next::Phase(self.dial(dial));
                }
                // Callers of this exchange talk to streams; keys are gathered from those who are dialled.
                Some(Verb::Gather(gather)) => {
                    self.answer();
                    self.announcements.extend(gather.texts);
                    let patience = Duration::from_secs(gather.timeout_s.into());
                    return Next::Phase(Phase::Pausing(self.now() + patience));
                }
                Some(Verb::Connect(noun)) => {
                    self.answer();
                    self.streams += 1;
                    let stream_sid = sid("MZ", &self.inner.ids);
                    let account = &self.inner.options.account_sid;
                    let writer = StreamWriter::new(account, self.call_sid.as_str(), stream_sid);
                    let token = self.inner.signing_token(self.call.signing);
                    return Next::Phase(Phase::Dialling(Box::pin(async move {
                        MediaStream::open(noun, writer, token).await.map(Box::new)
                    })));
                }
            }
        }
    }

    /// A further document, if the call may have one.
    fn fetch_next(&mut self, url: Url, method: FetchMethod) -> Next {
        if self.documents >= MAX_DOCUMENTS {
            let detail = format!("more than {MAX_DOCUMENTS} documents in one call");
            self.errors.record(11_200, &detail);
            return Next::Ended(EndedBy::Failed { code: 11_200, detail });
        }
        Next::Phase(self.fetch(url, method))
    }

    fn invalid_url(&mut self, url: &str, error: url::ParseError) -> Next {
        let detail = format!("invalid URL `{url}`: {error}");
        self.errors.record(11_100, &detail);
        Next::Ended(EndedBy::Failed { code: 11_100, detail })
    }

    fn fetch(&mut self, url: Url, method: FetchMethod) -> Phase {
        self.documents += 1;
        let status = if self.answered_at.is_some() { CallStatus::InProgress } else { CallStatus::Ringing };
        Phase::Fetching(Box::pin(self.webhooks.clone().fetch(url, method, status)))
    }

    /// The first verb that needs the line opens it: call time starts.
    fn answer(&mut self) {
        if self.answered_at.is_none() {
            self.answered_at = Some(self.inner.ids.clock().monotonic());
            self.progress(CallStatus::InProgress);
        }
    }

    fn progress(&mut self, status: CallStatus) {
        if let Some(url) = self.call.status_callback.clone() {
            let sequence = self.callbacks.len() as u32;
            let report = self.webhooks.clone().progress(url, status, sequence, self.inner.ids.clone());
            self.callbacks.push(self.inner.tracker.spawn(report));
        }
    }

    async fn finish(mut self, ended_by: EndedBy) -> (CallOutcome, H) {
        let duration = Duration::from_micros(self.now().as_micros());
        let answered = self.answered_at.is_some();
        self.progress(match ended_by {
            EndedBy::Rejected if !answered => CallStatus::Busy,
            EndedBy::Failed { .. } if !answered => CallStatus::Failed,
            EndedBy::CallerHungUp
            | EndedBy::PlatformHungUp
            | EndedBy::HangupVerb
            | EndedBy::DocumentEnded
            | EndedBy::Rejected
            | EndedBy::Failed { .. } => CallStatus::Completed { duration },
        });
        let callbacks = futures_util::future::join_all(std::mem::take(&mut self.callbacks));
        if tokio::time::timeout(CALLBACK_GRACE, callbacks).await.is_err() {
            tracing::debug!(call_sid = %self.call_sid, "status callbacks are still under way");
        }
        let outcome = CallOutcome {
            call_sid: self.call_sid,
            ended_by,
            duration,
            announcements: self.announcements,
            dialled: self.dialled,
            streams: self.streams,
            errors: self.errors,
            clock_slip_max: self.clock_slip_max,
        };
        (outcome, self.handset)
    }
}

/// Waits; for ever without a duration.
async fn elapse(wait: Option<Duration>) {
    match wait {
        Some(Duration::ZERO) => {}
        Some(wait) => tokio::time::sleep(wait).await,
        None => pending().await,
    }
}

impl Phase {
    /// The next thing that happens by itself. Cancel-safe.
    async fn happening(&mut self) -> Happening {
        match self {
            Self::Fetching(fetch) => Happening::Fetched(fetch.await),
            Self::Ringing { rung, .. } => Happening::Rung(rung.await),
            Self::Pausing(_) | Self::Connected(_) => pending().await,
            Self::Dialling(dial) => Happening::Dialled(dial.await),
            Self::Streaming(stream) => Happening::Received(stream.receive().await),
        }
    }

    /// The call is over.
    async fn stop(self) {
        match self {
            Self::Streaming(stream) => stream.stop().await,
            Self::Fetching(_)
            | Self::Pausing(_)
            | Self::Ringing { .. }
            | Self::Connected(_)
            | Self::Dialling(_) => {}
        }
    }
}
