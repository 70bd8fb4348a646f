use super::*;
use crate::fake::{Fake, http_client};

fn client(base_url: Url) -> Twilio {
    let config = TwilioConfig { base_url, account_sid: "AC1".to_owned(), auth_token: "secret".into() };
    Twilio::new(config, http_client())
}

/// What becomes of a hang-up to which the vendor answers this.
async fn answered(response: &str) -> Result<HangUp, Failure> {
    let fake = Fake::start().await;
    let client = client(fake.url());
    tokio::join!(client.hang_up("CA1"), fake.answer(response)).0
}

fn with_body(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn a_call_is_ended_by_setting_its_status() {
    let fake = Fake::start().await;
    let client = client(fake.url());
    let vendor = async {
        let mut peer = fake.accept_http().await;
        let request = peer.request().await;
        peer.send(&with_body("200 OK", r#"{"sid":"CA1","status":"completed"}"#)).await;
        request
    };
    let (result, (head, body)) = tokio::join!(client.hang_up("CA1"), vendor);
    assert_eq!(result, Ok(HangUp::Ended));
    assert!(head.starts_with("POST /2010-04-01/Accounts/AC1/Calls/CA1.json HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("authorization: Basic QUMxOnNlY3JldA=="), "{head}");
    assert!(head.contains("content-type: application/x-www-form-urlencoded"), "{head}");
    assert_eq!(body, "Status=completed");
}

#[tokio::test]
async fn a_call_that_is_over_is_no_failure() {
    let gone = with_body("404 Not Found", r#"{"code":20404,"message":"not found","status":404}"#);
    assert_eq!(answered(&gone).await, Ok(HangUp::AlreadyEnded));
    let over =
        with_body("400 Bad Request", r#"{"code":21220,"message":"Call is not in-progress","status":400}"#);
    assert_eq!(answered(&over).await, Ok(HangUp::AlreadyEnded));
}

#[tokio::test]
async fn every_other_answer_is() {
    let kind = async |response: String| answered(&response).await.unwrap_err().kind;
    assert_eq!(kind(with_body("404 Not Found", "<html>")).await, FailureKind::BadRequest);
    assert_eq!(kind(with_body("400 Bad Request", r#"{"code":20404}"#)).await, FailureKind::BadRequest);
    let credentials = with_body("401 Unauthorized", r#"{"code":20003,"message":"Authenticate"}"#);
    let failure = answered(&credentials).await.unwrap_err();
    assert_eq!(
        (failure.kind, failure.detail.as_str()),
        (FailureKind::Unauthorized, "401 Unauthorized: Authenticate")
    );
    let limited = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n";
    let retry_after = Some(Duration::from_secs(1));
    assert_eq!(kind(limited.to_owned()).await, FailureKind::RateLimited { retry_after });
    assert_eq!(kind("nonsense\r\n\r\n".to_owned()).await, FailureKind::Closed);
    assert_eq!(kind(String::new()).await, FailureKind::Closed);
}

#[tokio::test]
async fn a_vendor_that_is_not_there_is_unreachable() {
    let failure = client(Fake::nowhere().await).hang_up("CA1").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable);
    assert!(!failure.detail.contains("AC1"), "{failure}");
}

#[tokio::test]
async fn a_foreign_call_sid_cannot_leave_its_place_in_the_path() {
    let client = client("https://api.twilio.com".parse().unwrap());
    let url = client.call_url("../../x?y").unwrap();
    assert_eq!(url.path(), "/2010-04-01/Accounts/AC1/Calls/..%2F..%2Fx%3Fy.json");
}

#[tokio::test]
async fn a_call_is_sent_elsewhere_by_setting_its_url() {
    let fake = Fake::start().await;
    let client = client(fake.url());
    let vendor = async {
        let mut peer = fake.accept_http().await;
        let request = peer.request().await;
        peer.send(&with_body("200 OK", r#"{"sid":"CA1","status":"in-progress"}"#)).await;
        request
    };
    let url = "https://voice.example.com/twilio/transfer";
    let (result, (head, body)) = tokio::join!(client.redirect("CA1", url), vendor);
    assert_eq!(result, Ok(()));
    assert!(head.starts_with("POST /2010-04-01/Accounts/AC1/Calls/CA1.json HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("authorization: Basic QUMxOnNlY3JldA=="), "{head}");
    assert_eq!(body, "Url=https%3A%2F%2Fvoice.example.com%2Ftwilio%2Ftransfer&Method=POST");
}

#[tokio::test]
async fn a_call_that_cannot_be_sent_elsewhere_is_a_failure_whatever_the_reason() {
    let redirected = async |response: String| {
        let fake = Fake::start().await;
        let client = client(fake.url());
        let asked = client.redirect("CA1", "https://voice.example.com/twilio/transfer");
        tokio::join!(asked, fake.answer(&response)).0.unwrap_err().kind
    };
    let credentials = with_body("401 Unauthorized", r#"{"code":20003,"message":"Authenticate"}"#);
    assert_eq!(redirected(credentials).await, FailureKind::Unauthorized);
    let gone = with_body("404 Not Found", r#"{"code":20404,"message":"not found","status":404}"#);
    assert_eq!(redirected(gone).await, FailureKind::BadRequest);
    let broken = redirected(with_body("503 Service Unavailable", "")).await;
    assert!(!matches!(broken, FailureKind::BadRequest | FailureKind::Unauthorized), "{broken:?}");
    assert_eq!(redirected(String::new()).await, FailureKind::Closed);
}

#[tokio::test]
async fn the_account_tells_whether_our_credentials_are_good() {
    let fake = Fake::start().await;
    let client = client(fake.url());
    let vendor = async {
        let mut peer = fake.accept_http().await;
        let (head, _) = peer.request().await;
        peer.send(&with_body("200 OK", r#"{"sid":"AC1","status":"active"}"#)).await;
        head
    };
    let (result, head) = tokio::join!(client.probe(), vendor);
    assert_eq!(result, Ok(()));
    assert!(head.starts_with("GET /2010-04-01/Accounts/AC1.json HTTP/1.1\r\n"), "{head}");
    let refused = with_body("401 Unauthorized", r#"{"code":20003,"message":"Authenticate"}"#);
    let (result, ()) = tokio::join!(client.probe(), fake.answer(&refused));
    assert_eq!(result.unwrap_err().kind, FailureKind::Unauthorized);
}
