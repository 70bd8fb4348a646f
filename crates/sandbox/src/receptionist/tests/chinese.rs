//! Conversations in Chinese.

use super::host::{SYSTEM, Talk, booking};
use serde_json::json;

fn talk() -> Talk {
    Talk::with_errands_and(&format!("{SYSTEM}Speak Chinese.\n"))
}

fn all(lines: &[&str]) -> Talk {
    let mut talk = talk();
    for line in lines {
        talk.say(line);
    }
    talk
}

#[test]
fn a_viewing_is_found_booked_and_said_goodbye_to() {
    let mut talk = talk();
    assert!(talk.say("你好").starts_with("您好！"));
    assert!(talk.say("我想在Riverside买一套三个卧室的房子").contains("Willow Bend"));
    assert!(talk.say("第一套多少钱").contains("三十九万美元"), "{}", talk.last());
    let times = talk.say("我想明天看第一套");
    assert!(times.contains("九点"), "{times}");
    assert!(talk.say("下午两点半").contains("称呼") || talk.last().contains("大名"), "{}", talk.last());
    let booked = talk.say("我叫李明");
    assert!(booked.starts_with("已经约好了，李明。"), "{booked}");
    assert_eq!(talk.booked(), booking("lst_willow", "2026-11-25", "14:30", "李明"));
    let goodbye = talk.say("没有了，谢谢");
    assert!(talk.ended && goodbye.ends_with("再见。"), "{goodbye}");
    assert_eq!(talk.count("save_lead"), 1);
}

#[test]
fn wishes_in_many_words_lead_to_the_same_search() {
    for said in [
        "我想在Riverside找三个卧室的房子，预算四十万以内",
        "有没有Riverside附近的三居室房子，不超过四十万美元",
        "我在找Riverside的房子，三房，最多40万",
    ] {
        let talk = all(&[said]);
        assert_eq!(
            talk.searches().first(),
            Some(
                &&json!({"area": "Riverside", "bedrooms": 3, "max_price": 400_000, "property_type": "house"})
            ),
            "{said}: {:?}",
            talk.said
        );
    }
}

#[test]
fn days_and_times_reach_the_tools() {
    for (said, day, time) in [
        ("星期五上午十一点", "2026-11-27", "11:00"),
        ("后天下午两点半", "2026-11-26", "14:30"),
        ("十一月二十八号上午十点半", "2026-11-28", "10:30"),
        ("下周一上午十一点十五分", "2026-11-30", "11:15"),
    ] {
        let talk = all(&["我想看maple street的房子", said, "我叫李明"]);
        assert_eq!(talk.booked(), booking("lst_maple", day, time, "李明"), "{said}: {:?}", talk.said);
    }
}

#[test]
fn messages_people_calls_and_mail_are_understood() {
    let mut talk = all(&["我想留言", "请把合同寄给我", "我叫李明"]);
    assert_eq!(talk.calls("take_message"), [&json!({"message": "请把合同寄给我", "name": "李明"})]);
    assert!(talk.say("转人工").starts_with("现在为您转接Maria Lopez。"), "{}", talk.last());
    let talk = all(&["请明天上午给我回电话"]);
    assert_eq!(talk.calls("request_callback")[0]["when"], "2026-11-25 morning");
    let mut talk = all(&["我想在Riverside买房子", "可以发邮件给我吗"]);
    talk.say("li at example dot com");
    talk.say("对");
    assert_eq!(talk.calls("send_summary")[0]["email"], "li@example.com");
    let talk = all(&["我想取消看房"]);
    assert_eq!(talk.count("cancel_viewing"), 1);
}

#[test]
fn it_says_truthfully_what_it_is_and_judges_nobody() {
    for (said, answer) in [
        ("你是机器人吗？", "是的，我是人工智能助手。"),
        ("你是真人吗", "不是，我是人工智能助手。"),
        ("那里安全吗", "这个我不能评价。"),
        ("学区怎么样", "这个我不能评价。"),
    ] {
        let mut talk = all(&["我想在Riverside买房子"]);
        let heard = talk.say(said);
        assert!(heard.starts_with(answer), "{said}: {heard}");
    }
}

#[test]
fn assent_to_recording_is_taken_naturally() {
    let greeting = "感谢致电，我是人工智能助手。为了更好地帮助您，我可以录音吗？";
    assert_eq!(talk().greeted(greeting).say("可以"), "谢谢。我能帮您什么？");
    assert_eq!(talk().greeted(greeting).say("不行"), "没关系，我们不录音。我能帮您什么？");
}

#[test]
fn nobody_took_the_call_and_a_message_is_taken() {
    let mut talk = all(&["转人工"]);
    talk.platform_says("抱歉，现在没有人能接听您的电话。您要留言吗？");
    assert!(talk.say("好的").contains("留言"));
    talk.say("请王经理回复我");
    talk.say("我叫李明");
    assert_eq!(talk.calls("take_message")[0]["message"], "请王经理回复我");
}
