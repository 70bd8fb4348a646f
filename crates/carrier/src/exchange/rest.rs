//! The REST API: what the platform calls to end or redirect a call, and the register through which one exchange reaches
//! the calls of another process.
//!
//! Source: Twilio, "Call resource: update a call" (`Status=completed`; `Url` and `Method`), error 20404 for a call that is no longer there.

use super::{
    CallSid, Inner, WEBHOOK_TIMEOUT,
    registry::{Reach, Redirection, RegistryFull, Reins},
};
use crate::twiml::{FetchMethod, is_loopback};
use axum::{
    Form, Json, Router,
    extract::{FromRequestParts, Path, State},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use url::Url;

/// Longest request body.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// Announces a call of another process.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Registration {
    /// The call.
    pub(super) call_sid: CallSid,
    /// Base URL of the exchange that runs it; loopback only.
    pub(super) control_url: String,
}

pub(super) fn router(inner: Arc<Inner>) -> Router {
    Router::new()
        .route("/2010-04-01/Accounts/{account}", get(account))
        .route("/2010-04-01/Accounts/{account}/Calls/{call}", post(update_call))
        .route("/carrier/calls", post(register))
        .route("/carrier/calls/{call}", delete(withdraw))
        .layer(axum::extract::DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(inner)
}

/// `base` with these path segments appended.
pub(super) fn at(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    // Only `mailto:` and its like cannot be a base; those fail when they are fetched.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// Proof that the request carries the account's credentials.
struct Account;

impl FromRequestParts<Arc<Inner>> for Account {
    type Rejection = Response;
    async fn from_request_parts(parts: &mut Parts, inner: &Arc<Inner>) -> Result<Self, Response> {
        let expected = format!("{}:{}", inner.options.account_sid, inner.options.auth_token);
        let given = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.strip_prefix("Basic "))
            .and_then(|encoded| base64_simd::STANDARD.decode_to_vec(encoded.as_bytes()).ok());
        if given.as_deref() == Some(expected.as_bytes()) {
            Ok(Self)
        } else {
            Err(problem(StatusCode::UNAUTHORIZED, 20_003, "Authenticate"))
        }
    }
}

/// What a client asks that wants to know whether its credentials are good.
async fn account(_account: Account, State(inner): State<Arc<Inner>>, Path(file): Path<String>) -> Response {
    if file.strip_suffix(".json") != Some(inner.options.account_sid.as_str()) {
        return problem(StatusCode::NOT_FOUND, 20_404, "The requested resource was not found");
    }
    let sid = &inner.options.account_sid;
    Json(json!({"sid": sid, "status": "active", "type": "Full", "friendly_name": "the simulated exchange"}))
        .into_response()
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CallUpdate {
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
}

/// What is to become of a call.
enum Order {
    HangUp,
    Redirect(Redirection),
}

impl CallUpdate {
    /// The order, or Twilio's code and words for one that makes no sense.
    fn order(&self) -> Result<Order, (u32, &'static str)> {
        match (self.status.as_deref(), self.url.as_deref()) {
            (Some("completed"), None) => Ok(Order::HangUp),
            (None, Some(url)) => {
                let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
                let method = match self.method.as_deref() {
                    None | Some("POST") => FetchMethod::Post,
                    Some("GET") => FetchMethod::Get,
                    Some(_) => return Err((21_207, "Method is not GET or POST")),
                };
                let url = url.ok_or((21_205, "Url is not a valid URL"))?;
                Ok(Order::Redirect(Redirection { url, method }))
            }
            (None | Some(_), _) => Err((21_218, "this exchange knows Status=completed or Url, and not both")),
        }
    }
}

async fn update_call(
    _account: Account,
    State(inner): State<Arc<Inner>>,
    Path((account, file)): Path<(String, String)>,
    headers: HeaderMap,
    Form(update): Form<CallUpdate>,
) -> Response {
    let not_found = || {
        let resource =
            format!("The requested resource /2010-04-01/Accounts/{account}/Calls/{file} was not found");
        problem(StatusCode::NOT_FOUND, 20_404, &resource)
    };
    let call_sid = file.strip_suffix(".json").and_then(|sid| sid.parse::<CallSid>().ok());
    let reach = call_sid.as_ref().and_then(|call_sid| inner.registry.find(call_sid));
    let (Some(call_sid), Some(reach), true) = (call_sid, reach, account == inner.options.account_sid) else {
        return not_found();
    };
    let order = match update.order() {
        Ok(order) => order,
        Err((code, message)) => return problem(StatusCode::BAD_REQUEST, code, message),
    };
    match reach {
        Reach::Local(reins) => obey(&reins, order, &account, &call_sid),
        Reach::Remote(control) => forward(&inner, &control, &account, &call_sid, &headers, &update).await,
    }
}

fn obey(reins: &Reins, order: Order, account: &str, call_sid: &CallSid) -> Response {
    let status = match order {
        Order::HangUp => {
            reins.hang_up.cancel();
            "completed"
        }
        Order::Redirect(redirection) => match reins.redirect.try_send(redirection) {
            Ok(()) => "in-progress",
            Err(_) => return problem(StatusCode::TOO_MANY_REQUESTS, 20_429, "too many updates of one call"),
        },
    };
    let call = json!({
        "sid": call_sid, "account_sid": account, "status": status, "api_version": "2010-04-01",
        "direction": "inbound", "uri": format!("/2010-04-01/Accounts/{account}/Calls/{call_sid}.json"),
    });
    Json(call).into_response()
}

/// Hands the request on, as it came, to the exchange that runs the call.
async fn forward(
    inner: &Inner,
    control: &Url,
    account: &str,
    call_sid: &CallSid,
    headers: &HeaderMap,
    update: &CallUpdate,
) -> Response {
    let file = format!("{call_sid}.json");
    let mut request = inner
        .http
        .post(at(control, &["2010-04-01", "Accounts", account, "Calls", &file]))
        .timeout(WEBHOOK_TIMEOUT)
        .form(update);
    if let Some(authorization) = headers.get(header::AUTHORIZATION) {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    let gone = || {
        inner.registry.leave(call_sid);
        problem(StatusCode::NOT_FOUND, 20_404, "the call is no longer there")
    };
    match request.send().await {
        Ok(response) if response.status().is_success() => match response.json::<serde_json::Value>().await {
            Ok(call) => Json(call).into_response(),
            Err(_) => gone(),
        },
        // Its process has ended, or it has: either way the call has.
        Ok(_) | Err(_) => gone(),
    }
}

async fn register(
    _account: Account,
    State(inner): State<Arc<Inner>>,
    Json(registration): Json<Registration>,
) -> Response {
    let control =
        Url::parse(&registration.control_url).ok().filter(|url| url.scheme() == "http" && is_loopback(url));
    let Some(control) = control else {
        return problem(StatusCode::BAD_REQUEST, 21_205, "control_url must be http on loopback");
    };
    match inner.registry.enter_remote(registration.call_sid, control) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(RegistryFull) => {
            problem(StatusCode::SERVICE_UNAVAILABLE, 20_429, "too many calls are registered")
        }
    }
}

async fn withdraw(
    _account: Account,
    State(inner): State<Arc<Inner>>,
    Path(call): Path<CallSid>,
) -> StatusCode {
    inner.registry.leave(&call);
    StatusCode::NO_CONTENT
}

/// An error as Twilio's REST API words it.
fn problem(status: StatusCode, code: u32, message: &str) -> Response {
    let body = json!({
        "code": code, "message": message, "status": status.as_u16(),
        "more_info": format!("https://www.twilio.com/docs/errors/{code}"),
    });
    (status, Json(body)).into_response()
}
