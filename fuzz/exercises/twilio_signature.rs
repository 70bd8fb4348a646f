//! A signed webhook: lines of auth token, URL, a signature somebody made up, and names and values in turn.

use seiketsu_providers::twilio::signature;

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.split('\n');
    let mut next = || lines.next().unwrap_or_default();
    let (token, url, made_up) = (next(), next(), next());
    let rest: Vec<&str> = lines.collect();
    let params: Vec<(&str, &str)> = rest.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();

    let right = signature::sign(token, url, &params);
    assert!(signature::verify(token, url, &params, &right));
    let reversed: Vec<(&str, &str)> = params.iter().rev().copied().collect();
    assert_eq!(signature::sign(token, url, &reversed), right, "the order of parameters means nothing");
    if signature::verify(token, url, &params, made_up) {
        assert_eq!(made_up.len(), right.len(), "only a real signature is right");
    }
}
