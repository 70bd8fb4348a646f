//! Every word the receptionist says in Chinese.

use super::numbers::{counting, day, short_time, time, words};
use crate::receptionist::{
    email,
    heard::{Facet, Kind, Offer},
    hours::Part,
    language::{Doing, Words},
    listing::{Listing, street_of},
    moves::{Asked, Errand, Hour, Line, Tool},
    phrases::{Tone, pick},
    wanted::Relaxed,
};
use jiff::civil::{Date, Time};

const STILL_LOOKING: [&str; 2] = ["我还在查。", "还在等结果。"];

/// What Chinese has to say.
pub(in crate::receptionist) const WORDS: Words = Words {
    statement,
    question,
    announcement,
    openers: &["好的。", "没问题。", "好。"],
    gap: "",
    still_looking: &STILL_LOOKING,
    nobody_took: "没有人能接听您的电话",
    recording: &["录音"],
};

fn statement(line: &Line, tone: Tone) -> String {
    match line {
        Line::Hello(None) => "您好！".to_owned(),
        Line::Hello(Some(name)) => format!("您好，{name}。"),
        Line::Happy => pick(&["好的。", "没问题。", "当然可以。"], tone.seed).to_owned(),
        Line::Robot => "是的，我是人工智能助手。".to_owned(),
        Line::NotHuman => "不是，我是人工智能助手。".to_owned(),
        Line::HomesOnly => "这个我不能评价。警察局和学区有公开的资料。我可以介绍房子本身的情况。".to_owned(),
        Line::Welcome => "不客气。".to_owned(),
        Line::Unclear(times) => {
            pick(&["抱歉，我没听清。", "不好意思，我没听明白。", "对不起，还是没听清。"], *times as u64)
                .to_owned()
        }
        Line::DontKnow => "抱歉，这个我不知道。".to_owned(),
        Line::Hearing => "我听得到。".to_owned(),
        Line::NoRush => "没关系，您慢慢来。".to_owned(),
        Line::Again => pick(&["好的，再说一遍。", "没问题。"], tone.variant as u64).to_owned(),
        Line::Offers { homes, total, relaxed, further, .. } => {
            format!(
                "{}{}",
                offers_opening(homes.len(), *total, *relaxed, *further, tone.again),
                described(homes)
            )
        }
        Line::NothingFits => "抱歉，没有找到合适的。".to_owned(),
        Line::NoMore => "只有这些了。".to_owned(),
        Line::NoSuchStreet(_) => "没有找到这条街。".to_owned(),
        Line::Areas(areas) if areas.is_empty() => "我没有区域的清单。".to_owned(),
        Line::Areas(areas) => format!("我们在好几个区有房子。比如{}。", areas.join("、")),
        Line::Intro(home) => described(std::slice::from_ref(home)),
        Line::IsFree { day: date, time: at } => format!("{}{}可以。", day(*date, tone.today), time(*at)),
        Line::Times { day, times } => times_line(*day, times, tone),
        Line::Instead { day, times, .. } => format!("那个时间不行。{}", times_line(*day, times, tone)),
        Line::DayFull => "那天已经约满了。".to_owned(),
        Line::DayRefused => "那天不能看房。".to_owned(),
        Line::Booked { booking, home, name } => {
            let done = if booking.moved { "已经改好了" } else { "已经约好了" };
            let name = name.as_ref().map_or_else(String::new, |name| format!("，{name}"));
            let place = home.as_ref().map_or_else(|| street_of(&booking.address), address);
            format!("{done}{name}。{place}，{}{}。", day(booking.day, tone.today), time(booking.time))
        }
        Line::AlreadyBooked { booking } => {
            format!("您的看房已经约好了。时间是{}{}。", day(booking.day, tone.today), time(booking.time))
        }
        Line::CannotCancel => "我不能取消看房。我已经转告，同事会打给您。".to_owned(),
        Line::WillCallBack(name) => {
            let name = name.as_ref().map_or_else(String::new, |name| format!("，{name}"));
            format!("谢谢{name}。同事会给您回电话。")
        }
        Line::Down => "现在查不到。".to_owned(),
        Line::BookingFailed => "没有约成功。".to_owned(),
        Line::NeedName => "看房需要一个名字。".to_owned(),
        Line::NeedDigits => "我需要全部十位数字。".to_owned(),
        Line::Fact { facet, home } => fact(*facet, home),
        Line::StillThere => "您还在吗？".to_owned(),
        Line::Errand(errand) => spoken_errand(errand, tone),
        Line::Goodbye => "谢谢您的来电。再见。".to_owned(),
        Line::GiveUp => "抱歉，我听不清楚。请您稍后再打。再见。".to_owned(),
    }
}

fn spoken_errand(errand: &Errand, tone: Tone) -> String {
    match errand {
        Errand::PuttingThrough(name) if name.is_empty() => "现在为您转接。请不要挂断。".to_owned(),
        Errand::PuttingThrough(name) => format!("现在为您转接{name}。请不要挂断。"),
        Errand::NobodyFree => "现在没有同事能接电话。".to_owned(),
        Errand::NotListed(names) => format!("没有找到这个名字。您可以找{}。", names.join("、")),
        Errand::MessageTaken(None) => "记下了。我会转告。".to_owned(),
        Errand::MessageTaken(Some(person)) => format!("记下了。我会转告{person}。"),
        Errand::ReadBack(address) => format!("我记的是{}。", spoken_address(address)),
        Errand::Sent(address) => format!("已经发了。发到了{}。", spoken_address(address)),
        Errand::NotSent => "邮件没有发出去。".to_owned(),
        Errand::NoMail => "我这里不能发邮件。".to_owned(),
        Errand::CallArranged { day: date, when } => {
            let hour = match when {
                Hour::At(at) => time(*at),
                Hour::In(Part::Morning) => "上午".to_owned(),
                Hour::In(Part::Afternoon | Part::Evening) => "下午".to_owned(),
            };
            format!("安排好了。我们{}{hour}打给您。", day(*date, tone.today))
        }
        Errand::NotArranged => "那个时间安排不了。".to_owned(),
        Errand::Moved { day: date, time: at, .. } => {
            format!("已经改好了。现在是{}{}看房。", day(*date, tone.today), time(*at))
        }
        Errand::NotMoved => "看房时间没有改成。".to_owned(),
        Errand::Cancelled { .. } => "您的看房已经取消了。".to_owned(),
        Errand::NotCancelled => "看房没有取消成。".to_owned(),
        Errand::StillLooking => pick(&STILL_LOOKING, tone.seed).to_owned(),
        Errand::Assented => "谢谢。".to_owned(),
        Errand::NotRecorded => "没关系，我们不录音。".to_owned(),
        Errand::Rest(rest) => rest.clone(),
    }
}

fn question(asked: &Asked, tone: Tone, lines: &[Line]) -> String {
    let offers_one_time = lines.iter().any(
        |line| matches!(line, Line::Times { times, .. } | Line::Instead { times, .. } if times.len() == 1),
    );
    if offers_one_time {
        return "这个时间可以吗？".to_owned();
    }
    let variants: &[&str] = match asked {
        Asked::Open => &["我能帮您什么？", "您想买房还是租房？"],
        Asked::Area => &["您想在哪个区？", "哪个区域都可以吗？"],
        Asked::Bedrooms => &["您需要几个卧室？", "一个、两个，还是更多卧室？"],
        Asked::Budget => &["您的预算是多少？", "最高到什么价格？"],
        Asked::Interest => &["您想去看看吗？", "要帮您约看房吗？"],
        Asked::Which => &["您对哪一套感兴趣？", "想看第一套还是第二套？"],
        Asked::Day => &["您哪天方便？", "您想哪天来看？"],
        Asked::Time { .. } => &["几点方便？", "您想约几点？"],
        Asked::Name => &["请问您贵姓大名？", "请问怎么称呼您？"],
        Asked::Phone => &["您的电话号码是多少？", "请一位一位地说您的号码，好吗？"],
        Asked::CallBack => &["要同事给您回电话吗？", "需要我们打给您吗？"],
        Asked::Change => &["要换个区或者价格吗？", "区域、大小、价格，哪样可以改？"],
        Asked::Recording => &["这通电话可以录音吗？"],
        Asked::Message => &["请说您的留言。", "要转告什么？"],
        Asked::WayOut => &["您要留言，还是让我们打给您？", "留言还是回电？"],
        Asked::Person => &["您想找哪一位？", "要转给谁？"],
        Asked::Email => &["您的邮箱是什么？", "请把邮箱一个字母一个字母地告诉我，好吗？"],
        Asked::EmailRight => &["对吗？", "这样对吗？"],
        Asked::CallWhen => &["什么时候打给您？", "上午还是下午方便？"],
        Asked::AnythingElse => &["还有什么可以帮您？", "还需要别的吗？"],
    };
    pick(variants, tone.variant as u64).to_owned()
}

/// What is about to be done, in a few signs.
fn announcement(doing: &Doing<'_>) -> Option<String> {
    let number = doing.number as u64;
    let plain = |variants: &[&str]| Some(pick(variants, number).to_owned());
    match doing.tool {
        Tool::SearchListings => plain(&["我来找一下房子。", "我查一下房源。", "我看看有什么。"]),
        Tool::GetListing => plain(&["我看一下详情。", "我查一下这套。"]),
        Tool::CheckAvailability => match doing.day {
            Some(date) => {
                let date = day(date, doing.today);
                Some(match number % 2 {
                    0 => format!("我看一下{date}。"),
                    _ => format!("我查查{date}的时间。"),
                })
            }
            None => plain(&["我看一下时间。", "我查查日程。"]),
        },
        Tool::BookViewing => plain(&["我现在帮您约。", "这就为您预约。"]),
        Tool::TakeMessage => plain(&["我记下来。", "这就记。"]),
        Tool::TransferToHuman => plain(&["我找一下同事。", "我看谁有空。"]),
        Tool::SendSummary => plain(&["我现在发给您。", "这就发邮件。"]),
        Tool::RequestCallback => plain(&["我安排一下回电。", "这就安排回电。"]),
        Tool::RescheduleViewing => plain(&["我现在帮您改。", "这就改时间。"]),
        Tool::CancelViewing => plain(&["我现在帮您取消。", "这就取消。"]),
        Tool::SaveLead | Tool::EndCall => None,
    }
}

fn offers_opening(count: usize, total: u64, relaxed: Option<Relaxed>, further: bool, again: bool) -> String {
    if again {
        return String::new();
    }
    if further {
        return if count == 1 { "还有一套。" } else { "还有别的。" }.to_owned();
    }
    match relaxed {
        Some(Relaxed::Price) => "这个预算内没有。稍高一点的有：".to_owned(),
        Some(Relaxed::Rooms) => "没有完全一样的。接近的有：".to_owned(),
        Some(Relaxed::Area) => "那个区没有。别的区有：".to_owned(),
        None => match total {
            0 | 1 => "找到一套。".to_owned(),
            2..=9 => format!("找到{}套。", counting(total)),
            _ => "找到好几套。".to_owned(),
        },
    }
}

fn described(homes: &[Listing]) -> String {
    let each = homes.iter().map(|home| format!("{}，{}，{}。", address(home), rooms(home), price(home)));
    each.collect::<Vec<_>>().concat()
}

/// "Maple Street十二号".
fn address(home: &Listing) -> String {
    match home.house_number() {
        Some(number) => format!("{}{}号", home.spoken_street(), words(number)),
        None => home.spoken_street(),
    }
}

fn rooms(home: &Listing) -> String {
    match home.bedrooms {
        0 => "开间".to_owned(),
        many => format!("{}个卧室", counting(many)),
    }
}

fn price(home: &Listing) -> String {
    match home.offer {
        Offer::Sale => format!("{}美元", words(home.price)),
        Offer::Rent => format!("每月{}美元", words(home.price)),
    }
}

fn kind(home: &Listing) -> &'static str {
    match home.kind {
        Some(Kind::House) => "独栋房子",
        Some(Kind::Condo) => "共管公寓",
        Some(Kind::Townhouse) => "联排房",
        Some(Kind::Apartment) => "公寓",
        None => "房子",
    }
}

fn bathrooms(home: &Listing) -> String {
    let half = if home.bathrooms.fract() >= 0.25 { "半" } else { "" };
    format!("{}个{half}卫生间", counting(home.bathrooms.trunc() as u64))
}

fn fact(facet: Facet, home: &Listing) -> String {
    let place = address(home);
    match facet {
        Facet::Price => format!("{place}，{}。", price(home)),
        Facet::Bedrooms => format!("{place}有{}。", rooms(home)),
        Facet::Bathrooms => format!("{place}有{}。", bathrooms(home)),
        Facet::Address if home.area.is_empty() => format!("地址是{place}。"),
        Facet::Address | Facet::Area => format!("在{}的{place}。", home.area),
        Facet::Kind => format!("是{}。", kind(home)),
        Facet::Available => "还可以看。".to_owned(),
        Facet::Description => format!("是{}，有{}和{}。", kind(home), rooms(home), bathrooms(home)),
    }
}

fn times_line(date: Date, times: &[Time], tone: Tone) -> String {
    let date = day(date, tone.today);
    match times {
        [] => String::new(),
        [at] => format!("{date}{}可以。", time(*at)),
        _ => {
            let spoken: Vec<String> = times.iter().map(|at| short_time(*at)).collect();
            format!("{date}{}可以。", spoken.join("、"))
        }
    }
}

/// "anna 点 lee 艾特 example 点 com".
fn spoken_address(address: &str) -> String {
    let symbol = |char| match char {
        '@' => Some("艾特"),
        '.' => Some("点"),
        '_' => Some("下划线"),
        '-' => Some("横线"),
        '+' => Some("加号"),
        _ => None,
    };
    email::spoken(address, symbol, words)
}
