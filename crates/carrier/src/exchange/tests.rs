//! The exchange against small platforms on loopback, in real time.

#[path = "dial_tests.rs"]
mod dial;

use super::*;
use crate::{
    FRAME_BYTES, FRAME_MS, Frame, SILENT_FRAME,
    caller::{
        self, CallerOptions,
        tests_support::{carrying_pcm, hum, speech},
    },
    handset::{Departure, Said},
    line::{FaultKind, FaultPosition, LineFault},
    load::{self, Pace, PlannedCall},
    media_socket::{MediaSocket, Received},
    report::TurnEnd,
    script::Step,
    signature,
    utterance::Utterance,
    wire::StreamWriter,
};
use axum::{
    Router,
    extract::{
        RawForm, State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket},
    },
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::{any, post},
};
use seiketsu_audio::{
    g711,
    subcarrier::{Decoder, Event},
};
use seiketsu_domain::{CallTime, SystemClock};
use serde_json::{Value, json};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    future::Future,
    sync::{Mutex, atomic::AtomicU32, atomic::Ordering},
};
use tokio::net::TcpListener;

const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
const TOKEN: &str = "secret";

fn options() -> ExchangeOptions {
    ExchangeOptions { account_sid: ACCOUNT.to_owned(), auth_token: TOKEN.to_owned(), register_at: None }
}

fn exchange_with(options: ExchangeOptions) -> Exchange {
    let http = http();
    let ids = IdSource::new(Arc::new(SystemClock::new()), [7; 32]);
    Exchange::new(options, http, ids, TaskTracker::new())
}

fn http() -> reqwest::Client {
    // Once per process; a second attempt is refused, and that is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap()
}

fn exchange() -> Exchange {
    exchange_with(options())
}

/// Serves on loopback until the test's runtime ends.
async fn serve(router: Router) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let tracker = TaskTracker::new();
    tracker.spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

fn place(base: &Url) -> PlaceCall {
    let number = |text: &str| text.parse().unwrap();
    PlaceCall::new(base.join("voice").unwrap(), number("+15125550100"), number("+15125550199"))
}

fn twiml(verbs: &str) -> impl IntoResponse + use<> {
    ([(CONTENT_TYPE, "text/xml")], format!("<Response>{verbs}</Response>"))
}

fn connect(headers: &HeaderMap) -> String {
    let host = headers["host"].to_str().unwrap();
    format!(
        r#"<Connect><Stream url="ws://{host}/media"><Parameter name="token" value="t0"/></Stream></Connect>"#
    )
}

/// A platform that connects every call to `talk` and answers `after` when the stream has ended.
fn platform<F>(after: &'static str, talk: impl Fn(Talk) -> F + Clone + Send + Sync + 'static) -> Router
where
    F: Future<Output = ()> + Send + 'static,
{
    Router::new()
        .route(
            "/voice",
            post(async move |headers: HeaderMap| twiml(&format!("{}{after}", connect(&headers)))),
        )
        .route(
            "/media",
            any(async move |upgrade: WebSocketUpgrade| {
                let talk = talk.clone();
                upgrade.on_upgrade(async move |socket| talk(Talk::begin(socket).await).await)
            }),
        )
}

/// The platform's end of a stream.
struct Talk {
    socket: WebSocket,
    sid: String,
    call_sid: String,
    start: Value,
}

impl Talk {
    async fn begin(mut socket: WebSocket) -> Self {
        let mut message = async || match socket.recv().await {
            Some(Ok(Message::Text(text))) => serde_json::from_str::<Value>(&text).unwrap(),
            other => panic!("{other:?}"),
        };
        assert_eq!(message().await["event"], "connected");
        let start = message().await;
        assert_eq!(start["event"], "start");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (sid, call_sid) = (text(&start["streamSid"]), text(&start["start"]["callSid"]));
        Self { socket, sid, call_sid, start }
    }

    /// The next message; `None` when the stream is closed, an error when it is cut.
    async fn next(&mut self) -> Result<Option<Value>, axum::Error> {
        match self.socket.recv().await {
            Some(Ok(Message::Text(text))) => Ok(Some(serde_json::from_str(&text).unwrap())),
            Some(Ok(_)) | None => Ok(None),
            Some(Err(error)) => Err(error),
        }
    }

    async fn send(&mut self, message: Value) {
        self.socket.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn media(&mut self, mulaw: &[u8]) {
        let payload = base64_simd::STANDARD.encode_to_string(mulaw);
        self.send(json!({"event":"media","streamSid":self.sid,"media":{"payload":payload}})).await;
    }

    async fn mark(&mut self, name: &str) {
        self.send(json!({"event":"mark","streamSid":self.sid,"mark":{"name":name}})).await;
    }
}

/// Does one thing in one frame.
struct Scripted(BTreeMap<u64, Said>);

impl Scripted {
    fn at(frame: u64, departure: Departure) -> (u64, Said) {
        (frame, Said { departure: Some(departure), ..Said::SILENCE })
    }
}

impl Handset for Scripted {
    fn frame(&mut self, now: CallTime, _heard: &Frame) -> Said {
        self.0.get(&(now.as_millis() / FRAME_MS)).copied().unwrap_or(Said::SILENCE)
    }
}

fn nobody() -> Scripted {
    Scripted(BTreeMap::new())
}

/// What a platform noted down.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<Value>>>);

impl Notes {
    fn add(&self, value: Value) {
        self.0.lock().unwrap().push(value);
    }
    fn take(&self) -> Vec<Value> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn pairs(form: &[u8]) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(form).into_owned().collect()
}

#[tokio::test]
async fn a_caller_is_greeted_answered_and_hangs_up_and_everything_is_told_on_the_wire() {
    let (notes, webhooks) = (Notes::default(), Notes::default());
    let heard = notes.clone();
    let talk = move |mut talk: Talk| {
        let notes = heard.clone();
        async move {
            notes.add(talk.start.clone());
            talk.media(&speech("hi")).await;
            talk.mark("greeted").await;
            let (mut decoder, mut words) = (Decoder::new(), Vec::new());
            while let Ok(Some(message)) = talk.next().await {
                if let Some(payload) = message["media"]["payload"].as_str() {
                    let mulaw = base64_simd::STANDARD.decode_to_vec(payload).unwrap();
                    let mut pcm = Vec::new();
                    g711::mulaw_decode(&mulaw, &mut pcm);
                    decoder.push(&pcm);
                }
                notes.add(message);
                while let Some(event) = decoder.poll() {
                    match event {
                        Event::Word { text, .. } => words.push(text),
                        Event::End { .. } => talk.media(&speech("ok")).await,
                        Event::Flag { reason, .. } => panic!("{reason:?}"),
                        Event::Start { .. } | Event::Text { .. } => {}
                    }
                }
            }
            notes.add(json!({ "words": words }));
        }
    };
    let seen = webhooks.clone();
    let router = platform("<Hangup/>", talk).route(
        "/status",
        post(async move |headers: HeaderMap, RawForm(form): RawForm| {
            seen.add(
                json!({"form": pairs(&form), "signature": headers["x-twilio-signature"].to_str().unwrap()}),
            );
            StatusCode::NO_CONTENT
        }),
    );
    let base = serve(router).await;
    let call = PlaceCall { status_callback: Some(base.join("status").unwrap()), ..place(&base) };
    let line = Utterance::carrying(Some("yes".to_owned()), &hum("yes"), &carrying_pcm("yes")).unwrap();
    let options = CallerOptions { patience_ms: 250, answer_timeout_ms: 3_000, ..CallerOptions::default() };
    let report = caller::call(&exchange(), &call, vec![Step::Say(line)], options, None).await;

    assert_eq!((&report.ended_by, report.streams), (&EndedBy::CallerHungUp, 1));
    assert!(report.errors.is_empty() && report.flags.is_empty(), "{report:?}");
    assert_eq!((report.greeting_text.as_str(), report.whole_agent_text.as_str()), ("hi", "hi ok"));
    let [turn] = report.turns.as_slice() else { panic!("{report:?}") };
    assert_eq!((turn.heard_text.as_str(), turn.end), ("ok", TurnEnd::Answered));
    assert!(turn.first_audible_ms.is_some_and(|millis| millis < 2_000), "{turn:?}");

    let messages = notes.take();
    let [start, stream @ .., stop, words] = messages.as_slice() else { panic!("{messages:?}") };
    assert_eq!(start["start"]["customParameters"], json!({"token": "t0"}));
    assert_eq!(start["start"]["accountSid"], ACCOUNT);
    assert_eq!(stop["event"], "stop");
    assert_eq!(stop["stop"]["callSid"], report.call_sid.as_str());
    assert_eq!(words["words"], json!(["yes"]));
    let number = |value: &Value| value.as_str().unwrap().parse::<u64>().unwrap();
    let sequence: Vec<_> = stream.iter().map(|message| number(&message["sequenceNumber"])).collect();
    assert_eq!(sequence, (2..2 + stream.len() as u64).collect::<Vec<_>>());
    let times: Vec<_> = stream
        .iter()
        .filter(|message| message["event"] == "media")
        .map(|message| number(&message["media"]["timestamp"]))
        .collect();
    assert_eq!(times, (0..times.len() as u64).map(|n| n * FRAME_MS).collect::<Vec<_>>());
    let mark = stream.iter().position(|message| message["event"] == "mark").unwrap();
    assert_eq!(stream[mark]["mark"]["name"], "greeted");
    assert!(
        mark as u64 * FRAME_MS >= speech("hi").len() as u64 / 8,
        "it returned before the greeting had played"
    );

    let mut callbacks = webhooks.take();
    callbacks.sort_by_key(|callback| callback["form"]["SequenceNumber"].as_str().unwrap().to_owned());
    let statuses: Vec<_> = callbacks.iter().map(|callback| callback["form"]["CallStatus"].clone()).collect();
    assert_eq!(statuses, ["initiated", "ringing", "in-progress", "completed"]);
    assert_eq!(callbacks[3]["form"]["CallDuration"], report.duration_ms.div_ceil(1_000).to_string());
    for callback in &callbacks {
        let form: BTreeMap<String, String> = serde_json::from_value(callback["form"].clone()).unwrap();
        let form: Vec<_> = form.into_iter().collect();
        assert_eq!(
            callback["signature"],
            signature::sign(TOKEN, base.join("status").unwrap().as_str(), &form)
        );
    }
}

#[tokio::test]
async fn the_webhook_is_a_signed_form_and_a_closed_stream_goes_on_with_the_next_verb() {
    let notes = Notes::default();
    let seen = notes.clone();
    let router = platform("<Redirect>/after?x=1</Redirect>", |mut talk: Talk| async move {
        talk.socket.send(Message::Close(None)).await.unwrap();
        while talk.next().await.is_ok_and(|message| message.is_some()) {}
    })
    .route(
        "/after",
        post(async move |headers: HeaderMap, RawForm(form): RawForm| {
            seen.add(json!([pairs(&form), headers["x-twilio-signature"].to_str().unwrap()]));
            twiml("<Say>bye</Say><Hangup/><Say>never</Say>")
        }),
    );
    let base = serve(router).await;
    let call_sid: CallSid = "CA00000000000000000000000000000042".parse().unwrap();
    let call = PlaceCall { call_sid: Some(call_sid.clone()), ..place(&base) };
    let (outcome, _) = exchange().place(&call, nobody()).await;
    assert_eq!((outcome.ended_by, outcome.call_sid), (EndedBy::HangupVerb, call_sid.clone()));
    assert_eq!(outcome.announcements, ["bye"]);
    let [request] = notes.take().try_into().unwrap();
    let form: BTreeMap<String, String> = serde_json::from_value(request[0].clone()).unwrap();
    for (name, value) in [
        ("AccountSid", ACCOUNT),
        ("ApiVersion", "2010-04-01"),
        ("CallSid", call_sid.as_str()),
        ("CallStatus", "in-progress"),
        ("Direction", "inbound"),
        ("From", "+15125550100"),
        ("To", "+15125550199"),
    ] {
        assert_eq!(form[name], value);
    }
    let url = base.join("after?x=1").unwrap();
    assert_eq!(request[1], signature::sign(TOKEN, url.as_str(), &form.into_iter().collect::<Vec<_>>()));
}

#[tokio::test]
async fn forged_and_missing_signatures_can_be_sent_on_purpose() {
    let notes = Notes::default();
    let router = Router::new()
        .route(
            "/voice",
            post(async |State(notes): State<Notes>, headers: HeaderMap, RawForm(form): RawForm| {
                let form: Vec<_> = pairs(&form).into_iter().collect();
                let url = format!("http://{}/voice", headers["host"].to_str().unwrap());
                let given = headers.get("x-twilio-signature").map(|value| value.to_str().unwrap().to_owned());
                notes.add(json!(given.map(|given| given == signature::sign(TOKEN, &url, &form))));
                twiml("<Reject/>")
            }),
        )
        .with_state(notes.clone());
    let base = serve(router).await;
    for signing in [Signing::Proper, Signing::Forged, Signing::Missing] {
        let (outcome, _) = exchange().place(&PlaceCall { signing, ..place(&base) }, nobody()).await;
        assert_eq!(outcome.ended_by, EndedBy::Rejected);
    }
    assert_eq!(notes.take(), [json!(true), json!(false), json!(null)]);
}

#[tokio::test]
async fn malformed_messages_are_recorded_and_harm_nothing() {
    let (told, marks) = (Notes::default(), Notes::default());
    let seen = marks.clone();
    let router = platform("", move |mut talk: Talk| {
        let marks = seen.clone();
        async move {
            talk.socket.send(Message::binary(vec![1, 2, 3])).await.unwrap();
            for bad in ["{", r#"{"event":"dance"}"#] {
                talk.socket.send(Message::text(bad)).await.unwrap();
            }
            talk.send(json!({"event":"clear","streamSid":"MZ0"})).await;
            talk.send(json!({"event":"media","streamSid":talk.sid,"media":{"payload":"AA==","extra":1}}))
                .await;
            talk.mark("still alive").await;
            while let Ok(Some(message)) = talk.next().await {
                if message["event"] == "mark" {
                    marks.add(message["mark"]["name"].clone());
                    break;
                }
            }
            talk.socket.send(Message::Close(None)).await.unwrap();
        }
    });
    let base = serve(router).await;
    let (outcome, _) = exchange().place(&place(&base), nobody()).await;
    told.add(json!(outcome.errors.to_vec()));
    assert_eq!(marks.take(), ["still alive"]);
    assert_eq!((outcome.errors.count(31_950), outcome.errors.count(31_951)), (1, 4), "{:?}", outcome.errors);
    assert_eq!(outcome.ended_by, EndedBy::DocumentEnded);
}

#[tokio::test]
async fn a_cut_stream_is_no_closed_one_and_the_call_is_connected_again() {
    let notes = Notes::default();
    let seen = notes.clone();
    let router = platform("<Redirect>/after</Redirect>", move |mut talk: Talk| {
        let notes = seen.clone();
        async move {
            let mut last = Value::Null;
            let end = loop {
                match talk.next().await {
                    Ok(Some(message)) => last = message,
                    Ok(None) => break "closed",
                    Err(_) => break "cut",
                }
            };
            notes.add(json!([end, last["event"], last["media"]["chunk"], last["media"]["timestamp"]]));
        }
    })
    .route("/after", post(async |headers: HeaderMap| twiml(&connect(&headers))));
    let base = serve(router).await;
    let fault = LineFault { at: FaultPosition::Call { frame: 2 }, kind: FaultKind::Gap { frames: 3 } };
    let mut call = place(&base);
    call.line.faults.push(fault);
    let handset = Scripted(BTreeMap::from([
        Scripted::at(12, Departure::CutStream),
        Scripted::at(24, Departure::HangUp),
    ]));
    let (outcome, _) = exchange().place(&call, handset).await;
    assert_eq!((outcome.ended_by, outcome.streams), (EndedBy::CallerHungUp, 2));
    let [first, second] = notes.take().try_into().unwrap();
    assert_eq!((&first[0], &first[1]), (&json!("cut"), &json!("media")));
    let number = |value: &Value| value.as_str().unwrap().parse::<u64>().unwrap();
    assert_eq!(
        number(&first[3]),
        (number(&first[2]) + 3 - 1) * FRAME_MS,
        "three frames are missing: {first}"
    );
    assert_eq!((&second[0], &second[1]), (&json!("closed"), &json!("stop")));
}

/// Presses a key when it hears something.
#[derive(Default)]
struct Pressing {
    sounding: u64,
}
impl Handset for Pressing {
    fn frame(&mut self, _now: CallTime, heard: &Frame) -> Said {
        self.sounding += u64::from(*heard != SILENT_FRAME);
        let digit = (self.sounding == 1 && *heard != SILENT_FRAME).then_some('5');
        Said { digit, ..Said::SILENCE }
    }
}

#[tokio::test]
async fn keys_are_sent_and_a_clear_stops_what_is_played() {
    let notes = Notes::default();
    let seen = notes.clone();
    let router = platform("", move |mut talk: Talk| {
        let notes = seen.clone();
        async move {
            talk.media(&vec![0x20; FRAME_BYTES * 500]).await;
            talk.mark("never played").await;
            while let Ok(Some(message)) = talk.next().await {
                match message["event"].as_str().unwrap() {
                    "dtmf" => {
                        notes.add(message["dtmf"].clone());
                        talk.send(json!({"event":"clear","streamSid":talk.sid})).await;
                    }
                    "mark" => {
                        notes.add(message["mark"].clone());
                        break;
                    }
                    _ => {}
                }
            }
            talk.socket.send(Message::Close(None)).await.unwrap();
        }
    });
    let base = serve(router).await;
    let (outcome, handset) = exchange().place(&place(&base), Pressing::default()).await;
    let expected = [json!({"track":"inbound_track","digit":"5"}), json!({"name":"never played"})];
    assert_eq!(notes.take(), expected);
    assert_eq!(outcome.ended_by, EndedBy::DocumentEnded);
    assert!(handset.sounding < 250, "{} frames of 500 were played", handset.sounding);
}

#[tokio::test]
async fn the_platform_hangs_up_over_rest_also_through_another_process_exchange() {
    let front = exchange();
    let front_url = serve(front.router()).await;
    let notes = Notes::default();
    let (seen, rest) = (notes.clone(), front_url.clone());
    let router = platform("<Hangup/>", move |mut talk: Talk| {
        let (notes, rest) = (seen.clone(), rest.clone());
        async move {
            let http = http();
            let url = rest::at(
                &rest,
                &["2010-04-01", "Accounts", ACCOUNT, "Calls", &format!("{}.json", talk.call_sid)],
            );
            let ask = |password: &'static str, status: &'static str| {
                let request = http.post(url.clone()).basic_auth(ACCOUNT, Some(password));
                request.form(&[("Status", status)]).send()
            };
            for (password, status) in [("wrong", "completed"), (TOKEN, "paused"), (TOKEN, "completed")] {
                let response = ask(password, status).await.unwrap();
                let code = response.status().as_u16();
                notes.add(json!([code, response.json::<Value>().await.unwrap()]));
            }
            let mut last = Value::Null;
            while let Ok(Some(message)) = talk.next().await {
                last = message;
            }
            notes.add(last["event"].clone());
        }
    });
    let base = serve(router).await;

    let check = |outcome: CallOutcome| {
        assert_eq!(outcome.ended_by, EndedBy::PlatformHungUp);
        let [wrong, paused, completed, last] = notes.take().try_into().unwrap();
        assert_eq!((&wrong[0], &wrong[1]["code"]), (&json!(401), &json!(20_003)));
        assert_eq!(paused[0], 400);
        assert_eq!((&completed[0], &completed[1]["status"]), (&json!(200), &json!("completed")));
        assert_eq!(completed[1]["sid"], outcome.call_sid.as_str());
        assert_eq!(last, "stop");
    };
    check(front.place(&place(&base), nobody()).await.0);

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let control = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let register_at = Some(RegisterAt { exchange: front_url.clone(), control });
    let back = exchange_with(ExchangeOptions { register_at, ..options() });
    let router = back.router();
    TaskTracker::new().spawn(async move { axum::serve(listener, router).await.unwrap() });
    let (outcome, _) = back.place(&place(&base), nobody()).await;
    let call_sid = outcome.call_sid.clone();
    check(outcome);
    assert_eq!((front.live_calls(), back.live_calls()), (0, 0));

    let http = http();
    let url =
        rest::at(&front_url, &["2010-04-01", "Accounts", ACCOUNT, "Calls", &format!("{call_sid}.json")]);
    let request = http.post(url).basic_auth(ACCOUNT, Some(TOKEN)).form(&[("Status", "completed")]);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 404);
    assert_eq!(response.json::<Value>().await.unwrap()["code"], 20_404);
}

#[tokio::test]
async fn a_register_takes_only_loopback_and_forgets_calls_whose_process_is_gone() {
    let url = serve(exchange().router()).await;
    let http = http();
    let call_sid = "CA00000000000000000000000000000001";
    let register = async |control: &str| {
        let body = json!({"call_sid": call_sid, "control_url": control});
        let request =
            http.post(url.join("carrier/calls").unwrap()).basic_auth(ACCOUNT, Some(TOKEN)).json(&body);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(register("http://203.0.113.7/").await, 400);
    assert_eq!(register("file:///etc/passwd").await, 400);
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_eq!(register(&format!("http://{gone}/")).await, 204);
    let call = rest::at(&url, &["2010-04-01", "Accounts", ACCOUNT, "Calls", &format!("{call_sid}.json")]);
    let request = http.post(call).basic_auth(ACCOUNT, Some(TOKEN)).form(&[("Status", "completed")]);
    assert_eq!(request.send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn each_way_for_a_call_to_fail_has_twilios_code() {
    let router = Router::new()
        .route("/voice/500", post(async || StatusCode::INTERNAL_SERVER_ERROR))
        .route("/voice/text", post(async || "hello"))
        .route("/voice/broken", post(async || ([(CONTENT_TYPE, "text/xml")], "<Response>")))
        .route("/voice/dance", post(async || twiml("<Dance/>")))
        .route("/voice/circle", post(async || twiml("<Redirect>circle</Redirect>")))
        .route("/voice/404", post(async |headers: HeaderMap| twiml(&connect(&headers))));
    let base = serve(router).await;
    let fails = async |webhook: Url| {
        let (outcome, _) = exchange().place(&PlaceCall { webhook, ..place(&base) }, nobody()).await;
        let codes: Vec<_> = outcome.errors.to_vec().into_iter().map(|error| error.code).collect();
        (codes, outcome.ended_by)
    };
    for (path, code) in
        [("500", 11_200), ("text", 12_300), ("broken", 12_100), ("dance", 12_200), ("circle", 11_200)]
    {
        let (codes, ended_by) = fails(base.join(&format!("voice/{path}")).unwrap()).await;
        assert_eq!(codes, [code], "{path}");
        assert!(
            matches!(ended_by, EndedBy::Failed { code: same, .. } if same == code),
            "{path}: {ended_by:?}"
        );
    }
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (codes, _) = fails(Url::parse(&format!("http://{gone}/voice")).unwrap()).await;
    assert_eq!(codes, [11_205]);
    let (codes, ended_by) = fails(base.join("voice/404").unwrap()).await;
    assert_eq!((codes, ended_by), (vec![31_920], EndedBy::DocumentEnded));
}

#[tokio::test]
async fn a_stream_can_be_spoken_to_by_hand() {
    let notes = Notes::default();
    let seen = notes.clone();
    let router = platform("<Hangup/>", move |mut talk: Talk| {
        let notes = seen.clone();
        async move {
            notes.add(json!(talk.socket.recv().await.unwrap().unwrap().to_text().unwrap()));
            notes.add(json!(matches!(talk.socket.recv().await, Some(Ok(Message::Binary(_))))));
            talk.socket.send(Message::text("anything")).await.unwrap();
            let reason = CloseFrame { code: 1008, reason: "enough".into() };
            talk.socket.send(Message::Close(Some(reason))).await.unwrap();
        }
    });
    let base = serve(router).await;
    let call_sid: CallSid = "CA00000000000000000000000000000042".parse().unwrap();
    let verbs = exchange().ask(&place(&base), &call_sid).await.unwrap();
    let [Verb::Connect(stream), Verb::Hangup] = verbs.as_slice() else { panic!("{verbs:?}") };
    let mut socket = MediaSocket::connect(&stream.url, None).await.unwrap();
    let mut writer = StreamWriter::new(ACCOUNT, call_sid.as_str(), "MZ1".to_owned());
    socket.send_text(StreamWriter::connected()).await.unwrap();
    socket.send_text(writer.start(&stream.parameters)).await.unwrap();
    socket.send_text("{".to_owned()).await.unwrap();
    socket.send_binary(bytes::Bytes::from_static(b"x")).await.unwrap();
    assert_eq!(socket.receive().await, Received::Text("anything".to_owned()));
    assert_eq!(socket.receive().await, Received::Closed(Some((1008, "enough".to_owned()))));
    assert_eq!(notes.take(), [json!("{"), json!(true)]);
    let wrong = PlaceCall { webhook: base.join("nowhere").unwrap(), ..place(&base) };
    assert_eq!(exchange().ask(&wrong, &call_sid).await, Err(FetchError::Status(404)));
}

#[tokio::test]
async fn many_calls_are_placed_and_each_is_reported() {
    let count = Arc::new(AtomicU32::new(0));
    let router = Router::new()
        .route(
            "/voice",
            post(async |State(count): State<Arc<AtomicU32>>| {
                count.fetch_add(1, Ordering::Relaxed);
                twiml("<Reject/>")
            }),
        )
        .with_state(count.clone());
    let base = serve(router).await;
    let call = PlannedCall { place: place(&base), steps: Vec::new(), options: CallerOptions::default() };
    let pace = Pace { at_once: 6, ramp: Duration::from_millis(1) };
    let (exchange, tracker, reports) = (exchange(), TaskTracker::new(), RefCell::new(Vec::new()));
    // As many as it takes for twelve to have ended.
    let calls = std::iter::repeat(call).take_while(|_| reports.borrow().len() < 12);
    let most = Arc::new((AtomicU32::new(0), AtomicU32::new(0)));
    let live = |call: PlannedCall| {
        let (exchange, most) = (exchange.clone(), Arc::clone(&most));
        async move {
            most.1.fetch_max(most.0.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            let report = caller::call(&exchange, &call.place, call.steps, call.options, None).await;
            most.0.fetch_sub(1, Ordering::Relaxed);
            report
        }
    };
    let lost = load::run(calls, pace, &tracker, live, |report| reports.borrow_mut().push(report)).await;
    let reports = reports.into_inner();
    assert!((12..=17).contains(&reports.len()), "what was under way is waited for: {}", reports.len());
    assert_eq!((lost, count.load(Ordering::Relaxed) as usize), (0, reports.len()));
    assert!(most.1.load(Ordering::Relaxed) <= 6);
    assert!(reports.iter().all(|report| report.ended_by == EndedBy::Rejected));
    let sids: std::collections::BTreeSet<_> = reports.iter().map(|report| &report.call_sid).collect();
    assert_eq!(sids.len(), reports.len());
}
