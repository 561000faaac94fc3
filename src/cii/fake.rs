//! A fake of the service: answers from a script, and records the requests.

use std::{
    collections::VecDeque,
    io::{Read, Write},
    net::{Shutdown, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{Client, Meters};
use crate::{
    config::{ApiConfig, TokenRequest},
    domain::NullLists,
};

pub(super) const SECRET: &str = "theclientsecret";

/// The answer to a request.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// A status, headers and a body.
    Http(u16, Vec<(&'static str, String)>, String),
    /// No answer.
    Hang,
}

impl Reply {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::Http(status, vec![("content-type", "application/json".into())], body.to_string())
    }

    pub(super) fn data(data: &Value) -> Self {
        Self::json(200, &json!({ "data": data }))
    }

    pub(super) fn token(name: &str) -> Self {
        let body = json!({ "access_token": name, "token_type": "Bearer", "expires_in": 36000 });
        Self::json(200, &body)
    }

    pub(super) fn status(status: u16) -> Self {
        Self::Http(status, vec![], String::new())
    }

    pub(super) fn with(self, name: &'static str, value: &str) -> Self {
        match self {
            Self::Http(status, mut headers, body) => {
                headers.push((name, value.to_owned()));
                Self::Http(status, headers, body)
            }
            Self::Hang => Self::Hang,
        }
    }
}

/// A received request.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

/// Computes the answer to a request.
type Compute = Box<dyn Fn(&Asked) -> Reply + Send>;

#[derive(Default)]
struct Script {
    token: VecDeque<Reply>,
    api: VecDeque<Reply>,
    compute: Option<Compute>,
    tokens_asked: Vec<Asked>,
    queries_asked: Vec<Asked>,
}

/// A running fake; it ends with the test's runtime.
#[derive(Clone)]
pub(super) struct Fake {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
    pub(super) meters: Meters,
}

impl Fake {
    /// Starts a fake whose token endpoint and API return these answers in order; the last one of
    /// each repeats.
    pub(super) async fn start(token: Vec<Reply>, api: Vec<Reply>) -> Self {
        let script = Script { token: token.into(), api: api.into(), ..Script::default() };
        let script = Arc::new(Mutex::new(script));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().fallback(answer).with_state(Arc::clone(&script));
        tokio::spawn(async { axum::serve(listener, app).await });
        Self { address, script, meters: Meters::new().unwrap() }
    }

    /// A fake that grants `token-1`, `token-2` and so on.
    pub(super) async fn api(api: Vec<Reply>) -> Self {
        let tokens = (1..=5).map(|n| Reply::token(&format!("token-{n}"))).collect();
        Self::start(tokens, api).await
    }

    /// A fake that computes each answer from the request.
    pub(super) async fn computed(compute: impl Fn(&Asked) -> Reply + Send + 'static) -> Self {
        let fake = Self::api(Vec::new()).await;
        fake.script.lock().unwrap().compute = Some(Box::new(compute));
        fake
    }

    pub(super) fn config(&self) -> ApiConfig {
        let url = |path: &str| format!("http://{}{path}", self.address).parse().unwrap();
        ApiConfig {
            url: url("/graphql"),
            token_url: url("/token"),
            client_id: "the-client".into(),
            client_secret: SECRET.into(),
            audience: None,
            token_request: TokenRequest::Auto,
            timeout: Duration::from_secs(30),
            requests_per_minute: 60_000,
            retries: 0,
            concurrency: 4,
            page_size: 500,
            null_lists: NullLists::Auto,
            batch_size: 3,
            max_answer_bytes: 1 << 20,
            max_answer_items: 100_000,
        }
    }

    pub(super) fn client(&self) -> Client {
        Client::new(&self.config(), self.meters.clone()).unwrap()
    }

    pub(super) fn tokens_asked(&self) -> Vec<Asked> {
        self.script.lock().unwrap().tokens_asked.clone()
    }

    pub(super) fn queries_asked(&self) -> Vec<Asked> {
        self.script.lock().unwrap().queries_asked.clone()
    }
}

async fn answer(
    State(script): State<Arc<Mutex<Script>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    // A body that is not JSON is form-encoded.
    let form = || Value::String(String::from_utf8(body.to_vec()).unwrap());
    let body = serde_json::from_slice(&body).unwrap_or_else(|_| form());
    let asked = Asked { headers, body };
    let reply = {
        let Script { token, api, compute, tokens_asked, queries_asked } =
            &mut *script.lock().unwrap();
        let is_token = uri.path() == "/token";
        let computed = compute.as_ref().filter(|_| !is_token).map(|compute| compute(&asked));
        let (replies, log) = if is_token { (token, tokens_asked) } else { (api, queries_asked) };
        log.push(asked);
        if computed.is_some() {
            computed
        } else if replies.len() > 1 {
            replies.pop_front()
        } else {
            replies.front().cloned()
        }
    };
    match reply.expect("the script has an answer") {
        Reply::Hang => std::future::pending().await,
        Reply::Http(status, headers, body) => {
            let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        }
    }
}

/// A server that sends `answer` to its only client and then closes the connection.
pub(super) fn hangs_up_after(answer: &'static str) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut visitor, _) = listener.accept().unwrap();
        let read = visitor.read(&mut [0; 4096]).unwrap();
        assert_ne!(read, 0);
        visitor.write_all(answer.as_bytes()).unwrap();
        visitor.shutdown(Shutdown::Write).unwrap();
        let _ = visitor.read_to_end(&mut Vec::new());
    });
    address
}
