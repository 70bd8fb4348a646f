//! What a caller does with an utterance: phrases, paraphrases and the acts they stand for.

use super::{
    heard::{Act, Facet, Heard},
    tokens::Tokens,
};

/// Fills in acts and questions. Facts must have been heard before: some phrases mean less beside a fact.
pub(super) fn hear_acts(tokens: &Tokens, homes_in_talk: bool, heard: &mut Heard) {
    for (act, phrases) in PLAIN {
        if tokens.has(phrases) {
            heard.acts.insert(*act);
        }
    }
    if tokens.len() <= 3 && tokens.has("anything") && !heard.is(Act::More) {
        heard.acts.insert(Act::Indifferent);
    }
    let what = tokens.len() <= 2 && matches!(tokens.word(tokens.len().saturating_sub(1)), "what" | "sorry");
    if what {
        heard.acts.insert(Act::Repeat);
    }
    if asks_about_groups(tokens) {
        heard.acts.insert(Act::AskPeople);
    }
    match asks_robot(tokens) {
        Some(act) => {
            heard.acts.insert(act);
            heard.acts.remove(&Act::Search);
        }
        None if asks_human(tokens) => _ = heard.acts.insert(Act::AskHuman),
        None => {}
    }
    if heard.asks_errand() {
        // "Another day for my viewing" is about the viewing there is.
        heard.acts.remove(&Act::View);
        heard.acts.remove(&Act::Search);
    }
    agreement(tokens, heard);
    let errand = heard.is(Act::Rebook) || heard.is(Act::Cancel) || heard.is(Act::AskHuman);
    if !errand
        && tokens.has("see, look at, view")
        && !tokens.has("i see, let me see, see you, see ya, we'll see")
    {
        heard.acts.insert(Act::View);
    }
    if homes_in_talk && !heard.is(Act::Mail) {
        facets(tokens, heard);
    }
    if heard.is_empty() && is_question(tokens) {
        heard.acts.insert(Act::OtherQuestion);
    }
}

const PLAIN: &[(Act, &str)] = &[
    (Act::Greeting, "hello, hi, hey, good morning, good afternoon, good evening, howdy, greetings"),
    (Act::Thanks, "thanks, thank you, thank, appreciate it, cheers, much obliged"),
    (
        Act::Goodbye,
        "\
            bye, goodbye, good bye, see you, see ya, talk to you later, talk later, talk soon, have a \
            good day, have a nice day, have a great day, have a good one, have a good evening, have a \
            nice evening, have a good night, good night, take care, i have to go, i've got to go, i got \
            to go, gotta go, gotta run, hang up, end the call, end this call, so long, farewell",
    ),
    (
        Act::Enough,
        "\
            that's all, that is all, that's it, that is it, that'll be all, that will be all, that would \
            be all, that'll do, that's everything, that is everything, nothing else, nothing more, i'm \
            all set, all set, i'm done, we're done, i'm good, we're good, no more questions, no further \
            questions, not today, nothing for now, that should do it",
    ),
    (
        Act::AskPeople,
        "\
            safe, safety, unsafe, safer, safest, crime, crimes, criminal, dangerous, who lives, who else \
            lives, people live, people living, kind of people, type of people, sort of people, people like \
            me, people like us, my kind of people, neighbors, neighbours, neighbor, neighbour, \
            demographics, ethnic, ethnicity, diverse, diversity, gangs, good for families, good for a \
            family, good for kids, good for children, good for raising, raise kids, raise children, raise a \
            family, family friendly, kid friendly, families live, kids live, suitable for families, \
            suitable for a family, suitable for children, suitable for kids, good schools, schools good, \
            good school, school district, school districts, school rating, school ratings, best schools, \
            better schools, schools like, schools there, schools any good, good area, bad area, good \
            neighborhood, bad neighborhood, nice neighborhood, nice area, rough area, rough neighborhood",
    ),
    (
        Act::Repeat,
        "\
            repeat, say that again, say it again, come again, pardon, what did you say, what was that, \
            one more time, didn't hear, didn't catch, couldn't hear, can't hear you, excuse me, say \
            again, didn't get that, missed that, huh, what was the last, what did you just say, in other \
            words",
    ),
    (
        Act::Wait,
        "\
            hold on, hang on, one moment, one second, just a moment, just a second, just a minute, a \
            moment please, give me a second, give me a minute, let me think, let me check, wait",
    ),
    (
        Act::GoOn,
        "\
            go on, continue, keep going, carry on, you were saying, finish what you, please proceed, what \
            were you saying, sorry you were saying",
    ),
    (
        Act::CallMe,
        "\
            call me back, call back, callback, ring me back, call us back, phone me back, give me a call, \
            give me a ring, return my call, return the call, call me tomorrow, call me on, call me at, call \
            me later, call me in the, calling me back, calls me back",
    ),
    (
        Act::LeaveMessage,
        "\
            leave a message, leave him a message, leave her a message, leave them a message, take a \
            message, pass on a message, pass a message, give a message, leave word, a message for, tell \
            them that, tell him that, tell her that, let them know, let him know, let her know, pass this on",
    ),
    (
        Act::Mail,
        "\
            by email, by e mail, by mail, via email, email me, e mail me, email it, email that, email them, \
            email those, email the, email us, mail me, mail it to me, an email, in an email, in writing, \
            send me that, send me the, send me those, send it to my, send that to my, send me a summary, \
            send a summary, send the summary, send the details, send me details, send us the",
    ),
    (
        Act::CanYouHear,
        "\
            can you hear me, are you there, anybody there, anyone there, do you hear me, hello hello",
    ),
    (
        Act::View,
        "\
            visit, viewing, viewings, tour, showing, appointment, come by, check it out, check out, walk \
            through, walkthrough, stop by, swing by, drop by, take a look, have a look, book it, book \
            that, book a, book one, schedule a, schedule it, schedule that, arrange a, set up a, see it, \
            see that, see one, when can i, when could i, reserve, take it",
    ),
    (
        Act::Search,
        "\
            looking for, looking to, look for, searching, search for, in the market, do you have, have \
            you got, you got, have any, got any, hoping to find, find me, find a, trying to find, house \
            hunting, want to buy, want to rent, like to buy, like to rent, interested in buying, \
            interested in renting, need a, need an, want a, want an, what's available, what is \
            available, show me, what do you have, what have you got, any listings, any homes, any \
            houses, are there any, is there anything, want to move, moving to, relocating, new place, \
            new home, place to live",
    ),
    (
        Act::More,
        "\
            another one, other one, other ones, others, something else, something different, more \
            options, other options, any others, what else do you have, what else have you got, what else \
            is there, show me more, more listings, other listings, other houses, other homes, other \
            places, next one, different one, neither, none of those, none of them, don't like it, don't \
            like them, don't like those, don't like that, not interested in, keep looking, anything else \
            available, anything different, any more, something like, anything else, another house, \
            another home, another place, another condo, another apartment, another townhouse",
    ),
    (
        Act::Cheaper,
        "\
            cheaper, less expensive, too expensive, too much, too pricey, too high, lower price, more \
            affordable, out of my budget, over my budget, can't afford, costs too, less money",
    ),
    (Act::Bigger, "bigger, larger, more space, more room, more bedrooms, too small, roomier"),
    (
        Act::Either,
        "either, both, whichever, any of them, all of them, you choose, you decide, you pick, up to you, surprise me, \
            doesn't matter, does not matter, don't mind, don't care, whatever",
    ),
    (
        Act::Indifferent,
        "\
            anything is, anything works, anything will, anything really, anything goes, anywhere, any \
            area, any neighborhood, any is fine, any of them, doesn't matter, does not matter, don't \
            mind, don't care, no preference, no particular, whatever, flexible, open to, not sure, don't \
            know, dunno, wherever, not important, up to you, you choose, surprise me, either, both, no \
            idea, i'm open, not picky, not fussy, all of them, no limit, you decide, you pick",
    ),
    (
        Act::AskAreas,
        "\
            what areas, which areas, what neighborhoods, which neighborhoods, what neighbourhoods, where \
            do you have, where are your, what parts of town, which parts of town, what locations, areas \
            do you, neighborhoods do you",
    ),
    (
        Act::AskTimes,
        "\
            what times, which times, what time, any other time, any other times, other times, other \
            time, another time, different time, when is it available, what's free, what is free, what \
            slots, any slots, what hours, when can i, when could i, when are you free, when's it free, \
            when is it free, what availability, none of those times, can't make those, those don't work, \
            none of those work, can't make it then, what days, which days, when works, what's available \
            on, what day, which day, when was, when is my, when's my",
    ),
    (
        Act::Rebook,
        "\
            reschedule, move the viewing, move my viewing, move the appointment, move my \
            appointment, change the time, change the day, change the viewing, change my viewing, change \
            the appointment, change my appointment, push it back, move it to, change it to, postpone, move \
            a viewing, move our viewing, change our viewing, rescheduling, another time for my viewing, \
            another day for my viewing, make my viewing later, make my viewing earlier",
    ),
    (Act::Cancel, "cancel, call it off, call off, don't need the viewing, don't want the viewing"),
    (
        Act::Sell,
        "\
            sell my, selling my, sell our, selling our, want to sell, like to sell, looking to sell, \
            thinking of selling, thinking about selling, list my, list our, put my house on, put my home \
            on, put our house on, home valuation, house valuation, my house worth, my home worth, need \
            to sell, sell a house, sell the house, sell a home",
    ),
];

/// Whether a machine is speaking, asked in one way or the other: "no" answers the one, "yes" the other.
fn asks_robot(tokens: &Tokens) -> Option<Act> {
    const MACHINES: &str = "\
        robot, bot, machine, ai, a i, artificial, recording, automated, computer, chatbot, answering \
        machine, voice assistant, virtual assistant";
    const ADDRESSED: &str = "\
        are you, is this, am i, you a, you an, you're, sound like, sounds like, is it, who are you, talking to a \
        machine, talking to a computer, talking to a robot";
    const ALIVE: &str = "\
        are you human, are you a human, are you real, are you a real, are you a person, are you an \
        actual, speaking to a real, talking to a real, talking with a real, talking to a human, speaking \
        to a human, speaking with a human, talking with a human, is this a real, is this a human, is \
        this a person, talking to a person, speaking to a person, are you alive, a living person";
    const WHO: &str = "\
        who am i talking, who am i speaking, who is this, who are you, what are you, am i talking to a, am i \
        speaking to a, am i speaking with a, am i talking with a";
    if (tokens.has(MACHINES) && tokens.has(ADDRESSED)) || tokens.has(WHO) && !tokens.has(ALIVE) {
        // "Are you a machine or a person" is answered by the first.
        return Some(Act::AskRobot);
    }
    let asks =
        tokens.has(ALIVE) && !tokens.has("want, like to, need, let me, can i, could i, put me, connect me");
    asks.then_some(Act::AskWhetherHuman)
}

/// Groups of people in a question about others; what callers say of themselves asks nothing.
fn asks_about_groups(tokens: &Tokens) -> bool {
    const GROUPS: &str = "\
        muslim, muslims, jewish, jews, christian, christians, catholic, catholics, hindu, hindus, buddhist, \
        religion, religious, religions, church, churches, mosque, mosques, synagogue, synagogues, temple, \
        temples, white, black, hispanic, hispanics, latino, latinos, latina, mexican, mexicans, asian, asians, \
        african, chinese people, indian, indians, arab, arabs, foreigners, immigrants, immigrant, refugees, gay, \
        lesbian, gays, disabled people, handicapped, families, young families, kids, children, singles, elderly, \
        old people, young people, race, races, schools, school";
    const OTHERS: &str = "\
        are there many, are there a lot, are there lots, are there any, are there other, how many, is it mostly, \
        is it mainly, is it a mostly, mostly, mainly, lots of, a lot of, full of, is there a, is there any, live \
        there, live around, live in the area, what is the, what's the, what about the, how are the, how is the, \
        how good, in the area, in that area, in the neighborhood, is it good for, is it ok for, is it suitable, \
        is it right for, good place for, who";
    tokens.has(GROUPS) && tokens.has(OTHERS) && is_question(tokens)
}

fn asks_human(tokens: &Tokens) -> bool {
    const PEOPLE: &str = "\
        human, person, someone, somebody, agent, representative, realtor, broker, operator, manager, \
        colleague, human being, staff, someone real, an actual person, supervisor, your boss";
    const WISHES: &str = "\
        speak, talk, transfer, connect, get me, put me, pass me, give me, want a, want an, need a, need \
        an, call me, contact me, reach me, phone me, have someone, have somebody";
    (tokens.has(PEOPLE) && tokens.has(WISHES))
        || tokens.has(
            "\
            call me back, call back, callback, ring me back, leave a message, take a message, human \
            please, put me through, transfer me, connect me",
        )
}

/// Yes and no. A "no" that only begins a correction ("no, Friday") is none.
fn agreement(tokens: &Tokens, heard: &mut Heard) {
    const NO: &str = "\
        no, nope, nah, not really, i don't think so, negative, not interested, rather not, no thanks, no \
        thank you, don't want, not now, i'm not";
    const YES: &str = "\
        yes, yeah, yep, yup, yea, sure, ok, okay, correct, exactly, absolutely, definitely, of course, \
        certainly, sounds good, sounds great, please do, that works, works for me, let's do it, let's do \
        that, go ahead, i'd love to, i'd like that, that's right, alright, all right, go for it, do it, \
        mhm, uh huh, why not, by all means, i like it, i like that, go on then";
    // Assent only where nothing else is said: "a good house, please" agrees to nothing.
    const WEAK_YES: &str = "\
        perfect, great, fine, good, wonderful, please, lovely, excellent, fantastic, awesome, \
        interested, i would, i'd like to, i do";
    let closing = heard.is(Act::Goodbye) || heard.is(Act::Enough);
    let greets = tokens.has("good morning, good afternoon, good evening, not sure");
    if tokens.has(NO) {
        if !heard.has_facts() {
            heard.acts.insert(Act::No);
        }
    } else if !closing && !greets && !is_question(tokens) {
        let weak = tokens.has(WEAK_YES) && !heard.has_facts();
        if weak || tokens.has(YES) {
            heard.acts.insert(Act::Yes);
        }
    }
}

fn facets(tokens: &Tokens, heard: &mut Heard) {
    const QUESTIONS: &[(Facet, &str)] = &[
        (
            Facet::Price,
            "\
                how much, what's the price, what is the price, what price, the price, asking price, \
                cost, costs, what's the rent, what is the rent, the rent, how expensive, price tag, what \
                are they asking",
        ),
        (
            Facet::Bedrooms,
            "\
                how many bedrooms, how many beds, how many rooms, how many bed, how big, number of \
                bedrooms",
        ),
        (
            Facet::Bathrooms,
            "\
                how many bath, how many baths, how many bathrooms, number of bathrooms, bathrooms does",
        ),
        (
            Facet::Address,
            "\
                the address, where is it, where's it, where is that, where's that, what street, which \
                street, located, where is the house, where exactly, where are they, its address, address \
                again",
        ),
        (
            Facet::Area,
            "\
                what area is, which area is, what neighborhood is, which neighborhood is, what part of \
                town is, which part of town is",
        ),
        (
            Facet::Kind,
            "\
                what type, what kind of, is it a house, is it a condo, is it an apartment, is it a \
                townhouse, house or, condo or, or a condo, or an apartment",
        ),
        (
            Facet::Available,
            "\
                still available, is it available, still on the market, been sold, still for sale, still \
                for rent",
        ),
        (
            Facet::Description,
            "\
                tell me more, tell me about, more about, know about, describe, description, details, \
                what's it like, what is it like, more information, more info, what else can you tell, \
                does it have, does it come, is there a, are there a, garden, pool, garage, yard, \
                parking, pets, washer, balcony, fireplace, basement, how old, square feet, square \
                footage, anything special, condition, features, when was it built",
        ),
    ];
    for (facet, phrases) in QUESTIONS {
        if tokens.has(phrases) {
            heard.facets.insert(*facet);
        }
    }
    // "The price should be under four hundred" tells, it does not ask.
    if heard.max_price.is_some() || heard.min_price.is_some() {
        heard.facets.remove(&Facet::Price);
    }
    if heard.facets.contains(&Facet::Kind) {
        heard.kind = None;
    }
    // "I'd like to see the house, is there a garden" asks; "a three bedroom with a garden" wishes.
    let wishes = heard.has_criteria() && !is_question(tokens);
    if wishes {
        heard.facets.clear();
    }
    if !heard.facets.is_empty() {
        heard.acts.remove(&Act::Search);
    }
}

/// Whether the words have the form of a question.
pub(super) fn is_question(tokens: &Tokens) -> bool {
    const STARTS: &str = "\
        what, what's, which, where, where's, when, when's, how, how's, why, who, who's, can you, could \
        you, can i, could i, do you, does, is it, is there, is that, is the, are the, are there, are you, are \
        they, will it, will there, will that, will you, will they, would you, did, has, tell me";
    (0..tokens.len().min(6)).any(|at| tokens.any_at(at, STARTS).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acts(text: &str) -> Heard {
        let mut heard = Heard::default();
        hear_acts(&Tokens::new(text), true, &mut heard);
        heard
    }

    #[test]
    fn paraphrases_stand_for_the_same_act() {
        let table: &[(Act, &str)] = &[
            (
                Act::Goodbye,
                "\
                    bye, ok goodbye then, talk to you later, have a nice day, i've got to go, take care",
            ),
            (
                Act::Enough,
                "\
                    no that's all, nothing else thanks, i'm all set, that's everything, no i'm good",
            ),
            (Act::Thanks, "thanks, thank you so much, i appreciate it"),
            (Act::Greeting, "hello, hi there, good morning, hey"),
            (
                Act::AskRobot,
                "\
                    are you a robot, is this a recording, you sound like a machine, is this an ai, who am i \
                    speaking to, am i talking to a machine, are you a machine or a person",
            ),
            (
                Act::AskWhetherHuman,
                "\
                    am i talking to a real person, are you human, are you a real person, is this a human",
            ),
            (Act::GoOn, "go on, please continue, you were saying"),
            (Act::CallMe, "call me back tomorrow, can i get a callback, please give me a call"),
            (Act::LeaveMessage, "can i leave a message, take a message for her, let him know i called"),
            (Act::Mail, "can you email me that, send me the details, please send it by email"),
            (
                Act::AskHuman,
                "\
                    can i speak to a human, transfer me to an agent, i want to talk to somebody, can \
                    someone call me back, put me through to a person, get me a representative",
            ),
            (
                Act::AskPeople,
                "\
                    is it safe, who lives there, what are the neighbors like, is there much crime, is it \
                    a good area, what kind of people live there, is it good for families",
            ),
            (
                Act::Repeat,
                "\
                    can you repeat that, sorry say that again, pardon, i didn't catch the price",
            ),
            (Act::Wait, "hold on, just a moment, let me think"),
            (
                Act::View,
                "\
                    i'd like to see it, can i visit, book it, could we take a look, schedule a tour, \
                    when can i come by, i want a viewing",
            ),
            (
                Act::Search,
                "\
                    i'm looking for a place, do you have anything, i'm in the market, i need a home, \
                    show me what you have",
            ),
            (
                Act::More,
                "\
                    do you have any others, something else please, what else do you have, none of those, \
                    another one",
            ),
            (
                Act::Cheaper,
                "\
                    that's too expensive, anything cheaper, i can't afford that, something more \
                    affordable",
            ),
            (Act::Bigger, "do you have a bigger one, that's too small, i need more space"),
            (
                Act::Indifferent,
                "\
                    it doesn't matter, anywhere, i don't mind, no preference, i'm flexible, whatever",
            ),
            (
                Act::AskAreas,
                "\
                    what areas do you have, which neighborhoods are there, where do you have homes",
            ),
            (
                Act::AskTimes,
                "\
                    what times do you have, any other times, when is it available, none of those work",
            ),
            (Act::Sell, "i want to sell my house, i'm thinking of selling, what is my house worth"),
            (Act::Yes, "yes, yeah sure, sounds good, go ahead, of course, i'd love to, ok"),
            (Act::No, "no, nope, not really, no thank you, i don't think so"),
            (Act::CanYouHear, "can you hear me, hello are you there"),
            (Act::Cancel, "i need to cancel, please cancel the viewing, call it off"),
            (Act::Rebook, "can we reschedule, please change the time"),
        ];
        for (act, said) in table {
            for text in said.split(", ") {
                assert!(acts(text).is(*act), "{act:?}: {text}: {:?}", acts(text).acts);
            }
        }
    }

    #[test]
    fn questions_about_a_home_have_many_forms() {
        let table: &[(Facet, &str)] = &[
            (
                Facet::Price,
                "\
                    how much is it, what's the price, what does it cost, what are they asking",
            ),
            (Facet::Bedrooms, "how many bedrooms does it have, how many beds, how big is it"),
            (Facet::Bathrooms, "how many bathrooms, how many baths are there"),
            (
                Facet::Address,
                "\
                    what's the address, where is it, where is it located, what street is it on",
            ),
            (
                Facet::Description,
                "\
                    tell me more, what's it like, does it have a garden, is there a pool, any details",
            ),
            (Facet::Kind, "what kind of home is it, is it a house or a condo"),
            (Facet::Available, "is it still available, is it still on the market"),
        ];
        for (facet, said) in table {
            for text in said.split(", ") {
                assert!(acts(text).facets.contains(facet), "{facet:?}: {text}: {:?}", acts(text));
            }
        }
    }

    #[test]
    fn a_robot_question_is_no_wish_for_a_person_and_the_other_way_round() {
        assert!(!acts("am i talking to a real person").is(Act::AskHuman));
        assert!(!acts("i want to talk to a real person").is(Act::AskWhetherHuman));
        assert!(acts("i want to talk to a real person").is(Act::AskHuman));
    }

    #[test]
    fn noise_is_not_understood() {
        for text in ["", "blah", "purple monkey", "the of and", "zxcvb"] {
            assert!(acts(text).is_empty(), "{text}: {:?}", acts(text));
        }
        assert!(acts("what is the capital of france").is(Act::OtherQuestion));
    }
}
