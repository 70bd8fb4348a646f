#![allow(
    clippy::all,
    clippy::pedantic,
    clippy::disallowed_macros,
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs
)]
use axum::{
    Router,
    extract::ws::*,
    http::HeaderMap,
    response::IntoResponse,
    routing::{any, post},
};
use seiketsu_audio::{g711, subcarrier::*};
use seiketsu_carrier::{process::ProcessUsage, *};
use seiketsu_domain::{IdSource, SystemClock};
use std::{sync::Arc, time::Duration};
fn carrying(text: &str) -> (Vec<i16>, Vec<i16>) {
    let hum: Vec<i16> = (0..(text.len() * 70 + 300) * 8)
        .map(|n| {
            let t = n as f64 / 8000.0;
            (((t * 220.0 * 6.283).sin() + (t * 900.0 * 6.283).sin()) * 2000.0) as i16
        })
        .collect();
    let w = estimate_word_times(text, &hum);
    let e = embed(&hum, &w);
    (hum, e)
}
#[tokio::main]
async fn main() {
    rustls::crypto::ring::default_provider().install_default().unwrap();
    let n: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let (_, a) = carrying("the house on main street has three bedrooms and a large garden with old trees");
    let mut mu = vec![];
    g711::mulaw_encode(&a, &mut mu);
    let answer = Arc::new(mu);
    let router=Router::new().route("/voice",post(async|h:HeaderMap|([("content-type","text/xml")],format!("<Response><Connect><Stream url=\"ws://{}/media\"/></Connect><Hangup/></Response>",h["host"].to_str().unwrap())).into_response()))
   .route("/media",any(async move|u:WebSocketUpgrade|{let answer=answer.clone();u.read_buffer_size(2048).write_buffer_size(0).max_write_buffer_size(262144).on_upgrade(async move|mut s|{
     s.recv().await; let st=s.recv().await.unwrap().unwrap(); let v:serde_json::Value=serde_json::from_str(st.to_text().unwrap()).unwrap(); let sid=v["streamSid"].as_str().unwrap().to_owned();
     let say=async|s:&mut WebSocket|{ for c in answer.chunks(1600){let p=base64_simd::STANDARD.encode_to_string(c); let _=s.send(Message::text(format!("{{\"event\":\"media\",\"streamSid\":\"{sid}\",\"media\":{{\"payload\":\"{p}\"}}}}"))).await;}};
     say(&mut s).await; let mut quiet=0;let mut spoke=false;
     while let Some(Ok(Message::Text(t)))=s.recv().await { if t.contains("\"media\"") { let q=t.contains("/////////////////////"); if q {quiet+=1}else{quiet=0;spoke=true} if spoke&&quiet==10 {spoke=false; say(&mut s).await;} } }
   })}));
    let l = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/voice", l.local_addr().unwrap());
    let tracker = tokio_util::task::TaskTracker::new();
    tracker.spawn(async move { axum::serve(l, router).await.unwrap() });
    let ids = IdSource::new(Arc::new(SystemClock::new()), [1; 32]);
    let ex = Exchange::new(
        ExchangeOptions { account_sid: "AC0".into(), auth_token: "x".into(), register_at: None },
        reqwest::Client::builder().build().unwrap(),
        ids,
        tracker.clone(),
    );
    let (h, e) = carrying("i would like to see the house with the garden");
    let u = Utterance::carrying(Some("x".into()), &h, &e).unwrap();
    let call = PlannedCall {
        place: PlaceCall::new(
            base.parse().unwrap(),
            "+15125550100".parse().unwrap(),
            "+15125550101".parse().unwrap(),
        ),
        steps: vec![Step::Say(u.clone()), Step::Say(u)],
        options: CallerOptions::default(),
    };
    let before = ProcessUsage::of(std::process::id()).unwrap();
    let out =
        load::run(&ex, LoadPlan { calls: vec![call; n], ramp: Duration::from_millis(20) }, &tracker, |_| {})
            .await;
    let after = ProcessUsage::of(std::process::id()).unwrap();
    let minutes: f64 = out.reports.iter().map(|r| r.duration_ms as f64 / 60000.0).sum();
    println!("{:#?}", Summary::of(&out.reports, None));
    println!("{:?}", out.reports[0].turns);
    println!(
        "cpu per call-minute {:.4} s (both ends); rss {} -> {} KiB/call {}",
        after.since(before).cpu.as_secs_f64() / minutes,
        before.resident_bytes / 1024,
        after.resident_peak_bytes / 1024,
        (after.resident_peak_bytes - before.resident_bytes) / 1024 / n as u64
    );
}
