//! Callers who are put through to a person, and what becomes of them.

use crate::world::{AUTH_TOKEN, Answer, PUBLIC_URL, World, form};
use seiketsu_domain::{CallId, CallTime, EndReason, TurnOutcome, TurnRecord};
use seiketsu_session::{Arrival, twilio_signature};
use seiketsu_storage::{
    calls,
    transfers::{self, NewTransfer, TransferState},
    turns, usage,
};
use std::time::Duration;

const SID: &str = "CA0123456789abcdef0123456789abcdef";
/// The person's own call.
const PERSON: &str = "CAfedcba9876543210fedcba9876543210";
const DESK: &str = "+15125550123";

/// A call whose agent has arranged a transfer and handed it over.
struct PutThrough {
    world: World,
    call: CallId,
}

impl PutThrough {
    async fn new() -> Self {
        // Boxed: a world is large, and every test here begins with one.
        let world = Box::pin(World::new()).await;
        world.ring(SID, world.a.number.as_str()).await.token();
        let call = world.calls_of(&world.a).await[0].id;
        let this = Self { world, call };
        this.arrange().await;
        this.hand_over().await;
        this
    }

    async fn arrange(&self) {
        let mut tenant = self.world.db().tenant(&self.world.a.scope).await.unwrap();
        let new = NewTransfer {
            id: self.world.ids.next(),
            call_id: self.call,
            to_name: "Sales & Rentals".to_owned(),
            to_number: DESK.parse().unwrap(),
            summary: "Jordan Lee asks for a condo.".to_owned().into(),
            at: self.world.base.now(),
        };
        transfers::arrange(&mut tenant, &new).await.unwrap();
        tenant.commit().await.unwrap();
    }

    async fn hand_over(&self) {
        let mut tenant = self.world.db().tenant(&self.world.a.scope).await.unwrap();
        assert!(calls::hand_over(&mut tenant, self.call, self.world.base.now()).await.unwrap());
        tenant.commit().await.unwrap();
    }

    async fn transfer(&self) -> Answer {
        self.world.twilio("/twilio/transfer", &[("CallSid", SID), ("CallStatus", "in-progress")]).await
    }

    /// A request from the person's end.
    async fn person(&self, path: &str) -> Answer {
        let parameters =
            [("CallSid", PERSON), ("ParentCallSid", SID), ("CallStatus", "in-progress"), ("Digits", "1")];
        self.world.twilio(&format!("{path}?call={SID}"), &parameters).await
    }

    async fn transferred(&self, dial_status: &str, call_status: &str) -> Answer {
        let parameters = [
            ("CallSid", SID),
            ("CallStatus", call_status),
            ("DialCallStatus", dial_status),
            ("DialCallSid", PERSON),
        ];
        self.world.twilio("/twilio/transferred", &parameters).await
    }

    async fn state(&self) -> TransferState {
        let mut tenant = self.world.db().tenant(&self.world.a.scope).await.unwrap();
        transfers::latest(&mut tenant, self.call).await.unwrap().unwrap().state
    }

    /// How the call ended, and how many usage records it left.
    async fn ended(&self) -> (Option<EndReason>, usize) {
        let call = self.world.calls_of(&self.world.a).await.remove(0);
        let mut tenant = self.world.db().tenant(&self.world.a.scope).await.unwrap();
        let usage = usage::of_call(&mut tenant, self.call).await.unwrap();
        (call.ended.map(|end| end.reason), usize::from(usage.is_some()))
    }

    /// Connects with the token of an answer; how the call then comes to its session.
    async fn arrival(&mut self, answer: &Answer) -> Arrival {
        let mut socket = self.world.socket().await;
        socket.start(SID, "MZ2", &answer.token()).await;
        let (begin, _door) = self.world.answered().await;
        assert_eq!(begin.open.call_id, self.call);
        begin.open.arrival
    }
}

#[tokio::test]
async fn a_person_who_presses_a_key_is_connected_and_the_call_ends_as_transferred() {
    let put = PutThrough::new().await;
    let verbs = put.transfer().await.verbs().to_owned();
    let number = put.world.a.number.as_str();
    assert!(verbs.contains(&format!(">{DESK}</Number>")), "{verbs}");
    assert!(
        verbs.contains(&format!("callerId=\"{number}\"")),
        "they see the number that was called: {verbs}"
    );
    assert!(verbs.contains(&format!("url=\"{PUBLIC_URL}/twilio/whisper?call={SID}\"")), "{verbs}");
    assert_eq!(put.transfer().await.verbs(), verbs, "asked again");
    assert_eq!(put.state().await, TransferState::Dialling);

    let whisper = put.person("/twilio/whisper").await.verbs().to_owned();
    assert!(whisper.contains("A caller for Sales &amp; Rentals. Jordan Lee asks for a condo."), "{whisper}");
    assert!(whisper.ends_with("</Gather><Hangup/>"), "without a key nobody is connected: {whisper}");
    assert_eq!(put.state().await, TransferState::Dialling);

    assert_eq!(put.person("/twilio/accept").await.verbs(), "", "an empty document connects the two");
    assert_eq!(put.person("/twilio/accept").await.verbs(), "", "asked again");
    assert_eq!(put.state().await, TransferState::Answered);
    assert_eq!(put.ended().await, (None, 0), "they are talking");

    put.world.clock.advance(Duration::from_mins(5));
    assert_eq!(put.transferred("completed", "in-progress").await.verbs(), "<Hangup/>");
    assert_eq!(put.ended().await, (Some(EndReason::Transferred), 1));
    let call = put.world.calls_of(&put.world.a).await.remove(0);
    let lasted = call.ended.unwrap().at.duration_since(call.started_at).as_secs();
    assert!(lasted >= 300, "the talk counts: {lasted} s");
    assert_eq!(put.transferred("completed", "in-progress").await.verbs(), "<Hangup/>", "asked again");
    assert_eq!(put.ended().await, (Some(EndReason::Transferred), 1));
}

#[tokio::test]
async fn a_person_who_does_not_take_the_call_sends_the_caller_back_to_the_agent() {
    // Busy, away, no such number; and picked up without a key, which Twilio calls completed.
    for status in ["busy", "no-answer", "failed", "completed", "canceled"] {
        let mut put = PutThrough::new().await;
        put.transfer().await;
        if status == "completed" {
            put.person("/twilio/whisper").await;
        }
        let answer = put.transferred(status, "in-progress").await;
        assert!(answer.verbs().starts_with("<Connect>"), "{status}: {}", answer.body);
        assert_eq!(put.state().await, TransferState::NotAnswered, "{status}");
        assert_eq!(put.ended().await, (None, 0), "{status}: the call goes on");
        assert_eq!(put.arrival(&answer).await, Arrival::NotPutThrough, "{status}");
        assert!(
            put.world.calls_of(&put.world.a).await[0].handed_over_at.is_none(),
            "{status}: it is ours again"
        );
        assert_eq!(put.person("/twilio/accept").await.verbs(), "<Hangup/>", "{status}: a key comes too late");
    }
}

#[tokio::test]
async fn a_caller_who_hangs_up_while_it_rings_is_on_record_as_having_hung_up() {
    let put = PutThrough::new().await;
    put.transfer().await;
    let completed = [("CallSid", SID), ("CallStatus", "completed")];
    assert_eq!(put.world.twilio("/twilio/status", &completed).await.verbs(), "");
    assert_eq!(put.ended().await, (Some(EndReason::CallerHungUp), 1), "at once: nobody else holds it");
    assert_eq!(put.state().await, TransferState::Abandoned);
    assert_eq!(
        put.person("/twilio/whisper").await.verbs(),
        "<Hangup/>",
        "nobody is told of a caller who is gone"
    );
    assert_eq!(put.person("/twilio/accept").await.verbs(), "<Hangup/>");
    assert_eq!(put.transferred("canceled", "completed").await.verbs(), "<Hangup/>");
    assert_eq!(put.ended().await, (Some(EndReason::CallerHungUp), 1));
}

#[tokio::test]
async fn a_caller_who_hangs_up_on_the_person_leaves_a_transferred_call_whichever_request_comes_first() {
    for status_first in [true, false] {
        let put = PutThrough::new().await;
        put.transfer().await;
        put.person("/twilio/accept").await;
        let completed = [("CallSid", SID), ("CallStatus", "completed")];
        if status_first {
            put.world.twilio("/twilio/status", &completed).await;
        }
        assert_eq!(put.transferred("completed", "completed").await.verbs(), "<Hangup/>");
        put.world.twilio("/twilio/status", &completed).await;
        assert_eq!(put.ended().await, (Some(EndReason::Transferred), 1), "status first: {status_first}");
        assert_eq!(put.state().await, TransferState::Answered);
    }
}

#[tokio::test]
async fn a_transfer_that_twilio_was_never_told_of_comes_back_to_an_agent_who_knows() {
    // The REST request was refused: the session closes its socket, and Twilio goes on with the document it has.
    let mut put = PutThrough::new().await;
    let parameters = [("CallSid", SID), ("CallStatus", "in-progress")];
    let answer = put.world.twilio("/twilio/after?attempt=1", &parameters).await;
    assert!(answer.verbs().contains("after?attempt=2<"), "{}", answer.body);
    assert_eq!(put.state().await, TransferState::NotAnswered);
    assert_eq!(put.arrival(&answer).await, Arrival::NotPutThrough);
    // Was it told after all, and only the answer lost, there is nobody to ring any more: the caller is with the agent.
    let late = put.transfer().await;
    assert!(late.verbs().starts_with("<Connect>"), "{}", late.body);
}

#[tokio::test]
async fn a_caller_may_be_put_through_again_after_nobody_took_the_call() {
    let mut put = PutThrough::new().await;
    put.transfer().await;
    let back = put.transferred("no-answer", "in-progress").await;
    put.arrival(&back).await;
    put.arrange().await;
    put.hand_over().await;
    assert!(put.transfer().await.verbs().contains(DESK));
    put.person("/twilio/accept").await;
    put.transferred("completed", "in-progress").await;
    assert_eq!(put.ended().await, (Some(EndReason::Transferred), 1));
    let mut tenant = put.world.db().tenant(&put.world.a.scope).await.unwrap();
    let states: Vec<_> = transfers::list(&mut tenant, Some(put.call), None, 10)
        .await
        .unwrap()
        .into_iter()
        .map(|transfer| transfer.state)
        .collect();
    assert_eq!(states, [TransferState::Answered, TransferState::NotAnswered]);
}

#[tokio::test]
async fn nobody_is_rung_for_a_call_that_is_over_unknown_or_of_another_number() {
    let put = PutThrough::new().await;
    let gone = [("CallSid", SID), ("CallStatus", "completed")];
    assert_eq!(put.world.twilio("/twilio/transfer", &gone).await.verbs(), "<Hangup/>");
    let unknown = [("CallSid", PERSON), ("CallStatus", "in-progress")];
    assert_eq!(put.world.twilio("/twilio/transfer", &unknown).await.verbs(), "<Hangup/>");
    assert_eq!(put.world.twilio("/twilio/transferred", &unknown).await.verbs(), "<Hangup/>");
    let foreign = format!("/twilio/whisper?call={PERSON}");
    assert_eq!(put.world.twilio(&foreign, &[("CallSid", PERSON)]).await.verbs(), "<Hangup/>");
    assert_eq!(put.state().await, TransferState::Arranged);
}

#[tokio::test]
async fn transfer_webhooks_are_signed_for_their_whole_url_and_well_formed_or_refused() {
    let put = PutThrough::new().await;
    let parameters = [("CallSid", SID), ("CallStatus", "in-progress")];
    let whisper = format!("/twilio/whisper?call={SID}");
    let accept = format!("/twilio/accept?call={SID}");
    for path in ["/twilio/transfer", &whisper, &accept, "/twilio/transferred"] {
        assert_eq!(
            put.world.send(form(path, &parameters, None)).await.problem(),
            (403, "bad-signature".into()),
            "{path}"
        );
    }
    // Signed for one call and sent for another.
    let signature = twilio_signature::sign(AUTH_TOKEN, &format!("{PUBLIC_URL}{accept}"), &parameters);
    let request = form(&format!("/twilio/accept?call={PERSON}"), &parameters, Some(&signature));
    assert_eq!(put.world.send(request).await.problem(), (403, "bad-signature".into()));
    assert_eq!(put.world.twilio("/twilio/whisper", &parameters).await.problem(), (400, "bad-query".into()));
    assert_eq!(put.world.twilio("/twilio/accept?call=a%20b", &parameters).await.problem().0, 400);
    assert_eq!(
        put.world.twilio("/twilio/transfer", &[("To", "x")]).await.problem(),
        (400, "bad-body".into())
    );
    assert_eq!(put.state().await, TransferState::Arranged, "nothing has happened");
}

#[tokio::test]
async fn without_a_database_the_caller_hears_an_apology_and_two_who_wait_are_connected() {
    let put = PutThrough::new().await;
    put.transfer().await;
    put.world.db().close().await;
    assert!(put.transfer().await.verbs().starts_with("<Say>We are sorry"));
    assert!(put.transferred("busy", "in-progress").await.verbs().starts_with("<Say>We are sorry"));
    assert_eq!(put.person("/twilio/whisper").await.verbs(), "<Hangup/>", "nobody knows what to tell them");
    assert_eq!(put.person("/twilio/accept").await.verbs(), "", "they have heard it and pressed a key");
}

#[tokio::test]
async fn the_first_webhook_delivered_again_after_something_was_said_goes_on_with_the_history() {
    let mut world = World::new().await;
    let number = world.a.number.to_string();
    world.ring(SID, &number).await.token();
    let call = world.calls_of(&world.a).await[0].id;
    let mut tenant = world.db().tenant(&world.a.scope).await.unwrap();
    let greeting = TurnRecord {
        number: 0,
        caller_text: String::new().into(),
        generated_text: "Hello.".to_owned().into(),
        heard_text: "Hello.".to_owned().into(),
        acknowledgement: None,
        started_at: CallTime::ZERO,
        finished_at: CallTime::from_millis(900),
        outcome: TurnOutcome::Answered,
        timeline: seiketsu_domain::Timeline::default(),
        tools: Vec::new(),
        messages: Vec::new(),
        usage: seiketsu_domain::Usage::default(),
    };
    turns::commit_turn(&mut tenant, call, &greeting).await.unwrap();
    tenant.commit().await.unwrap();
    let again = world.ring(SID, &number).await.token();
    let mut socket = world.socket().await;
    socket.start(SID, "MZ2", &again).await;
    let (begin, _door) = world.answered().await;
    assert_eq!((begin.open.call_id, begin.open.arrival), (call, Arrival::Cut));
}
