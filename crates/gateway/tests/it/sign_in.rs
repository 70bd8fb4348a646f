//! Members sign in at the console, and out.

use crate::world::{Answer, PUBLIC_URL, World, send};
use axum::body::Body;
use http::{
    Method, Request,
    header::{CONTENT_TYPE, COOKIE, ORIGIN, SET_COOKIE},
};
use seiketsu_domain::{Clock, MemberId, Pii};
use seiketsu_gateway::{
    Gateway, Startup,
    v1::{Page, calls::CallView, session::MemberView, session::SessionView},
};
use seiketsu_storage::members::{self, Member, Role};
use seiketsu_testkit::Persona;
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse battery";

/// A browser at a gateway: its origin and its cookie.
struct Browser<'a> {
    gateway: &'a Gateway,
    origin: Option<&'a str>,
    cookie: Option<String>,
}

impl<'a> Browser<'a> {
    fn at(gateway: &'a Gateway) -> Self {
        Self { gateway, origin: Some(PUBLIC_URL), cookie: None }
    }

    async fn ask(&mut self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request =
            Request::builder().method(method).uri(path).header(CONTENT_TYPE, "application/json");
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        if let Some(origin) = self.origin {
            request = request.header(ORIGIN, origin);
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let answer = send(self.gateway.router(), request.body(body).unwrap()).await;
        if let Some(set) = answer.headers.get(SET_COOKIE) {
            let pair = set.to_str().unwrap().split(';').next().unwrap().to_owned();
            self.cookie = (!pair.ends_with('=')).then_some(pair);
        }
        answer
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.ask(Method::GET, path, None).await
    }

    async fn sign_in(&mut self, tenant: &str, email: &str, password: &str) -> Answer {
        let body = json!({"tenant": tenant, "email": email, "password": password});
        self.ask(Method::POST, "/v1/session", Some(body)).await
    }
}

async fn member(world: &World, persona: &Persona, email: &str, role: Role) -> MemberId {
    let id = world.ids.next();
    let member = Member {
        id,
        email: Pii::new(email.into()),
        name: Pii::new("Anna Lee".into()),
        role,
        created_at: world.clock.now(),
    };
    let mut tx = world.base.tenant(persona).await;
    members::insert(&mut tx, &member).await.unwrap();
    tx.commit().await.unwrap();
    id
}

/// Gives a member a password, as the operator's command line does.
async fn password(world: &World, tenant: &str, member: MemberId, password: &str) -> Answer {
    let key = world.operator().await;
    let request = Request::put(format!("/v1/tenants/{tenant}/members/{member}/password"))
        .header("authorization", format!("Bearer {}", key.expose()))
        .header(CONTENT_TYPE, "application/json");
    let body = json!({"password": password}).to_string();
    world.send(request.body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn a_member_signs_in_sees_their_own_and_signs_out() {
    let world = World::new().await;
    let (ours, theirs) = (world.base.call(&world.a).await, world.base.call(&world.b).await);
    let anna = member(&world, &world.a, "anna@homes.example", Role::Staff).await;
    assert_eq!(password(&world, "anna-homes", anna, PASSWORD).await.status, 204);
    let mut browser = Browser::at(&world.gateway);
    let nobody: SessionView = browser.get("/v1/session").await.json();
    assert_eq!((nobody.identity, nobody.demo.len()), (None, 0));

    let signed_in = browser.sign_in("anna-homes", "Anna@Homes.example", PASSWORD).await;
    assert_eq!(signed_in.status, 201, "{}", signed_in.body);
    let set = signed_in.headers[SET_COOKIE].to_str().unwrap();
    assert!(set.starts_with("__Host-seiketsu=") && set.contains("; Secure"), "{set}");
    let session: SessionView = browser.get("/v1/session").await.json();
    let identity = session.identity.unwrap();
    assert_eq!((identity.member.id, identity.tenant.slug.as_str()), (anna, "anna-homes"));

    let calls: Page<CallView> = browser.get("/v1/calls").await.json();
    assert_eq!(calls.items.iter().map(|call| call.id).collect::<Vec<_>>(), [ours]);
    assert_eq!(browser.get(&format!("/v1/calls/{ours}")).await.status, 200);
    // Somebody else's call, a call that never was and what is no id are the same.
    let foreign = browser.get(&format!("/v1/calls/{theirs}")).await;
    let random = browser.get(&format!("/v1/calls/{}", world.ids.next::<seiketsu_domain::CallId>())).await;
    assert_eq!(foreign.problem(), (404, "not-found".into()));
    assert_eq!(foreign.comparable(), random.comparable());
    let other = browser.get("/v1/calls?tenant=boris-realty").await;
    assert_eq!(other.comparable(), browser.get("/v1/calls?tenant=nobody").await.comparable());
    assert_eq!(browser.get("/v1/tenants").await.problem(), (403, "not-allowed".into()));

    let cookie = browser.cookie.clone();
    assert_eq!(browser.ask(Method::DELETE, "/v1/session", None).await.status, 204);
    assert_eq!(browser.cookie, None);
    browser.cookie = cookie;
    assert_eq!(
        browser.get("/v1/calls").await.problem(),
        (401, "signed-out".into()),
        "the server forgot it too"
    );
}

#[tokio::test]
async fn a_cookie_of_nobody_one_that_has_expired_and_one_of_a_changed_password_open_nothing() {
    let world = World::new().await;
    let anna = member(&world, &world.a, "anna@homes.example", Role::Admin).await;
    password(&world, "anna-homes", anna, PASSWORD).await;
    let mut browser = Browser::at(&world.gateway);
    browser.cookie = Some(format!("__Host-seiketsu={}", "A".repeat(43)));
    assert_eq!(browser.get("/v1/calls").await.problem(), (401, "signed-out".into()));

    browser.sign_in("anna-homes", "anna@homes.example", PASSWORD).await;
    world.clock.advance(std::time::Duration::from_hours(12) - std::time::Duration::from_secs(1));
    assert_eq!(browser.get("/v1/calls").await.status, 200);
    world.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(browser.get("/v1/calls").await.problem(), (401, "signed-out".into()));
    let session: SessionView = browser.get("/v1/session").await.json();
    assert_eq!(session.identity, None);

    browser.sign_in("anna-homes", "anna@homes.example", PASSWORD).await;
    assert_eq!(browser.get("/v1/calls").await.status, 200);
    assert_eq!(password(&world, "anna-homes", anna, "another long one").await.status, 204);
    assert_eq!(browser.get("/v1/calls").await.problem(), (401, "signed-out".into()));
}

#[tokio::test]
async fn another_page_cannot_sign_anybody_in_or_out_or_change_anything_with_their_cookie() {
    let world = World::new().await;
    let anna = member(&world, &world.a, "anna@homes.example", Role::Admin).await;
    password(&world, "anna-homes", anna, PASSWORD).await;
    let mut browser = Browser::at(&world.gateway);
    let wrong = (403, "wrong-origin".to_owned());
    for origin in [None, Some("https://evil.example"), Some("null")] {
        browser.origin = origin;
        assert_eq!(browser.sign_in("anna-homes", "anna@homes.example", PASSWORD).await.problem(), wrong);
    }
    browser.origin = Some(PUBLIC_URL);
    browser.sign_in("anna-homes", "anna@homes.example", PASSWORD).await;
    for origin in [None, Some("https://evil.example")] {
        browser.origin = origin;
        let words = json!({"text": "hello"});
        assert_eq!(browser.ask(Method::POST, "/v1/speech", Some(words)).await.problem(), wrong);
        assert_eq!(browser.ask(Method::DELETE, "/v1/session", None).await.problem(), wrong);
        let secret = json!({"session": {"type": "realtime", "model": "Ava"}});
        assert_eq!(
            browser.ask(Method::POST, "/v1/realtime/client_secrets", Some(secret)).await.problem(),
            wrong
        );
    }
    browser.origin = None;
    assert_eq!(browser.get("/v1/calls").await.status, 200, "reading is no change");
    // A socket is one, and browsers let any page try.
    let cookie = browser.cookie.clone().unwrap();
    let agent = format!("agent={}", world.a.agent.id);
    for headers in
        [vec![("cookie", &*cookie)], vec![("cookie", &*cookie), ("origin", "https://evil.example")]]
    {
        let refused = world.try_realtime(&agent, &headers).await.err().unwrap();
        assert_eq!(refused, 403);
    }
    let ours = [("cookie", &*cookie), ("origin", PUBLIC_URL)];
    assert!(world.try_realtime(&agent, &ours).await.is_ok());
    let foreign = format!("agent={}", world.b.agent.id);
    assert_eq!(world.try_realtime(&foreign, &ours).await.err().unwrap(), 404);
}

#[tokio::test]
async fn wrong_passwords_are_all_the_same_answer_and_ten_of_them_are_enough() {
    let world = World::new().await;
    let anna = member(&world, &world.a, "anna@homes.example", Role::Admin).await;
    member(&world, &world.a, "new@homes.example", Role::Admin).await;
    password(&world, "anna-homes", anna, PASSWORD).await;
    let mut browser = Browser::at(&world.gateway);
    let long = "x".repeat(10_000);
    for (tenant, email, password) in [
        ("nobody", "anna@homes.example", PASSWORD),
        ("boris-realty", "anna@homes.example", PASSWORD),
        ("anna-homes", "nobody@homes.example", PASSWORD),
        ("anna-homes", "new@homes.example", ""),
        ("anna-homes", "anna@homes.example", "wrong"),
        ("anna-homes", "anna@homes.example", &long),
        ("anna-homes", "a\0b", "\0"),
    ] {
        let answer = browser.sign_in(tenant, email, password).await;
        assert_eq!(answer.problem(), (401, "wrong-password".into()), "{tenant} {email}");
        assert!(answer.headers.get(SET_COOKIE).is_none());
    }
    for _ in 0..9 {
        browser.sign_in("anna-homes", "anna@homes.example", "wrong").await;
    }
    let closed = browser.sign_in("anna-homes", "anna@homes.example", PASSWORD).await;
    assert_eq!(closed.problem(), (429, "too-many-attempts".into()));
    assert_eq!(closed.headers["retry-after"], "901");
    world.clock.advance(std::time::Duration::from_mins(15));
    assert_eq!(browser.sign_in("anna-homes", "anna@homes.example", PASSWORD).await.status, 201);
    for bad in
        [json!({}), json!([]), json!({"demo": 1}), json!({"tenant": "a"}), json!({"demo": "a", "x": 1})]
    {
        assert_eq!(
            browser.ask(Method::POST, "/v1/session", Some(bad)).await.problem(),
            (400, "bad-body".into())
        );
    }
    // Anna's short password was refused.
    assert_eq!(password(&world, "anna-homes", anna, "short").await.problem(), (400, "bad-body".into()));
    let nobody = world.ids.next();
    assert_eq!(password(&world, "anna-homes", nobody, PASSWORD).await.problem(), (404, "not-found".into()));
    assert_eq!(password(&world, "boris-realty", anna, PASSWORD).await.problem(), (404, "not-found".into()));
}

#[tokio::test]
async fn a_demo_member_is_one_click_away_on_ones_own_machine_and_nowhere_else() {
    let world = World::new().await;
    member(&world, &world.a, "anna@homes.example", Role::Admin).await;
    member(&world, &world.b, "vera@realty.example", Role::Viewer).await;
    let demo = Some(json!({"demo": "anna-homes"}));
    let mut public = Browser::at(&world.gateway);
    let refused = public.ask(Method::POST, "/v1/session", demo.clone()).await;
    assert_eq!(refused.problem(), (403, "no-demo".into()));

    let local = world.gateway_with("http://localhost:8080", Startup::default());
    let mut browser = Browser { origin: Some("http://127.0.0.1:8080"), ..Browser::at(&local) };
    let offers: SessionView = browser.get("/v1/session").await.json();
    let offered: Vec<&str> = offers.demo.iter().map(|demo| demo.tenant.as_str()).collect();
    assert_eq!(offered, ["anna-homes"], "Boris has no admin");
    assert_eq!(browser.ask(Method::POST, "/v1/session", demo).await.status, 201);
    assert!(browser.cookie.as_ref().unwrap().starts_with("seiketsu-8080="));
    assert_eq!(browser.get("/v1/agents").await.status, 200);
    let none = browser.ask(Method::POST, "/v1/session", Some(json!({"demo": "boris-realty"}))).await;
    assert_eq!(none.problem(), (404, "not-found".into()));
}

#[tokio::test]
async fn who_may_only_look_cannot_call_and_the_operator_lists_the_members() {
    let world = World::new().await;
    let vera = member(&world, &world.a, "vera@homes.example", Role::Viewer).await;
    password(&world, "anna-homes", vera, PASSWORD).await;
    let mut browser = Browser::at(&world.gateway);
    browser.sign_in("anna-homes", "vera@homes.example", PASSWORD).await;
    assert_eq!(browser.get("/v1/leads").await.status, 200);
    let not_allowed = (403, "not-allowed".to_owned());
    let spoken = browser.ask(Method::POST, "/v1/speech", Some(json!({"text": "hello"}))).await;
    assert_eq!(spoken.problem(), not_allowed);
    let cookie = browser.cookie.clone().unwrap();
    let agent = format!("agent={}", world.a.agent.id);
    let socket = world.try_realtime(&agent, &[("cookie", &*cookie), ("origin", PUBLIC_URL)]).await;
    assert_eq!(socket.err().unwrap(), 403);
    let key = world.operator().await;
    let listed: Page<MemberView> = world.get("/v1/tenants/anna-homes/members", Some(&key)).await.json();
    assert!(listed.items.iter().any(|member| member.id == vera && member.role == Role::Viewer));
}
