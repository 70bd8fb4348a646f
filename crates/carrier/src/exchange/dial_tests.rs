//! People who are rung, and calls that are sent elsewhere, against small platforms on loopback, in real time.

use super::*;
use axum::{extract::RawQuery, routing::any};
use tokio::sync::Notify;

/// A platform that puts every caller through to one number, and notes down what it is told.
fn puts_through(notes: &Notes) -> Router {
    let noting = |name: &'static str, verbs: &'static str| {
        let notes = notes.clone();
        post(async move |RawQuery(query): RawQuery, RawForm(form): RawForm| {
            notes.add(json!({"at": name, "query": query, "form": pairs(&form)}));
            twiml(verbs)
        })
    };
    Router::new()
        .route(
            "/voice",
            noting(
                "voice",
                r#"<Dial action="/done" timeout="5" callerId="+15125550199" answerOnBridge="true">
                   <Number url="/whisper?call=1">+15125550123</Number></Dial>"#,
            ),
        )
        .route(
            "/whisper",
            noting(
                "whisper",
                r#"<Gather numDigits="1" timeout="1" action="/accept"><Say>Jordan calls</Say></Gather><Hangup/>"#,
            ),
        )
        .route("/accept", noting("accept", ""))
        .route("/done", noting("done", "<Hangup/>"))
}

/// What came of it, and what the platform was told: where, and with which parameters.
async fn rings(human: Human) -> (CallOutcome, Vec<(String, BTreeMap<String, String>)>) {
    let notes = Notes::default();
    let base = serve(puts_through(&notes)).await;
    let (outcome, _) = exchange().place(&PlaceCall { human, ..place(&base) }, nobody()).await;
    let told = notes
        .take()
        .into_iter()
        .map(|note| {
            (note["at"].as_str().unwrap().to_owned(), serde_json::from_value(note["form"].clone()).unwrap())
        })
        .collect();
    (outcome, told)
}

#[tokio::test]
async fn a_human_who_presses_a_key_is_connected_until_hanging_up() {
    let (outcome, told) = rings(Human::Answers { after_ms: 200, key_after_ms: 100, talks_ms: 300 }).await;
    assert_eq!(outcome.ended_by, EndedBy::HangupVerb, "{:?}", outcome.errors);
    let [dialled] = outcome.dialled.as_slice() else { panic!("{outcome:?}") };
    assert_eq!((dialled.status, dialled.bridged), (DialStatus::Completed, true));
    assert_eq!(
        (dialled.number.as_str(), &*dialled.whispered),
        ("+15125550123", &["Jordan calls".to_owned()][..])
    );
    let at: Vec<_> = told.iter().map(|(at, _)| at.as_str()).collect();
    assert_eq!(at, ["voice", "whisper", "accept", "done"]);
    let (caller, human, done) = (&told[0].1, &told[2].1, &told[3].1);
    assert_eq!(human["ParentCallSid"], caller["CallSid"]);
    assert_ne!(human["CallSid"], caller["CallSid"], "their end is a call of its own");
    assert_eq!((human["From"].as_str(), human["To"].as_str()), ("+15125550199", "+15125550123"));
    assert_eq!((human["Direction"].as_str(), human["Digits"].as_str()), ("outbound-dial", "1"));
    assert_eq!(
        (done["CallSid"].as_str(), done["CallStatus"].as_str()),
        (caller["CallSid"].as_str(), "in-progress")
    );
    assert_eq!((done["DialCallStatus"].as_str(), done["DialBridged"].as_str()), ("completed", "true"));
    assert_eq!((&done["DialCallSid"], done["DialCallDuration"].as_str()), (&human["CallSid"], "1"));
}

#[tokio::test]
async fn a_human_who_is_busy_away_or_not_interested_is_not_connected_and_the_platform_is_asked_what_next() {
    let cases = [
        (Human::Busy, "busy", 0),
        (Human::Unreachable, "failed", 0),
        (Human::Silent, "no-answer", 0),
        (Human::HangsUp { after_ms: 100 }, "completed", 1),
        (Human::Ignores { after_ms: 100 }, "completed", 1),
        (Human::Answers { after_ms: 9_000, key_after_ms: 0, talks_ms: 0 }, "no-answer", 0),
    ];
    let outcomes = cases.map(|(human, status, whispers)| async move {
        let (outcome, told) = rings(human).await;
        let (at, done) = told.last().unwrap();
        assert_eq!((at.as_str(), done["DialCallStatus"].as_str()), ("done", status), "{human:?}");
        assert_eq!(done["DialBridged"], "false", "{human:?}");
        assert!(!done.contains_key("DialCallDuration"), "{human:?}");
        let heard = told.iter().filter(|(at, _)| at == "whisper").count();
        assert_eq!(heard, whispers, "{human:?}");
        assert!(told.iter().all(|(at, _)| at != "accept"), "{human:?}");
        assert!(outcome.dialled.iter().all(|dialled| !dialled.bridged), "{human:?}");
    });
    futures_util::future::join_all(outcomes).await;
}

#[tokio::test]
async fn a_caller_hears_ringing_and_may_hang_up_meanwhile() {
    /// Hears for two seconds and hangs up.
    #[derive(Default)]
    struct Impatient {
        loud_frames: u32,
    }
    impl Handset for Impatient {
        fn frame(&mut self, now: CallTime, heard: &Frame) -> Said {
            self.loud_frames += u32::from(*heard != SILENT_FRAME);
            let departure = (now.as_millis() >= 1_000).then_some(Departure::HangUp);
            Said { departure, ..Said::SILENCE }
        }
    }
    let notes = Notes::default();
    let base = serve(puts_through(&notes)).await;
    let call = PlaceCall { human: Human::Silent, ..place(&base) };
    let (outcome, caller) = exchange().place(&call, Impatient::default()).await;
    assert_eq!(outcome.ended_by, EndedBy::CallerHungUp);
    assert!(caller.loud_frames >= 48, "{}", caller.loud_frames);
    assert!(outcome.dialled.is_empty());
    assert_eq!(notes.take().len(), 1, "nobody is asked what comes next");
}

#[tokio::test]
async fn a_call_that_is_sent_elsewhere_leaves_its_stream_with_a_stop_and_goes_on_there() {
    let (notes, ended) = (Notes::default(), Arc::new(Notify::new()));
    let (seen, told) = (notes.clone(), Arc::clone(&ended));
    let talk = move |mut talk: Talk| {
        let (notes, ended) = (seen.clone(), Arc::clone(&told));
        async move {
            notes.add(json!({"call": talk.call_sid}));
            while let Ok(Some(message)) = talk.next().await {
                if message["event"] == "stop" {
                    notes.add(json!("stop"));
                    ended.notify_one();
                }
            }
        }
    };
    let elsewhere = notes.clone();
    let router = platform("<Redirect>/never</Redirect>", talk)
        .route("/never", any(async || StatusCode::INTERNAL_SERVER_ERROR))
        .route(
            "/elsewhere",
            post(async move |RawQuery(query): RawQuery| {
                elsewhere.add(json!(query));
                twiml("<Say>hello again</Say><Hangup/>")
            }),
        );
    let base = serve(router).await;
    let exchange = exchange();
    let control = serve(exchange.router()).await;
    let tracker = TaskTracker::new();
    let placed = {
        let (exchange, call) = (exchange.clone(), place(&base));
        tracker.spawn(async move { exchange.place(&call, nobody()).await.0 })
    };
    let call_sid = loop {
        if let Some(note) = notes.0.lock().unwrap().first() {
            break note["call"].as_str().unwrap().to_owned();
        }
        tokio::task::yield_now().await;
    };
    let update = async |form: &[(&str, &str)]| {
        let url = control.join(&format!("2010-04-01/Accounts/{ACCOUNT}/Calls/{call_sid}.json")).unwrap();
        let request = http().post(url).basic_auth(ACCOUNT, Some(TOKEN)).form(form);
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json::<Value>().await.unwrap())
    };
    for (form, code) in [
        (&[("Url", "not a url")][..], 21_205),
        (&[("Url", "https://x.example/"), ("Method", "PUT")], 21_207),
        (&[("Url", "https://x.example/"), ("Status", "completed")], 21_218),
        (&[], 21_218),
    ] {
        let (status, body) = update(form).await;
        assert_eq!((status, body["code"].as_u64()), (400, Some(code)), "{form:?}");
    }
    let target = base.join("elsewhere?x=1").unwrap();
    let (status, body) = update(&[("Url", target.as_str()), ("Method", "POST")]).await;
    assert_eq!((status, body["status"].as_str()), (200, Some("in-progress")));
    let outcome = placed.await.unwrap();
    assert_eq!(
        (outcome.ended_by, outcome.announcements),
        (EndedBy::HangupVerb, vec!["hello again".to_owned()])
    );
    assert!(outcome.errors.is_empty(), "{:?}", outcome.errors);
    ended.notified().await;
    let mut rest: Vec<_> = notes.take().into_iter().skip(1).map(|note| note.to_string()).collect();
    rest.sort();
    assert_eq!(rest, ["\"stop\"", "\"x=1\""]);
}

#[tokio::test]
async fn the_account_is_shown_to_those_who_know_its_token() {
    let control = serve(exchange().router()).await;
    let url = control.join(&format!("2010-04-01/Accounts/{ACCOUNT}.json")).unwrap();
    let ask = async |token: &str| {
        http().get(url.clone()).basic_auth(ACCOUNT, Some(token)).send().await.unwrap().status().as_u16()
    };
    assert_eq!((ask(TOKEN).await, ask("wrong").await), (200, 401));
}
