//! Summaries by mail: composed, enqueued with the change, sent by a worker.

use crate::{
    test_support::turn,
    world::{AUSTIN, Line, MIAMI, World},
};
use async_trait::async_trait;
use seiketsu_brokerage::outbox::{self, Letter, MailFailure, Mailer, Passed, SmtpMailer, Worker};
use seiketsu_domain::{Message, Pii};
use seiketsu_session::Arrival;
use seiketsu_storage::outbox::{self as stored, Mail, MailState};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

/// A mail server that answers what it is told to, and keeps what it takes.
#[derive(Debug, Clone, Default)]
struct Postbox(Arc<Mutex<Desk>>);

#[derive(Debug, Default)]
struct Desk {
    /// What is answered to the next recipients, before all others are accepted.
    refusals: Vec<&'static str>,
    taken: Vec<String>,
}

impl Postbox {
    /// Listens on loopback; the URL it has there.
    async fn open(&self, world: &World) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let postbox = self.clone();
        world.writers.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                postbox.talk(socket).await;
            }
        });
        url
    }

    fn refusing(refusals: &[&'static str]) -> Self {
        Self(Arc::new(Mutex::new(Desk { refusals: refusals.to_vec(), taken: Vec::new() })))
    }

    fn taken(&self) -> Vec<String> {
        self.0.lock().unwrap().taken.clone()
    }

    async fn talk(&self, socket: TcpStream) {
        let (read, mut write) = socket.into_split();
        let mut lines = BufReader::new(read).lines();
        write.write_all(b"220 postbox\r\n").await.unwrap();
        let mut letter: Option<String> = None;
        while let Ok(Some(line)) = lines.next_line().await {
            if let Some(text) = &mut letter {
                if line == "." {
                    self.0.lock().unwrap().taken.push(letter.take().unwrap());
                    write.write_all(b"250 taken\r\n").await.unwrap();
                } else {
                    text.push_str(&line);
                    text.push('\n');
                }
                continue;
            }
            let command = line.split([' ', ':']).next().unwrap().to_uppercase();
            let answer = match command.as_str() {
                "RCPT" => {
                    let mut desk = self.0.lock().unwrap();
                    if desk.refusals.is_empty() { "250 ok" } else { desk.refusals.remove(0) }
                }
                "DATA" => {
                    letter = Some(String::new());
                    "354 go on"
                }
                "QUIT" => "221 bye",
                _ => "250 ok",
            };
            write.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
        }
    }
}

fn worker(world: &World, url: &str) -> Worker {
    let sender = outbox::sender("no-reply@seiketsu.example").unwrap();
    let mailer = SmtpMailer::new(&url.to_owned().into(), sender).unwrap();
    Worker::new(world.db.clone(), Arc::new(mailer), world.clock.clone())
}

/// A call in which a home was looked at and a viewing booked.
async fn fruitful_call(world: &World, brokerage: usize) -> Line {
    let line = world.line(brokerage, Some("+15125550142")).await;
    let found = line.done("search_listings", &json!({"bedrooms": 3, "offer": "sale"})).await;
    let home = &found["listings"][0]["listing"];
    let wish = json!({"listing": home, "day": "2026-11-25", "time": "14:30", "name": "Anna Lee"});
    line.done("book_viewing", &wish).await;
    line
}

async fn mails(world: &World, brokerage: usize) -> Vec<Mail> {
    let mut tx = world.db.tenant(&world.scope(brokerage)).await.unwrap();
    stored::list(&mut tx, None, None, None, 100).await.unwrap()
}

async fn pass(worker: &Worker) -> Passed {
    worker.pass(&CancellationToken::new()).await.unwrap()
}

fn anna(what: &str) -> Value {
    json!({"email": "Anna at Lee dot example", "what": what})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_is_sent_what_was_found_and_booked_in_the_agents_language() {
    let world = World::new().await;
    let postbox = Postbox::default();
    let worker = worker(&world, &postbox.open(&world).await);
    let line = fruitful_call(&world, AUSTIN).await;
    let sent = line.done("send_summary", &anna("the house")).await;
    assert_eq!(sent, json!({"sent_to": "a***@lee.example"}));
    assert_eq!(pass(&worker).await, Passed { sent: 1, ..Passed::default() });
    assert_eq!(pass(&worker).await, Passed::default(), "once is enough");
    let [letter] = &postbox.taken()[..] else { panic!("not one") };
    for part in [
        "To: anna@lee.example",
        "Lone Star Homes",
        "You asked for: the house",
        "November 25 at 2:30 PM",
        "+1 512-555-0101",
    ] {
        assert!(letter.contains(part), "{part} is not in {letter}");
    }
    let [mail] = &mails(&world, AUSTIN).await[..] else { panic!("not one") };
    assert_eq!((mail.state, mail.attempts, mail.sent_at), (MailState::Sent, 1, Some(world.now())));

    let call = world.begin(MIAMI, None, world.replica).await;
    let lucia = world.agent_called(MIAMI, "Lucia").await;
    let line = world.open(MIAMI, call, None, lucia, Arrival::New).await;
    line.done("search_listings", &json!({"bedrooms": 2})).await;
    line.done("send_summary", &json!({"email": "luis@example.com"})).await;
    let mail = mails(&world, MIAMI).await.pop().unwrap();
    assert!(mail.body.expose().contains("Viviendas de las que hablamos"), "{}", mail.body.expose());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_mail_is_sent_once_a_call_sends_three_at_most_and_nothing_is_no_mail() {
    let world = World::new().await;
    let empty = world.line(AUSTIN, None).await;
    let refusal = empty.refused("send_summary", &anna("everything")).await;
    assert!(refusal["error"].as_str().unwrap().starts_with("there is nothing to send yet"), "{refusal}");
    let line = fruitful_call(&world, AUSTIN).await;
    for _ in 0..3 {
        line.done("send_summary", &anna("the house")).await;
    }
    assert_eq!(mails(&world, AUSTIN).await.len(), 1);
    for person in ["b", "c"] {
        line.done("send_summary", &json!({"email": format!("{person}@example.com")})).await;
    }
    line.refused("send_summary", &json!({"email": "d@example.com"})).await;
    line.refused("send_summary", &json!({"email": "not an address"})).await;
    let links = json!({"email": "b@example.com", "what": "win at www.bad.example now"});
    line.done("send_summary", &links).await;
    let all = mails(&world, AUSTIN).await;
    assert_eq!(all.len(), 3);
    assert!(all.iter().all(|mail| !mail.body.expose().contains("bad.example")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_comes_back_still_knows_which_homes_to_write_of() {
    let world = World::new().await;
    let line = world.line(AUSTIN, None).await;
    let arguments = json!({"area": "12 Maple Street"});
    let found = line.done("search_listings", &arguments).await;
    let mut told = turn(0);
    told.messages = vec![
        Message::ToolRequest {
            request: "r".to_owned(),
            name: "search_listings".to_owned(),
            arguments: Pii::new(arguments.to_string()),
        },
        Message::ToolResult { request: "r".to_owned(), content: Pii::new(found.to_string()) },
    ];
    line.desk.store.commit_turn(&told).await.unwrap();
    let back = world.back(AUSTIN, line.call_id, None).await;
    back.done("send_summary", &anna("that house")).await;
    let mail = mails(&world, AUSTIN).await.pop().unwrap();
    assert!(mail.body.expose().contains("- 12 Maple Street, Hyde Park"), "{}", mail.body.expose());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_server_that_is_busy_gets_the_mail_later_and_one_that_refuses_makes_a_dead_letter() {
    let world = World::new().await;
    let postbox = Postbox::refusing(&["451 anna@lee.example: try later", "550 anna@lee.example: unknown"]);
    let worker = worker(&world, &postbox.open(&world).await);
    let line = fruitful_call(&world, AUSTIN).await;
    line.done("send_summary", &anna("the house")).await;
    assert_eq!(pass(&worker).await, Passed { retried: 1, ..Passed::default() });
    let waiting = mails(&world, AUSTIN).await.pop().unwrap();
    assert_eq!(
        (waiting.state, waiting.last_error.as_deref()),
        (MailState::Queued, Some("the mail server answered 451"))
    );
    assert_eq!(pass(&worker).await, Passed::default(), "not before its time");
    world.clock.advance(Duration::from_secs(31));
    assert_eq!(pass(&worker).await, Passed { dead: 1, ..Passed::default() });
    let dead = mails(&world, AUSTIN).await.pop().unwrap();
    assert_eq!((dead.state, dead.due_at, dead.attempts), (MailState::Dead, None, 2));
    assert_eq!(dead.last_error.as_deref(), Some("the mail server answered 550"));
    world.clock.advance(Duration::from_hours(24));
    assert_eq!(pass(&worker).await, Passed::default());
    assert!(postbox.taken().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_mail_server_a_mail_is_tried_for_half_a_day_and_then_given_up() {
    let world = World::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    drop(listener);
    let worker = worker(&world, &url);
    let line = fruitful_call(&world, AUSTIN).await;
    line.done("send_summary", &anna("the house")).await;
    for attempt in 1..outbox::MAX_ATTEMPTS {
        assert_eq!(pass(&worker).await, Passed { retried: 1, ..Passed::default() }, "{attempt}");
        world.clock.advance(Duration::from_hours(9));
    }
    assert_eq!(pass(&worker).await, Passed { dead: 1, ..Passed::default() });
}

/// Takes every letter, and remembers how often.
#[derive(Debug, Default)]
struct Counting(Mutex<Vec<Letter>>);

#[async_trait]
impl Mailer for Counting {
    async fn send(&self, letter: &Letter) -> Result<(), MailFailure> {
        self.0.lock().unwrap().push(letter.clone());
        tokio::task::yield_now().await;
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_workers_one_sends_each_mail_and_a_lost_claim_ends_by_itself() {
    let world = World::new().await;
    for brokerage in [AUSTIN, MIAMI] {
        for _ in 0..3 {
            fruitful_on_another_day(&world, brokerage).await;
        }
    }
    // A worker that died while sending.
    let mut tx = world.db.tenant(&world.scope(AUSTIN)).await.unwrap();
    let until = world.now() + outbox::CLAIM;
    let claimed = stored::claim(&mut tx, world.now(), until, 1).await.unwrap();
    assert_eq!(claimed.len(), 1);
    tx.commit().await.unwrap();
    let mailer = Arc::new(Counting::default());
    let mut workers = Vec::new();
    for _ in 0..4 {
        let worker = Worker::new(world.db.clone(), mailer.clone(), world.clock.clone());
        workers.push(world.writers.spawn(async move { pass(&worker).await.sent }));
    }
    let mut sent = 0;
    for worker in workers {
        sent += worker.await.unwrap();
    }
    let late = Worker::new(world.db.clone(), mailer.clone(), world.clock.clone());
    // A mail that somebody was just claiming is passed over, and belongs to the next look.
    sent += pass(&late).await.sent;
    assert_eq!((sent, mailer.0.lock().unwrap().len()), (5, 5));
    world.clock.advance(outbox::CLAIM.unsigned_abs());
    assert_eq!(pass(&late).await.sent, 1);
    let ids: std::collections::BTreeSet<_> =
        mailer.0.lock().unwrap().iter().map(|letter| letter.mail().id).collect();
    assert_eq!(ids.len(), 6);
}

async fn fruitful_on_another_day(world: &World, brokerage: usize) {
    let line = world.line(brokerage, None).await;
    line.done("search_listings", &json!({"bedrooms": 3})).await;
    line.done("send_summary", &json!({"email": "anna@lee.example"})).await;
}
