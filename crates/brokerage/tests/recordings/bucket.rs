//! As much of S3's REST API as recordings need: objects in memory behind PUT, GET, list and bulk delete.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html>

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Query, State},
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use seiketsu_brokerage::recording::BucketAccess;
use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{Arc, Mutex, atomic::AtomicBool, atomic::Ordering},
};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

pub(crate) const BUCKET: &str = "calls";

#[derive(Debug, Default)]
struct Shelf {
    objects: Mutex<BTreeMap<String, Bytes>>,
    broken: AtomicBool,
    /// Requests that came since it hangs; none while it does not.
    hanging: watch::Sender<Option<u32>>,
}

/// A service with one bucket, gone when it is dropped.
pub(crate) struct Bucket {
    shelf: Arc<Shelf>,
    pub(crate) access: BucketAccess,
    _server: JoinSet<()>,
}

impl Bucket {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let access = BucketAccess {
            endpoint: format!("http://{}", listener.local_addr().unwrap()),
            region: "eu-central-1".to_owned(),
            access_key_id: "AKIATEST".to_owned(),
            secret_access_key: "not a secret".to_owned().into(),
        };
        let shelf = Arc::new(Shelf::default());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shelf));
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { shelf, access, _server: server }
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.shelf.objects.lock().unwrap().keys().cloned().collect()
    }

    pub(crate) fn object(&self, key: &str) -> Bytes {
        self.shelf.objects.lock().unwrap()[key].clone()
    }

    /// From now on it refuses everything for good.
    pub(crate) fn breaks(&self) {
        self.shelf.broken.store(true, Ordering::SeqCst);
    }

    /// It is as it was.
    pub(crate) fn works(&self) {
        self.shelf.broken.store(false, Ordering::SeqCst);
    }

    /// From now on it takes requests and answers none.
    pub(crate) fn hangs(&self) {
        self.shelf.hanging.send_replace(Some(0));
    }

    /// It hangs, and somebody has asked it for something.
    pub(crate) async fn is_asked_in_vain(&self) {
        let mut hanging = self.shelf.hanging.subscribe();
        hanging.wait_for(|asked| asked.is_some_and(|times| times > 0)).await.unwrap();
    }
}

async fn answer(
    State(shelf): State<Arc<Shelf>>,
    method: Method,
    uri: Uri,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let signed = headers
        .get("authorization")
        .is_some_and(|value| value.to_str().unwrap().starts_with("AWS4-HMAC-SHA256 Credential=AKIATEST/"));
    if !signed || shelf.broken.load(Ordering::SeqCst) {
        return StatusCode::FORBIDDEN.into_response();
    }
    if shelf.hanging.borrow().is_some() {
        shelf.hanging.send_modify(|asked| *asked = asked.map(|times| times + 1));
        std::future::pending::<()>().await;
    }
    let path = uri.path().trim_start_matches('/');
    let key = path.strip_prefix(BUCKET).expect("the bucket's own paths").trim_start_matches('/').to_owned();
    let mut objects = shelf.objects.lock().unwrap();
    if method == Method::PUT {
        objects.insert(key, body);
        return ([("etag", "\"1\"")], Body::empty()).into_response();
    }
    if method == Method::POST && query.contains_key("delete") {
        return xml(&delete(&mut objects, std::str::from_utf8(&body).unwrap()));
    }
    if method == Method::GET && query.contains_key("list-type") {
        return xml(&list(&objects, &query["prefix"]));
    }
    assert_eq!(method, Method::GET, "{path} {query:?}");
    match objects.get(&key) {
        Some(object) => {
            let headers = [("etag", "\"1\""), ("last-modified", "Tue, 24 Nov 2026 16:15:00 GMT")];
            (headers, object.clone()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn delete(objects: &mut BTreeMap<String, Bytes>, request: &str) -> String {
    let mut answer = String::from("<DeleteResult>");
    for part in request.split("<Key>").skip(1) {
        let key = part.split("</Key>").next().unwrap();
        objects.remove(key);
        write!(answer, "<Deleted><Key>{key}</Key></Deleted>").unwrap();
    }
    answer + "</DeleteResult>"
}

fn list(objects: &BTreeMap<String, Bytes>, prefix: &str) -> String {
    let mut answer = String::from("<ListBucketResult><IsTruncated>false</IsTruncated>");
    for (key, object) in objects.iter().filter(|(key, _)| key.starts_with(prefix)) {
        let size = object.len();
        write!(
            answer,
            "<Contents><Key>{key}</Key><Size>{size}</Size><ETag>1</ETag>\
             <LastModified>2026-11-24T16:15:00.000Z</LastModified></Contents>"
        )
        .unwrap();
    }
    answer + "</ListBucketResult>"
}

fn xml(text: &str) -> Response {
    ([("content-type", "application/xml")], text.to_owned()).into_response()
}
