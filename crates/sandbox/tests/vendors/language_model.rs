//! OpenAI.

use crate::support::{World, all, generated, generation_request};
use seiketsu_domain::{Message, Pii, ToolChoice, ToolSpec};
use seiketsu_providers::{
    Failure, FailureKind, FinishReason, GenerationEvent, GenerationRequest, LanguageModel, Retry,
};
use seiketsu_sandbox::{
    Fault, Profile, RequestKind,
    injected::InjectedStage,
    receptionist::{self, Prompt, PromptMessage, ToolCallMade},
};
use serde_json::{Value, json};
use std::time::Duration;

const SYSTEM: &str =
    "You are Ava of Lone Star Homes.\nToday is Tuesday 2026-11-24, 10:15 in America/Chicago.";
const WISH: &str = "i am looking for a three bedroom house in riverside to buy";

async fn generate(world: &World, request: GenerationRequest) -> Result<Vec<GenerationEvent>, Failure> {
    generate_with(world, "key", request).await
}

/// Everything that was generated, or the failure that came instead of it.
async fn generate_with(
    world: &World,
    key: &str,
    request: GenerationRequest,
) -> Result<Vec<GenerationEvent>, Failure> {
    let mut generation = world.openai(key).generate(request).await?;
    let events = all(&mut generation.events).await;
    match events.as_slice() {
        [GenerationEvent::Failed(failure)] => Err(failure.clone()),
        _ => Ok(events),
    }
}

fn search_tool() -> ToolSpec {
    ToolSpec {
        name: "search_listings".into(),
        description: "Finds listings.".into(),
        parameters: json!({ "type": "object", "properties": { "area": { "type": "string" } } }),
    }
}

#[tokio::test]
async fn the_answer_is_the_receptionists_token_by_token() {
    let world = World::start(Profile::Zero).await;
    let events = generate(&world, generation_request(SYSTEM, "hello")).await.unwrap();
    let prompt = Prompt {
        system: SYSTEM.into(),
        messages: vec![PromptMessage::User("hello".into())],
        tools: Vec::new(),
    };
    let expected = receptionist::reply(&prompt).text.unwrap();
    assert_eq!(generated(&events), expected);
    let pieces = events.iter().filter(|event| matches!(event, GenerationEvent::Text(_))).count();
    assert!(pieces >= expected.split(' ').count(), "{pieces}");
    match events.last() {
        Some(GenerationEvent::Finished { reason: FinishReason::Stop, usage: Some(usage) }) => {
            assert_eq!(usage.output_tokens, pieces as u64);
            assert!(usage.input_tokens > 20, "{usage:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_tool_that_has_to_be_called_is_called_and_one_that_must_not_is_not() {
    let world = World::start(Profile::Zero).await;
    let called = async |message: &str, tool_choice: ToolChoice| {
        let mut request = generation_request(SYSTEM, message);
        let other = ToolSpec { name: "note".to_owned(), ..search_tool() };
        (request.tools, request.tool_choice) = (vec![search_tool(), other], tool_choice);
        let events = generate(&world, request).await.unwrap();
        events
            .into_iter()
            .filter_map(|event| match event {
                GenerationEvent::ToolCall { name, .. } => Some(name),
                GenerationEvent::Text(_)
                | GenerationEvent::ToolCallBegun
                | GenerationEvent::Finished { .. }
                | GenerationEvent::Failed(_) => None,
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(called("hello", ToolChoice::Auto).await, [""; 0]);
    assert_eq!(called("hello", ToolChoice::Required).await, ["search_listings"]);
    assert_eq!(called(WISH, ToolChoice::Named("note".to_owned())).await, ["note"]);
    assert_eq!(called(WISH, ToolChoice::None).await, [""; 0]);
    let mut request = generation_request(SYSTEM, "hello");
    (request.tools, request.tool_choice) = (vec![search_tool()], ToolChoice::Named("other".to_owned()));
    assert_eq!(generate(&world, request).await.unwrap_err().kind, FailureKind::BadRequest);
}

#[tokio::test]
async fn tools_are_called_with_the_receptionists_arguments_and_their_results_are_understood() {
    let world = World::start(Profile::Zero).await;
    let mut request = generation_request(SYSTEM, WISH);
    request.tools = vec![search_tool()];
    let events = generate(&world, request.clone()).await.unwrap();
    let calls: Vec<(&String, &String, Value)> = events
        .iter()
        .filter_map(|event| match event {
            GenerationEvent::ToolCall { request, name, arguments } => {
                Some((request, name, serde_json::from_str(arguments).unwrap()))
            }
            GenerationEvent::Text(_)
            | GenerationEvent::ToolCallBegun
            | GenerationEvent::Finished { .. }
            | GenerationEvent::Failed(_) => None,
        })
        .collect();
    assert_eq!(calls.len(), 1, "{events:?}");
    let (id, name, arguments) = &calls[0];
    let mut prompt = Prompt {
        system: SYSTEM.into(),
        messages: vec![PromptMessage::User(WISH.into())],
        tools: vec!["search_listings".into()],
    };
    assert_eq!(receptionist::reply(&prompt).tool_calls, [((*name).clone(), arguments.clone())]);
    assert_eq!(name.as_str(), "search_listings");
    assert!(matches!(events.last(), Some(GenerationEvent::Finished { reason: FinishReason::ToolCalls, .. })));

    let content = json!({ "more": 0, "listings": [{ "listing": "lst_1", "address": "12 Maple Street",
        "area": "Riverside", "price": 450_000, "bedrooms": 3, "bathrooms": 2, "type": "house", "offer": "sale",
        "headline": "Bright family home" }] })
    .to_string();
    request.messages.push(Message::ToolRequest {
        request: (*id).clone(),
        name: (*name).clone(),
        arguments: Pii::new(arguments.to_string()),
    });
    request.messages.push(Message::ToolResult { request: (*id).clone(), content: Pii::new(content.clone()) });
    let answer = generate(&world, request).await.unwrap();
    let made = ToolCallMade { id: (*id).clone(), name: (*name).clone(), arguments: arguments.to_string() };
    prompt.messages.push(PromptMessage::Assistant { text: None, tool_calls: vec![made] });
    prompt.messages.push(PromptMessage::Tool { id: (*id).clone(), content });
    assert_eq!(Some(generated(&answer)), receptionist::reply(&prompt).text);
    assert!(generated(&answer).contains("Maple Street"), "{answer:?}");
}

#[tokio::test]
async fn the_first_token_and_the_tokens_after_it_are_delayed_as_the_record_says() {
    let world = World::start(Profile::Zero).await;
    world.sandbox.conduct().change(|behaviour| {
        behaviour.delays.first_token_ms = 300;
        behaviour.delays.token_ms = 5;
    });
    generate(&world, generation_request(SYSTEM, "hello")).await.unwrap();
    let records = world.injected();
    let stages: Vec<_> = records.iter().map(|record| (record.stage, record.key.as_str())).collect();
    assert_eq!(stages, [(InjectedStage::FirstToken, "hello"), (InjectedStage::FirstSentence, "hello")]);
    assert_eq!(records[0].delay_ms, 300);
    assert!(records[0].held_ms >= 300, "{records:?}");
    assert!(records[1].delay_ms >= 5 && records[1].delay_ms % 5 == 0, "{records:?}");
}

#[tokio::test]
async fn refusals_before_the_answer_say_what_they_are() {
    let world = World::start(Profile::Zero).await;
    let invalid = generate_with(&world, "invalid", generation_request(SYSTEM, "hello")).await.unwrap_err();
    assert_eq!((invalid.kind, invalid.retry()), (FailureKind::Unauthorized, Retry::No));
    world.fail(RequestKind::Generation, Fault::RateLimit, 1);
    let limited = generate(&world, generation_request(SYSTEM, "hello")).await.unwrap_err();
    assert_eq!(limited.retry(), Retry::After(Duration::from_secs(1)));
    world.fail(RequestKind::Generation, Fault::Refuse, 1);
    let refused = generate(&world, generation_request(SYSTEM, "hello")).await.unwrap_err();
    assert_eq!(refused.kind, FailureKind::VendorFault);
    assert!(generate(&world, generation_request(SYSTEM, "hello")).await.is_ok());
}

#[tokio::test]
async fn faults_in_mid_stream_come_after_the_first_words() {
    let world = World::start(Profile::Zero).await;
    for (fault, expected) in [
        (Fault::Disconnect, FailureKind::Closed),
        (Fault::Garbage, FailureKind::Garbage),
        (Fault::HalfOpen, FailureKind::Timeout),
    ] {
        world.fail(RequestKind::Generation, fault, 1);
        let client = if fault == Fault::HalfOpen {
            world.openai_within("key", Duration::from_millis(300))
        } else {
            world.openai("key")
        };
        let mut generation = client.generate(generation_request(SYSTEM, "hello")).await.unwrap();
        let events = all(&mut generation.events).await;
        assert!(matches!(events.first(), Some(GenerationEvent::Text(_))), "{fault:?}: {events:?}");
        let last = events.last();
        assert!(
            matches!(last, Some(GenerationEvent::Failed(failure)) if failure.kind == expected),
            "{fault:?}: {last:?}"
        );
    }
}

#[tokio::test]
async fn the_models_are_listed_for_those_who_have_a_key() {
    let world = World::start(Profile::Zero).await;
    let url = world.sandbox.openai_base().join("/v1/models").unwrap();
    let refused = world.http.get(url.clone()).send().await.unwrap();
    assert_eq!(refused.status(), 401);
    let listed: Value = world.http.get(url).bearer_auth("key").send().await.unwrap().json().await.unwrap();
    assert_eq!(listed["object"], "list");
    assert!(
        listed["data"]
            .as_array()
            .is_some_and(|models| models.iter().any(|model| model["id"] == "gpt-4.1-mini"))
    );
}

#[tokio::test]
async fn requests_that_the_vendor_would_refuse_are_refused() {
    let world = World::start(Profile::Zero).await;
    let url = world.sandbox.openai_base().join("/v1/chat/completions").unwrap();
    let orphan = json!({ "model": "m", "stream": true, "messages": [
        { "role": "user", "content": "hi" }, { "role": "tool", "tool_call_id": "call_1", "content": "{}" }] });
    for body in [orphan.to_string(), "{".to_owned(), String::new(), "[1,2]".to_owned()] {
        let response =
            world.http.post(url.clone()).bearer_auth("key").body(body.clone()).send().await.unwrap();
        assert_eq!(response.status(), 400, "{body}");
        let error: Value = response.json().await.unwrap();
        assert_eq!(error["error"]["type"], "invalid_request_error", "{body}");
    }
}
