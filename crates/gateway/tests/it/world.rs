//! What every test needs: a database with two brokerages, a gateway on loopback, a switchboard whose calls the test
//! answers itself, a clock that stands still, and Twilio's side of webhooks and sockets.

use async_trait::async_trait;
use axum::{
    Router,
    body::{Body, to_bytes},
};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, Request, StatusCode, header::AUTHORIZATION};
use seiketsu_domain::{CallId, Clock, IdSource, Language, ReplicaId};
use seiketsu_gateway::{
    Gateway, GatewayConfig, MediaLimits, Parts, RatePerMinute, RealtimeLimits, Startup, Switchboard,
    api_key::ApiKey, problem::Problem, v1::speech::CallerVoice,
};
use seiketsu_session::{BeginCall, Door, DoorInput, DoorOutput, RecordingArchive, Refused, twilio_signature};
use seiketsu_storage::{
    Db, Reason, calls,
    calls::CallRow,
    platform::{ApiKeyRow, OperatorKey, put_api_key, put_operator_key},
};
use seiketsu_testkit::{FakeClock, Persona};
use serde::de::DeserializeOwned;
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{self, Message, client::IntoClientRequest, protocol::frame::coding::CloseCode},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

pub(crate) const PUBLIC_URL: &str = "https://voice.example.com";
/// As many as a test opens, and few enough to open one more.
pub(crate) const REALTIME_SESSIONS: usize = 8;
pub(crate) const REALTIME_SESSIONS_OF_TENANT: usize = REALTIME_SESSIONS - 2;
pub(crate) const AUTH_TOKEN: &str = "12345";
/// Longer than anything here takes; reached only by a test that fails.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct World {
    pub(crate) gateway: Gateway,
    pub(crate) switchboard: Arc<FakeSwitchboard>,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) ids: IdSource,
    pub(crate) replica: ReplicaId,
    /// Two brokerages in a database of their own.
    pub(crate) base: seiketsu_testkit::World,
    pub(crate) a: Persona,
    pub(crate) b: Persona,
    calls: mpsc::UnboundedReceiver<(BeginCall, Door)>,
    address: SocketAddr,
    drain: CancellationToken,
    tasks: TaskTracker,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(MediaLimits::default()).await
    }

    pub(crate) async fn with(media: MediaLimits) -> Self {
        let base = seiketsu_testkit::World::new().await;
        let (a, b, clock, ids, replica) =
            (base.anna.clone(), base.boris.clone(), Arc::clone(&base.clock), base.ids.clone(), base.replica);
        let (answered, calls) = mpsc::unbounded_channel();
        let switchboard = Arc::new(FakeSwitchboard::new(answered));
        let startup = Startup::default();
        startup.finished();
        let gateway = Gateway::new(Parts {
            db: base.db().clone(),
            switchboard: Arc::clone(&switchboard) as Arc<dyn Switchboard>,
            config: config(PUBLIC_URL, replica, media),
            ids: ids.clone(),
            startup,
            archive: None,
            caller_voice: Some(Arc::new(OneNote)),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (drain, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(seiketsu_gateway::serve(listener, gateway.router(), drain.clone()));
        Self { gateway, switchboard, clock, ids, replica, base, a, b, calls, address, drain, tasks }
    }

    pub(crate) fn db(&self) -> &Db {
        self.base.db()
    }

    /// A gateway beside the first that is reached under another URL.
    pub(crate) fn gateway_with(&self, public_url: &str, startup: Startup) -> Gateway {
        Gateway::new(Parts {
            db: self.db().clone(),
            switchboard: Arc::clone(&self.switchboard) as Arc<dyn Switchboard>,
            config: config(public_url, self.replica, MediaLimits::default()),
            ids: self.ids.clone(),
            startup,
            archive: None,
            caller_voice: Some(Arc::new(OneNote)),
        })
    }

    /// A gateway beside the first with recordings to listen to.
    pub(crate) fn gateway_that_records(&self, archive: Arc<dyn RecordingArchive>) -> Gateway {
        Gateway::new(Parts {
            db: self.db().clone(),
            switchboard: Arc::clone(&self.switchboard) as Arc<dyn Switchboard>,
            config: config(PUBLIC_URL, self.replica, MediaLimits::default()),
            ids: self.ids.clone(),
            startup: Startup::default(),
            archive: Some(archive),
            caller_voice: Some(Arc::new(OneNote)),
        })
    }

    // -- HTTP ---------------------------------------------------------------------------------------------------------

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        send(self.gateway.router(), request).await
    }

    /// Posts a form as Twilio does, signed for the URL that was configured there.
    pub(crate) async fn twilio(&self, path: &str, parameters: &[(&str, &str)]) -> Answer {
        let signature = twilio_signature::sign(AUTH_TOKEN, &format!("{PUBLIC_URL}{path}"), parameters);
        self.send(form(path, parameters, Some(&signature))).await
    }

    /// A call to a persona's number arrives.
    pub(crate) async fn ring(&self, call_sid: &str, to: &str) -> Answer {
        self.twilio("/twilio/voice", &ringing(call_sid, to)).await
    }

    pub(crate) async fn get(&self, path: &str, key: Option<&ApiKey>) -> Answer {
        let mut request = Request::get(path);
        if let Some(key) = key {
            request = request.header(AUTHORIZATION, format!("Bearer {}", key.expose()));
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// A key that the platform knows.
    pub(crate) async fn operator(&self) -> ApiKey {
        let key = ApiKey::generate(&self.ids);
        let row =
            OperatorKey { prefix: key.hint().into(), name: "a test".into(), created_at: self.clock.now() };
        let mut system = self.db().system(Reason::ManageOperatorKeys).await.unwrap();
        put_operator_key(&mut system, &key.sha256(), &row).await.unwrap();
        system.commit().await.unwrap();
        key
    }

    /// A key of a persona's own programs.
    pub(crate) async fn key_of(&self, persona: &Persona) -> ApiKey {
        let key = ApiKey::generate(&self.ids);
        let row = ApiKeyRow {
            prefix: key.hint().into(),
            name: "a test".into(),
            created_at: self.clock.now(),
            revoked_at: None,
        };
        let mut system = self.db().system(Reason::ManageApiKeys).await.unwrap();
        put_api_key(&mut system, &persona.scope, &key.sha256(), &row).await.unwrap();
        system.commit().await.unwrap();
        key
    }

    // -- records ------------------------------------------------------------------------------------------------------

    pub(crate) async fn calls_of(&self, persona: &Persona) -> Vec<CallRow> {
        let mut tenant = self.db().tenant(&persona.scope).await.unwrap();
        calls::list(&mut tenant, &calls::CallFilter::default(), None, 100).await.unwrap()
    }

    // -- calls --------------------------------------------------------------------------------------------------------

    /// The next call that reached the switchboard: the test is its session.
    pub(crate) async fn answered(&mut self) -> (BeginCall, Door) {
        timeout(PATIENCE, self.calls.recv()).await.expect("no call reached the switchboard").unwrap()
    }

    /// Whether no call has reached the switchboard.
    pub(crate) fn nobody_answered(&mut self) -> bool {
        self.calls.try_recv().is_err()
    }

    pub(crate) async fn socket(&self) -> Socket {
        self.try_socket(None).await.expect("the upgrade was refused")
    }

    pub(crate) async fn try_socket(&self, signature: Option<&str>) -> Result<Socket, StatusCode> {
        let signature = signature.map(|signature| ("x-twilio-signature", signature));
        self.open("twilio/media", signature.as_slice()).await
    }

    /// A socket of the API door.
    pub(crate) async fn try_realtime(
        &self,
        query: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Socket, StatusCode> {
        self.open(&format!("v1/realtime?{query}"), headers).await
    }

    async fn open(&self, path: &str, headers: &[(&'static str, &str)]) -> Result<Socket, StatusCode> {
        let mut request = format!("ws://{}/{path}", self.address).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok((stream, _)) => Ok(Socket { stream }),
            Err(tungstenite::Error::Http(response)) => Err(response.status()),
            Err(other) => panic!("{other}"),
        }
    }

    /// A call to `a`, connected and answered.
    pub(crate) async fn call(&mut self, call_sid: &str, stream_sid: &str) -> (Socket, BeginCall, Session) {
        let to = self.a.number.to_string();
        let token = self.ring(call_sid, &to).await.token();
        let mut socket = self.socket().await;
        socket.start(call_sid, stream_sid, &token).await;
        let (begin, door) = self.answered().await;
        (socket, begin, Session { door })
    }

    /// Ends the server and waits until nothing of it runs.
    pub(crate) async fn close(self) {
        self.drain.cancel();
        self.tasks.close();
        drop(self.calls);
        self.gateway.sockets().close();
        timeout(PATIENCE, self.gateway.sockets().wait()).await.expect("a media socket lives on");
        timeout(PATIENCE, self.tasks.wait()).await.expect("the server lives on");
    }
}

/// A caller's voice that says nothing but one note, and not even that of some words.
#[derive(Debug)]
struct OneNote;

#[async_trait]
impl CallerVoice for OneNote {
    async fn speak(&self, text: &str, language: Language) -> Result<Bytes, String> {
        if text == "mumble" {
            return Err("the voice is hoarse".into());
        }
        Ok(format!("{language}:{text}").into_bytes().into())
    }
}

fn config(public_url: &str, replica: ReplicaId, media: MediaLimits) -> GatewayConfig {
    GatewayConfig {
        public_url: public_url.parse().unwrap(),
        jwt_secret: "the platform's own".into(),
        twilio_auth_token: AUTH_TOKEN.into(),
        replica,
        media,
        realtime: RealtimeLimits {
            sessions: REALTIME_SESSIONS,
            sessions_of_tenant: REALTIME_SESSIONS_OF_TENANT,
            rate: RatePerMinute { requests: 4, tokens: 100_000 },
        },
        demo_sign_in: if public_url.starts_with("http://") {
            vec!["anna-homes".into(), "boris-realty".into()]
        } else {
            Vec::new()
        },
        sandbox_ears: true,
    }
}

pub(crate) fn ringing<'a>(call_sid: &'a str, to: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("CallSid", call_sid),
        ("AccountSid", "AC1"),
        ("From", "+15125550199"),
        ("To", to),
        ("CallStatus", "ringing"),
        ("Direction", "inbound"),
    ]
}

pub(crate) fn form(path: &str, parameters: &[(&str, &str)], signature: Option<&str>) -> Request<Body> {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(parameters);
    let mut request =
        Request::post(path).header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    if let Some(signature) = signature {
        request = request.header("x-twilio-signature", signature);
    }
    request.body(Body::from(body.finish())).unwrap()
}

pub(crate) async fn send(router: Router, request: Request<Body>) -> Answer {
    let response = router.oneshot(request).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    Answer { status, headers, body: String::from_utf8(body.to_vec()).unwrap() }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json<T: DeserializeOwned>(&self) -> T {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        serde_json::from_str(&self.body).unwrap()
    }

    /// The problem this is, by the last part of its type.
    pub(crate) fn problem(&self) -> (u16, String) {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let problem: Problem = serde_json::from_str(&self.body).unwrap();
        assert_eq!(problem.status, self.status.as_u16());
        (problem.status, problem.kind.trim_start_matches("urn:seiketsu:problem:").to_owned())
    }

    /// The verbs of a TwiML answer.
    pub(crate) fn verbs(&self) -> &str {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        assert_eq!(self.headers["content-type"], "text/xml; charset=utf-8");
        let (_, rest) = self.body.split_once("<Response>").unwrap();
        rest.strip_suffix("</Response>").unwrap()
    }

    /// The media token of TwiML that connects.
    pub(crate) fn token(&self) -> String {
        let (_, rest) = self.verbs().split_once(r#"<Parameter name="token" value=""#).expect("not connected");
        rest.split_once('"').unwrap().0.to_owned()
    }

    /// Everything in which two answers may be compared; the request id is what may differ.
    pub(crate) fn comparable(&self) -> (StatusCode, String, Vec<(String, String)>) {
        let headers = self
            .headers
            .iter()
            .filter(|(name, _)| *name != seiketsu_gateway::REQUEST_ID)
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        (self.status, self.body.clone(), headers)
    }
}

/// Twilio's end of a media socket.
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    pub(crate) async fn say(&mut self, message: impl Into<Message>) {
        self.stream.send(message.into()).await.expect("the socket is closed");
    }

    /// Sends to a socket that may be closing.
    pub(crate) async fn shout(&mut self, message: impl Into<Message>) -> bool {
        self.stream.send(message.into()).await.is_ok()
    }

    pub(crate) async fn start(&mut self, call_sid: &str, stream_sid: &str, token: &str) {
        self.say(r#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#).await;
        self.say(start(call_sid, stream_sid, token)).await;
    }

    /// The next text message.
    pub(crate) async fn hear(&mut self) -> String {
        match timeout(PATIENCE, self.stream.next()).await.expect("nothing was said") {
            Some(Ok(Message::Text(text))) => text.to_string(),
            other => panic!("expected a text message: {other:?}"),
        }
    }

    /// Reads to the end; how the socket was closed.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        loop {
            match timeout(PATIENCE, self.stream.next()).await.expect("the socket stays open") {
                Some(Ok(Message::Close(Some(frame)))) => {
                    return (frame.code.into(), frame.reason.to_string());
                }
                Some(Ok(Message::Close(None))) | None => return (CloseCode::Status.into(), String::new()),
                Some(Ok(_)) => {}
                Some(Err(error)) => panic!("no closing handshake: {error}"),
            }
        }
    }

    /// Cuts the connection without a word.
    pub(crate) fn cut(self) {
        drop(self.stream);
    }
}

pub(crate) fn start(call_sid: &str, stream_sid: &str, token: &str) -> String {
    format!(
        r#"{{"event":"start","sequenceNumber":"1","start":{{"accountSid":"AC1","streamSid":"{stream_sid}","callSid":"{call_sid}","tracks":["inbound"],"mediaFormat":{{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}},"customParameters":{{"token":"{token}"}}}},"streamSid":"{stream_sid}"}}"#
    )
}

pub(crate) fn media(stream_sid: &str, timestamp_ms: u64, audio: &[u8]) -> String {
    let payload = base64_simd::STANDARD.encode_to_string(audio);
    format!(
        r#"{{"event":"media","sequenceNumber":"3","media":{{"track":"inbound","chunk":"1","timestamp":"{timestamp_ms}","payload":"{payload}"}},"streamSid":"{stream_sid}"}}"#
    )
}

pub(crate) fn stop(stream_sid: &str) -> String {
    format!(
        r#"{{"event":"stop","sequenceNumber":"5","stop":{{"accountSid":"AC1","callSid":"CA1"}},"streamSid":"{stream_sid}"}}"#
    )
}

/// The test in the part of a session.
pub(crate) struct Session {
    pub(crate) door: Door,
}

impl Session {
    pub(crate) async fn heard(&mut self) -> DoorInput {
        timeout(PATIENCE, self.door.input.recv()).await.expect("nothing was heard").expect("the door is gone")
    }

    pub(crate) async fn says(&self, output: DoorOutput) {
        self.door.output.send(output).await.expect("the door is gone");
    }

    /// Everything that was heard until the door was closed, the length of audio in milliseconds apart.
    pub(crate) async fn heard_to_the_end(&mut self) -> (u64, Vec<DoorInput>) {
        let (mut audio_ms, mut rest) = (0, Vec::new());
        loop {
            match timeout(PATIENCE, self.door.input.recv()).await.expect("the door stays open") {
                Some(DoorInput::Audio(audio)) => audio_ms += audio.len() as u64 / 8,
                Some(last @ (DoorInput::HungUp | DoorInput::Cut)) => {
                    rest.push(last);
                    return (audio_ms, rest);
                }
                Some(other) => rest.push(other),
                None => return (audio_ms, rest),
            }
        }
    }
}

/// Takes calls for the test to answer.
#[derive(Debug)]
pub(crate) struct FakeSwitchboard {
    answered: mpsc::UnboundedSender<(BeginCall, Door)>,
    live: Mutex<BTreeSet<CallId>>,
    refusal: Mutex<Option<fn() -> Refused>>,
    pub(crate) draining: AtomicBool,
    pub(crate) broken: AtomicBool,
}

impl FakeSwitchboard {
    fn new(answered: mpsc::UnboundedSender<(BeginCall, Door)>) -> Self {
        Self {
            answered,
            live: Mutex::default(),
            refusal: Mutex::default(),
            draining: AtomicBool::new(false),
            broken: AtomicBool::new(false),
        }
    }

    pub(crate) fn refuse(&self, refusal: fn() -> Refused) {
        *self.refusal.lock().unwrap() = Some(refusal);
    }

    /// The session of a call has ended.
    pub(crate) fn ended(&self, call: CallId) {
        self.live.lock().unwrap().remove(&call);
    }
}

#[async_trait]
impl Switchboard for FakeSwitchboard {
    async fn connect(&self, begin: BeginCall, door: Door) -> Result<(), Refused> {
        if let Some(refusal) = *self.refusal.lock().unwrap() {
            return Err(refusal());
        }
        if !self.live.lock().unwrap().insert(begin.open.call_id) {
            return Err(Refused::AlreadyLive);
        }
        self.answered.send((begin, door)).expect("the test is over");
        Ok(())
    }

    fn live_calls(&self) -> usize {
        self.live.lock().unwrap().len()
    }

    fn is_draining(&self) -> bool {
        assert!(!self.broken.load(Ordering::Relaxed), "the switchboard is broken on purpose");
        self.draining.load(Ordering::Relaxed)
    }
}
